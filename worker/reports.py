"""Sends what people ordered: the weekly digest and saved reports, to each reader with the numbers open to them.

A report is computed in a transaction that reads; what queues it only writes rows. After an outage each reader gets the
newest one, and none that is more than rules.report_times.LATEST late.
"""

import logging
import time
from datetime import datetime, timedelta

from sqlalchemy import Engine

from db.commands import report_runs
from db.engine import DatabaseProblem, reading, writing
from db.queries import report_schedules
from rules.report_times import too_late

MOST = 20
"""readers of one turn"""
TURN_SECONDS = 1.0
"""So long at most, and one reader beyond it: whoever is to be paged does not wait for reports."""
AGAIN = timedelta(minutes=5)
"""when what failed is tried again"""

log = logging.getLogger(__name__)


class Rounds:
    """One worker's sending. Several disturb nobody."""

    def __init__(self) -> None:
        self._waits: dict[tuple[int, int], datetime] = {}

    def tick(self, now: datetime, engine: Engine | None = None) -> bool:
        """Send what is due at `now`; True when more is left."""
        self._waits = {which: until for which, until in self._waits.items() if now < until <= now + AGAIN}
        with reading(engine) as db:
            found = report_schedules.due_by(db, now, MOST, list(self._waits))
        begun = time.monotonic()
        for place, which in enumerate(found, 1):
            try:
                _send(*which, now, engine)
            except DatabaseProblem:
                raise
            except Exception:
                log.exception("Report %s for person %s could not be sent; it is tried again.", *which)
                self._waits[which] = now + AGAIN
            if time.monotonic() - begun > TURN_SECONDS:
                return place < len(found)
        return len(found) == MOST


def _send(schedule_id: int, person_id: int, now: datetime, engine: Engine | None) -> None:
    with reading(engine) as db:
        due = report_schedules.due(db, schedule_id, person_id)
        if due is None or due.at > now:  # ended, or sent by another worker meanwhile
            return
        report = None
        if due.reader is not None and not too_late(due.times, due.at, now):
            report = report_schedules.made(db, due.reader, due.address, due.times.zone, now)
    with writing(engine) as db:
        report_runs.send(db, due, person_id, report, now=now)
