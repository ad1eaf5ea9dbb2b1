"""What happened to an incident, as it is told."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, func, or_, select
from sqlalchemy.orm import Session

from db.models import TimelineEntry

PAGE = 200


@dataclass(frozen=True)
class Entry:
    id: int
    incident_id: int
    at: datetime
    actor_name: str
    kind: str
    text: str
    detail: str
    changes: dict[str, Any] | None
    """field -> [before, after]"""
    public: bool
    imported: bool
    recorded_at: datetime
    """later than `at` when it was written down afterwards"""


@dataclass(frozen=True)
class Told:
    """One page of it, newest first."""

    entries: tuple[Entry, ...]
    total: int
    """of all pages"""
    earlier: tuple[datetime, int] | None
    """the place before which the next page begins; None on the last"""


_COLUMNS = (
    TimelineEntry.id,
    TimelineEntry.incident_id,
    TimelineEntry.at,
    TimelineEntry.actor_name,
    TimelineEntry.kind,
    TimelineEntry.text,
    TimelineEntry.detail,
    TimelineEntry.changes,
    TimelineEntry.public,
    TimelineEntry.imported,
    TimelineEntry.recorded_at,
)


_NEWEST = (
    select(*_COLUMNS)
    .where(TimelineEntry.incident_id == bindparam("incident_id"))
    .order_by(TimelineEntry.at.desc(), TimelineEntry.id.desc())
    .limit(bindparam("limit"))
)


def newest(db: Session, incident_id: int, *, public_only: bool, limit: int = PAGE) -> tuple[list[Entry], int]:
    """The newest entries, newest first, and how many there are. Access is the caller's to check."""
    shown = _NEWEST.where(TimelineEntry.public.is_(True)) if public_only else _NEWEST
    entries = [Entry(*row) for row in db.execute(shown, {"incident_id": incident_id, "limit": limit})]
    if len(entries) < limit:
        return entries, len(entries)
    conditions: list[ColumnElement[bool]] = [TimelineEntry.incident_id == incident_id]
    if public_only:
        conditions.append(TimelineEntry.public.is_(True))
    return entries, db.execute(select(func.count()).select_from(TimelineEntry).where(*conditions)).scalar_one()


def page(
    db: Session,
    incident_id: int,
    *,
    public_only: bool,
    kinds: frozenset[str] | None = None,
    before: tuple[datetime, int] | None = None,
    limit: int = PAGE,
) -> Told:
    """The entries of these kinds (None: of every kind) before a place. Access is the caller's to check."""
    if kinds is None and before is None:
        entries, total = newest(db, incident_id, public_only=public_only, limit=limit)
        return Told(tuple(entries), total, (entries[-1].at, entries[-1].id) if total > len(entries) else None)
    conditions: list[ColumnElement[bool]] = [TimelineEntry.incident_id == incident_id]
    if public_only:
        conditions.append(TimelineEntry.public.is_(True))
    if kinds is not None:
        conditions.append(TimelineEntry.kind.in_(sorted(kinds)))
    shown = select(*_COLUMNS).where(*conditions)
    if before is not None:
        at, entry_id = before
        same = and_(TimelineEntry.at == at, TimelineEntry.id < entry_id)
        shown = shown.where(TimelineEntry.at <= at, or_(TimelineEntry.at < at, same))
    shown = shown.order_by(TimelineEntry.at.desc(), TimelineEntry.id.desc()).limit(limit + 1)
    found = [Entry(*row) for row in db.execute(shown)]
    kept = tuple(found[:limit])
    if before is None and len(found) <= limit:
        return Told(kept, len(kept), None)
    total = db.execute(select(func.count()).select_from(TimelineEntry).where(*conditions)).scalar_one()
    return Told(kept, total, (kept[-1].at, kept[-1].id) if len(found) > limit else None)


def whole(db: Session, incident_id: int, *, public_only: bool) -> list[Entry]:
    """All of it, oldest first. Access is the caller's to check."""
    shown = select(*_COLUMNS).where(TimelineEntry.incident_id == incident_id)
    if public_only:
        shown = shown.where(TimelineEntry.public.is_(True))
    return [Entry(*row) for row in db.execute(shown.order_by(TimelineEntry.at, TimelineEntry.id))]


def first_of(db: Session, incident_id: int, kinds: Collection[str]) -> datetime | None:
    """When something of these kinds first happened."""
    return db.execute(
        select(func.min(TimelineEntry.at)).where(
            TimelineEntry.incident_id == incident_id, TimelineEntry.kind.in_(sorted(kinds))
        )
    ).scalar()


def since(db: Session, incident_id: int, version: int) -> list[Entry]:
    """What changed the incident after `version`, oldest first."""
    statement = (
        select(*_COLUMNS)
        .where(TimelineEntry.incident_id == incident_id, TimelineEntry.version > version)
        .order_by(TimelineEntry.id)
    )
    return [Entry(*row) for row in db.execute(statement)]


def closed_on(db: Session, incident_id: int) -> datetime | None:
    """When it was last closed, as that was done: the moment may have been corrected since, a promise counts from it."""
    closing = select(TimelineEntry.at).where(
        TimelineEntry.incident_id == incident_id,
        TimelineEntry.to_state == "closed",
        func.coalesce(TimelineEntry.from_state, "") != "closed",
    )
    return db.scalar(closing.order_by(TimelineEntry.id.desc()).limit(1))


def latest_public(db: Session, incident_ids: list[int]) -> dict[int, Entry]:
    """Incident id -> its newest public entry."""
    if not incident_ids:
        return {}
    last = (
        select(func.max(TimelineEntry.id))
        .where(TimelineEntry.incident_id.in_(incident_ids), TimelineEntry.public)
        .group_by(TimelineEntry.incident_id)
    )
    rows = db.execute(select(*_COLUMNS).where(TimelineEntry.id.in_(last)))
    return {entry.incident_id: entry for entry in (Entry(*row) for row in rows)}
