"""When nobody is to be woken for a service."""

from datetime import datetime

from sqlalchemy import ColumnElement, bindparam, func, literal_column, or_, select
from sqlalchemy.orm import Session

from db.models import Alert, Escalation, Incident, Instant, Integration, MaintainedService, MaintenanceWindow
from rules.maintenance import Window

_RUNNING = (
    select(MaintenanceWindow)
    .join(MaintainedService, MaintainedService.window_id == MaintenanceWindow.id)
    .where(
        MaintainedService.service_id == bindparam("service_id"),
        MaintenanceWindow.starts_at <= bindparam("now", type_=Instant),
        MaintenanceWindow.ends_at > bindparam("now", type_=Instant),
        MaintenanceWindow.cancelled_at.is_(None),
    )
    .order_by(MaintenanceWindow.id)
)

_STOPPED: ColumnElement[str] = literal_column("'maintenance'")
"""written out, so that the index of what it stopped is found"""


def covers(db: Session, service_id: int | None, now: datetime) -> MaintenanceWindow | None:
    """The maintenance window that the service is in at `now`; None when it is in none."""
    if service_id is None:
        return None
    found = db.scalars(_RUNNING, {"service_id": service_id, "now": now})
    return next((window for window in found if window_of(window).contains(now)), None)


def held_back(db: Session, now: datetime) -> list[int]:
    """Ids of the integrations with alerts that maintenance held back and that none covers any more; for the worker."""
    held = select(Alert.integration_id).where(Alert.held_at.is_not(None)).distinct()
    statement = select(Integration.id, Integration.service_id).where(Integration.id.in_(held)).order_by(Integration.id)
    return [one for one, service_id in db.execute(statement).all() if covers(db, service_id, now) is None]


def stopped(db: Session, now: datetime, most: int) -> list[int]:
    """Ids of incidents, at most so many, whose escalation maintenance stopped and that none covers any more."""
    unanswered = func.lower(Incident.state).in_(("new", "assigned"))  # lower(): not by the index of all that is open
    of_them = Escalation.ended_by == _STOPPED, unanswered
    joined = select(Incident.service_id).join(Escalation, Escalation.incident_id == Incident.id).where(*of_them)
    services = list(db.scalars(joined.distinct()))
    free = [service_id for service_id in services if service_id is not None and covers(db, service_id, now) is None]
    if not free and None not in services:
        return []
    theirs = or_(Incident.service_id.in_(free), Incident.service_id.is_(None))
    statement = select(Incident.id).join(Escalation, Escalation.incident_id == Incident.id).where(*of_them, theirs)
    return list(db.scalars(statement.order_by(Incident.rank_at, Incident.id).limit(most)))


def window_of(row: MaintenanceWindow) -> Window:
    """When it is maintenance, by rules.maintenance."""
    return Window.from_dict({"start": row.starts_at, "end": row.ends_at, "recurring": row.recurring})
