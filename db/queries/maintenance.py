"""When nobody is to be woken for a service."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import MaintainedService, MaintenanceWindow
from rules.maintenance import contains


def covers(db: Session, service_id: int | None, now: datetime) -> MaintenanceWindow | None:
    """The maintenance window that the service is in at `now`; None when it is in none."""
    if service_id is None:
        return None
    statement = (
        select(MaintenanceWindow)
        .join(MaintainedService, MaintainedService.window_id == MaintenanceWindow.id)
        .where(
            MaintainedService.service_id == service_id,
            MaintenanceWindow.starts_at <= now,
            MaintenanceWindow.ends_at > now,
            MaintenanceWindow.cancelled_at.is_(None),
        )
        .order_by(MaintenanceWindow.id)
    )
    return next((window for window in db.scalars(statement) if _contains(window, now)), None)


def _contains(window: MaintenanceWindow, now: datetime) -> bool:
    span = {"start": window.starts_at, "end": window.ends_at, "recurring": window.recurring}
    return window.recurring is None or contains(span, now)
