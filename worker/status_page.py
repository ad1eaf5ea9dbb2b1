"""Tells subscribers of the status page that published maintenance has begun or is over, once each."""

import logging
from datetime import datetime

from sqlalchemy import Engine

from db.commands import window_notices
from db.engine import DatabaseProblem, reading, writing

log = logging.getLogger(__name__)


def tick(now: datetime, engine: Engine | None = None) -> int:
    """Each window in a transaction of its own; of how many something was told. One that fails is tried again."""
    with reading(engine) as db:
        due = window_notices.due(db, now)
    told = 0
    for window_id in due:
        try:
            with writing(engine) as db:
                told += window_notices.tell_due(db, window_id, now)
        except DatabaseProblem:
            raise
        except Exception:
            log.exception("Maintenance %s could not be told to subscribers; it is tried again.", window_id)
    return told
