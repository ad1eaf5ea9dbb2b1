"""What administrators have decided, with the defaults where they have not."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import TextClause, event, func, select, text
from sqlalchemy.orm import Session

from db import holidays
from db.models import Incident, Person, Service, Setting
from rules import access
from rules import policies as rules_policies
from rules.access import Actor
from rules.policies import Policies
from rules.states import OPEN
from rules.targets import DEFAULT_TARGETS

DEFAULTS: Mapping[str, Any] = {
    "organisation.name": "",
    "organisation.desk_phone": "",
    "cost.person_hour": 0,
    "cost.currency": "EUR",
    "sample_data": False,
    **rules_policies.DEFAULTS,
}
EDITABLE = tuple(key for key in DEFAULTS if key != "sample_data")
"""what administrators change on the settings screen"""
PENDING_KEY = "policies.pending"
"""How far the last change has been applied to open incidents; see db.commands.policies."""
_POLICIES = tuple(rules_policies.DEFAULTS)
_HELD, _HOLDS = "policies", "holds policies"
_STORED = select(Setting.key, Setting.value).where(Setting.key.in_(_POLICIES))
_LOCK = 7_310_994_031
_PATIENCE_MS = 800
"""PostgreSQL looks for deadlocks after a second of waiting."""


@dataclass(frozen=True)
class Organisation:
    name: str
    zone: str
    desk_phone: str
    sample_data: bool


@dataclass(frozen=True)
class Pending:
    """The last change of policies on its way through the open incidents."""

    done: bool
    seen: int
    """open incidents looked at; here and below restricted ones are not told of"""
    left: int
    """open incidents still to look at"""
    moved: int
    """those that got another priority or due time"""
    late: int
    """those that became late by it"""
    actor_name: str
    at: datetime


@dataclass(frozen=True)
class Edited:
    """The settings for one who edits them."""

    values: dict[str, Any]
    """every setting of EDITABLE"""
    services: dict[int, str]
    changed_by: str | None
    changed_at: datetime | None
    pending: Pending | None


def values(db: Session) -> dict[str, Any]:
    """All settings by key, defaults filled in."""
    stored: dict[str, Any] = {key: value for key, value in db.execute(select(Setting.key, Setting.value))}
    return {**DEFAULTS, **stored}


def organisation(db: Session) -> Organisation:
    """The organisation's name, zone and telephone of the service desk."""
    known = values(db)
    return Organisation(
        known["organisation.name"],
        known["organisation.zone"],
        known["organisation.desk_phone"],
        bool(known["sample_data"]),
    )


def policies(db: Session) -> Policies:
    """Matrix, head starts, targets and the rest as they are set: one small query, and read anew only when changed.

    Within a writing transaction they hold until it ends: whoever changes them waits for it. So everything that was
    computed by the old ones is there to be seen once the new ones are. A transaction asks once, unless it changes them.
    """
    known: Policies | None = db.info.get(_HELD)
    if known is None:
        if _HOLDS not in db.info:
            hold(db, shared=True)
        known = of_values({key: value for key, value in db.execute(_STORED)})
        db.info[_HELD] = known
    return known


@event.listens_for(Session, "after_flush")
def _forget(db: Session, _context: Any) -> None:
    """What a transaction has changed itself it reads anew."""
    if _HELD in db.info and any(isinstance(each, Setting) for each in (*db.new, *db.dirty, *db.deleted)):
        del db.info[_HELD]


def of_values(given: Mapping[str, Any]) -> Policies:
    """The policies of these settings, defaults for those that are missing."""
    return _parsed(json.dumps({key: given[key] for key in _POLICIES if key in given}, sort_keys=True))


@lru_cache(maxsize=32)
def _parsed(content: str) -> Policies:
    return rules_policies.parsed({**rules_policies.DEFAULTS, **json.loads(content)}, holidays.public)


def hold(db: Session, *, shared: bool, also: str = "null") -> Any:
    """Keep the policies as they are until the transaction ends (shared), or wait for all who do.

    Only writers on PostgreSQL need it: on SQLite one transaction writes at a time. Whoever waits for the others gives
    up before PostgreSQL would look for a deadlock and end one of them. The answer is that to `also`, an expression of
    PostgreSQL that is asked with it.
    """
    connection = db.connection()
    if connection.dialect.name != "postgresql" or not connection.get_execution_options().get("incident_desk_write"):
        return None
    if not shared:
        db.execute(text(f"set local lock_timeout = '{_PATIENCE_MS}ms'"))
    db.info[_HOLDS] = True
    return db.execute(_locking(shared, also), {"key": _LOCK}).scalar()


@lru_cache(maxsize=8)
def _locking(shared: bool, also: str) -> TextClause:
    return text(f"select {also} from pg_advisory_xact_lock{'_shared' if shared else ''}(:key)")


def editable(db: Session, actor: Actor) -> Edited:
    """What the settings screen shows. Only for administrators."""
    access.check(actor, "settings")
    rows = db.execute(
        select(Setting.key, Setting.value, Setting.changed_at, Person.name)
        .outerjoin(Person, Person.id == Setting.changed_by_id)
        .where(Setting.key.in_((*EDITABLE, PENDING_KEY)))
        .order_by(Setting.changed_at)
    ).all()
    stored = {key: value for key, value, _, _ in rows}
    last = next((row for row in reversed(rows) if row[0] in EDITABLE and row[3]), None)
    services = {
        service: name
        for service, name in db.execute(
            select(Service.id, Service.name).where(Service.archived_at.is_(None)).order_by(func.lower(Service.name))
        )
    }
    return Edited(
        {key: stored.get(key, DEFAULTS[key]) for key in EDITABLE},
        services,
        last[3] if last else None,
        last[2] if last else None,
        _pending(db, stored.get(PENDING_KEY)),
    )


def pending(db: Session, actor: Actor) -> Pending | None:
    """How far the last change has been applied; None when there was none."""
    access.check(actor, "settings")
    return _pending(db, db.scalar(select(Setting.value).where(Setting.key == PENDING_KEY)))


def is_pending(db: Session) -> bool:
    """Whether a change is still being applied; for the worker, at every turn."""
    value = db.scalar(select(Setting.value).where(Setting.key == PENDING_KEY))
    return value is not None and not value["done"]


def _pending(db: Session, value: Mapping[str, Any] | None) -> Pending | None:
    if value is None:
        return None
    left = 0
    if not value["done"]:
        waiting = select(func.count()).where(
            Incident.state.in_(OPEN), Incident.id > value["after"], Incident.restricted.is_(False)
        )
        left = db.execute(waiting).scalar_one() + len(value["again"])
    return Pending(
        value["done"],
        value["seen"],
        left,
        value["moved"],
        value["late"],
        value["actor_name"],
        datetime.fromisoformat(value["at"]),
    )


@dataclass(frozen=True)
class OddDay:
    """A date on which a calendar keeps other hours than its weekday's."""

    day: date
    hours: tuple[tuple[int, int], ...]
    """spans in minutes after midnight; none: closed"""
    name: str
    """of the public holiday, if it is one"""


def odd_days(data: Mapping[str, Any], zone: str, first: date, count: int = 8) -> list[OddDay]:
    """The next dates from `first` on, within two years, with other hours than their weekday's in this calendar."""
    calendar = rules_policies.calendar(data, zone, holidays.public)
    public = holidays.public(data["country"], data["region"]) if data["country"] else None
    found: list[OddDay] = []
    for ahead in range(2 * 366):
        day = first + timedelta(days=ahead)
        hours = calendar.hours_on(day)
        if hours != calendar.usual_hours(day):
            found.append(OddDay(day, hours, public.name(day) if public else ""))
            if len(found) == count:
                break
    return found


__all__ = [
    "DEFAULTS",
    "DEFAULT_TARGETS",
    "EDITABLE",
    "PENDING_KEY",
    "Edited",
    "OddDay",
    "Organisation",
    "Pending",
    "Policies",
    "editable",
    "hold",
    "is_pending",
    "odd_days",
    "of_values",
    "organisation",
    "pending",
    "policies",
    "values",
]
