"""Turns of a rotation: nominal handovers on the calendar and clock face, and the instants they fall on.

Source of the semantics: GoAlert's rotations, and where they are silent the project's design (on-call, 1 to 6).
"""

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from rules import wall_clock
from rules.wall_clock import DAY, LATEST, TICK, Change

STEPS = {"hour": timedelta(hours=1), "day": DAY, "week": 7 * DAY}
UNITS = (*STEPS, "month")
LONGEST_GAP = DAY
"""No clock ever skipped more than a date (Samoa and Tokelau in 2011, Kiribati in 1994, Kwajalein in 1993)."""
_NEVER = LATEST.replace(tzinfo=None, year=date.max.year)
_EVER_SINCE = _NEVER.replace(year=date.min.year)


class Rotation:
    """Turns counted from `start`: turn 0 begins exactly there, and they run backwards before it too.

    A nominal handover is start's wall clock plus k x length units: hours on the clock face, days and weeks on the
    calendar, months on start's day or the month's last. It happens at the first instant at which the clock reads that
    or later; those that a gap throws on one instant are one handover.
    """

    def __init__(self, zone: ZoneInfo, start: datetime, unit: str, length: int) -> None:
        """`start`: in UTC. `unit`: one of UNITS. `length`: whole units of one turn, 1 or more."""
        self.zone, self.start, self.unit, self.length = zone, start, unit, length
        self._wall = start.astimezone(zone).replace(tzinfo=None, fold=0)
        self._step = None if unit == "month" else STEPS[unit] * length
        self._lost: dict[int, int] = {}

    def turn_at(self, at: datetime) -> int:
        """The number of the turn that covers the instant (UTC): 0 from start on, -1 the one before."""
        return self._turn(self._nominal_at(at), at)

    def turns(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime, int]]:
        """(since, until, number) of the turns in [start, end), in order and without a gap, the outer ones cut."""
        if start >= end:
            return
        k = self._nominal_at(start)
        turn, since = self._turn(k, start), start
        until = self._instant(k + 1)
        while until < end:
            yield since, until, turn
            k, turn, since = k + 1, turn + 1, until
            while (until := self._instant(k + 1)) == since:  # a gap threw this handover on the same instant
                k += 1
        yield since, end, turn

    def _nominal(self, k: int) -> datetime:
        """The wall clock of the nominal handover k; out of the calendar it is the first or last there is."""
        try:
            if self._step is not None:
                return self._wall + self._step * k
            year, month = divmod(self._wall.year * 12 + self._wall.month - 1 + self.length * k, 12)
            day = min(self._wall.day, monthrange(year, month + 1)[1])
            return self._wall.replace(year=year, month=month + 1, day=day)
        except (OverflowError, ValueError):
            return _NEVER if k > 0 else _EVER_SINCE

    def _last_nominal(self, wall: datetime) -> int:
        """The last nominal handover that is not after the wall clock."""
        if self._step is not None:
            return (wall - self._wall) // self._step
        months = (wall.year - self._wall.year) * 12 + wall.month - self._wall.month
        k = months // self.length
        return k - 1 if self._nominal(k) > wall else k

    def _instant(self, k: int) -> datetime:
        """When handover k happens, in UTC."""
        if k == 0:
            return self.start
        wall = self._nominal(k)
        try:
            instant = wall_clock.first(wall, self.zone)
            if k > 0 and instant < self.start:  # start lies in a doubled time's second pass, so this one does as well
                instant = wall_clock.last(wall, self.zone)
        except (OverflowError, ValueError):
            return wall.replace(tzinfo=self.start.tzinfo)
        return instant

    def _nominal_at(self, at: datetime) -> int:
        """The last nominal handover that has happened by the instant."""
        wall = at.astimezone(self.zone)
        naive = wall.replace(tzinfo=None, fold=0)
        low = self._last_nominal(naive)
        if wall.fold:  # the clock has read later times before it was put back
            doubled = at - wall.replace(fold=0).astimezone(at.tzinfo)
            high = self._last_nominal(naive + doubled)
            while low < high:
                middle = (low + high + 1) // 2
                low, high = (middle, high) if self._instant(middle) <= at else (low, middle - 1)
        return max(low, 0) if at >= self.start else min(low, -1)

    def _turn(self, k: int, at: datetime) -> int:
        """The number of the turn of nominal handover k, the last by `at`: those lost in gaps since start left out."""
        if not self._may_lose:
            return k
        return k - self._lost_in(self.start, at) if k >= 0 else k + self._lost_in(at, self.start)

    @cached_property
    def _may_lose(self) -> bool:
        return self._step is not None and self._step <= LONGEST_GAP

    def _lost_in(self, after: datetime, until: datetime) -> int:
        """How many handovers fell on the instant of another, in gaps that ended in (after, until]."""
        if after.year == until.year:
            return sum(self._lost_at(c) for c in wall_clock.changes(self.zone, after.year) if after < c.at <= until)
        edges = [c for year in (after.year, until.year) for c in wall_clock.changes(self.zone, year)]
        whole = sum(map(self._lost_during, range(after.year + 1, until.year)))
        return whole + sum(self._lost_at(change) for change in edges if after < change.at <= until)

    def _lost_during(self, year: int) -> int:
        if year not in self._lost:
            self._lost[year] = sum(map(self._lost_at, wall_clock.changes(self.zone, year)))
        return self._lost[year]

    def _lost_at(self, change: Change) -> int:
        """How many nominal handovers lie in the gap, its two ends included, besides the one that counts."""
        if change.after <= change.before:
            return 0
        here = change.at.replace(tzinfo=None)
        last_before = self._last_nominal(here + change.before - TICK)
        return max(self._last_nominal(here + change.after) - last_before - 1, 0)
