"""Goes on with a change of policies that has not reached every open incident: its screen was closed, or it is large."""

from datetime import datetime

from sqlalchemy import Engine

from db.commands import policies
from db.engine import reading, writing
from db.queries import settings

BATCHES = 20
"""Batches of one tick, so that timers are not held up."""


def tick(now: datetime, engine: Engine | None = None) -> bool:
    """Apply the last change to some open incidents; True when it got further and there is more to do at once."""
    with reading(engine) as db:
        if not settings.is_pending(db):
            return False
    seen = -1
    for _ in range(BATCHES):
        with writing(engine) as db:
            progress = policies.apply_some(db, now)
        if progress.done or progress.seen == seen:  # what others hold is tried again at the next turn
            return False
        seen = progress.seen
    return True
