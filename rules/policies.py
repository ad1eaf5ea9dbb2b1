"""What priority, clocks, rank and the teams' own promises are computed by, as administrators have set it.

Settings are plain data (see DEFAULTS for their shapes); `parsed` makes the one object that everything is computed by.
"""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from rules import updates as about_updates
from rules.business_time import ALWAYS, Calendar
from rules.priority import DEFAULT, HEAD_STARTS, HeadStarts, Matrix
from rules.sla import Pause, due_at
from rules.targets import DEFAULT_HOURS, DEFAULT_TARGETS, Target, Targets
from rules.updates import MANNER, Manner
from rules.verification import CLOSE_DAYS, REMIND_DAYS, Patience

ALWAYS_ID, BUSINESS_ID = "always", "business"
ALWAYS_NAME = "Round the clock"
TIERS = {"1": "Tier 1 (front line)", "2": "Tier 2", "3": "Tier 3", "external": "External vendors"}
DEFAULT_OLA: Mapping[str, float] = {"1": 0.25, "2": 0.5, "3": 1.0, "external": 1.0}


def matrix_data(matrix: Matrix) -> dict[str, int]:
    """The matrix as it is stored: impact and urgency as two digits -> priority."""
    return {f"{impact}{urgency}": level for (impact, urgency), level in sorted(matrix.items())}


DEFAULTS: Mapping[str, Any] = {
    "organisation.zone": "UTC",
    "priority.matrix": matrix_data(DEFAULT),
    "rank.head_starts": {
        "major": HEAD_STARTS.major,
        "priority": {str(level): HEAD_STARTS.priority.get(level, 0) for level in range(1, 6)},
        "risk": HEAD_STARTS.risk,
        "people": HEAD_STARTS.people,
    },
    "sla.targets": {
        str(priority): {
            "response": response,
            "resolution": resolution,
            "calendar": ALWAYS_ID if round_the_clock else BUSINESS_ID,
        }
        for priority, (response, resolution, round_the_clock) in DEFAULT_TARGETS.items()
    },
    "sla.services": {},
    "sla.calendars": {
        BUSINESS_ID: {
            "name": "Business hours",
            "zone": "",
            "hours": DEFAULT_HOURS,
            "country": "",
            "region": "",
            "closed": [],
            "exceptions": {},
        }
    },
    "sla.ola": dict(DEFAULT_OLA),
    "verification.remind_days": REMIND_DAYS,
    "verification.close_days": CLOSE_DAYS,
    **about_updates.DEFAULTS,
}
"""Setting -> its default. Lengths are seconds; a calendar's zone '' is the organisation's; `sla.services` is service id
-> priority -> target, only where they differ; `sla.ola` is tier -> share of the resolution target."""

MOVES = frozenset(DEFAULTS) - {"verification.remind_days", "verification.close_days", *about_updates.DEFAULTS}
"""settings that may move open incidents"""

Public = Callable[[str, str], Container[date]]
"""Public holidays of a country and a region of it ('' for none)."""


@dataclass(frozen=True)
class Policies:
    """What priority, clocks, rank and the teams' own promises are computed by."""

    matrix: Matrix
    head_starts: HeadStarts
    targets: Targets
    ola: Mapping[str, float] = field(default_factory=lambda: DEFAULT_OLA)
    """tier -> share of the time to resolve that a team of this tier has"""
    zone: str = "UTC"
    """the organisation's"""
    updates: Manner = MANNER
    """how stakeholders are written to"""
    remind_days: int = REMIND_DAYS
    """days after which the reporter is reminded to say whether it is fixed"""
    close_days: int = CLOSE_DAYS
    """days after the reminder without an answer until the desk may close"""

    @property
    def patience(self) -> Patience:
        """How long the reporter's answer is waited for."""
        return Patience(self.remind_days, self.close_days, self.zone)

    def ola_due(
        self,
        tier: str,
        priority: int | None,
        service_id: int | None,
        began_at: datetime,
        pauses: Sequence[Pause] = (),
        *,
        part: float = 1.0,
    ) -> datetime | None:
        """When a team of this tier that received the incident at `began_at` should have done its part.

        The tier's share of the time to resolve, counted in the same calendar, without `pauses` (those already ended).
        None while there is no priority, or for a tier that promises nothing. `part`: when so much of it is used.
        """
        share = self.ola.get(tier, 0)
        if priority is None or not share:
            return None
        target = self.targets.target(priority, service_id)
        return due_at(target.calendar, began_at, round(target.resolution * share * part), pauses)


def parsed(values: Mapping[str, Any], public: Public) -> Policies:
    """The policies of checked settings. `public` is asked only for calendars that name a country."""
    zone = values["organisation.zone"]
    calendars = {ALWAYS_ID: ALWAYS} | {
        name: calendar(data, zone, public) for name, data in values["sla.calendars"].items()
    }
    starts = values["rank.head_starts"]
    return Policies(
        matrix={(int(key[0]), int(key[1])): level for key, level in values["priority.matrix"].items()},
        head_starts=HeadStarts(
            major=starts["major"],
            priority={int(level): seconds for level, seconds in starts["priority"].items()},
            risk=starts["risk"],
            people=starts["people"],
        ),
        targets=Targets(
            _targets(values["sla.targets"], calendars),
            {int(service): _targets(own, calendars) for service, own in values["sla.services"].items()},
        ),
        ola=dict(values["sla.ola"]),
        zone=zone,
        updates=about_updates.parsed(values),
        remind_days=values["verification.remind_days"],
        close_days=values["verification.close_days"],
    )


def calendar(data: Mapping[str, Any], zone: str, public: Public) -> Calendar:
    """A calendar of the settings. `zone` is the organisation's, for one that names none."""
    return Calendar.from_dict(
        {
            "zone": data["zone"] or zone,
            "hours": data["hours"],
            "holidays": data["closed"],
            "exceptions": data["exceptions"],
        },
        public(data["country"], data["region"]) if data["country"] else None,
    )


def _targets(data: Mapping[str, Any], calendars: Mapping[str, Calendar]) -> dict[int, Target]:
    return {
        int(priority): Target(target["response"], target["resolution"], calendars[target["calendar"]])
        for priority, target in data.items()
    }
