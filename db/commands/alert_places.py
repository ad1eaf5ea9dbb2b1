"""Which incident an alert belongs to: one of its own, that of its group, or that of a storm."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.commands import detecting, escalation, incidents, repaging, storms, wording
from db.models import Alert, Incident, Integration, TimelineEntry
from db.queries.alerts import OWN, SILENT
from rules import severities, states
from rules.access import SYSTEM
from rules.signals import Signal

SILENT_PRIORITY = 2
SOURCE_LIMIT, LINK_LIMIT = 200, 500
WAITING = ("new", "assigned")
ENDED = ("closed", "cancelled")
SAID = "description"
"""Where an alert that is held back keeps the text that its incident will have."""
_MERGES = 10


@dataclass
class Turn:
    """Signals of one integration being taken, and what is known while they are."""

    db: Session
    integration: Integration
    now: datetime
    alerts: dict[str, Alert]
    quiet: bool
    """the service is in maintenance"""
    incidents: dict[int, Incident]
    """those that were looked at; they are held until the transaction ends"""
    kept: list[tuple[Signal, Alert | None, str]] = field(default_factory=list)
    new_keys: int = -1
    """within the last minute; -1 before anybody asked"""
    groups: dict[str, int] = field(default_factory=dict)
    joined: dict[int, list[str]] = field(default_factory=dict)
    calmed: dict[int, bool] = field(default_factory=dict)
    """incident -> whether what ended was the app's own alert"""


def place(turn: Turn, alert: Alert, signal: Signal) -> tuple[Incident, str]:
    """The incident for a new alert: of its group, of the storm, or its own."""
    past = False
    if not alert.dedup_key.startswith(OWN):
        if turn.new_keys < 0:
            turn.new_keys = storms.new_keys(turn.db, turn.integration, turn.now)
        turn.new_keys += 1
        past = storms.note(turn.integration, turn.new_keys, turn.now)
    grouped = _open_of_group(turn, alert.group_key) if alert.group_key else None
    if grouped is not None:
        return grouped, "joined"
    if past:
        return _of_storm(turn), "storm"
    links = [f"{label}: {address}" for label, address in signal.links]
    labels = signal.details.get("labels")
    named = [f"{name}: {value}" for name, value in labels.items()] if isinstance(labels, dict) else []
    parts = [signal.description, "\n".join(links), "\n".join(named)]
    incident = detecting.detect(
        turn.db,
        title=signal.title,
        description="\n\n".join(part for part in parts if part),
        priority=priority_of(turn, signal),
        affected=alert.source,
        service_id=turn.integration.service_id,
        team_id=turn.integration.team_id,
        category_pair_id=turn.integration.category_pair_id,
        escalation_policy_id=turn.integration.escalation_policy_id,
        started_at=signal.started_at,
        told=f"detected it, by {turn.integration.name}",
        detail=f"Severity as sent: {signal.severity}" if signal.severity else "",
        now=turn.now,
    )
    return incident, "opened"


def _of_storm(turn: Turn) -> Incident:
    """The one incident of the integration's storm, opened or reopened if need be."""
    incident = None
    if turn.integration.storm_incident_id is not None:
        incident = going_on(turn, turn.integration.storm_incident_id)
    if incident is None or incident.state in ENDED:
        return storms.open_incident(turn.db, turn.integration, turn.now)
    if incident.state not in states.OPEN:
        reopen(turn, incident, "the storm goes on")
    return incident


def _open_of_group(turn: Turn, group: str) -> Incident | None:
    known = turn.groups.get(group)
    if known is None:
        statement = (
            select(Alert.incident_id)
            .where(
                Alert.integration_id == turn.integration.id,
                Alert.group_key == group,
                Alert.group_key != "",
                Alert.ended_at.is_(None),
                Alert.incident_id.is_not(None),
            )
            .order_by(Alert.id.desc())
            .limit(1)
        )
        known = turn.db.execute(statement).scalar()
    incident = going_on(turn, known) if known is not None else None
    return incident if incident is not None and incident.state in states.OPEN else None


def group(integration: Integration, signal: Signal) -> str:
    """The key of the group, as the integration groups; '' for none."""
    if not integration.grouping or signal.dedup_key.startswith(OWN):
        return ""
    if integration.grouping == "group":
        return signal.group_key
    labels = signal.details.get("labels")
    value = labels.get(integration.grouping) if isinstance(labels, dict) else None
    return str(value)[:255] if value not in (None, "") else ""


def describe(turn: Turn, alert: Alert, signal: Signal) -> None:
    alert.title = signal.title
    alert.source = signal.source[:SOURCE_LIMIT]
    alert.started_at = min(signal.started_at, turn.now)
    alert.link = next((address for _, address in signal.links if len(address) <= LINK_LIMIT), "")
    alert.details = {"links": [list(link) for link in signal.links], **signal.details}


def said_by(alert: Alert) -> Signal:
    """What an alert said that was held back, as far as it is kept."""
    details = dict(alert.details or {})
    links = tuple((str(label), str(address)) for label, address in details.pop("links", ()))
    said = str(details.pop(SAID, ""))
    began = alert.started_at or alert.first_at
    return Signal(
        alert.dedup_key, "firing", alert.title, alert.severity, alert.source, began, None, said,
        links=links, details=details,
    )  # fmt: skip


def priority_of(turn: Turn, signal: Signal) -> int:
    default = SILENT_PRIORITY if signal.dedup_key == SILENT else severities.UNKNOWN
    return severities.priority_of(signal.severity, turn.integration.severities, default)


def is_worse(turn: Turn, alert: Alert, signal: Signal) -> bool:
    """Whether a signal says worse of its alert than was known."""
    return bool(signal.severity) and priority_of(turn, signal) < _priority_by(turn, alert.severity)


def is_worst(turn: Turn, alert: Alert, incident_id: int) -> bool:
    """Whether an alert is worse than any that its incident had before."""
    turn.db.flush()
    others = select(Alert.severity).where(Alert.incident_id == incident_id, Alert.id != alert.id).distinct()
    own = _priority_by(turn, alert.severity)
    return all(own < _priority_by(turn, severity) for severity in turn.db.scalars(others))


def _priority_by(turn: Turn, severity: str) -> int:
    return severities.priority_of(severity, turn.integration.severities, severities.UNKNOWN)


def going_on(turn: Turn, incident_id: int) -> Incident:
    """The incident, or the one that goes on after it was merged."""
    incident = _held(turn, incident_id)
    for _ in range(_MERGES):
        if incident.state != "cancelled" or incident.duplicate_of_id is None:
            break
        incident = _held(turn, incident.duplicate_of_id)
    return incident


def _held(turn: Turn, incident_id: int) -> Incident:
    if incident_id not in turn.incidents:
        fresh = turn.db.get_one(Incident, incident_id, with_for_update=True, populate_existing=True)
        turn.incidents[incident_id] = fresh
    return turn.incidents[incident_id]


def reopen(turn: Turn, incident: Incident, why: str) -> None:
    """It fires again: back to where it was before somebody or monitoring took it for fixed. Pages anew.

    Whoever has it at hand is asked. Else nobody has it any more, and the policy begins with its first step.
    """
    given = {"reason": f"Fired again: {why}"}
    changes = states.apply(wording.facts(incident), "reopen", given, turn.now)
    before = (
        select(TimelineEntry.from_state)
        .where(TimelineEntry.incident_id == incident.id, TimelineEntry.kind == "resolve")
        .order_by(TimelineEntry.id.desc())
        .limit(1)
    )
    was = turn.db.execute(before).scalar()
    if was in WAITING and incident.acknowledged_at is None:
        changes["state"] = was
    elif not repaging.has_it_at_hand(turn.db, incident, turn.now):
        changes |= {"state": "assigned" if incident.team_id is not None else "new", "assignee_id": None}
    incidents.amend(turn.db, incident, "reopen", changes, given, actor=SYSTEM, now=turn.now)
    escalation.start(turn.db, incident, turn.now, turn.integration.escalation_policy_id)
