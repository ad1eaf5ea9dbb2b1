"""What happened to an incident, as it is told."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, select
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
