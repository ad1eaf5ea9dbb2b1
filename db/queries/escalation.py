"""Whom an escalation asks, which policy an incident has, and how far its escalation is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select, text
from sqlalchemy.orm import Session

from db.models import (
    Alert,
    Escalation,
    EscalationPolicy,
    Incident,
    Integration,
    OutboxMessage,
    Page,
    Person,
    PersonRole,
    Schedule,
    Service,
    Team,
    Timer,
)
from db.models.work import WAITING
from db.queries import alerts, choices, oncall, people
from db.queries.access import record_of
from db.queries.incidents import Detail
from rules import access
from rules.access import Actor
from rules.escalation import Policy, Target, step_at

PAGES_SHOWN = 50


@dataclass(frozen=True)
class Resolved:
    """Who the targets of one step are at a moment."""

    people: dict[int, str]
    """id -> why they are asked: 'schedule Network', 'team Servers', '' for one who is named; each once"""
    nobody: tuple[str, ...]
    """why a target is nobody: 'nobody is on call in Network'"""


def resolve(db: Session, targets: Iterable[Target], at: datetime) -> Resolved:
    """Look the targets up: who is on call at the moment, who works in the team, who has an account."""
    found: dict[int, str] = {}
    nobody: list[str] = []
    asked = False
    for target in targets:
        asked = True
        ids, why, missing = _LOOK_UP[target.kind](db, target.id, at)
        for person_id in ids:
            found.setdefault(person_id, why)
        if not ids:
            nobody.append(missing)
    return Resolved(found, tuple(nobody) if asked else ("it names nobody",))


_Found = tuple[tuple[int, ...], str, str]


def _schedule(db: Session, schedule_id: int, at: datetime) -> _Found:
    schedule = db.get(Schedule, schedule_id)
    if schedule is None or schedule.archived_at is not None:
        name = schedule.name if schedule is not None else "one of its schedules"
        return (), "", f"{name} is not kept any more"
    return oncall.on_call(db, schedule_id, at), f"schedule {schedule.name}", f"nobody is on call in {schedule.name}"


def _team(db: Session, team_id: int, _at: datetime) -> _Found:
    team = db.get(Team, team_id)
    if team is None:
        return (), "", "one of its teams is gone"
    return tuple(choices.workers(db, team_id)), f"team {team.name}", f"nobody works in {team.name}"


def _person(db: Session, person_id: int, _at: datetime) -> _Found:
    person = db.get(Person, person_id)
    if person is None or person.disabled_at is not None:
        return (), "", f"{person.name if person is not None else 'Somebody'} has no account any more"
    return (person_id,), "", ""


_LOOK_UP = {"schedule": _schedule, "team": _team, "person": _person}


def policy_of(db: Session, incident: Incident, policy_id: int | None = None) -> EscalationPolicy | None:
    """The policy that pages for the incident: that given, else of the integration, the service, the team.

    Those of integration and service count only while the incident is with the team that they are of: handed over, it
    is the other team's to answer.
    """
    service = db.get(Service, incident.service_id) if incident.service_id is not None else None
    ids: list[int | None] = [policy_id]
    integrations = (
        select(Integration.escalation_policy_id, Integration.team_id)
        .join(Alert, Alert.integration_id == Integration.id)
        .where(Alert.incident_id == incident.id, Integration.escalation_policy_id.is_not(None))
        .order_by(Alert.id)
        .limit(1)
    )
    for own, team_id in db.execute(integrations) if incident.source == "alert" else ():
        if _with(incident, team_id if team_id is not None or service is None else service.team_id):
            ids.append(own)
    if service is not None and _with(incident, service.team_id):
        ids.append(service.escalation_policy_id)
    if incident.team_id is not None:
        ids.append(db.get_one(Team, incident.team_id).escalation_policy_id)
    for one in ids:
        policy = db.get(EscalationPolicy, one) if one is not None else None
        if policy is not None and policy.archived_at is None:
            return policy
    return None


def _with(incident: Incident, team_id: int | None) -> bool:
    return incident.team_id is None or team_id is None or incident.team_id == team_id


def first_on_call(db: Session, policy: EscalationPolicy, at: datetime) -> int | None:
    """Whom the policy asks first: the first person of its first step that has anybody, if they work on incidents."""
    working = choices.workers(db)
    for step in policy.steps:
        targets = [Target(target["kind"], target["id"]) for target in step["targets"] if target["kind"] != "team"]
        for person_id in resolve(db, targets, at).people:
            if person_id in working:
                return person_id
    return None


def is_firing(db: Session, incident: Incident) -> bool:
    """True until all of its alerts, and of those merged into it, are resolved; an acknowledgement resolves nothing.

    One without alerts counts as such as long as it is P1 or P2.
    """
    lasts = and_(Alert.status != "resolved", Alert.ended_at.is_(None))
    theirs = Alert.incident_id.in_(alerts.family(db, incident.id))
    total, lasting = db.execute(select(func.count(), func.count().filter(lasts)).select_from(Alert).where(theirs)).one()
    return bool(lasting) if total else incident.priority in (1, 2)


@dataclass(frozen=True)
class Paged:
    """Somebody who was asked."""

    name: str
    at: datetime
    why: str
    channels: int


@dataclass(frozen=True)
class Standing:
    """Who was asked for an incident, and who is next."""

    policy: str | None
    pages: tuple[Paged, ...]
    """newest first"""
    next_at: datetime | None
    """None: it does not run, or its last step has fired"""
    next_names: tuple[str, ...]
    next_missing: tuple[str, ...]
    running: bool
    ended_by: str


def standing(db: Session, actor: Actor, detail: Detail) -> Standing | None:
    """How the escalation of the incident stands; None when nobody was ever asked."""
    access.check(actor, "read", detail.record)
    rows = db.execute(
        select(Person.name, Page.at, Page.why, Page.channels)
        .join(Person, Person.id == Page.person_id)
        .where(Page.incident_id == detail.line.id)
        .order_by(Page.at.desc(), Page.id.desc())
        .limit(PAGES_SHOWN)
    ).all()
    kept = db.get(Escalation, detail.line.id)
    pages = tuple(Paged(*row) for row in rows)
    if kept is None:
        return Standing(None, pages, None, (), (), False, "") if pages else None
    if kept.ended_at is not None:
        return Standing(kept.policy["name"], pages, None, (), (), False, kept.ended_by)
    due = db.scalar(select(Timer.due_at).where(Timer.incident_id == detail.line.id, Timer.kind == "escalation"))
    step = step_at(Policy.from_dict(kept.policy), kept.position)
    found = resolve(db, step.targets, due) if step is not None and due is not None else Resolved({}, ())
    names = called(db, found.people)
    return Standing(kept.policy["name"], pages, due, tuple(names.values()), found.nobody, True, "")


def called(db: Session, asked: Mapping[int, Any]) -> dict[int, str]:
    """Id -> name, in the order given."""
    known: dict[int, str] = {
        id_: name for id_, name in db.execute(select(Person.id, Person.name).where(Person.id.in_(list(asked))))
    }
    return {person_id: known[person_id] for person_id in asked if person_id in known}


def desk(db: Session, incident: Incident) -> list[int]:
    """Ids of the people of the service desk who may see the incident."""
    of_the_desk = (
        select(Person.id)
        .join(PersonRole, PersonRole.person_id == Person.id)
        .where(PersonRole.role == "desk", Person.disabled_at.is_(None))
        .order_by(Person.id)
    )
    ids = list(db.scalars(of_the_desk))
    if not incident.restricted:
        return ids
    record = record_of(db, incident)
    actors = [people.acting(db, person_id) for person_id in ids]
    return [actor.id for actor in actors if actor is not None and access.may(actor, "read", record)]


def last_page_at(db: Session, incident_id: int, since: datetime) -> datetime | None:
    """When the running escalation last asked somebody."""
    statement = select(Page.at).where(Page.incident_id == incident_id, Page.at >= since, Page.step.is_not(None))
    return db.scalar(statement.order_by(Page.at.desc()).limit(1))


def may_arrive(db: Session, incident_id: int, since: datetime) -> bool:
    """False when no page reaches anybody any more whom the last step asked. Invented people read it in the app.

    Asked again meanwhile, a person has newer pages; those count as well.
    """
    at = last_page_at(db, incident_id, since)
    arrives = (
        select(OutboxMessage.id)
        .where(
            OutboxMessage.incident_id == incident_id,
            OutboxMessage.person_id == Page.person_id,
            OutboxMessage.urgent,
            or_(text(WAITING), OutboxMessage.sent_at >= at),
        )
        .exists()
    )
    asked = (
        select(Page.id)
        .join(Person, Person.id == Page.person_id)
        .where(Page.incident_id == incident_id, Page.at == at, Page.step.is_not(None), or_(Person.sample, arrives))
    )
    return at is None or db.execute(asked.limit(1)).first() is not None
