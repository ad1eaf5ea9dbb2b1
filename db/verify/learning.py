"""What must hold of postmortems, whoever wrote them."""

from collections.abc import Iterator

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from db.models import Incident, Postmortem, PostmortemAction, PostmortemVersion, PublishedPostmortem
from db.verify.findings import Findings
from rules.postmortems import FIELDS, PUBLISHED, lacking


def check(db: Session, findings: Findings) -> int:
    """Look at each of them; how many there are."""
    for sentence in (*_of_versions(db), *_of_published(db), *_of_public(db)):
        findings.add(sentence)
    return db.execute(select(func.count()).select_from(Postmortem)).scalar_one()


def _of_versions(db: Session) -> Iterator[str]:
    """The newest version is there, and every one before it."""
    kept = (
        select(Incident.number, Postmortem.version, func.count(PostmortemVersion.version))
        .join(Incident, Incident.id == Postmortem.incident_id)
        .outerjoin(PostmortemVersion, PostmortemVersion.postmortem_id == Postmortem.id)
        .group_by(Postmortem.id, Incident.number, Postmortem.version)
        .having(
            func.count(PostmortemVersion.version) != Postmortem.version,
        )
        .order_by(Incident.number)
    )
    for number, version, count in db.execute(kept):
        yield f"{number}: its postmortem is at version {version}, but {count} are kept."


def _of_published(db: Session) -> Iterator[str]:
    """What is published has all that it was published with."""
    own = (PostmortemAction.postmortem_id == Postmortem.id, PostmortemAction.dropped_at.is_(None))
    actions = select(func.count()).select_from(PostmortemAction).where(*own).correlate(Postmortem).scalar_subquery()
    newest = and_(PostmortemVersion.postmortem_id == Postmortem.id, PostmortemVersion.version == Postmortem.version)
    published = (
        select(Incident.number, Postmortem.published_at, actions, PostmortemVersion)
        .join(Incident, Incident.id == Postmortem.incident_id)
        .join(PostmortemVersion, newest)
        .where(Postmortem.state == PUBLISHED)
        .order_by(Incident.number)
    )
    for number, published_at, count, kept in db.execute(published):
        if published_at is None:
            yield f"{number}: its postmortem is published, but nobody knows since when."
        for name in lacking({name: getattr(kept, name) for name in FIELDS}, count):
            yield f"{number}: its postmortem is published without '{name}'."


def _of_public(db: Session) -> Iterator[str]:
    """The public reads only of what was published here."""
    shown = (
        select(Incident.number)
        .join(Postmortem, Postmortem.incident_id == Incident.id)
        .join(PublishedPostmortem, PublishedPostmortem.postmortem_id == Postmortem.id)
        .where(PublishedPostmortem.withdrawn_at.is_(None), Postmortem.state != PUBLISHED)
        .order_by(Incident.number)
    )
    yield from (f"{number}: the public reads a postmortem that is not published." for number in db.scalars(shown))
