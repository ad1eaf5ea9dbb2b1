"""What was learned, as the public reads it: in words of its own, as long as they are on the status page."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import Postmortem, Publication, PublishedPostmortem

MOST = 10
_LESSONS = (
    select(
        PublishedPostmortem.title,
        PublishedPostmortem.words,
        PublishedPostmortem.published_at,
        Publication.id,
        Publication.title.label("incident_title"),
        PublishedPostmortem.postmortem_id,
    )
    .join(Postmortem, Postmortem.id == PublishedPostmortem.postmortem_id)
    .join(Publication, Publication.incident_id == Postmortem.incident_id)
    .where(PublishedPostmortem.withdrawn_at.is_(None))
)


@dataclass(frozen=True)
class Lesson:
    """What was learned from an incident, in the words chosen for the public."""

    title: str
    words: str
    at: datetime


@dataclass(frozen=True)
class Learned:
    """A lesson with the incident it is of, however long ago that ended."""

    incident_id: int
    """of the publication"""
    incident_title: str
    lesson: Lesson
    key: str
    """the same for ever, and no other's"""


def of_incident(db: Session, publication_id: int) -> Lesson | None:
    """What the public reads of the postmortem of this incident."""
    found = db.execute(_LESSONS.where(Publication.id == publication_id)).one_or_none()
    return Lesson(found.title, found.words, found.published_at) if found is not None else None


def newest(db: Session, since: datetime) -> tuple[Learned, ...]:
    """Those published since then, the newest first, MOST of them."""
    order = (PublishedPostmortem.published_at.desc(), PublishedPostmortem.postmortem_id.desc())
    statement = _LESSONS.where(PublishedPostmortem.published_at >= since).order_by(*order).limit(MOST)
    return tuple(
        Learned(id_, incident_title, Lesson(title, words, at), f"postmortem {postmortem_id}")
        for title, words, at, id_, incident_title, postmortem_id in db.execute(statement)
    )
