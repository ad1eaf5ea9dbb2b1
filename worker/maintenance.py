"""Begins maintenance: what is running for the services of a window stops when the window, or its next time, begins."""

import logging
from datetime import datetime

from sqlalchemy import Engine

from db.commands import maintenance
from db.engine import DatabaseProblem, reading, writing

log = logging.getLogger(__name__)


def tick(now: datetime, engine: Engine | None = None) -> int:
    """Begin the windows that have begun since the last look, each in a transaction of its own; how many they were.

    After an outage only those that last now begin. One that fails is logged and tried again next time.
    """
    with reading(engine) as db:
        due = maintenance.begin_due(db, now)
    done = 0
    for window_id in due:
        try:
            with writing(engine) as db:
                done += maintenance.begin(db, window_id, now)
        except DatabaseProblem:
            raise
        except Exception:
            log.exception("Maintenance %s could not begin; it is tried again.", window_id)
    return done
