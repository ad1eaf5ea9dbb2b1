"""How a change is told on the timeline, and the checks of what a change refers to."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import Category, CategoryPair, Incident, Person, PersonRole, Service, Subcategory, Team
from rules import text
from rules.access import TABLE
from rules.errors import RuleError
from rules.priority import LABELS as PRIORITIES
from rules.priority import RISKS
from rules.states import HOLD_REASONS, RESOLUTION_CODES, VERIFICATIONS

_WORDS_OF = ("reason", "resolution_note", "verification_note", "hold_note")


def facts(incident: Incident) -> dict[str, Any]:
    """The incident's present values by field name, for the rules."""
    return {column.key: getattr(incident, column.key) for column in Incident.__mapper__.column_attrs}


def clean(given: Mapping[str, Any], limit: int) -> dict[str, Any]:
    """The free texts among `given`, checked and trimmed."""
    return {name: text.block(given[name], name, limit) for name in _WORDS_OF if isinstance(given.get(name), str)}


def detail(kind: str, given: Mapping[str, Any]) -> str:
    """The words written with an action, to be shown as a quotation."""
    return next((str(given[name]) for name in _WORDS_OF if given.get(name)), "")


def as_json(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any] | None:
    """field -> [before, after] of what really changed, instants as ISO text; None when nothing did."""
    changed = {
        name: [_plain(before[name]), _plain(value)] for name, value in after.items() if before.get(name) != value
    }
    return changed or None


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def unknown_references(db: Session, fields: Mapping[str, Any]) -> dict[str, str]:
    """Field -> sentence for a category pair or service that is not there (any more)."""
    wrong = {}
    pair_id, service_id = fields.get("category_pair_id"), fields.get("service_id")
    if pair_id is not None and not _in_use(db.get(CategoryPair, pair_id)):
        wrong["category_pair_id"] = "Choose a category from the list."
    if service_id is not None and not _in_use(db.get(Service, service_id)):
        wrong["service_id"] = "Choose a service from the list."
    return wrong


def _in_use(found: CategoryPair | Service | None) -> bool:
    return found is not None and found.archived_at is None


def check_people(db: Session, changes: Mapping[str, Any]) -> None:
    """RuleError unless the team exists and the assignee may work on incidents."""
    if changes.get("team_id") is not None:
        team = db.get(Team, changes["team_id"])
        if team is None or team.archived_at is not None:
            raise RuleError("Choose a team from the list.", field="team_id")
    assignee = changes.get("assignee_id")
    if assignee is not None:
        person = db.get(Person, assignee)
        roles = set(db.execute(select(PersonRole.role).where(PersonRole.person_id == assignee)).scalars())
        if person is None or person.disabled_at is not None or not roles & TABLE["acknowledge"]:
            raise RuleError("Choose a person who works on incidents.", field="assignee_id")


def pair_name(db: Session, pair_id: int | None) -> str:
    """'Hardware › Printer', or the category alone."""
    if pair_id is None:
        return "no category"
    row = db.execute(
        select(Category.name, Subcategory.name)
        .join(CategoryPair, CategoryPair.category_id == Category.id)
        .outerjoin(Subcategory, Subcategory.id == CategoryPair.subcategory_id)
        .where(CategoryPair.id == pair_id)
    ).one()
    return " › ".join(part for part in row if part)


def sentence(
    db: Session,
    incident: Incident,
    kind: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    given: Mapping[str, Any],
) -> str:
    """What was done, without its subject: 'assigned it to Network, Priya Nair; P2 High'."""
    told = _action(db, incident, kind, after, given)
    edits = _edits(db, before, after)
    return "; ".join(part for part in (told, edits) if part)


def _action(db: Session, incident: Incident, kind: str, after: Mapping[str, Any], given: Mapping[str, Any]) -> str:
    if kind in ("accept", "assign", "escalate"):
        team = db.get(Team, incident.team_id) if incident.team_id else None
        person = db.get(Person, incident.assignee_id) if incident.assignee_id else None
        verb = {"accept": "accepted it for", "assign": "assigned it to", "escalate": "escalated it to"}[kind]
        return f"{verb} {', '.join(found.name for found in (team, person) if found) or 'nobody'}"
    if kind == "hold":
        until = after["hold_until"]
        return f"put it on hold: {HOLD_REASONS[after['hold_reason']].lower()}, until {until.day} {until:%b %Y}"
    if kind == "resolve":
        return f"resolved it: {RESOLUTION_CODES[after['resolution_code']].lower()}"
    if kind == "close":
        return f"closed it: {VERIFICATIONS[after['verification']].lower()}"
    if kind == "merge":
        survivor = db.get(Incident, after["duplicate_of_id"])
        return f"merged it into {survivor.number if survivor else 'another'}"
    return {
        "acknowledge": "started work",
        "resume": "resumed work",
        "recover": "found the service restored",
        "verify": "confirmed it is fixed",
        "reject": "sent it back to triage" if after.get("state") == "new" else "said it is not fixed yet",
        "reopen": "reopened it",
        "cancel": "cancelled it",
        "unmerge": "undid the merge",
        "prioritise": "",
    }[kind]


def _edits(db: Session, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    changed = {name: value for name, value in after.items() if before.get(name) != value}
    parts = []
    if "category_pair_id" in changed:
        parts.append(f"category {pair_name(db, changed['category_pair_id'])}")
    if changed.get("priority"):
        parts.append(f"P{changed['priority']} {PRIORITIES[changed['priority']]}")
    elif "impact" in changed or "urgency" in changed:
        parts.append("impact and urgency")
    if "service_id" in changed:
        service = db.get(Service, changed["service_id"]) if changed["service_id"] else None
        parts.append(f"service {service.name if service else 'unknown'}")
    if "people_affected" in changed:
        count = changed["people_affected"]
        parts.append(f"{count:,} people affected" if count is not None else "number of people unknown")
    parts += [f"{'' if changed[risk] else 'no longer '}{words}" for risk, words in RISKS.items() if risk in changed]
    if "major" in changed:
        parts.append("a major incident" if changed["major"] else "no longer a major incident")
    if not parts:
        return ""
    return ("set " if "state" not in changed else "") + ", ".join(parts)
