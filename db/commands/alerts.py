"""What becomes of signals: each is kept, and counts for one alert; an alert has one incident at a time.

| its alert, and the incident of that | a signal that fires | one that resolves |
|---|---|---|
| none | opens an incident, or joins that of its group or of a storm | is kept as unknown |
| incident open | counts | ends the alert |
| incident resolved or recovered | reopens it | ends the alert |
| incident closed or cancelled | a new alert and incident, which name the one before | ends the alert |
| incident merged into another | the same with the one that goes on | likewise |
| none, in maintenance | is kept | ends the alert |

One that only notes something, such as that a check is paused, is kept and changes nothing.

What maintenance keeps from being told (`Alert.held_at`) is told when that is over, by release(), or by the next signal
if that comes first.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from db.commands import alert_ends, detecting, incidents, storms, timeline
from db.commands.alert_places import (
    ENDED,
    SAID,
    SOURCE_LIMIT,
    WAITING,
    Turn,
    describe,
    going_on,
    group,
    is_worse,
    is_worst,
    place,
    priority_of,
    reopen,
    said_by,
)
from db.models import Alert, Incident, Integration, ReceivedSignal
from db.queries import maintenance
from db.queries.alerts import OWN, SILENT, TEST
from rules import states
from rules.access import SYSTEM
from rules.errors import RuleError
from rules.signals import Signal

JOINS_TOLD = 20
"""Alerts of one incident up to which each that joins has an entry on its timeline."""
RELEASED_AT_ONCE = 100
"""Alerts that are told in one transaction when maintenance is over: so few that others can write in between."""
_KEYS_AT_ONCE = 1000


def locked(db: Session, ids: Iterable[int]) -> dict[int, Integration]:
    """The integrations, held until the transaction ends: signals of one integration take turns."""
    statement = select(Integration).where(Integration.id.in_(sorted(ids))).order_by(Integration.id)
    fresh = statement.with_for_update().execution_options(populate_existing=True)
    return {one.id: one for one in db.scalars(fresh)}


def receive(db: Session, integration: Integration, signals: Sequence[Signal], now: datetime) -> Counter[str]:
    """Take signals of an integration that is `locked`, in their order; how many had which outcome."""
    integration.last_signal_at = now
    beat(db, integration, now)
    return _take(db, integration, signals, now)


def beat(db: Session, integration: Integration, now: datetime) -> None:
    """It has called. What its silence opened ends."""
    if integration.heartbeat_seconds is None:
        return
    silent = is_silent(integration)
    integration.heartbeat_at = now
    integration.heartbeat_due_at = now + timedelta(seconds=integration.heartbeat_seconds)
    if silent:
        end_silence(db, integration, "calls again", now)


def is_silent(integration: Integration) -> bool:
    """True when it has not called as it promised, and an alert says so."""
    return integration.heartbeat_seconds is not None and integration.heartbeat_due_at is None


def end_silence(db: Session, integration: Integration, why: str, now: datetime) -> None:
    """End the alert that says so, if there is one. `why` follows the integration's name."""
    if SILENT in live(db, integration, [SILENT]):
        _take(db, integration, [Signal(SILENT, "resolved", f"{integration.name} {why}", "", "", now)], now)


def fall_silent(db: Session, integration: Integration, now: datetime) -> bool:
    """Open an incident, once, for an integration that is `locked` and should have called; True when it was opened."""
    due = integration.heartbeat_due_at
    if due is None or due > now or integration.archived_at is not None or integration.heartbeat_seconds is None:
        return False
    if maintenance.covers(db, integration.service_id, now) is not None:
        integration.heartbeat_due_at = now + timedelta(seconds=integration.heartbeat_seconds)
        return False
    integration.heartbeat_due_at = None
    said = f"It promised to call every {integration.heartbeat_seconds:,} seconds."
    if integration.heartbeat_at is not None:
        said += f" Its last call was at {integration.heartbeat_at:%Y-%m-%d %H:%M:%S} UTC."
    else:
        said += " It has never called: look whether the sender was set up."
    title = f"{integration.name} is silent"
    _take(db, integration, [Signal(SILENT, "firing", title, "", "", due, description=said)], now)
    return True


def send_test(db: Session, integration: Integration, now: datetime) -> Incident | None:
    """A test alert goes the way of all others, and ends itself (worker.alerts). None in maintenance."""
    said = "Somebody sent it from the screen 'Integrations'. It ends itself."
    _take(db, integration, [Signal(TEST, "firing", f"Test alert of {integration.name}", "", "", now, None, said)], now)
    alert = live(db, integration, [TEST])[TEST]
    return db.get_one(Incident, alert.incident_id) if alert.incident_id is not None else None


def live(db: Session, integration: Integration, keys: Sequence[str]) -> dict[str, Alert]:
    """Key -> the alert that takes the next signal with it."""
    found: dict[str, Alert] = {}
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        some = keys[start : start + _KEYS_AT_ONCE]
        alive = select(Alert).where(
            Alert.integration_id == integration.id, Alert.dedup_key.in_(some), Alert.ended_at.is_(None)
        )
        found |= {alert.dedup_key: alert for alert in db.scalars(alive)}
    return found


def _turn(db: Session, integration: Integration, found: dict[str, Alert], now: datetime) -> Turn:
    held = sorted({alert.incident_id for alert in found.values() if alert.incident_id is not None})
    incidents_held: dict[int, Incident] = {}
    for start in range(0, len(held), _KEYS_AT_ONCE):
        some = Incident.id.in_(held[start : start + _KEYS_AT_ONCE])
        statement = select(Incident).where(some).order_by(Incident.id).with_for_update()
        fresh = db.scalars(statement.execution_options(populate_existing=True))
        incidents_held |= {incident.id: incident for incident in fresh}
    storms.end_if_over(db, integration, now)
    quiet = maintenance.covers(db, integration.service_id, now) is not None
    return Turn(db, integration, now, found, quiet, incidents_held)


def _take(db: Session, integration: Integration, signals: Sequence[Signal], now: datetime) -> Counter[str]:
    found = live(db, integration, list(dict.fromkeys(signal.dedup_key for signal in signals)))
    turn = _turn(db, integration, found, now)
    for signal in signals:
        before = found.get(signal.dedup_key)
        outcome = _one(turn, signal)
        turn.kept.append((signal, found.get(signal.dedup_key, before), outcome))
    _keep(turn)
    for incident_id, titles in turn.joined.items():
        _tell_joined(turn, incident_id, titles)
    for incident_id, own in turn.calmed.items():
        alert_ends.settle(db, integration, db.get_one(Incident, incident_id), now, own=own)
    return Counter(outcome for _, _, outcome in turn.kept)


def release(db: Session, integration: Integration, now: datetime) -> int:
    """Tell what maintenance held back of an integration that is `locked`, as if it fired now; of how many alerts.

    At most RELEASED_AT_ONCE. All that waits came at once as far as storms go. 0 while another maintenance covers it.
    """
    waits = Alert.integration_id == integration.id, Alert.held_at.is_not(None)
    oldest = select(Alert).where(*waits).order_by(Alert.id).limit(RELEASED_AT_ONCE)
    found = db.scalars(oldest.execution_options(populate_existing=True)).all()
    turn = _turn(db, integration, {alert.dedup_key: alert for alert in found}, now)
    if turn.quiet or not found:
        return 0
    homeless = select(Alert.id).where(*waits, Alert.incident_id.is_(None)).limit(integration.storm_limit + 1).subquery()
    waiting = db.execute(select(func.count()).select_from(homeless)).scalar_one()
    if waiting:
        storms.note(integration, storms.new_keys(db, integration, now) + waiting, now)
    for alert in found:
        _release(turn, alert)
    db.flush()
    for incident_id, titles in turn.joined.items():
        _tell_joined(turn, incident_id, titles)
    return len(found)


def _release(turn: Turn, alert: Alert) -> None:
    since, alert.held_at = alert.held_at, None
    signal = said_by(alert)
    incident = going_on(turn, alert.incident_id) if alert.incident_id is not None else None
    if incident is None:
        incident, outcome = _settle_in(turn, alert, signal)
        if outcome == "opened" and since is not None:
            told = f"fired during maintenance, since {since:%Y-%m-%d %H:%M} UTC, and fires on after it"
            timeline.add(turn.db, incident, SYSTEM, turn.now, "alert", told, versioned=False)
    elif incident.state in ENDED:
        alert.ended_at = turn.now
        turn.db.flush()
        _begin(turn, signal, incident.number)
    else:
        _fire(turn, alert, incident, signal, worse=True)


def _one(turn: Turn, signal: Signal) -> str:
    """Let one signal count; the outcome."""
    if signal.note_only:
        return "noted"
    alert = turn.alerts.get(signal.dedup_key)
    incident = going_on(turn, alert.incident_id) if alert is not None and alert.incident_id is not None else None
    over = incident is not None and incident.state in ENDED
    worse = alert is not None and is_worse(turn, alert, signal)
    if alert is not None and (signal.status == "resolved" or not (over or incident is None)):
        _count(turn, alert, signal)
    if signal.status == "resolved":
        return _resolve(turn, alert, incident, over)
    if signal.status == "acknowledged":
        if alert is None or incident is None or over:
            return "unknown"
        return _acknowledge(turn, alert, incident)
    if alert is not None and incident is None and turn.quiet:
        _count(turn, alert, signal)
        return "maintenance"
    if alert is None or incident is None or over:
        if alert is not None:
            alert.ended_at, alert.held_at = turn.now, None
            turn.db.flush()  # its key is free before the next one takes it
        return _begin(turn, signal, incident.number if incident is not None else None)
    return _fire(turn, alert, incident, signal, worse=worse)


def _count(turn: Turn, alert: Alert, signal: Signal) -> None:
    alert.signals += 1
    alert.last_at = turn.now
    if signal.severity and signal.severity != alert.severity:
        alert.severity = signal.severity


def _resolve(turn: Turn, alert: Alert | None, incident: Incident | None, over: bool) -> str:
    if alert is None:
        return "unknown"
    changed = alert.status != "resolved"
    alert.status, alert.held_at = "resolved", None
    if incident is None or over:
        alert.ended_at = turn.now
        del turn.alerts[alert.dedup_key]
        turn.db.flush()
    elif changed:
        turn.calmed[incident.id] = turn.calmed.get(incident.id, True) and alert.dedup_key.startswith(OWN)
    return "resolved"


def _acknowledge(turn: Turn, alert: Alert, incident: Incident) -> str:
    if alert.status == "firing":
        alert.status = "acknowledged"
    if incident.state in WAITING:
        given: dict[str, Any] = {"reason": f"Acknowledged where the alert comes from, {turn.integration.name}."}
        if incident.category_pair_id is None:
            given["category_pair_id"] = turn.integration.category_pair_id
        try:
            with turn.db.begin_nested():
                incidents.perform(turn.db, incident.id, None, "acknowledge", given, actor=SYSTEM, now=turn.now)
        except RuleError as refused:  # the incident lacks something that only people can add; the signal counts
            told = "saw it acknowledged where the alert comes from, and could not start work"
            detail = refused.sentence
            timeline.add(turn.db, incident, SYSTEM, turn.now, "alert", told, detail=detail, versioned=False)
    return "acknowledged"


def _fire(turn: Turn, alert: Alert, incident: Incident, signal: Signal, *, worse: bool) -> str:
    """A signal of an alert that is known, with an incident that is not over. `worse` than the alert was before."""
    if alert.status == "acknowledged" and incident.state not in ("in_progress", "on_hold"):
        alert.status = "firing"  # nobody is at it any more
    if alert.status == "resolved":
        alert.status = "firing"
        turn.calmed.pop(incident.id, None)
        describe(turn, alert, signal)
    if incident.state not in states.OPEN:
        if turn.quiet:
            _hold(turn, alert)
            return "maintenance"
        alert.held_at = None
        reopen(turn, incident, alert.title)
        return "reopened"
    if not turn.quiet:
        worse, alert.held_at = worse or alert.held_at is not None, None
        detecting.raise_to(turn.db, incident, priority_of(turn, signal), turn.now, worse=worse)
    elif detecting.raises(incident, priority_of(turn, signal), worse=worse):
        _hold(turn, alert)
    return "counted"


def _begin(turn: Turn, signal: Signal, before: str | None) -> str:
    """A key without an alert: it opens an incident, or joins one."""
    alert = Alert(
        integration_id=turn.integration.id,
        dedup_key=signal.dedup_key,
        group_key=group(turn.integration, signal),
        status="firing",
        first_at=turn.now,
        last_at=turn.now,
        signals=1,
        severity=signal.severity,
    )
    describe(turn, alert, signal)
    turn.alerts[signal.dedup_key] = alert
    if turn.quiet:
        if signal.dedup_key != TEST:
            alert.details = {**(alert.details or {}), SAID: signal.description}
            _hold(turn, alert)
        turn.db.add(alert)
        return "maintenance"
    incident, outcome = _settle_in(turn, alert, signal)
    if before is not None and outcome == "opened":
        told = f"fired before: {before}"
        timeline.add(turn.db, incident, SYSTEM, turn.now, "alert", told, versioned=False)
    return outcome


def _settle_in(turn: Turn, alert: Alert, signal: Signal) -> tuple[Incident, str]:
    """Give an alert its incident; it and the outcome."""
    incident, outcome = place(turn, alert, signal)
    alert.incident_id = incident.id
    turn.incidents[incident.id] = incident
    turn.db.add(alert)
    if alert.group_key:
        turn.groups[alert.group_key] = incident.id
    if outcome == "joined":
        turn.joined.setdefault(incident.id, []).append(alert.title)
        priority = priority_of(turn, signal)
        worse = detecting.raises(incident, priority, worse=True) and is_worst(turn, alert, incident.id)
        detecting.raise_to(turn.db, incident, priority, turn.now, worse=worse)
    return incident, outcome


def _hold(turn: Turn, alert: Alert) -> None:
    """What it says now is told when the maintenance is over."""
    if alert.held_at is None:
        alert.held_at = turn.now


def _keep(turn: Turn) -> None:
    """Write down every signal as it came."""
    turn.db.flush()
    rows = [
        {
            "integration_id": turn.integration.id,
            "alert_id": alert.id if alert is not None else None,
            "received_at": turn.now,
            "status": signal.status,
            "dedup_key": signal.dedup_key,
            "title": signal.title,
            "severity": signal.severity,
            "source": signal.source[:SOURCE_LIMIT],
            "outcome": outcome,
        }
        for signal, alert, outcome in turn.kept
    ]
    if rows:
        turn.db.execute(insert(ReceivedSignal), rows)


def _tell_joined(turn: Turn, incident_id: int, titles: Sequence[str]) -> None:
    some = select(Alert.id).where(Alert.incident_id == incident_id).limit(JOINS_TOLD + len(titles)).subquery()
    if turn.db.execute(select(func.count()).select_from(some)).scalar_one() - len(titles) >= JOINS_TOLD:
        return
    told = f"{len(titles)} more alerts joined" if len(titles) > 1 else "another alert joined"
    incident = turn.db.get_one(Incident, incident_id)
    detail = "\n".join(titles[:JOINS_TOLD])
    timeline.add(turn.db, incident, SYSTEM, turn.now, "alert", told, detail=detail, versioned=False)
