"""Who is on call, by the schedule's version of the moment and what stands in for it."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import Person, ScheduleOverride, ScheduleVersion
from rules import oncall


def on_call(db: Session, schedule_id: int, at: datetime) -> tuple[int, ...]:
    """Ids of the people on call at the instant; () is nobody, or no such schedule."""
    version = (
        select(ScheduleVersion.definition)
        .where(ScheduleVersion.schedule_id == schedule_id, ScheduleVersion.from_at <= at)
        .order_by(ScheduleVersion.from_at.desc())
        .limit(1)
    )
    definition = db.scalar(version)
    if definition is None:
        return ()
    overrides = select(ScheduleOverride).where(
        ScheduleOverride.schedule_id == schedule_id,
        ScheduleOverride.starts_at <= at,
        ScheduleOverride.ends_at > at,
        ScheduleOverride.cancelled_at.is_(None) | (ScheduleOverride.cancelled_at > at),
    )
    changes = [_change(override) for override in db.scalars(overrides.order_by(ScheduleOverride.id))]
    found = oncall.on_call(oncall.Schedule.from_dict({**definition, "overrides": changes}), at)
    ids = [int(person) for person in found]
    here = set(db.scalars(select(Person.id).where(Person.id.in_(ids), Person.disabled_at.is_(None))))
    return tuple(person_id for person_id in ids if person_id in here)


def _change(override: ScheduleOverride) -> dict[str, Any]:
    told: dict[str, Any] = {"start": override.starts_at, "end": override.ends_at}
    added, removed = (str(id_) if id_ is not None else None for id_ in (override.added_id, override.removed_id))
    if added and removed:
        return told | {"replace": {removed: added}}
    return told | ({"add": [added]} if added else {"remove": [removed]})
