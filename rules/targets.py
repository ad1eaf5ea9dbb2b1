"""The SLA's targets per priority, and the due times that follow from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from rules.business_time import Calendar
from rules.sla import Pause, due_at

HOUR = 3600
WARNING_SHARE = 0.75
DEFAULT_HOURS = {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
_ROUND_THE_CLOCK = {day: [["00:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}


@dataclass(frozen=True)
class Target:
    """Seconds to answer and to resolve, counted in the calendar."""

    response: int
    resolution: int
    calendar: Calendar

    @property
    def counted(self) -> str:
        """What stands behind a length of time: nothing round the clock, else ' of business time'."""
        return "" if self.calendar.always else " of business time"


DEFAULT_TARGETS: Mapping[int, tuple[int, int, bool]] = {
    1: (15 * 60, 4 * HOUR, True),
    2: (30 * 60, 8 * HOUR, True),
    3: (4 * HOUR, 24 * HOUR, False),
    4: (8 * HOUR, 40 * HOUR, False),
    5: (16 * HOUR, 80 * HOUR, False),
}
"""priority -> seconds to answer, seconds to resolve, round the clock (else business time); source: the design, SLA"""


@dataclass(frozen=True)
class DueTimes:
    response_due_at: datetime
    response_warn_at: datetime
    resolution_due_at: datetime
    resolution_warn_at: datetime


@dataclass(frozen=True)
class Targets:
    by_priority: Mapping[int, Target]
    by_service: Mapping[int, Mapping[int, Target]] = field(default_factory=dict)
    """service id -> priority -> target, where the service's differs"""

    @classmethod
    def default(cls, zone: str) -> "Targets":
        """The default targets, with business hours in `zone`."""
        always = Calendar.from_dict({"zone": "UTC", "hours": _ROUND_THE_CLOCK})
        business = Calendar.from_dict({"zone": zone, "hours": DEFAULT_HOURS})
        return cls(
            {
                priority: Target(response, resolution, always if round_the_clock else business)
                for priority, (response, resolution, round_the_clock) in DEFAULT_TARGETS.items()
            }
        )

    def target(self, priority: int, service_id: int | None = None) -> Target:
        """What is promised for the priority: the service's own target where it has one."""
        own = self.by_service.get(service_id) if service_id is not None else None
        return (own or {}).get(priority) or self.by_priority[priority]

    def due(
        self, priority: int, opened: datetime, pauses: Sequence[Pause] = (), service_id: int | None = None
    ) -> DueTimes:
        """Due times of an incident reported at `opened`; pauses are those already ended. Response is never paused."""
        target = self.target(priority, service_id)
        return DueTimes(
            due_at(target.calendar, opened, target.response, ()),
            due_at(target.calendar, opened, round(target.response * WARNING_SHARE), ()),
            due_at(target.calendar, opened, target.resolution, pauses),
            due_at(target.calendar, opened, round(target.resolution * WARNING_SHARE), pauses),
        )
