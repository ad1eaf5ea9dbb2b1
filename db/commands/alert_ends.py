"""When all alerts of an incident are resolved: it says so and, if its integration allows, resolves itself.

What comes and goes does not resolve and reopen its incident each time: after a reopening, or after the incident has
said so once, nothing more is told for CALM; then worker.alerts looks again.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.commands import incidents, timeline
from db.models import Alert, Incident, Integration, TimelineEntry
from db.queries.alerts import CALM, family
from rules.access import SYSTEM
from rules.errors import RuleError
from rules.states import OPEN

NOTE = "All alerts are resolved: monitoring finds it working again."
TEST_REASON = "It was a test."


def settle(db: Session, integration: Integration, incident: Incident, now: datetime, *, own: bool = False) -> bool:
    """Tell and resolve, if all of the incident's alerts are resolved; True when it was resolved.

    `own`: all that ended were alerts of the app itself, which end whatever the integration says.
    """
    in_storm = integration.storm_since is not None and integration.storm_incident_id == incident.id
    if incident.state not in OPEN or in_storm or _fires(db, incident) or _restless(db, incident, now):
        return False
    if integration.auto_resolve or own:
        return _resolve(db, integration, incident, now)
    timeline.add(db, incident, SYSTEM, now, "calm", "saw all of its alerts resolved", public=True, versioned=False)
    return False


def cancel_test(db: Session, alert: Alert, now: datetime) -> None:
    """End a test alert; its incident counts in no measure."""
    alert.status, alert.ended_at = "resolved", now
    if alert.incident_id is None:
        return
    incident = db.get_one(Incident, alert.incident_id, with_for_update=True)
    if incident.state in OPEN and not _fires(db, incident):
        incidents.perform(db, incident.id, None, "cancel", {"reason": TEST_REASON}, actor=SYSTEM, now=now)


def _fires(db: Session, incident: Incident) -> bool:
    db.flush()
    firing = select(Alert.id).where(
        Alert.incident_id.in_(family(db, incident.id)), Alert.status != "resolved", Alert.ended_at.is_(None)
    )
    return db.execute(firing.limit(1)).first() is not None


def _restless(db: Session, incident: Incident, now: datetime) -> bool:
    """True within CALM of a reopening or of having said that all is resolved."""
    recent = select(TimelineEntry.id).where(
        TimelineEntry.incident_id == incident.id,
        TimelineEntry.at > now - CALM,
        TimelineEntry.kind.in_(("reopen", "calm")),
        TimelineEntry.actor_id.is_(None),
    )
    return db.execute(recent.limit(1)).first() is not None


def _resolve(db: Session, integration: Integration, incident: Incident, now: datetime) -> bool:
    given = {"resolution_code": "by_itself", "resolution_note": NOTE}
    missing = {"category_pair_id": integration.category_pair_id} if incident.category_pair_id is None else {}
    try:
        with db.begin_nested():
            incidents.perform(db, incident.id, None, "resolve", given | missing, actor=SYSTEM, now=now)
            incidents.perform(db, incident.id, None, "recover", {}, actor=SYSTEM, now=now)
    except RuleError as refused:
        told = "saw all of its alerts resolved, and could not resolve it"
        timeline.add(db, incident, SYSTEM, now, "calm", told, detail=refused.sentence, versioned=False)
        return False
    return True
