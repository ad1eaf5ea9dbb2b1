"""When nobody is to be woken for a service."""

from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from db.models import Instant, MaintainedService, MaintenanceWindow
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


def covers(db: Session, service_id: int | None, now: datetime) -> MaintenanceWindow | None:
    """The maintenance window that the service is in at `now`; None when it is in none."""
    if service_id is None:
        return None
    found = db.scalars(_RUNNING, {"service_id": service_id, "now": now})
    return next((window for window in found if window_of(window).contains(now)), None)


def window_of(row: MaintenanceWindow) -> Window:
    """When it is maintenance, by rules.maintenance."""
    return Window.from_dict({"start": row.starts_at, "end": row.ends_at, "recurring": row.recurring})
