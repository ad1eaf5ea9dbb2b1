"""Who leads the response to an incident, what stakeholders were told of it, and when the next word is due."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session, aliased

from db.models import (
    Incident,
    IncidentRole,
    Person,
    PersonRole,
    Room,
    Service,
    ServiceSubscriber,
    TeamMember,
    Update,
)
from db.queries import incidents, people
from db.queries.access import followers_of, record_of
from db.queries.responsible import responsible
from db.queries.settings import policies
from rules import access
from rules.access import Actor, Record

PAGE = 20


@dataclass(frozen=True)
class Held:
    """A part that somebody has in the response."""

    role: str
    person_id: int
    name: str
    subject: str
    began_at: datetime


@dataclass(frozen=True)
class Written:
    """One update."""

    id: int
    audience: str
    stage: str
    text: str
    title: str
    components: Mapping[str, str] | None
    next_at: datetime | None
    state: str
    writer_id: int
    writer: str
    written_at: datetime
    published_at: datetime | None
    corrects: bool
    declined_why: str
    decided_by: str | None


@dataclass(frozen=True)
class Response:
    """What the room shows of the response."""

    declared_at: datetime | None = None
    due_at: datetime | None = None
    """when the next update is due"""
    held: tuple[Held, ...] = ()
    newest: tuple[Written, ...] = ()
    """updates that were published, the newest first"""
    waiting: tuple[Written, ...] = ()
    """updates that wait for the commander's word, the oldest first"""
    decides: bool = False
    """the actor is the one whose word they wait for"""

    def holder(self, role: str) -> Held | None:
        """Who has the part that only one person has."""
        return next((held for held in self.held if held.role == role), None)


_ROOM = select(Room.declared_at, Room.update_due_at).where(Room.incident_id == bindparam("incident_id"))
_HELD = (
    select(IncidentRole.role, IncidentRole.person_id, Person.name, IncidentRole.subject, IncidentRole.began_at)
    .join(Person, Person.id == IncidentRole.person_id)
    .where(IncidentRole.incident_id == bindparam("incident_id"), IncidentRole.ended_at.is_(None))
    .order_by(IncidentRole.id)
)
_DECIDER = aliased(Person)
_WRITTEN = (
    select(
        Update.id,
        Update.audience,
        Update.stage,
        Update.text,
        Update.title,
        Update.components,
        Update.next_at,
        Update.state,
        Update.written_by_id,
        Person.name,
        Update.written_at,
        Update.published_at,
        Update.corrects_id.is_not(None),
        Update.declined_why,
        _DECIDER.name,
    )
    .join(Person, Person.id == Update.written_by_id)
    .outerjoin(_DECIDER, _DECIDER.id == Update.decided_by_id)
    .where(Update.incident_id == bindparam("incident_id"))
    .order_by(func.coalesce(Update.published_at, Update.written_at).desc(), Update.id.desc())
    .limit(bindparam("limit"))
)


def held(db: Session, incident_id: int) -> list[Held]:
    """Who has which part now, in the order in which they took it. Access is the caller's to check."""
    return [Held(*row) for row in db.execute(_HELD, {"incident_id": incident_id})]


def open_to(db: Session, incident: Incident, parts: Iterable[Held]) -> list[int]:
    """Ids of those of them who may still see the incident: it may have been restricted since they took their part."""
    ids = [part.person_id for part in parts]
    if not incident.restricted:
        return ids
    record = record_of(db, incident)
    acting = (people.acting(db, person_id) for person_id in ids)
    return [actor.id for actor in acting if actor is not None and access.may(actor, "read", record)]


def holder(db: Session, incident_id: int, role: str) -> int | None:
    """Id of the person who has the part that only one has."""
    return next((each.person_id for each in held(db, incident_id) if each.role == role), None)


def of_incident(db: Session, actor: Actor, detail: incidents.Detail) -> Response:
    """The response to an incident, for one who works on it. NotFound when it is not open to them."""
    access.check(actor, "read", detail.record)
    asked = {"incident_id": detail.line.id}
    room = db.execute(_ROOM, asked).one_or_none()
    if room is None:  # whatever belongs to a response makes a room first
        return Response()
    parts = tuple(held(db, detail.line.id))
    rows = [_written(row) for row in db.execute(_WRITTEN, asked | {"limit": PAGE})]
    commander = next((each.person_id for each in parts if each.role == "commander"), None)
    return Response(
        declared_at=room.declared_at,
        due_at=room.update_due_at,
        held=parts,
        newest=tuple(row for row in rows if row.state == "published"),
        waiting=tuple(row for row in reversed(rows) if row.state == "waiting"),
        decides=may_decide(actor, detail.record, commander),
    )


def page(
    db: Session, actor: Actor, detail: incidents.Detail, before: int | None = None, limit: int = PAGE
) -> tuple[list[Written], bool]:
    """The updates (before the one with the id `before`), the last written first, and whether there are earlier ones.

    What waits and what was declined is only for those who work on the incident.
    """
    access.check(actor, "read", detail.record)
    chosen = _WRITTEN.order_by(None).order_by(Update.id.desc())
    if before is not None:
        chosen = chosen.where(Update.id < before)
    if not incidents.works_on(actor):
        chosen = chosen.where(Update.state == "published")
    rows = db.execute(chosen, {"incident_id": detail.line.id, "limit": limit + 1}).all()
    return [_written(row) for row in rows[:limit]], len(rows) > limit


def _written(row: Any) -> Written:
    return Written(*row)


def may_decide(actor: Actor, record: Record, commander: int | None) -> bool:
    """True for whoever says what the public is told: the commander; while there is none, whoever may publish."""
    if commander is not None:
        return actor.id == commander
    return access.may(actor, "publish", record)


def waits(db: Session, actor: Actor, record: Record) -> bool:
    """True when what `actor` writes to the public is read by the commander before it is published.

    Where the setting asks for it, and when it is written by one who triages nothing and has no part in telling people.
    """
    assert record.id is not None
    parts = held(db, record.id)
    if may_decide(actor, record, next((each.person_id for each in parts if each.role == "commander"), None)):
        return False
    if policies(db).updates.approval:
        return True
    writes = any(each.role == "communications" and each.person_id == actor.id for each in parts)
    return not (writes or access.may(actor, "publish", record))


def deciders(db: Session, incident: Incident) -> list[int]:
    """Ids of those who are asked while there is no commander: of those who answer for it, who may publish."""
    record = record_of(db, incident)
    acting = (people.acting(db, person_id) for person_id in responsible(db, incident))
    return [actor.id for actor in acting if actor is not None and access.may(actor, "publish", record)]


def is_loud(incident: Incident) -> bool:
    """True for what managers are told of too."""
    return incident.major or incident.priority in (1, 2)


def readers(db: Session, incident: Incident) -> dict[int, str]:
    """Id -> name of those whom an internal update reaches, by name.

    The reporter, followers, those who answer for it or take part, who subscribed to its service; managers of major
    incidents and of P1 and P2. Of a restricted incident only those to whom it is open.
    """
    followers = followers_of(db, incident.id)
    ids = {person for person, named in followers.items() if named or not incident.restricted}
    ids |= {each.person_id for each in held(db, incident.id)} | set(responsible(db, incident))
    if incident.reporter_id is not None:
        ids.add(incident.reporter_id)
    if incident.restricted:
        ids &= {*record_of(db, incident, followers).named_ids, *_members(db, incident)} | {
            incident.reporter_id or 0,
            incident.assignee_id or 0,
        }
    else:
        chosen = select(ServiceSubscriber.person_id).where(ServiceSubscriber.service_id == incident.service_id)
        ids |= set(db.scalars(chosen))
        if is_loud(incident):
            ids |= set(db.scalars(select(PersonRole.person_id).where(PersonRole.role == "manager")))
    here = select(Person.id, Person.name).where(Person.id.in_(ids), Person.disabled_at.is_(None)).order_by(Person.name)
    return {person_id: name for person_id, name in db.execute(here)}


def _members(db: Session, incident: Incident) -> set[int]:
    return set(db.scalars(select(TeamMember.person_id).where(TeamMember.team_id == incident.team_id)))


def reach(db: Session, actor: Actor, detail: incidents.Detail) -> dict[int, str]:
    """Id -> name of those whom an internal update would reach, without the actor: for the preview."""
    access.check(actor, "note", detail.record)
    incident = db.get_one(Incident, detail.line.id)
    return {person: name for person, name in readers(db, incident).items() if person != actor.id}


def subscribed(db: Session, actor: Actor) -> dict[int, str]:
    """Id -> name of the services about which the actor reads internal updates."""
    chosen = (
        select(Service.id, Service.name)
        .join(ServiceSubscriber, ServiceSubscriber.service_id == Service.id)
        .where(ServiceSubscriber.person_id == actor.id)
        .order_by(Service.name)
    )
    return {service_id: name for service_id, name in db.execute(chosen)}


def number_published(db: Session, incident_id: int) -> int:
    """How many updates were published. Access is the caller's to check."""
    chosen = select(func.count()).select_from(Update).where(Update.incident_id == incident_id)
    return db.scalar(chosen.where(Update.state == "published")) or 0
