"""What an incident belongs with, as its page shows it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, false, func, literal, or_, select, union_all
from sqlalchemy.orm import Session

from db.models import Attachment, Incident, IncidentLink, Person
from db.queries.access import visible
from db.queries.incidents import Detail
from rules import access
from rules.access import Actor

SHOWN = 50


@dataclass(frozen=True)
class Related:
    """Another incident: a `parent`, a `part` of this one, or a `duplicate` that was merged into it.

    `duplicate` counts also what had been merged into one that was.
    """

    how: str
    id: int
    number: str
    version: int
    title: str
    state: str
    description: str
    reporter: str
    reported_at: datetime
    open: bool
    """whether the reader may open its own page, too"""
    files: tuple[tuple[int, str], ...] = ()
    """(id, name) of each file of a duplicate"""


@dataclass(frozen=True)
class Link:
    id: int
    kind: str
    reference: str
    url: str
    kept_here: bool
    """a problem with a page of its own"""


@dataclass(frozen=True)
class Relations:
    parent: Related | None = None
    parts: tuple[Related, ...] = ()
    duplicates: tuple[Related, ...] = ()
    links: tuple[Link, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.parent or self.parts or self.duplicates or self.links)


def relations(db: Session, actor: Actor, detail: Detail) -> Relations:
    """Everything of it that `actor` may see; `detail` was read as them. At most SHOWN of each kind, newest first.

    Whoever may read an incident reads what was merged into it, except a restricted one while it is not itself.
    """
    access.check(actor, "read", detail.record)
    own = detail.line.id
    merged = select(Incident.id).where(Incident.duplicate_of_id == own).cte("merged", recursive=True)
    merged = merged.union(select(Incident.id).join(merged, Incident.duplicate_of_id == merged.c.id))
    near = union_all(
        select(literal("parent").label("how"), Incident.parent_id.label("id")).where(
            Incident.id == own, Incident.parent_id.is_not(None)
        ),
        select(literal("part"), Incident.id).where(Incident.parent_id == own),
        select(literal("part"), Incident.id).where(
            Incident.parent_id.in_(select(merged.c.id).where(merged.c.id != own))
        ),
        select(literal("duplicate"), merged.c.id).where(merged.c.id != own),
    ).subquery()
    as_one = and_(near.c.how == "duplicate", or_(~Incident.restricted, literal(detail.line.restricted)))
    rows = db.execute(
        select(
            near.c.how,
            Incident.id,
            Incident.number,
            Incident.version,
            Incident.title,
            Incident.state,
            Incident.description,
            func.coalesce(Person.name, Incident.caller_name, "").label("reporter"),
            Incident.reported_at,
            func.coalesce(visible(actor), false()).label("open"),
        )
        .join(Incident, Incident.id == near.c.id)
        .outerjoin(Person, Person.id == Incident.reporter_id)
        .where(or_(visible(actor), as_one))
        .order_by(Incident.id.desc())
    ).all()
    files = _files(db, [row.id for row in rows if row.how == "duplicate"][:SHOWN])
    found = [Related(**row._asdict(), files=files.get(row.id, ())) for row in rows]
    links = db.execute(
        select(
            IncidentLink.id,
            IncidentLink.kind,
            IncidentLink.reference,
            IncidentLink.url,
            IncidentLink.problem_id.is_not(None),
        )
        .where(IncidentLink.incident_id == own)
        .order_by(IncidentLink.id)
    )
    return Relations(
        next((each for each in found if each.how == "parent"), None),
        tuple(each for each in found if each.how == "part")[:SHOWN],
        tuple(each for each in found if each.how == "duplicate")[:SHOWN],
        tuple(Link(*row) for row in links),
    )


def _files(db: Session, incident_ids: list[int]) -> dict[int, tuple[tuple[int, str], ...]]:
    if not incident_ids:
        return {}
    found: dict[int, tuple[tuple[int, str], ...]] = {}
    query = select(Attachment.incident_id, Attachment.id, Attachment.name).where(
        Attachment.incident_id.in_(incident_ids), ~Attachment.internal
    )
    for incident_id, file_id, name in db.execute(query.order_by(Attachment.id)):
        found[incident_id] = (*found.get(incident_id, ()), (file_id, name))
    return found
