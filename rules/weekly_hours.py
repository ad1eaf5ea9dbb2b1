"""Windows of a week: weekdays with a from and to on a zone's clock, as spans of instants."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from rules import wall_clock
from rules.wall_clock import DAY, Span

_CACHED_DAYS = 4000
_DAYS_AROUND = 2
"""A window may reach into the day after; a date that a clock skipped or read twice moves it by one more."""


class Window(NamedTuple):
    """It begins on these weekdays (0 Monday); `opens` and `shuts` in minutes after midnight, on the day after when
    `shuts` <= `opens`; equal means until the same time of the day after."""

    days: frozenset[int]
    opens: int
    shuts: int


class WeeklyHours:
    """Windows in a zone. They open at the first instant the clock reads their start, and shut at the last it reads
    their end; in a gap both move to the first instant after it."""

    def __init__(self, zone: ZoneInfo, windows: Iterable[Window]) -> None:
        self.zone = zone
        self._windows = sorted(windows, key=lambda window: window.opens)
        self._cache: dict[date, tuple[Span, ...]] = {}

    def contains(self, at: datetime) -> bool:
        """Whether a window is open at the instant (UTC): open at its opening, shut at its end."""
        today = at.astimezone(self.zone).date()
        days = (today + DAY * offset for offset in range(-_DAYS_AROUND, _DAYS_AROUND + 1))
        return any(opens <= at < shuts for day in days for opens, shuts in self._begun_on(day))

    def spans(self, start: datetime, end: datetime) -> Iterator[Span]:
        """The open spans in order and apart, cut to [start, end); windows that touch or overlap are one."""
        if start >= end:
            return
        day = start.astimezone(self.zone).date() - _DAYS_AROUND * DAY
        stop = end.astimezone(self.zone).date() + _DAYS_AROUND * DAY
        since = until = start
        while day <= stop:
            for opens, shuts in self._begun_on(day):  # later dates never open earlier, even where one is read twice
                if opens > until:
                    if since < until:
                        yield since, min(until, end)
                    since = opens
                if since >= end:
                    return
                until = max(until, shuts)
            day += DAY
        if since < until:
            yield since, min(until, end)

    def _begun_on(self, day: date) -> tuple[Span, ...]:
        found = self._cache.get(day)
        if found is None:
            found = tuple(self._reckoned(day))
            if len(self._cache) >= _CACHED_DAYS:
                self._cache.clear()
            self._cache[day] = found
        return found

    def _reckoned(self, day: date) -> Iterator[Span]:
        midnight = datetime.combine(day, time())
        for window in self._windows:
            if day.weekday() not in window.days:
                continue
            shuts_on = midnight if window.opens < window.shuts else midnight + DAY
            opens = wall_clock.first(midnight + timedelta(minutes=window.opens), self.zone)
            shuts = wall_clock.last(shuts_on + timedelta(minutes=window.shuts), self.zone)
            if opens < shuts:
                yield opens, shuts
