"""What falls due for an incident: kept in step with the incident in the same transaction."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Table, bindparam, insert, select
from sqlalchemy.orm import Session

from db.commands import asking, assignments, notices, timeline
from db.models import Assignment, Incident, Team, Timer
from db.queries.responsible import responsible
from rules.access import SYSTEM
from rules.states import OPEN
from rules.tiers import NAMES
from rules.verification import Patience

_TIMER: Table = Timer.__table__  # type: ignore[assignment]
_TIMERS = select(Timer).where(Timer.incident_id == bindparam("incident_id"))
TOLD = {
    "response_warning": ("sla", "used 75 % of the time to answer"),
    "response_breach": ("sla", "missed the time to answer"),
    "resolution_warning": ("sla", "used 75 % of the time to resolve"),
    "resolution_breach": ("sla", "missed the time to resolve"),
    "ola_warning": ("ola", "used 75 % of the time of {team}, {tier}"),
    "ola_breach": ("ola", "missed the time of {team}, {tier}"),
    "hold_until": ("hold_over", "the day to look at it again has come"),
    "pin_until": ("pin", "the pin ended"),
    asking.REMINDER: ("asked", ""),
    asking.OVER: ("asked", ""),
}
"""timer kind -> kind and text of the timeline entry it leaves; '' where db.commands.asking finds the words"""
TELLING = frozenset(TOLD) - {"pin_until", asking.REMINDER, asking.OVER}
"""kinds of which those who answer for the incident are told"""
_WARNS_OF = {"response_warning": "response_breach", "resolution_warning": "resolution_breach"}
_PATIENCE = Patience()
STEP, AGAIN = "escalation", "repage"
PAGING = frozenset({STEP, AGAIN})
"""kinds that db.commands.escalation sets and fires; nothing of the incident itself says when they are due"""
UPDATE, COMMANDER = "update_due", "no_commander"
OWED = frozenset({UPDATE, COMMANDER})
"""kinds that db.commands.update_clock sets and fires, likewise"""
KINDS = PAGING | OWED | set(TOLD)


def wanted(
    incident: Incident, paused: bool, running: Assignment | None = None, patience: Patience = _PATIENCE
) -> dict[str, datetime]:
    """Kind -> due moment of every timer the incident should have as it is now.

    `running`: the stay with the team that has it. What was told of its times already has no timer any more.
    """
    due: dict[str, datetime] = {}
    if incident.state not in OPEN:
        return asking.due(incident, patience)
    if incident.state == "on_hold" and incident.hold_until is not None:
        due["hold_until"] = incident.hold_until
    if incident.pin_seconds and incident.pin_until is not None:
        due["pin_until"] = incident.pin_until
    if incident.acknowledged_at is None and incident.response_due_at is not None:
        due["response_breach"] = incident.response_due_at
        if incident.response_warn_at is not None:
            due["response_warning"] = incident.response_warn_at
    if not paused and incident.resolution_due_at is not None:
        due["resolution_breach"] = incident.resolution_due_at
        if incident.resolution_warn_at is not None:
            due["resolution_warning"] = incident.resolution_warn_at
    if not paused and running is not None:
        if running.warn_at is not None and running.warn_at != running.warned_at:
            due["ola_warning"] = running.warn_at
        if running.due_at is not None and running.due_at != running.breached_at:
            due["ola_breach"] = running.due_at
    return due


def keep(
    db: Session,
    incident: Incident,
    running: Assignment | None,
    *,
    paused: bool,
    now: datetime,
    patience: Patience = _PATIENCE,
) -> None:
    """Set, move and remove the incident's timers. One that has fired fires again only if it was moved to later."""
    with db.no_autoflush:  # the incident is still being changed; it is written once
        present = db.scalars(_TIMERS, {"incident_id": incident.id}).all()
    move(db, incident, running, present, paused=paused, now=now, patience=patience)


def move(
    db: Session,
    incident: Incident,
    running: Assignment | None,
    present: Iterable[Timer],
    *,
    paused: bool,
    now: datetime,
    patience: Patience = _PATIENCE,
) -> None:
    """The same, with the timers that the incident has already read.

    A warning that is new once its promise was told to be missed counts as told: what ran before there were warnings.
    """
    due = wanted(incident, paused, running, patience)
    missed = {}
    for timer in present:
        if timer.kind in PAGING or timer.kind in OWED:
            continue
        moment = due.pop(timer.kind, None)
        if moment is None:
            if timer.fired_at is None:
                db.delete(timer)
        elif moment != timer.due_at:
            timer.due_at = moment
            if moment > now:
                timer.fired_at = None
        missed[timer.kind] = timer.fired_at
    for kind, moment in due.items():
        told_at = missed.get(_WARNS_OF.get(kind, ""))
        db.add(Timer(incident_id=incident.id, kind=kind, due_at=moment, fired_at=told_at))


def begin(db: Session, incident: Incident, patience: Patience) -> None:
    """The timers of an incident that was written just now, in one statement."""
    due = wanted(incident, False, patience=patience)
    rows = [{"incident_id": incident.id, "kind": kind, "due_at": moment} for kind, moment in due.items()]
    if rows:
        db.connection().execute(insert(_TIMER), rows)


def fire(db: Session, timer: Timer, now: datetime) -> None:
    """Tell on the timeline what fell due, at the moment it did; `now` is when that is written down. Fires once.

    Those who answer for the incident are told of a promise that runs out, and of a hold whose day has come.
    """
    incident = db.get_one(Incident, timer.incident_id)
    if timer.kind in (asking.REMINDER, asking.OVER):
        asking.fire(db, timer, incident, now)
        return
    if timer.kind in PAGING:
        from db.commands import escalation  # it sets timers, so it knows this module

        escalation.fire_timer(db, timer, incident, now)
        return
    if timer.kind in OWED:
        from db.commands import update_clock  # likewise

        update_clock.fire(db, timer, incident, now)
        return
    kind, text = TOLD[timer.kind]
    timer.fired_at = now
    if kind == "ola":
        text = _of_the_team(db, timer, text)
    if timer.kind == "pin_until":
        incident.rank_at += timedelta(seconds=incident.pin_seconds)
        incident.pin_seconds, incident.pin_until, incident.pin_reason, incident.pinned_by_id = 0, None, "", None
    timeline.add(db, incident, SYSTEM, timer.due_at, kind, text, versioned=False, recorded_at=now)
    if timer.kind in TELLING:
        told = text if timer.kind != "hold_until" else f"is on hold, and {text}"
        subject = f"{incident.number} {told}: {incident.title}"
        notices.tell(db, responsible(db, incident), kind, subject, incident=incident, now=now)


def _of_the_team(db: Session, timer: Timer, text: str) -> str:
    """The text with the name of the team whose time it is; the stay keeps what was told of it."""
    running = assignments.running(db, timer.incident_id)
    if running is None:
        raise LookupError(f"Timer {timer.id} is of a team's time, but no team has the incident.")
    if timer.kind == "ola_warning":
        running.warned_at = timer.due_at
    else:
        running.breached_at = timer.due_at
    return text.format(team=db.get_one(Team, running.team_id).name, tier=NAMES[running.tier])


def put(db: Session, incident_id: int, kind: str, due_at: datetime) -> None:
    """Let the incident's timer of this kind be due then, whether or not there was one, and whether it has fired."""
    timer = _of_kind(db, incident_id, kind)
    if timer is None:
        db.add(Timer(incident_id=incident_id, kind=kind, due_at=due_at))
    else:
        timer.due_at, timer.fired_at = due_at, None


def put_if_missing(db: Session, incident_id: int, kind: str, due_at: datetime) -> None:
    """The same, unless one waits already."""
    timer = _of_kind(db, incident_id, kind)
    if timer is None or timer.fired_at is not None:
        put(db, incident_id, kind, due_at)


def drop(db: Session, incident_id: int, kind: str) -> None:
    """Remove the incident's timer of this kind, if there is one."""
    timer = _of_kind(db, incident_id, kind)
    if timer is not None:
        db.delete(timer)
        db.flush()


def _of_kind(db: Session, incident_id: int, kind: str) -> Timer | None:
    return db.scalars(select(Timer).where(Timer.incident_id == incident_id, Timer.kind == kind)).one_or_none()
