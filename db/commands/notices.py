"""Telling people: a notice that each reads in the app, written in the transaction of what it tells."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from db.models import Incident, Notice, Person
from rules.access import Actor

SUBJECT_LIMIT = 200


def tell(
    db: Session,
    people: Iterable[int],
    kind: str,
    subject: str,
    body: str = "",
    *,
    incident: Incident | None = None,
    now: datetime,
) -> None:
    """Tell each person once. Whoever has no account any more is passed over."""
    asked = sorted(set(people))
    if not asked:
        return
    here = select(Person.id).where(Person.id.in_(asked), Person.disabled_at.is_(None)).order_by(Person.id)
    for person_id in db.scalars(here).all():
        db.add(
            Notice(
                person_id=person_id,
                incident_id=incident.id if incident is not None else None,
                kind=kind,
                subject=subject[:SUBJECT_LIMIT],
                body=body,
                created_at=now,
            )
        )


def mark_read(db: Session, actor: Actor, *, now: datetime) -> None:
    """Everything `actor` was told counts as read."""
    db.execute(update(Notice).where(Notice.person_id == actor.id, Notice.read_at.is_(None)).values(read_at=now))
