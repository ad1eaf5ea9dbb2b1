"""What the public is told, on the status page and by mail to its subscribers."""

from datetime import datetime

from sqlalchemy.orm import Session

from db.models import Incident, Update
from rules.access import Actor


def publish(db: Session, incident: Incident, update: Update, *, actor: Actor, now: datetime) -> int:
    """Put a published update on the status page; how many subscribers get it by mail."""
    return 0
