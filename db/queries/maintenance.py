"""When nobody is to be woken for a service."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import MaintainedService, MaintenanceWindow
from rules.maintenance import Window


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
    return next((found for found in db.scalars(statement) if window_of(found).contains(now)), None)


def window_of(row: MaintenanceWindow) -> Window:
    """When it is maintenance, by rules.maintenance."""
    return Window.from_dict({"start": row.starts_at, "end": row.ends_at, "recurring": row.recurring})
