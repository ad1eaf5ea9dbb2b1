"""Whether anything falls due as it should: when a worker last took a turn."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.models import WorkerHeartbeat
from rules.priority import span

LATE = timedelta(minutes=1)
"""Several times as long as a worker is quiet between two turns."""


def quiet_for(db: Session, now: datetime) -> timedelta | None:
    """How long no worker has taken a turn; None when there never was one."""
    newest = db.scalar(select(func.max(WorkerHeartbeat.at)))
    return max(now - newest, timedelta()) if newest is not None else None


def problem(db: Session, now: datetime) -> str | None:
    """A sentence when no worker runs; None while one does."""
    quiet = quiet_for(db, now)
    if quiet is None:
        return "No worker runs: nothing is sent, and nothing falls due. Start one, or set WORKER=embedded."
    if quiet > LATE:
        return f"No worker has run for {span(quiet.total_seconds())}: nothing is sent, and nothing falls due."
    return None
