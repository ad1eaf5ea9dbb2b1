"""Packs what is measured anew when enough has changed, or has waited a while."""

from datetime import datetime, timedelta

from sqlalchemy import Engine

from db.commands import facts
from db.engine import reading, writing
from db.queries.columns import noted

EVERY = timedelta(minutes=1)
MANY = 300
"""changes that are packed at once"""
BLOCKS = 4
"""of one turn, each in a transaction of its own"""


class Packer:
    """One worker's packing. Several disturb nobody."""

    def __init__(self) -> None:
        self._last: datetime | None = None

    def tick(self, now: datetime, engine: Engine | None = None) -> bool:
        """Pack what is due; True when more is left."""
        waited = self._last is None or not timedelta(0) <= now - self._last < EVERY
        with reading(engine) as db:
            if not waited and noted(db, MANY) < MANY:
                return False
            if not facts.behind(db, 1):
                self._last = now
                return False
        for _ in range(BLOCKS):
            with writing(engine) as db:
                if not facts.pack(db, 1):
                    self._last = now
                    return False
        return True
