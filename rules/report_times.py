"""When a report that somebody ordered is due: every week on a day, or every month on its first, at an hour."""

from calendar import day_name
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from rules.errors import RuleError
from rules.wall_clock import first, zone_named

EVERY = {"week": "Every week", "month": "Every month, on the 1st"}
LATEST = {"week": timedelta(days=3), "month": timedelta(days=14)}
"""What is later than this, after an outage, is left out: the next one is about as near."""
KEPT = timedelta(days=400)
"""How long a report opens as it was sent."""
_HOURS = range(24)


@dataclass(frozen=True)
class Times:
    """The local times at which it is due; `weekday` from Monday 0, None for every month."""

    every: str
    weekday: int | None
    hour: int
    zone: str

    @property
    def words(self) -> str:
        """'every Monday at 08:00 (Europe/Berlin)'."""
        day = "month on the 1st" if self.weekday is None else day_name[self.weekday]
        return f"every {day} at {self.hour:02d}:00 ({self.zone})"


MONDAY_AT_EIGHT = ("week", 0, 8)
"""when the weekly digest is sent"""


def checked(every: Any, weekday: Any, hour: Any, zone: Any) -> Times:
    """The times; RuleError with each field at fault."""
    wrong: dict[str, str] = {}
    if every not in EVERY:
        wrong["every"] = "Choose every week or every month."
    if every == "week" and not (isinstance(weekday, int) and 0 <= weekday < len(day_name)):
        wrong["weekday"] = "Choose a day of the week."
    if not (isinstance(hour, int) and hour in _HOURS):
        wrong["hour"] = "Choose an hour from 0 to 23."
    if wrong:
        raise RuleError(next(iter(wrong.values())), fields=wrong)
    zone_named(zone)
    return Times(every, weekday if every == "week" else None, hour, zone)


def next_at(times: Times, after: datetime) -> datetime:
    """The first instant after `after` at which it is due; an hour that a change of the clock skips is its end."""
    place = zone_named(times.zone)
    day = after.astimezone(place).date() - timedelta(days=1)
    while True:
        day = _on(times, day)
        at = first(datetime.combine(day, time(times.hour)), place)
        if at > after:
            return at
        day += timedelta(days=1)


def _on(times: Times, day: date) -> date:
    """The first day from `day` on that is one of them."""
    if times.weekday is not None:
        return day + timedelta(days=(times.weekday - day.weekday()) % 7)
    return day if day.day == 1 else (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def too_late(times: Times, due: datetime, now: datetime) -> bool:
    """True when what has been due since `due` is left out: the newest that was to be sent by `now` is too old too."""
    while (following := next_at(times, due)) <= now:
        due = following
    return now - due > LATEST[times.every]
