"""How a change is told on the timeline."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.commands.checks import WORDS
from db.models import Category, CategoryPair, Incident, Instant, Person, Service, Subcategory, Team, TimelineEntry
from rules.moments import MOMENTS
from rules.priority import LABELS as PRIORITIES
from rules.priority import RISKS
from rules.states import HOLD_REASONS, RESOLUTION_CODES, VERIFICATIONS


def facts(incident: Incident) -> dict[str, Any]:
    """The incident's present values by field name, for the rules."""
    return {
        column.key: getattr(incident, column.key) for column in Incident.__table__.columns if column.computed is None
    }


def detail(kind: str, given: Mapping[str, Any]) -> str:
    """The words written with an action, to be shown as a quotation."""
    return next((str(given[name]) for name in WORDS if given.get(name)), "")


def as_json(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any] | None:
    """field -> [before, after] of what really changed, instants as ISO text; None when nothing did."""
    changed = {
        name: [_plain(before[name]), _plain(value)] for name, value in after.items() if before.get(name) != value
    }
    return changed or None


def before(entries: Iterable[TimelineEntry]) -> dict[str, Any]:
    """The values of columns before what `entries` tell, as the columns hold them: the opposite of as_json."""
    told = {name: pair[0] for entry in entries for name, pair in (entry.changes or {}).items()}
    return {name: _stored(name, value) for name, value in told.items()}


def _stored(name: str, value: Any) -> Any:
    column = Incident.__table__.columns[name]
    return datetime.fromisoformat(value) if value is not None and isinstance(column.type, Instant) else value


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def named(incident: Incident) -> str:
    """The incident as the timeline of another names it: who reads that may not see a restricted one."""
    return "another restricted incident" if incident.restricted else incident.number


def pair_name(db: Session, pair_id: int | None) -> str:
    """'Hardware › Printer', or the category alone. Read once in a transaction."""
    if pair_id is None:
        return "no category"
    known: dict[int, str] = db.info.setdefault("pair names", {})
    if pair_id not in known:
        row = db.execute(
            select(Category.name, Subcategory.name)
            .join(CategoryPair, CategoryPair.category_id == Category.id)
            .outerjoin(Subcategory, Subcategory.id == CategoryPair.subcategory_id)
            .where(CategoryPair.id == pair_id)
        ).one()
        known[pair_id] = " › ".join(part for part in row if part)
    return known[pair_id]


def action(
    db: Session, incident: Incident, kind: str, after: Mapping[str, Any], before: Mapping[str, Any] | None = None
) -> str:
    """What was done, without its subject: 'assigned it to Network, Priya Nair'. `before`: the values replaced."""
    if kind in ("accept", "assign", "escalate"):
        team = db.get(Team, incident.team_id) if incident.team_id else None
        person = db.get(Person, incident.assignee_id) if incident.assignee_id else None
        verb = {"accept": "accepted it for", "assign": "assigned it to", "escalate": "escalated it to"}[kind]
        return f"{verb} {', '.join(found.name for found in (team, person) if found) or 'nobody'}"
    if kind == "vendor":
        reference = f"reference {incident.vendor_reference}" if incident.vendor_reference else "no reference"
        return f"noted the vendor's {reference}, contact {incident.vendor_contact or 'unknown'}"
    if kind == "hold":
        until = after["hold_until"]
        verb = "kept it on hold" if (before or {}).get("state") == "on_hold" else "put it on hold"
        return f"{verb}: {HOLD_REASONS[after['hold_reason']].lower()}, until {until.day} {until:%b %Y}"
    if kind == "resolve":
        return f"resolved it: {RESOLUTION_CODES[after['resolution_code']].lower()}"
    if kind == "close":
        return f"closed it: {VERIFICATIONS[after['verification']].lower()}"
    if kind == "correct":
        was = before or {}
        return f"corrected {'; '.join(_corrected(name, was.get(name), moment) for name, moment in after.items())}"
    if kind == "merge":
        survivor = db.get(Incident, after["duplicate_of_id"])
        return f"merged it into {named(survivor) if survivor else 'another'}"
    return {
        "acknowledge": "started work",
        "resume": "resumed work",
        "recover": "found the service restored",
        "verify": _confirmed(after.get("verification_note")),
        "reject": "sent it back to triage" if after.get("state") == "new" else "said it is not fixed yet",
        "reopen": "reopened it",
        "cancel": "cancelled it",
        "unmerge": "undid the merge",
        "declare": "declared it a major incident",
        "stand_down": "stood it down: no major incident any more",
        "undo": "took back the last change",
    }[kind]


def _confirmed(note: str | None) -> str:
    """By the reporter, or written down by somebody else in words that begin with who said so."""
    return f"wrote down: {note.splitlines()[0].rstrip('.')}" if note else "confirmed it is fixed"


def _corrected(name: str, was: datetime | None, moment: datetime | None) -> str:
    was_then, then = (f"{at.day} {at:%b %Y %H:%M} UTC" if at else "unknown" for at in (was, moment))
    return f"'{MOMENTS[name]}' from {was_then} to {then}"


def edits(db: Session, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """What was set in triage: 'set category Hardware › Printer, P2 High'. Never shown to reporters."""
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
    if "title" in changed:
        parts.append(f"the title '{changed['title']}'")
    if "affected" in changed:
        parts.append(f"what is affected to '{changed['affected']}'")
    if "restricted" in changed:
        parts.append("restricted" if changed["restricted"] else "open to all who work on incidents")
    return f"set {', '.join(parts)}"
