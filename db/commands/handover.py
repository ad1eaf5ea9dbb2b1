"""Handing an incident over: where it may go, what goes with it, and that nobody starts work before it was read."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from db.commands import assignments, timeline
from db.models import Assignment, Incident, Person, Team
from rules import text, tiers
from rules.access import Actor
from rules.errors import RuleError

HANDING = frozenset({"accept", "assign", "escalate"})
"""actions that give the incident to a team"""
BEGINNING = frozenset({"acknowledge", "resume", "resolve"})
"""actions of whoever works on it: the summary is read first"""
CONTACT_LIMIT, REFERENCE_LIMIT = 200, 100


def given_to(
    db: Session, incident: Incident, action: str, team_id: int | None, given: Mapping[str, Any]
) -> dict[str, Any]:
    """What handing it to the team changes besides: a vendor's contact (the team's own by default) and reference.

    RuleError with `fields` when an escalation does not lead up, or says too little.
    """
    team = db.get(Team, team_id) if team_id is not None else None
    if team is None:
        return {}  # checks.people says so
    wrong: dict[str, str] = {}
    if action == "escalate":
        present = db.get(Team, incident.team_id) if incident.team_id is not None else None
        names = (present.name, present.tier) if present else (None, None)
        try:
            tiers.check_escalation(team.name, team.tier, *names)
        except RuleError as error:
            wrong |= error.fields
        try:
            tiers.check_summary(str(given["reason"]))
        except RuleError as error:
            wrong |= error.fields
    reached = _vendor(incident, team, given, wrong) if team.tier == tiers.EXTERNAL else {}
    if wrong:
        raise RuleError(" ".join(wrong.values()), fields=wrong)
    return reached


def _vendor(incident: Incident, team: Team, given: Mapping[str, Any], wrong: dict[str, str]) -> dict[str, str]:
    """The contact, and the vendor's own number: the one it has already when it is the same vendor's."""
    contact = given.get("vendor_contact") or team.contact
    same = contact == incident.vendor_contact
    reference = given.get("vendor_reference") or (incident.vendor_reference if same else "")
    return vendor(contact, reference, wrong)


def vendor(contact: str, reference: str, wrong: dict[str, str]) -> dict[str, str]:
    """Contact and reference as they are stored; what is wrong with them is put into `wrong`."""
    values: dict[str, str] = {}
    for name, value, limit in (
        ("vendor_contact", contact, CONTACT_LIMIT),
        ("vendor_reference", reference, REFERENCE_LIMIT),
    ):
        try:
            values[name] = text.line(value, name, limit)
        except RuleError as error:
            wrong[name] = error.sentence
    return values


def read_first(
    db: Session, incident: Incident, action: str, given: Mapping[str, Any], actor: Actor, now: datetime
) -> None:
    """RuleError (summary_read) when `action` begins work and what was handed over is unread; the timeline tells
    when it is read. Whoever wrote it need not read it.
    """
    if action not in BEGINNING:
        return
    stay = unread(db, incident.id)
    if stay is None or stay.handed_by_id == actor.id:
        return
    if not given.get("summary_read"):
        writer = db.get(Person, stay.handed_by_id) if stay.handed_by_id is not None else None
        raise RuleError(
            f"Read first what {writer.name if writer else 'the last team'} handed over, and say that you have.",
            field="summary_read",
        )
    mark_read(db, incident, stay, actor, now)


def unread(db: Session, incident_id: int) -> Assignment | None:
    """The stay with the team that has it, while nobody has read what it was handed over with."""
    stay = assignments.running(db, incident_id)
    return stay if stay is not None and stay.summary and stay.read_at is None else None


def mark_read(db: Session, incident: Incident, stay: Assignment, actor: Actor, now: datetime) -> None:
    """Note who read it, and tell it on the timeline."""
    stay.read_at, stay.read_by_id = now, actor.id
    timeline.add(db, incident, actor, now, "handover", "read what was handed over", versioned=False)
