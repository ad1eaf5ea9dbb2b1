"""Maintenance windows: those that run, that are to come, and that are over; what runs for one service."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from db.models import MaintainedService, MaintenanceWindow, Person, Service
from db.queries.maintenance import covers, window_of
from rules import access
from rules.access import Actor, NotFound
from rules.maintenance import Window, meeting, next_occurrences
from rules.wall_clock import Span

PAGE_SIZE = 25
MOST = 300
"""Windows that are not over, as many as are shown."""


@dataclass(frozen=True)
class Planned:
    """One window."""

    id: int
    version: int
    name: str
    words: str
    starts_at: datetime
    ends_at: datetime
    recurring: Sequence[dict[str, Any]] | None
    cancelled_at: datetime | None
    created_by: str | None
    services: dict[int, str]
    """id -> name, by name"""
    until: datetime | None
    """when the occurrence that lasts now is over; None while none lasts"""
    next: Span | None
    """the next occurrence after now, when none lasts"""

    @property
    def window(self) -> Window:
        """When it is maintenance."""
        return Window.from_dict({"start": self.starts_at, "end": self.ends_at, "recurring": self.recurring})

    def over(self, now: datetime) -> bool:
        """Whether it does nothing any more."""
        return self.cancelled_at is not None or self.ends_at <= now


@dataclass(frozen=True)
class Running:
    """What keeps a service quiet now."""

    id: int
    name: str
    until: datetime


@dataclass(frozen=True)
class Overlap:
    """Another window that covers some of the same services at the same time."""

    name: str
    services: list[str]
    first: Span


def may_read(actor: Actor) -> bool:
    """Those who work on incidents, and those who plan maintenance."""
    return access.may(actor, "board") or access.may(actor, "maintenance")


def current(
    db: Session, actor: Actor, now: datetime, service_id: int | None = None
) -> tuple[list[Planned], list[Planned]]:
    """Those that run now, by their end, and those that are to come, by their beginning; of one service or of all."""
    _check(actor)
    conditions = [MaintenanceWindow.ends_at > now, MaintenanceWindow.cancelled_at.is_(None), *_of(service_id)]
    order = (MaintenanceWindow.starts_at, MaintenanceWindow.id)
    found = _planned(db, select(MaintenanceWindow).where(*conditions).order_by(*order).limit(MOST), now)
    running = sorted((one for one in found if one.until is not None), key=lambda one: (one.until, one.id))
    to_come = sorted((one for one in found if one.next is not None), key=lambda one: (one.next, one.id))
    return running, to_come


def past(
    db: Session, actor: Actor, now: datetime, page: int = 1, service_id: int | None = None
) -> tuple[list[Planned], int]:
    """A page of those that are over or were cancelled, newest first, and how many there are."""
    _check(actor)
    gone = or_(MaintenanceWindow.ends_at <= now, MaintenanceWindow.cancelled_at.is_not(None))
    conditions = [gone, *_of(service_id)]
    total = db.scalar(select(func.count()).select_from(MaintenanceWindow).where(*conditions)) or 0
    order = (MaintenanceWindow.ends_at.desc(), MaintenanceWindow.id.desc())
    shown = select(MaintenanceWindow).where(*conditions).order_by(*order).limit(PAGE_SIZE)
    return _planned(db, shown.offset((max(page, 1) - 1) * PAGE_SIZE), now), total


def one(db: Session, actor: Actor, window_id: int, now: datetime) -> Planned:
    """One of them. NotFound when there is none."""
    _check(actor)
    found = _planned(db, select(MaintenanceWindow).where(MaintenanceWindow.id == window_id), now)
    if not found:
        raise NotFound("There is no such maintenance.")
    return found[0]


def running(db: Session, actor: Actor, service_id: int | None, now: datetime) -> Running | None:
    """What keeps the service quiet now, for those who may read it."""
    found = covers(db, service_id, now) if may_read(actor) else None
    if found is None:
        return None
    [(_, until)] = next_occurrences(window_of(found), now, 1)
    return Running(found.id, found.name, until)


def overlaps(
    db: Session, window: Window, service_ids: Collection[int], now: datetime, but: int | None = None
) -> list[Overlap]:
    """Other windows (not `but`) that cover some of these services when this one does, within a year."""
    shared = select(MaintainedService.window_id).where(MaintainedService.service_id.in_(sorted(service_ids)))
    meets = and_(MaintenanceWindow.starts_at < window.end, MaintenanceWindow.ends_at > max(window.start, now))
    conditions = (meets, MaintenanceWindow.cancelled_at.is_(None), MaintenanceWindow.id.in_(shared))
    statement = select(MaintenanceWindow).where(*conditions).order_by(MaintenanceWindow.starts_at, MaintenanceWindow.id)
    found = []
    for other in _planned(db, statement.limit(MOST), now):
        span = meeting(window, other.window, max(window.start, now)) if other.id != but else None
        if span is not None:
            names = [name for service_id, name in other.services.items() if service_id in service_ids]
            found.append(Overlap(other.name, names, span))
    return found


def _check(actor: Actor) -> None:
    if not may_read(actor):
        access.check(actor, "maintenance")


def _of(service_id: int | None) -> list[ColumnElement[bool]]:
    if service_id is None:
        return []
    covered = select(MaintainedService.window_id).where(MaintainedService.service_id == service_id)
    return [MaintenanceWindow.id.in_(covered)]


def _planned(db: Session, statement: Any, now: datetime) -> list[Planned]:
    rows = db.scalars(statement).all()
    services = _services(db, [row.id for row in rows])
    makers = select(Person.id, Person.name).where(Person.id.in_({row.created_by_id for row in rows} - {None}))
    people = {person_id: name for person_id, name in db.execute(makers)}
    return [_one(row, services.get(row.id, {}), people.get(row.created_by_id), now) for row in rows]


def _one(row: MaintenanceWindow, services: dict[int, str], by: str | None, now: datetime) -> Planned:
    coming = next_occurrences(window_of(row), now, 1) if row.cancelled_at is None else []
    span = coming[0] if coming else None
    lasts = span is not None and span[0] <= now
    return Planned(
        row.id,
        row.version,
        row.name,
        row.words,
        row.starts_at,
        row.ends_at,
        row.recurring,
        row.cancelled_at,
        by,
        services,
        span[1] if span is not None and lasts else None,
        None if lasts else span,
    )


def _services(db: Session, window_ids: Iterable[int]) -> dict[int, dict[int, str]]:
    """Window id -> id and name of the services it covers."""
    statement = (
        select(MaintainedService.window_id, Service.id, Service.name)
        .join(Service, Service.id == MaintainedService.service_id)
        .where(MaintainedService.window_id.in_(window_ids))
        .order_by(func.lower(Service.name), Service.id)
    )
    found: dict[int, dict[int, str]] = {}
    for window_id, service_id, name in db.execute(statement):
        found.setdefault(window_id, {})[service_id] = name
    return found
