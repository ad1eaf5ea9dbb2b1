"""Major incidents: declared and stood down with a reason, and the parts that people take in the response."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.commands import chat, checks, incidents, notices, timeline, timers, update_clock
from db.commands.rooms import room_of
from db.models import Incident, IncidentRole, Person
from db.queries import people, updates
from db.queries.access import record_of
from db.queries.responsible import responsible
from rules import access, roles, text
from rules.access import Actor
from rules.errors import RuleError

DECLARE, STAND_DOWN, ROLE = "declare", "stand_down", "role"
SUBJECT_LIMIT = 120


def declare(
    db: Session,
    incident_id: int,
    version: int | None,
    reason: str,
    *,
    commander_id: int | None = None,
    actor: Actor,
    now: datetime,
) -> Incident:
    """Make it a major incident: it ranks first, its room needs a commander, its first update is due in 5 minutes.

    Raises Conflict, Forbidden, NotFound; RuleError('reason') without one, and when it is over or major already.
    """
    incident = incidents.for_change(db, incident_id, version, actor)
    access.check(actor, DECLARE, record_of(db, incident))
    reason = text.block(reason, "reason", checks.TEXT_LIMIT, required="Say why it is a major incident.")
    if incident.major:
        raise RuleError("It is a major incident already.")
    if incident.state in update_clock.OVER:
        raise RuleError("It is over. Reopen it first.")
    incidents.amend(db, incident, DECLARE, {"major": True}, {"reason": reason}, actor=actor, now=now)
    subject = f"Major incident: {incident.number}: {incident.title}"
    answer = set(responsible(db, incident)) - {actor.id}
    notices.tell(db, answer, DECLARE, subject, f"{actor.name}: {reason}", incident=incident, now=now)
    if commander_id is not None:
        give(db, incident_id, "commander", commander_id, actor=actor, now=now)
    return incident


def stand_down(
    db: Session, incident_id: int, version: int | None, reason: str, *, actor: Actor, now: datetime
) -> Incident:
    """It is no major incident any more: parts end. An update that was promised is still owed.

    For those who triage, and the commander. RuleError('reason') without one.
    """
    incident = incidents.for_change(db, incident_id, version, actor)
    record = record_of(db, incident)
    if updates.holder(db, incident_id, "commander") != actor.id:
        access.check(actor, STAND_DOWN, record)
    access.check(actor, "note", record)
    reason = text.block(reason, "reason", checks.TEXT_LIMIT, required="Say why it is none any more.")
    if not incident.major:
        raise RuleError("It is no major incident.")
    incidents.amend(db, incident, STAND_DOWN, {"major": False}, {"reason": reason}, actor=actor, now=now)
    told = {*updates.open_to(db, incident, updates.held(db, incident_id)), *responsible(db, incident)}
    for part in _all(db, incident_id):
        part.ended_at = now
    subject = f"No longer a major incident: {incident.number}: {incident.title}"
    notices.tell(db, told - {actor.id}, STAND_DOWN, subject, f"{actor.name}: {reason}", incident=incident, now=now)
    return incident


def give(
    db: Session,
    incident_id: int,
    role: str,
    person_id: int,
    subject: str = "",
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Give somebody a part in the response; whoever has it hands it over. Who has it already keeps it.

    RuleError('role'), ('person_id') for one who may not work on it.
    """
    incident = chat.opened(db, incident_id, actor)
    if role not in roles.ROLES:
        raise RuleError("Choose a part from the list.", field="role")
    subject = text.line(subject, "subject", SUBJECT_LIMIT) if role in roles.SEVERAL else ""
    chosen = people.acting(db, person_id)
    if chosen is None or not access.may(chosen, "note", record_of(db, incident)):
        hint = " Name them on it first." if incident.restricted else ""
        raise RuleError(f"Choose somebody who works on incidents and may see this one.{hint}", field="person_id")
    present = [part for part in _all(db, incident_id) if part.role == role]
    own = next((part for part in present if part.person_id == person_id), None)
    if own is not None:
        if own.subject == subject or not subject:
            return
        own.subject = subject
        timeline.add(db, incident, actor, now, ROLE, _gave(actor, chosen, role, subject), versioned=False)
        return
    room_of(db, incident)
    before = [] if role in roles.SEVERAL else present
    for part in before:
        part.ended_at = now
    db.flush()
    db.add(
        IncidentRole(
            incident_id=incident_id,
            role=role,
            person_id=person_id,
            subject=subject,
            began_at=now,
            given_by_id=actor.id,
        )
    )
    if role == "commander":
        timers.drop(db, incident_id, timers.COMMANDER)
    told = _gave(actor, chosen, role, subject)
    if before:
        told += f"; {db.get_one(Person, before[0].person_id).name} hands it over"
    timeline.add(db, incident, actor, now, ROLE, told, versioned=False)
    label = roles.ROLES[role]
    if person_id != actor.id:
        words = f"{actor.name} gave you the part: {roles.DUTIES[role]}{f' ({subject})' if subject else ''}."
        notices.tell(
            db, [person_id], ROLE, f"You are {label}: {incident.number}: {incident.title}", words,
            incident=incident, now=now,
        )  # fmt: skip
    gone = {part.person_id for part in before} - {actor.id}
    notices.tell(
        db, gone, ROLE, f"{chosen.name} is {label} now: {incident.number}: {incident.title}",
        incident=incident, now=now,
    )  # fmt: skip


def leave(db: Session, incident_id: int, role: str, person_id: int, *, actor: Actor, now: datetime) -> None:
    """Take a part from somebody, or put down one's own. A major incident then needs a commander again."""
    incident = chat.opened(db, incident_id, actor)
    found = next((part for part in _all(db, incident_id) if (part.role, part.person_id) == (role, person_id)), None)
    if found is None:
        return
    found.ended_at = now
    name = db.get_one(Person, person_id).name
    label = roles.ROLES[role].lower()
    own = person_id == actor.id
    told = f"is no longer {label}" if own else f"took the part of {label} from {name}"
    timeline.add(db, incident, actor, now, ROLE, told, versioned=False)
    if not own:
        subject = f"You are no longer {label}: {incident.number}: {incident.title}"
        notices.tell(db, [person_id], ROLE, subject, f"By {actor.name}.", incident=incident, now=now)
    _needs_commander(db, incident, role, now)


def step_back(db: Session, person: Person, *, now: datetime) -> None:
    """Somebody has no account any more: their parts end, and a major incident needs another commander."""
    theirs = select(IncidentRole).where(IncidentRole.person_id == person.id, IncidentRole.ended_at.is_(None))
    for part in db.scalars(theirs.order_by(IncidentRole.id)).all():
        part.ended_at = now
        incident = incidents.for_change(db, part.incident_id, None, access.SYSTEM)
        told = f"took the part of {roles.ROLES[part.role].lower()} from {person.name}, who has no account any more"
        timeline.add(db, incident, access.SYSTEM, now, ROLE, told, versioned=False)
        _needs_commander(db, incident, part.role, now)


def _needs_commander(db: Session, incident: Incident, left: str, now: datetime) -> None:
    if left == "commander" and incident.major and incident.state not in update_clock.OVER:
        timers.put(db, incident.id, timers.COMMANDER, now + update_clock.NO_COMMANDER_AFTER)


def _gave(actor: Actor, chosen: Actor, role: str, subject: str) -> str:
    label = roles.ROLES[role].lower()
    about = f" for {subject}" if subject else ""
    return f"is {label}{about}" if actor.id == chosen.id else f"made {chosen.name} {label}{about}"


def _all(db: Session, incident_id: int) -> list[IncidentRole]:
    standing = select(IncidentRole).where(IncidentRole.incident_id == incident_id, IncidentRole.ended_at.is_(None))
    return list(db.scalars(standing.order_by(IncidentRole.id)))
