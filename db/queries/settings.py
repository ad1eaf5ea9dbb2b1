"""What administrators have decided, with the defaults where they have not."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import Setting
from rules.priority import DEFAULT, HEAD_STARTS, HeadStarts, Matrix
from rules.targets import DEFAULT_HOURS, DEFAULT_TARGETS, Targets

DEFAULTS: Mapping[str, Any] = {
    "organisation.name": "",
    "organisation.zone": "UTC",
    "organisation.desk_phone": "",
    "business.hours": DEFAULT_HOURS,
    "sample_data": False,
}


@dataclass(frozen=True)
class Organisation:
    name: str
    zone: str
    desk_phone: str
    sample_data: bool


@dataclass(frozen=True)
class Policies:
    """What priority, clocks and rank are computed by."""

    matrix: Matrix
    head_starts: HeadStarts
    targets: Targets


def values(db: Session) -> dict[str, Any]:
    """All settings by key, defaults filled in."""
    stored: dict[str, Any] = {key: value for key, value in db.execute(select(Setting.key, Setting.value))}
    return {**DEFAULTS, **stored}


def organisation(db: Session) -> Organisation:
    """The organisation's name, zone and telephone of the service desk."""
    known = values(db)
    return Organisation(
        known["organisation.name"],
        known["organisation.zone"],
        known["organisation.desk_phone"],
        bool(known["sample_data"]),
    )


def policies(db: Session) -> Policies:
    """Matrix, head starts and targets as they are set."""
    known = values(db)
    return _policies(known["organisation.zone"])


@lru_cache(maxsize=32)
def _policies(zone: str) -> Policies:
    return Policies(DEFAULT, HEAD_STARTS, Targets.default(zone))


__all__ = ["DEFAULTS", "DEFAULT_TARGETS", "Organisation", "Policies", "organisation", "policies", "values"]
