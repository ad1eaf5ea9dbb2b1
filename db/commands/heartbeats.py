"""A worker says that it works."""

from datetime import datetime, timedelta

from sqlalchemy import delete, or_
from sqlalchemy.orm import Session

from db.models import WorkerHeartbeat

FORGOTTEN_AFTER = timedelta(days=7)
_SLACK = timedelta(minutes=1)


def beat(db: Session, name: str, now: datetime) -> None:
    """The worker `name` took a turn at `now`. Long quiet ones are forgotten."""
    gone = or_(WorkerHeartbeat.at < now - FORGOTTEN_AFTER, WorkerHeartbeat.at > now + _SLACK)
    db.execute(delete(WorkerHeartbeat).where(gone, WorkerHeartbeat.name != name))
    db.merge(WorkerHeartbeat(name=name, at=now))


def end(db: Session, name: str) -> None:
    """It was asked to end."""
    db.execute(delete(WorkerHeartbeat).where(WorkerHeartbeat.name == name))
