"""Tells people of the actions of postmortems that are overdue."""

import logging
from datetime import datetime

from sqlalchemy import Engine

from db.commands import postmortem_actions as commands
from db.engine import DatabaseProblem, reading, writing

MOST = 200
"""of one turn; the rest is told in the next"""
log = logging.getLogger(__name__)


def tick(now: datetime, engine: Engine | None = None) -> int:
    """Tell of everything that is to be told at `now`, each in a transaction of its own; how many there were.

    Raises what a failing database raises. What fails for another reason is logged and does not hold up the rest.
    """
    with reading(engine) as db:
        due = commands.overdue(db, now, MOST)
    return sum(_tell(action_id, now, engine) for action_id in due)


def _tell(action_id: int, now: datetime, engine: Engine | None) -> bool:
    try:
        with writing(engine) as db:
            return commands.tell_overdue(db, action_id, now)
    except DatabaseProblem:
        raise
    except Exception:
        log.exception("Nobody could be told that action %s is overdue; it is tried again.", action_id)
        return False
