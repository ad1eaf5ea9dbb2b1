"""What a person was told."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from db.models import Incident, Notice, ReportRun
from db.queries.access import visible
from rules.access import Actor

PAGE_SIZE = 25
MANY = 100
"""as far as unread ones are counted"""


@dataclass(frozen=True)
class Told:
    id: int
    kind: str
    subject: str
    body: str
    created_at: datetime
    read: bool
    number: str | None
    """of its incident, as long as it is open to them"""
    run: int | None = None
    """the report that it brought"""


def own(db: Session, actor: Actor, page: int = 1) -> tuple[list[Told], int]:
    """One page of what `actor` was told, newest first, and how many there are."""
    total = db.execute(select(func.count()).where(Notice.person_id == actor.id)).scalar_one()
    statement = (
        select(
            Notice.id,
            Notice.kind,
            Notice.subject,
            Notice.body,
            Notice.created_at,
            Notice.read_at.is_not(None),
            Notice.incident_id,
            Incident.number,
            ReportRun.id,
        )
        .select_from(Notice)
        .outerjoin(Incident, (Incident.id == Notice.incident_id) & visible(actor))
        .outerjoin(ReportRun, (ReportRun.notice_id == Notice.id) & (ReportRun.person_id == actor.id))
        .where(Notice.person_id == actor.id)
        .order_by(Notice.created_at.desc(), Notice.id.desc())
        .limit(PAGE_SIZE)
        .offset((max(page, 1) - 1) * PAGE_SIZE)
    )
    return [_told(*row) for row in db.execute(statement)], total


def _told(
    id_: int,
    kind: str,
    subject: str,
    body: str,
    at: datetime,
    read: bool,
    about: int | None,
    number: str | None,
    run: int | None,
) -> Told:
    """What was told of an incident that has since been restricted is not told again."""
    if about is not None and number is None:
        subject, body = "About an incident that is not open to you any more", ""
    return Told(id_, kind, subject, body, at, read, number, run)


_FEW = select(Notice.id).where(Notice.person_id == bindparam("person_id"), Notice.read_at.is_(None)).limit(MANY)
_UNREAD = select(func.count()).select_from(_FEW.subquery())


def unread(db: Session, actor: Actor) -> int:
    """How many of them are unread; MANY stands for that many or more."""
    return db.execute(_UNREAD, {"person_id": actor.id}).scalar_one()
