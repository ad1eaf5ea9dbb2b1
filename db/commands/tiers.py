"""Between the tiers, beside the lifecycle: a handover read, a vendor's number, people informed up the line."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.commands import checks, handover, incidents, notices, timeline
from db.models import Incident, Person, PersonRole, Team
from db.queries.access import record_of
from db.queries.responsible import leading
from db.queries.tiers import readers_among, receives
from rules import access, text
from rules.access import Actor, Forbidden
from rules.errors import RuleError

MOST_INFORMED = 50
_NAMED = 3
"""names told on the timeline; the rest is counted"""


def confirm(db: Session, incident_id: int, *, actor: Actor, now: datetime) -> None:
    """Say that what the team was handed over was read. Read already: changes nothing.

    Forbidden for who is not of the receiving team, unless nobody is (a vendor's).
    """
    incident = incidents.for_change(db, incident_id, None, actor)
    access.check(actor, "acknowledge", record_of(db, incident))
    stay = handover.unread(db, incident.id)
    if stay is None:
        return
    if not receives(db, actor, stay.team_id, incident.assignee_id):
        team = db.get_one(Team, stay.team_id)
        raise Forbidden(f"It was handed over to {team.name}: somebody of that team reads it.")
    handover.mark_read(db, incident, stay, actor, now)


def set_vendor(
    db: Session,
    incident_id: int,
    version: int | None,
    contact: str,
    reference: str,
    *,
    actor: Actor,
    now: datetime,
) -> Incident:
    """Note how the vendor is reached and their own number for it. Conflict, Forbidden, NotFound or RuleError."""
    incident = incidents.for_change(db, incident_id, version, actor)
    access.check(actor, "escalate", record_of(db, incident))
    wrong: dict[str, str] = {}
    values = handover.vendor(contact, reference, wrong)
    if wrong:
        raise RuleError(" ".join(wrong.values()), fields=wrong)
    changes = {name: value for name, value in values.items() if getattr(incident, name) != value}
    if not changes:
        return incident
    return incidents.amend(db, incident, "vendor", dict(changes), {}, actor=actor, now=now)


def inform(
    db: Session,
    incident_id: int,
    words: str,
    *,
    leads: bool = False,
    managers: bool = False,
    people: Sequence[int] = (),
    actor: Actor,
    now: datetime,
) -> list[str]:
    """Inform up the line: the leads of its team, the managers, people by name; the names of those told.

    Each gets a notice, and the timeline tells who was informed of what. RuleError with `fields`.
    """
    incident = incidents.for_change(db, incident_id, None, actor)
    access.check(actor, "inform", record_of(db, incident))
    wrong: dict[str, str] = {}
    try:
        words = text.block(words, "words", checks.TEXT_LIMIT, required="Write what they should know.")
    except RuleError as error:
        wrong["words"] = error.sentence
    chosen = set(people)
    asked = chosen | (leading(db, incident.team_id) if leads else set()) | (_managers(db) if managers else set())
    told = readers_among(db, incident, asked - {actor.id})
    blind = chosen - set(told) - {actor.id}
    if blind:
        wrong["people"] = _blind(db, blind, restricted=incident.restricted)
    elif not told:
        wrong["people"] = "Choose who is to be informed." if not asked else "There is nobody among them to inform."
    elif len(told) > MOST_INFORMED:
        wrong["people"] = f"Choose at most {MOST_INFORMED} people."
    if wrong:
        raise RuleError(" ".join(wrong.values()), fields=wrong)
    names = list(told.values())
    rest = len(names) - _NAMED
    listed = ", ".join(names[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")
    timeline.add(db, incident, actor, now, "inform", f"informed {listed}", detail=words, versioned=False)
    subject = f"{incident.number}, {actor.name} informs you: {incident.title}"
    notices.tell(db, told, "inform", subject, words, incident=incident, now=now)
    return names


def _managers(db: Session) -> set[int]:
    return set(db.scalars(select(PersonRole.person_id).where(PersonRole.role == "manager")))


def _blind(db: Session, people: set[int], *, restricted: bool) -> str:
    names = list(db.scalars(select(Person.name).where(Person.id.in_(people)).order_by(Person.name)))
    who = ", ".join(names) or "One of them"
    if restricted:
        return f"{who} may not see this restricted incident. Name them on it first."
    return f"{who} cannot open incidents. Choose people who work on them or manage."
