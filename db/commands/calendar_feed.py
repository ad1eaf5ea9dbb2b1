"""The private address of one's own shifts, for a calendar on a phone or a desk. Only the token's hash is kept."""

import secrets
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from db.commands import audit
from db.models import CalendarFeed, Person
from db.queries.sessions import hashed
from rules import access
from rules.access import Actor


def renew(db: Session, *, actor: Actor, now: datetime) -> str:
    """The token of a new address, to be shown once; the old address, if there is one, ends."""
    access.check(actor, "on_call")
    _hold(db, actor)
    token = secrets.token_urlsafe(32)
    db.merge(CalendarFeed(person_id=actor.id, token_hash=hashed(token), created_at=now))
    audit.record(db, actor, now, "calendar address made", actor.name)
    return token


def end(db: Session, *, actor: Actor, now: datetime) -> None:
    """The address leads nowhere from now on."""
    _hold(db, actor)
    if db.get(CalendarFeed, actor.id) is not None:
        db.execute(delete(CalendarFeed).where(CalendarFeed.person_id == actor.id))
        audit.record(db, actor, now, "calendar address ended", actor.name)


def _hold(db: Session, actor: Actor) -> None:
    """Two who renew at once wait for one another."""
    db.execute(select(Person.id).where(Person.id == actor.id).with_for_update()).one()
