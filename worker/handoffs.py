"""Tells people when their turn of on-call begins or ends, and leads when nobody will be on call."""

import logging
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from db.commands import handoffs
from db.engine import DatabaseProblem, reading, writing
from db.models import Schedule

log = logging.getLogger(__name__)
Work = Callable[[Session, Schedule, datetime], int]


def tick(now: datetime, engine: Engine | None = None) -> int:
    """Tell the handoffs that are due at `now`; how many people were told."""
    with reading(engine) as db:
        due = db.scalars(select(Schedule.id).where(Schedule.handoff_at <= now).order_by(Schedule.handoff_at)).all()
    return sum(_each(schedule_id, handoffs.tell_change, now, engine) for schedule_id in due)


def look_ahead(now: datetime, engine: Engine | None = None) -> int:
    """Tell of gaps within the week that nobody was told of yet, and see when the next handoffs are; new gaps."""
    with reading(engine) as db:
        used = db.scalars(select(Schedule.id).where(Schedule.archived_at.is_(None)).order_by(Schedule.id)).all()
    return sum(_each(schedule_id, _look, now, engine) for schedule_id in used)


def _look(db: Session, schedule: Schedule, now: datetime) -> int:
    handoffs.look_again(db, schedule, now)
    return handoffs.tell_gaps(db, schedule, now)


def _each(schedule_id: int, work: Work, now: datetime, engine: Engine | None) -> int:
    """Do it in a transaction of its own, unless another worker or a change holds the schedule: then the next turn does.

    Raises what a failing database raises. What fails for another reason is logged and does not hold up the rest.
    """
    try:
        with writing(engine) as db:
            schedule = handoffs.locked(db, schedule_id, wait=False)
            return work(db, schedule, now) if schedule is not None else 0
    except DatabaseProblem:
        raise
    except Exception:
        log.exception("Schedule %s could not be looked at; it is tried again.", schedule_id)
        return 0
