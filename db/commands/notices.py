"""Telling people: a notice that each reads in the app, and that leaves by the ways they chose."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from db.commands import outbox
from db.models import Incident, Notice, Person
from rules.access import Actor


def tell(
    db: Session,
    people: Iterable[int],
    kind: str,
    subject: str,
    body: str = "",
    *,
    incident: Incident | None = None,
    now: datetime,
    in_app_only: bool = False,
    button: tuple[str, str] | None = None,
    schedule_id: int | None = None,
) -> list[Notice]:
    """Tell each person once. Whoever has no account any more is passed over.

    `button`: word and path of what a message that leaves the app leads to, where that is no incident. `schedule_id`:
    of the report that it brings, which its mail offers to leave.
    """
    asked = sorted(set(people))
    if not asked:
        return []
    here = select(Person.id).where(Person.id.in_(asked), Person.disabled_at.is_(None)).order_by(Person.id)
    told = [
        Notice(
            person_id=person_id,
            incident_id=incident.id if incident is not None else None,
            kind=kind,
            subject=subject[: outbox.SUBJECT_LIMIT],
            body=body,
            created_at=now,
        )
        for person_id in db.scalars(here).all()
    ]
    db.add_all(told)
    if told and not in_app_only:
        db.flush()  # the messages name the notices
        outbox.deliver(db, told, incident, now=now, button=button, schedule_id=schedule_id)
    return told


def mark_read(db: Session, actor: Actor, *, now: datetime) -> None:
    """Everything `actor` was told counts as read."""
    db.execute(update(Notice).where(Notice.person_id == actor.id, Notice.read_at.is_(None)).values(read_at=now))


def mark_one_read(db: Session, notice_id: int, actor: Actor, *, now: datetime) -> None:
    """One of the things that `actor` was told counts as read; somebody else's stays as it is."""
    own = (Notice.id == notice_id, Notice.person_id == actor.id, Notice.read_at.is_(None))
    db.execute(update(Notice).where(*own).values(read_at=now))
