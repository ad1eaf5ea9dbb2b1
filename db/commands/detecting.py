"""Incidents that monitoring found, not a person."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from db.commands import escalation, incidents, opening, timeline
from db.models import Incident, Service, Team
from db.queries.settings import policies
from rules.access import SYSTEM
from rules.priority import Matrix

SOURCE = "alert"
DESCRIPTION_LIMIT = 20_000


def detect(
    db: Session,
    *,
    title: str,
    description: str,
    priority: int,
    affected: str = "",
    service_id: int | None = None,
    team_id: int | None = None,
    category_pair_id: int | None = None,
    escalation_policy_id: int | None = None,
    started_at: datetime | None = None,
    told: str,
    detail: str = "",
    now: datetime,
) -> Incident:
    """Log an incident that a signal began, and page for it. `told` is its first timeline entry, without its subject.

    It has all that triage asks for, so that it can be accepted at once. What a team owns that runs what it builds is
    assigned to that team immediately. Without a team, that of the service.
    """
    id_, known = opening.begin(db)
    service = db.get(Service, service_id) if service_id is not None else None
    if team_id is None and service is not None:
        team_id = service.team_id
    team = db.get(Team, team_id) if team_id is not None else None
    if team is None or team.archived_at is not None:
        team = None
    impact, urgency = levels(priority, known.matrix, service.impact if service else None)
    incident = opening.numbered(
        id_,
        known,
        source=SOURCE,
        title=title,
        description=description[:DESCRIPTION_LIMIT],
        affected=affected or (service.name if service else ""),
        service_id=service_id,
        team_id=team.id if team else None,
        category_pair_id=category_pair_id,
        impact=impact,
        urgency=urgency,
        priority=priority,
        started_at=min(started_at, now) if started_at else None,
        detected_at=now,
        reported_at=now,
        changed_at=now,
    )
    opening.write(db, incident, timeline.first(incident, SYSTEM, now, "detected", told, detail), known)
    if team is not None and team.way == "devops" and category_pair_id is not None:
        incidents.perform(db, incident.id, None, "accept", {"team_id": team.id}, actor=SYSTEM, now=now)
    escalation.start(db, incident, now, escalation_policy_id)
    return incident


def raise_to(db: Session, incident: Incident, priority: int, now: datetime, *, worse: bool = False) -> None:
    """Let an incident be as urgent as its alert; once somebody has acknowledged it, only by one that got `worse`.

    What people have made less urgent after they looked at it stays so while monitoring only repeats itself.
    """
    if not raises(incident, priority, worse=worse):
        return
    impact, urgency = levels(priority, policies(db).matrix, incident.impact)
    changes: dict[str, Any] = {"priority": priority, "impact": impact, "urgency": urgency}
    incidents.amend(db, incident, "prioritise", changes, {}, actor=SYSTEM, now=now)


def raises(incident: Incident, priority: int, *, worse: bool = False) -> bool:
    """Whether an alert of this priority makes the incident more urgent."""
    looked_at = incident.acknowledged_at is not None
    return incident.priority is not None and priority < incident.priority and (worse or not looked_at)


def levels(priority: int, matrix: Matrix, impact: int | None = None) -> tuple[int | None, int | None]:
    """Impact and urgency that mean `priority`: with the service's own impact if that fits, else the most even pair.

    A matrix may give that priority nowhere: then the priority stands by itself, without the two.
    """
    fitting = [cell for cell, level in matrix.items() if level == priority]
    if not fitting:
        return None, None
    return min(fitting, key=lambda cell: (cell[0] != impact, abs(cell[0] - cell[1]), cell))
