"""Maintenance as people say it: on these weekdays, from one time to another, on a zone's clock.

It is kept as Alertmanager's intervals (rules.maintenance), which split a night at 24:00; it is read back from them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from rules.errors import RuleError
from rules.maintenance import WEEKDAYS
from rules.wall_clock import DAY, Span, first, last, minutes_of, zone_named

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MIDNIGHT, _DAY_IS_OVER = "00:00", "24:00"


@dataclass(frozen=True)
class Weekly:
    """Days: 0 Monday to 6, of the beginnings. An end that is not later than the beginning is on the next day."""

    days: tuple[int, ...]
    begins: str
    """'22:00'"""
    ends: str
    zone: str

    def __post_init__(self) -> None:
        """RuleError with `field` says what to put right."""
        if not self.days or not set(self.days) <= set(range(len(DAYS))):
            raise RuleError("Choose at least one weekday.", field="weekdays")
        minutes_of(self.begins, "times"), minutes_of(self.ends, "times")
        if self.begins == self.ends:
            raise RuleError("It ends at the time at which it begins. Choose another time.", field="times")
        zone_named(self.zone)

    @property
    def overnight(self) -> bool:
        """Whether it runs past midnight."""
        return _MIDNIGHT < self.ends < self.begins

    def intervals(self) -> list[dict[str, Any]]:
        """As Alertmanager's intervals."""
        until = _DAY_IS_OVER if self.overnight or self.ends == _MIDNIGHT else self.ends
        found = [self._interval(self.days, self.begins, until)]
        if self.overnight:
            found.append(self._interval(tuple((day + 1) % len(DAYS) for day in self.days), _MIDNIGHT, self.ends))
        return found

    def _interval(self, days: Sequence[int], start: str, end: str) -> dict[str, Any]:
        names = [WEEKDAYS[(day + 1) % len(DAYS)] for day in sorted(days)]
        return {"weekdays": names, "times": [{"start_time": start, "end_time": end}], "location": self.zone}

    def bounds(self, first_day: date, last_day: date) -> Span:
        """When the first can begin and the last, which begins on `last_day`, is over."""
        zone = zone_named(self.zone)
        over = last_day + DAY if self.ends < self.begins else last_day
        opens, shuts = time.fromisoformat(self.begins), time.fromisoformat(self.ends)
        return first(datetime.combine(first_day, opens), zone), last(datetime.combine(over, shuts), zone)

    def days_of(self, start: datetime, end: datetime) -> tuple[date, date]:
        """The first and the last day of such bounds."""
        zone = zone_named(self.zone)
        over = end.astimezone(zone).date()
        return start.astimezone(zone).date(), over - DAY if self.ends < self.begins else over

    def words(self) -> str:
        """'Mon, Wed 22:00–04:00, Europe/Berlin'."""
        days = sorted(self.days)
        runs = len(days) > 2 and days == list(range(days[0], days[-1] + 1))
        named = f"{DAYS[days[0]]}–{DAYS[days[-1]]}" if runs else ", ".join(DAYS[day] for day in days)
        told = "every day" if len(days) == len(DAYS) else named
        return f"{told} {self.begins}–{self.ends}, {self.zone}"


def weekly_of(recurring: Sequence[dict[str, Any]] | None) -> Weekly | None:
    """What these intervals say in words; None for those that it cannot say."""
    if not recurring:
        return None
    try:
        days = tuple(sorted((WEEKDAYS.index(name) - 1) % len(DAYS) for name in recurring[0]["weekdays"]))
        ends = recurring[-1]["times"][0]["end_time"]
        begins = recurring[0]["times"][0]["start_time"]
        said = Weekly(days, begins, _MIDNIGHT if ends == _DAY_IS_OVER else ends, recurring[0]["location"])
    except (LookupError, TypeError, ValueError):
        return None
    return said if said.intervals() == list(recurring) else None
