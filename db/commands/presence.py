"""Who has the room of an incident open."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from db.models import Presence
from db.queries.rooms import GONE_AFTER


def arrive(db: Session, incident_id: int, person_id: int, place: str, now: datetime) -> None:
    """Somebody opened it, served by the process `place`."""
    db.merge(Presence(incident_id=incident_id, person_id=person_id, place=place, seen_at=now))


def leave(db: Session, incident_id: int, person_id: int, place: str) -> None:
    """They closed the last of their tabs there."""
    gone = db.get(Presence, (incident_id, person_id, place))
    if gone is not None:
        db.delete(gone)


def stay(db: Session, place: str, now: datetime) -> Collection[int]:
    """All whom the process `place` serves are still there; those of processes that died are not.

    Gives the incidents that somebody has left that way.
    """
    db.execute(update(Presence).where(Presence.place == place).values(seen_at=now))
    dead = Presence.seen_at < now - GONE_AFTER
    left = set(db.scalars(select(Presence.incident_id).where(dead)))
    if left:
        db.execute(delete(Presence).where(dead))
    return left
