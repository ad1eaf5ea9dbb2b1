"""Fires what has fallen due: each timer once, in a transaction of its own, in the order in which it fell due."""

import logging
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Engine, Row, and_, or_, select
from sqlalchemy.orm import Session

from db.commands import timers
from db.engine import DatabaseProblem, reading, writing
from db.models import Incident, Timer

BATCH = 100
MOST = 1000
"""Timers of one tick. What is left waits for the next, so that working off an outage does not hold up the rest."""

log = logging.getLogger(__name__)
Due = Row[int, datetime]


def tick(now: datetime, engine: Engine | None = None) -> int:
    """Fire the timers due at `now`, oldest first, at most MOST; how many were fired.

    Raises what a failing database raises. A timer that fails for another reason is logged and tried again next time.
    """
    fired = looked_at = 0
    after: Due | None = None
    while looked_at < MOST:
        batch = _due(now, after, engine)
        for timer_id, due_at in batch:
            try:
                fired += _fire(timer_id, due_at, now, engine)
            except DatabaseProblem:
                raise
            except Exception:
                log.exception("Timer %s could not be fired; it is tried again.", timer_id)
        looked_at += len(batch)
        if len(batch) < BATCH:
            break
        after = batch[-1]
    return fired


def _due(now: datetime, after: Due | None, engine: Engine | None) -> Sequence[Due]:
    statement = select(Timer.id, Timer.due_at).where(
        Timer.fired_at.is_(None), Timer.due_at <= now, Timer.kind.in_(timers.KINDS)
    )
    if after is not None:
        same_moment = and_(Timer.due_at == after.due_at, Timer.id > after.id)
        statement = statement.where(or_(Timer.due_at > after.due_at, same_moment))
    with reading(engine) as db:
        return db.execute(statement.order_by(Timer.due_at, Timer.id).limit(BATCH)).all()


def _fire(timer_id: int, due_at: datetime, now: datetime, engine: Engine | None) -> bool:
    """Claim the timer and fire it; False when another worker has it, or it was moved or fired since it was read."""
    with writing(engine) as db:
        timer = _claimed(db, timer_id, due_at)
        if timer is None:
            return False
        timers.fire(db, timer, now)
    return True


def _claimed(db: Session, timer_id: int, due_at: datetime) -> Timer | None:
    """The timer, if it is still as it was read and nobody else is at it.

    PostgreSQL locks the incident and the timer together and waits for neither, so a change of the incident and its
    timers cannot deadlock with this. On SQLite only one transaction writes, and it sees what the last one left.
    """
    statement = (
        select(Timer)
        .join(Incident, Incident.id == Timer.incident_id)
        .where(Timer.id == timer_id, Timer.due_at == due_at, Timer.fired_at.is_(None))
        .with_for_update(of=(Timer, Incident), skip_locked=True)
    )
    return db.scalars(statement).one_or_none()
