"""Learns from past incidents again when enough new ones have come."""

from datetime import datetime

from sqlalchemy import Engine

from db.commands import history
from db.engine import engine as process_engine
from db.engine import reading


def tick(now: datetime, engine: Engine | None = None) -> bool:
    """Make the index of past incidents anew if it is behind; True when it was made."""
    with reading(engine) as db:
        if not history.is_behind(db, now):
            return False
    return history.learn(engine or process_engine(), now)
