"""Entries of an incident's timeline. Append-only; written in the transaction of the change they tell."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from db.models import Incident, TimelineEntry
from rules.access import SYSTEM, Actor


def add(
    db: Session,
    incident: Incident,
    actor: Actor,
    now: datetime,
    kind: str,
    text: str,
    *,
    detail: str = "",
    changes: dict[str, Any] | None = None,
    states: tuple[str | None, str | None] = (None, None),
    teams: tuple[int | None, int | None] = (None, None),
    public: bool = False,
    versioned: bool = True,
    recorded_at: datetime | None = None,
) -> TimelineEntry:
    """Add what `actor` did at `now`. `text` has no subject: 'put it on hold until Tuesday'.

    `recorded_at` is given when it is written down later than it happened.
    """
    entry = TimelineEntry(
        incident_id=incident.id,
        at=now,
        recorded_at=recorded_at or now,
        **_by(actor),
        kind=kind,
        text=text,
        detail=detail,
        changes=changes,
        from_state=states[0],
        to_state=states[1],
        from_team_id=teams[0],
        to_team_id=teams[1],
        version=incident.version if versioned else None,
        public=public,
    )
    db.add(entry)
    return entry


def first(incident: Incident, actor: Actor, now: datetime, kind: str, text: str, detail: str = "") -> TimelineEntry:
    """The entry that a new incident begins with; it is written with it (db.commands.opening)."""
    return TimelineEntry(
        incident_id=incident.id,
        at=now,
        recorded_at=now,
        **_by(actor),
        kind=kind,
        text=text,
        detail=detail,
        to_state=incident.state,
        version=incident.version,
        public=True,
    )


def _by(actor: Actor) -> dict[str, Any]:
    return {"actor_id": None if actor is SYSTEM or actor.anonymous else actor.id, "actor_name": actor.name}
