"""Begins and ends maintenance: what runs for the services of a window stops when it begins, and goes on after it.

What goes on is not found by windows that end but by what waits while no window covers it. So it is all the same whether
one ended, was cancelled or made shorter, covers other services now, or ended while no worker ran.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.commands import alerts, escalation, maintenance
from db.engine import DatabaseProblem, reading, writing
from db.queries import maintenance as queries

MOST = 100
"""Escalations that go on in one turn; the rest follows in the next, so that nothing else is held up."""
_TIMES = 5
"""transactions of alerts that are told for one integration in one turn; likewise"""

log = logging.getLogger(__name__)


def tick(now: datetime, engine: Engine | None = None) -> int:
    """Begin the windows that have begun since the last look, then let go on what none covers; how many have begun.

    Each is a transaction of its own. After an outage only those windows begin that last now. One that fails is logged
    and tried again next time.
    """
    with reading(engine) as db:
        due = maintenance.begin_due(db, now)
    begun = _each("Maintenance %s could not begin", due, lambda db, one: maintenance.begin(db, one, now), engine)
    with reading(engine) as db:
        held, stopped = queries.held_back(db, now), queries.stopped(db, now, MOST)
    untold = "What maintenance held back of integration %s could not be told"
    for _ in range(_TIMES):
        held = [one for one in held if _each(untold, [one], lambda db, one: _release(db, one, now), engine)]
    idle = "What maintenance stopped for incident %s could not go on"
    _each(idle, stopped, lambda db, one: escalation.resume(db, one, now), engine)
    return begun


def _release(db: Session, integration_id: int, now: datetime) -> int:
    return alerts.release(db, alerts.locked(db, [integration_id])[integration_id], now)


def _each(what: str, ids: Iterable[int], act: Callable[[Session, int], int], engine: Engine | None) -> int:
    done = 0
    for one in ids:
        try:
            with writing(engine) as db:
                done += act(db, one)
        except DatabaseProblem:
            raise
        except Exception:
            log.exception("%s; it is tried again.", what % one)
    return done
