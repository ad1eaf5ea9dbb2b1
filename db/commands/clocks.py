"""Due times, pauses, rank and timers of an incident, computed whenever something they rest on changes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from db.commands import assignments, timers
from db.models import QUEUE_GROUP, Assignment, Incident, Pause
from db.queries.settings import Policies
from rules.priority import RISKS, Merits, rank_at
from rules.states import OPEN, PAUSING_REASONS

_PAUSES = select(Pause).where(Pause.incident_id == bindparam("incident_id")).order_by(Pause.began_at, Pause.id)
_STOPPED = {"resolved": "resolved_at", "recovered": "resolved_at", "closed": "resolved_at", "cancelled": "cancelled_at"}


def merits(incident: Incident) -> Merits:
    """What moves the incident ahead in the queue."""
    return Merits(
        priority=incident.priority or 5,
        major=bool(incident.major),
        risks=tuple(risk for risk in RISKS if getattr(incident, risk)),
        people=incident.people_affected,
        pin_seconds=incident.pin_seconds or 0,
    )


def close_spans(db: Session, incident: Incident, kind: str, changes: Mapping[str, Any], now: datetime) -> list[Pause]:
    """Write the pauses that `changes` begin or end; all pauses of the incident, in order of their beginning.

    Time spent resolved or cancelled does not count after a reopening.
    """
    to = changes.get("state", incident.state)
    pauses = list(db.scalars(_PAUSES, {"incident_id": incident.id}))
    running = [pause for pause in pauses if pause.ended_at is None]
    same = changes.get("hold_reason", incident.hold_reason) == incident.hold_reason
    waits_on = incident.state == to == "on_hold" and same
    if running and not waits_on:
        for pause in running:
            pause.ended_at = now
        running = []
    elif kind == "undo" and to == "on_hold" and not waits_on:
        ended = [p for p in pauses if (p.ended_at, p.reason) == (incident.changed_at, changes.get("hold_reason"))]
        running = ended[-1:]
        for pause in running:
            pause.ended_at = None
    if incident.state in _STOPPED and to in OPEN and not running:
        since = getattr(incident, _STOPPED[incident.state]) or incident.changed_at
        # A moment corrected to an earlier one may lie within a pause that has been counted already.
        since = max([since, *(pause.ended_at for pause in pauses if pause.ended_at is not None)])
        if since < now:
            pauses.append(Pause(incident_id=incident.id, began_at=since, ended_at=now, reason=incident.state))
    if kind in ("hold", "undo", "unmerge") and changes.get("hold_reason") in PAUSING_REASONS and not running:
        pauses.append(Pause(incident_id=incident.id, began_at=now, reason=changes["hold_reason"]))
    db.add_all(pauses)
    return pauses


def computed(
    incident: Incident, known: Policies, pauses: Sequence[Pause], priority: int | None = None
) -> dict[str, datetime | None]:
    """Due times and rank by start, priority and all `pauses` of the incident; by another `priority` if it is given."""
    taken = [(pause.began_at, pause.ended_at) for pause in pauses if pause.ended_at is not None]
    level = priority or incident.priority
    times: dict[str, datetime | None] = {}
    if level is not None:
        due = known.targets.due(level, incident.reported_at, taken, incident.service_id)
        times["response_due_at"] = due.response_due_at
        times["response_warn_at"] = due.response_warn_at
        times["resolution_due_at"] = due.resolution_due_at
        times["resolution_warn_at"] = due.resolution_warn_at
        times["first_resolution_due_at"] = incident.first_resolution_due_at or due.resolution_due_at
    due_at = times.get("resolution_due_at") or incident.resolution_due_at or incident.reported_at
    times["rank_at"] = rank_at(due_at, replace(merits(incident), priority=level or 5), known.head_starts)
    return times


def recompute(
    db: Session,
    incident: Incident,
    known: Policies,
    now: datetime,
    pauses: Sequence[Pause] = (),
    running: Assignment | None = None,
) -> None:
    """Due times from the start, the priority and all `pauses` of the incident; then rank, place and timers.

    `running`: the stay with the team that has it, whose own due times follow too.
    """
    place(incident, known, pauses)
    assignments.time(running, incident, known, pauses)
    paused = any(pause.ended_at is None for pause in pauses)
    timers.keep(db, incident, running, paused=paused, now=now, patience=known.patience)


def place(incident: Incident, known: Policies, pauses: Sequence[Pause] = ()) -> None:
    """Its due times, and its place among all."""
    for name, value in computed(incident, known, pauses).items():
        setattr(incident, name, value)
    incident.queue_group = QUEUE_GROUP[incident.state]


def rank(db: Session, incident: Incident, known: Policies, *, paused: bool, now: datetime) -> None:
    """The place among all open incidents, and the timers; the due times are as they should be."""
    incident.rank_at = rank_at(incident.resolution_due_at or incident.reported_at, merits(incident), known.head_starts)
    running = assignments.running(db, incident.id)
    timers.keep(db, incident, running, paused=paused, now=now, patience=known.patience)


def paused(db: Session, incident: Incident) -> bool:
    """True while the resolution clock stands still."""
    return any(pause.ended_at is None for pause in db.scalars(_PAUSES, {"incident_id": incident.id}))
