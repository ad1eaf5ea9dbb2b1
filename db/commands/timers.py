"""What falls due for an incident: kept in step with the incident in the same transaction."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from db.commands import asking, timeline
from db.models import Incident, Timer
from rules.access import SYSTEM
from rules.states import OPEN
from rules.verification import Patience

_TIMERS = select(Timer).where(Timer.incident_id == bindparam("incident_id"))
TOLD = {
    "response_breach": ("sla", "missed the time to answer"),
    "resolution_warning": ("sla", "used 75 % of the time to resolve"),
    "resolution_breach": ("sla", "missed the time to resolve"),
    "hold_until": ("hold_over", "the day to look at it again has come"),
    "pin_until": ("pin", "the pin ended"),
    asking.REMINDER: ("asked", ""),
    asking.OVER: ("asked", ""),
}
"""timer kind -> kind and text of the timeline entry it leaves; '' where db.commands.asking finds the words"""
_PATIENCE = Patience()


def wanted(incident: Incident, paused: bool, patience: Patience = _PATIENCE) -> dict[str, datetime]:
    """Kind -> due moment of every timer the incident should have as it is now."""
    due: dict[str, datetime] = {}
    if incident.state not in OPEN:
        return asking.due(incident, patience)
    if incident.state == "on_hold" and incident.hold_until is not None:
        due["hold_until"] = incident.hold_until
    if incident.pin_seconds and incident.pin_until is not None:
        due["pin_until"] = incident.pin_until
    if incident.acknowledged_at is None and incident.response_due_at is not None:
        due["response_breach"] = incident.response_due_at
    if not paused and incident.resolution_due_at is not None:
        due["resolution_breach"] = incident.resolution_due_at
        if incident.resolution_warn_at is not None:
            due["resolution_warning"] = incident.resolution_warn_at
    return due


def keep(db: Session, incident: Incident, *, paused: bool, now: datetime, patience: Patience = _PATIENCE) -> None:
    """Set, move and remove the incident's timers. One that has fired fires again only if it was moved to later."""
    with db.no_autoflush:  # the incident is still being changed; it is written once
        present = db.scalars(_TIMERS, {"incident_id": incident.id}).all()
    move(db, incident, present, paused=paused, now=now, patience=patience)


def move(
    db: Session,
    incident: Incident,
    present: Iterable[Timer],
    *,
    paused: bool,
    now: datetime,
    patience: Patience = _PATIENCE,
) -> None:
    """The same, with the timers that the incident has already read."""
    due = wanted(incident, paused, patience)
    for timer in present:
        moment = due.pop(timer.kind, None)
        if moment is None:
            if timer.fired_at is None:
                db.delete(timer)
        elif moment != timer.due_at:
            timer.due_at = moment
            if moment > now:
                timer.fired_at = None
    for kind, moment in due.items():
        db.add(Timer(incident_id=incident.id, kind=kind, due_at=moment))


def fire(db: Session, timer: Timer, now: datetime) -> None:
    """Tell on the timeline what fell due, at the moment it did; `now` is when that is written down. Fires once."""
    incident = db.get_one(Incident, timer.incident_id)
    if timer.kind in (asking.REMINDER, asking.OVER):
        asking.fire(db, timer, incident, now)
        return
    kind, text = TOLD[timer.kind]
    timer.fired_at = now
    if timer.kind == "pin_until":
        incident.rank_at += timedelta(seconds=incident.pin_seconds)
        incident.pin_seconds, incident.pin_until, incident.pin_reason, incident.pinned_by_id = 0, None, "", None
    timeline.add(db, incident, SYSTEM, timer.due_at, kind, text, versioned=False, recorded_at=now)
