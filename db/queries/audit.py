"""Who changed what: the audit of settings, people and access, and what happened to incidents across them all."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, false, func, select
from sqlalchemy.orm import Session

from db import chains
from db.models import (
    AuditEntry,
    Category,
    CategoryPair,
    Incident,
    Person,
    Service,
    Subcategory,
    Team,
    TimelineEntry,
)
from db.queries.access import visible
from db.verify import records
from db.verify.findings import Findings
from rules import access
from rules.access import Actor

PAGE_SIZE = 25
MOST_CHECKED = 20_000
"""entries that are checked on the screen; python -m db verify checks all"""
MOST_COUNTED = 1_000
"""so many are counted; more is told as so many and more"""


@dataclass(frozen=True)
class Filters:
    """Which changes are wanted. Empty fields filter nothing."""

    who: str = ""
    """part of the name of who did it"""
    what: str = ""
    """the action, or the kind of an incident's entry"""
    about: str = ""
    """part of what it was done to; of an incident its number or a part of its title"""
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True)
class Change:
    """One change."""

    id: int
    at: datetime
    who: str
    what: str
    about: str
    """what it was done to; the number of an incident"""
    words: str
    """an incident's: what happened, without its subject"""
    before: dict[str, Any]
    after: dict[str, Any]


@dataclass(frozen=True)
class Found:
    changes: list[Change]
    total: int
    """how many match, MOST_COUNTED + 1 for more than that"""


def changes(db: Session, actor: Actor, filters: Filters, page: int = 1) -> Found:
    """One page of the changes to settings, people, access and data as a whole, newest first."""
    access.check(actor, "audit")
    conditions = _period(AuditEntry.at, filters)
    if filters.who.strip():
        conditions.append(_within(AuditEntry.actor_name, filters.who))
    if filters.what:
        conditions.append(AuditEntry.action == filters.what)
    if filters.about.strip():
        conditions.append(_within(AuditEntry.subject, filters.about))
    total = _counted(db, select(AuditEntry.id).where(*conditions))
    rows = db.execute(
        select(
            AuditEntry.id,
            AuditEntry.at,
            AuditEntry.actor_name,
            AuditEntry.action,
            AuditEntry.subject,
            AuditEntry.before,
            AuditEntry.after,
        )
        .where(*conditions)
        .order_by(AuditEntry.id.desc())
        .limit(PAGE_SIZE)
        .offset((max(page, 1) - 1) * PAGE_SIZE)
    )
    return Found(
        [
            Change(i, at, who, what, about, "", before or {}, after or {})
            for i, at, who, what, about, before, after in rows
        ],
        total,
    )


def incident_changes(db: Session, actor: Actor, filters: Filters, page: int = 1) -> Found:
    """One page of what happened to incidents, newest first; restricted ones only for those named on them.

    An administrator reads who changed what; the words that were written with it stay on the incident.
    """
    access.check(actor, "audit")
    conditions = [_open_to(actor), *_period(TimelineEntry.recorded_at, filters)]
    if filters.who.strip():
        conditions.append(_within(TimelineEntry.actor_name, filters.who))
    if filters.what:
        conditions.append(TimelineEntry.kind == filters.what)
    if filters.about.strip():
        typed = filters.about.strip()
        conditions.append(_within(Incident.title, typed) | Incident.number.in_((typed, typed.upper())))
    joined = select(TimelineEntry.id).join(Incident, Incident.id == TimelineEntry.incident_id).where(*conditions)
    total = _counted(db, joined)
    newest = joined.order_by(TimelineEntry.id.desc()).limit(PAGE_SIZE).offset((max(page, 1) - 1) * PAGE_SIZE)
    rows = db.execute(
        select(
            TimelineEntry.id,
            TimelineEntry.recorded_at,
            TimelineEntry.actor_name,
            TimelineEntry.kind,
            Incident.number,
            TimelineEntry.text,
            TimelineEntry.changes,
        )
        .join(Incident, Incident.id == TimelineEntry.incident_id)
        .where(TimelineEntry.id.in_(newest.subquery().select()))
        .order_by(TimelineEntry.id.desc())
    )
    return Found([_told(row) for row in rows], total)


@dataclass(frozen=True)
class Checked:
    """What a check of the newest part of the audit found."""

    entries: int
    """entries that were looked at"""
    wrong: list[str]
    """the first sentences of what is wrong"""


def checked(db: Session, actor: Actor) -> Checked:
    """Walk along the newest MOST_CHECKED entries of the audit's chain; call it first in its transaction."""
    records.one_moment(db)
    access.check(actor, "audit")
    key, findings, told = chains.present_key(), Findings(), records.Records()
    records.audit(db, {key.name: key}, findings, records=told, newest=MOST_CHECKED)
    other = sum(told.other_keys.values())
    if other:
        findings.add(f"Entries that were made with an earlier SECRET_KEY and cannot be checked here: {other:,}.")
    return Checked(told.audited, findings.first)


def compared(db: Session, actor: Actor, change: Change) -> list[tuple[str, Any, Any]]:
    """(field, before, after) of what differs, in the order of fields; ids of an incident's change as names."""
    access.check(actor, "audit")
    before, after = _leaves(change.before), _leaves(change.after)
    names = dict.fromkeys([*before, *after])
    differing = [(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)]
    return [(name, *(_name_of(db, actor, name, value) for value in pair)) for name, *pair in differing]


def _leaves(values: dict[str, Any], under: str = "") -> dict[str, Any]:
    """What is nested, by its path: {"a": {"b": 1}} is {"a › b": 1}."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        path = f"{under} › {name}" if under else name
        found |= _leaves(value, path) if isinstance(value, dict) and value else {path: value}
    return found


_NAMES: dict[str, Any] = {
    "team_id": Team,
    "service_id": Service,
    "assignee_id": Person,
    "reporter_id": Person,
    "pinned_by_id": Person,
}
_INCIDENTS = ("duplicate_of_id", "parent_id")


def _name_of(db: Session, actor: Actor, name: str, value: Any) -> Any:
    if not isinstance(value, int) or isinstance(value, bool):
        return value
    if name in _NAMES:
        return db.scalar(select(_NAMES[name].name).where(_NAMES[name].id == value)) or value
    if name == "category_pair_id":
        pair = (
            select(Category.name + func.coalesce(" › " + Subcategory.name, ""))
            .join(CategoryPair, CategoryPair.category_id == Category.id)
            .outerjoin(Subcategory, Subcategory.id == CategoryPair.subcategory_id)
        )
        return db.scalar(pair.where(CategoryPair.id == value)) or value
    if name in _INCIDENTS:
        return db.scalar(select(Incident.number).where(Incident.id == value, _open_to(actor))) or "another incident"
    return value


def _open_to(actor: Actor) -> ColumnElement[bool]:
    """All incidents but the restricted ones that the actor is not named on."""
    return Incident.restricted.is_(False) | (Incident.restricted & func.coalesce(visible(actor), false()))


def actions(db: Session, actor: Actor) -> list[str]:
    """The actions that the audit has entries of, by name."""
    access.check(actor, "audit")
    return list(db.scalars(select(AuditEntry.action).distinct().order_by(AuditEntry.action)))


def _told(row: Any) -> Change:
    entry_id, at, who, kind, number, text, changed = row
    pairs = {name: pair for name, pair in (changed or {}).items() if isinstance(pair, list) and len(pair) == 2}
    before, after = ({name: pair[side] for name, pair in pairs.items()} for side in (0, 1))
    return Change(entry_id, at, who, kind, number, text, before, after)


def _counted(db: Session, chosen: Any) -> int:
    some = chosen.limit(MOST_COUNTED + 1).subquery()
    return db.execute(select(func.count()).select_from(some)).scalar_one()


def _period(column: Any, filters: Filters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if filters.start is not None:
        conditions.append(column >= filters.start)
    if filters.end is not None:
        conditions.append(column < filters.end)
    return conditions


def _within(column: Any, typed: str) -> ColumnElement[bool]:
    return func.lower(column).contains(typed.strip().lower(), autoescape=True)
