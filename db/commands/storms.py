"""So many new alerts at once that one incident for all of them serves people better than one for each."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.commands import detecting, timeline
from db.models import Alert, Incident, Integration
from rules import storm
from rules.access import SYSTEM

PRIORITY = 2


def new_keys(db: Session, integration: Integration, now: datetime) -> int:
    """New keys within the last minute, counted as far as it matters: one past the limit."""
    recent = (
        select(Alert.id)
        .where(Alert.integration_id == integration.id, Alert.first_at > now - timedelta(seconds=storm.WINDOW_SECONDS))
        .limit(integration.storm_limit + 1)
        .subquery()
    )
    return db.execute(select(func.count()).select_from(recent)).scalar_one()


def note(integration: Integration, count: int, now: datetime) -> bool:
    """Whether the integration is in a storm, now that it has brought `count` new keys within a minute."""
    if storm.is_storm(count, integration.storm_limit):
        integration.storm_since = now
    return integration.storm_since is not None


def open_incident(db: Session, integration: Integration, now: datetime) -> Incident:
    """The incident that holds what a storm brings."""
    incident = detecting.detect(
        db,
        title=f"Storm of alerts from {integration.name}",
        description=(
            f"More than {integration.storm_limit:,} new alerts came within a minute. Those that come from now on are "
            "kept here, without an incident each, until there have been fewer for five minutes."
        ),
        priority=PRIORITY,
        service_id=integration.service_id,
        team_id=integration.team_id,
        category_pair_id=integration.category_pair_id,
        escalation_policy_id=integration.escalation_policy_id,
        started_at=now,
        told=f"found a storm of alerts from {integration.name}",
        now=now,
    )
    integration.storm_incident_id = incident.id
    return incident


def end_if_over(db: Session, integration: Integration, now: datetime) -> Incident | None:
    """End a storm that has been calm for long enough; its incident, on which that is told. None if it goes on."""
    if integration.storm_since is None or not storm.ended(integration.storm_since, now):
        return None
    incident = None
    if integration.storm_incident_id is not None:
        incident = db.get_one(Incident, integration.storm_incident_id, with_for_update=True)
        held = select(func.count()).select_from(Alert).where(Alert.incident_id == incident.id)
        told = f"saw the end of the storm: it brought {db.execute(held).scalar_one():,} alerts"
        timeline.add(db, incident, SYSTEM, now, "alert", told, versioned=False)
    integration.storm_since, integration.storm_incident_id = None, None
    return incident
