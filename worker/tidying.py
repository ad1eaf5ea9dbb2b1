"""Removes what has served its purpose, in small transactions, and never so many in one turn that others wait."""

from datetime import datetime

from sqlalchemy import Engine

from db.commands import housekeeping
from db.engine import writing

BATCHES = 10
"""of one turn, for each kind"""


class Broom:
    """One worker's tidying: what one turn leaves, the next takes up where it was."""

    def __init__(self) -> None:
        self._after = 0

    def sweep(self, now: datetime, engine: Engine | None = None) -> bool:
        """Delete a part of what may go; True when more is left."""
        with writing(engine) as db:
            housekeeping.tidy(db, now)
        signals = self._signals(now, engine)
        return self._messages(now, engine) or signals

    def _messages(self, now: datetime, engine: Engine | None) -> bool:
        for _ in range(BATCHES):
            with writing(engine) as db:
                _, after = housekeeping.forget_messages(db, now, self._after)
            self._after = after or 0
            if after is None:
                return False
        return True

    def _signals(self, now: datetime, engine: Engine | None) -> bool:
        for _ in range(BATCHES):
            with writing(engine) as db:
                if housekeeping.forget_signals(db, now) < housekeeping.BATCH:
                    return False
        return True
