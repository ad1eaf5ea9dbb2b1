"""Business time: a calendar's open hours, counted in real seconds through changes of the clock."""

from collections.abc import Container, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from math import inf
from typing import Any
from zoneinfo import ZoneInfo

from rules import wall_clock
from rules.errors import RuleError
from rules.wall_clock import DAY, TOO_FAR, Span, aware, minutes_of, offset_of, zone_named

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_SHUT_DAYS = 5 * 366
"""A calendar that does not open within so many days is taken for a mistake."""
_CACHED_DAYS = 8000
_MINUTES_A_DAY = 24 * 60
_END = datetime.max.replace(tzinfo=UTC)


class Calendar:
    """Open hours by weekday in a zone, with holidays (shut) and exceptions (other hours on one date)."""

    def __init__(
        self,
        zone: ZoneInfo,
        hours: Mapping[int, Sequence[tuple[int, int]]],
        holidays: frozenset[date] = frozenset(),
        exceptions: Mapping[date, Sequence[tuple[int, int]]] | None = None,
        public: Container[date] | None = None,
    ) -> None:
        """`hours`: weekday (0 Monday) -> spans in minutes after midnight, 1440 the end of the date.

        `public`: more holidays, asked for day by day, so that they need no last year.
        """
        self.zone = zone
        self._hours = {day: tuple(spans) for day, spans in hours.items()}
        self._holidays = holidays
        self._public = public
        self._exceptions = {day: tuple(spans) for day, spans in (exceptions or {}).items()}
        full = all(self._hours.get(day) == ((0, _MINUTES_A_DAY),) for day in range(7))
        self.always = full and not holidays and not self._exceptions and public is None
        """open round the clock, every day"""
        self._cache: dict[date, tuple[Span, ...]] = {}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], public: Container[date] | None = None) -> "Calendar":
        """From {"zone", "hours": {"mon": [["09:00", "17:00"]]}, "holidays": [date], "exceptions": {date: spans}}.

        A day missing in hours is shut; "24:00" is the end of the date; without a zone it is UTC. The hours of a day may
        touch but not overlap, nor pass midnight: split them at 24:00. RuleError says what to put right.
        """
        if not isinstance(data, Mapping):
            raise RuleError("A calendar is an object with zone and hours.")
        hours = data.get("hours", {})
        if not isinstance(hours, Mapping):
            raise RuleError("Give the hours by day, such as mon: 09:00 to 17:00.", field="hours")
        unknown = [str(day) for day in hours if day not in DAYS]
        if unknown:
            raise RuleError(f"Name days as {', '.join(DAYS)}; '{unknown[0]}' is none.", field="hours")
        holidays, exceptions = data.get("holidays") or [], data.get("exceptions") or {}
        if isinstance(holidays, str) or not isinstance(holidays, Sequence) or not isinstance(exceptions, Mapping):
            raise RuleError("Give holidays as a list of dates, and exceptions as hours by date.")
        return cls(
            zone_named(data.get("zone", "UTC")),
            {DAYS.index(day): _spans(spans, day) for day, spans in hours.items()},
            frozenset(_date(day) for day in holidays),
            {_date(day): _spans(spans, str(day)) for day, spans in exceptions.items()},
            public,
        )

    def is_open(self, at: datetime) -> bool:
        """Whether it is open at the instant: open at opening time, shut at closing time."""
        at = aware(at)
        return any(start <= at < end for start, end in self.spans(at, at + timedelta(microseconds=1)))

    def add(self, start: datetime, seconds: float) -> datetime:
        """The instant (UTC) at which `seconds` of open time have run since `start`.

        A deadline on closing time stays there. Adding 0 gives `start` when open, else the next opening.
        """
        return run(self.spans(aware(start)), seconds)

    def between(self, start: datetime, end: datetime) -> float:
        """Open seconds in [start, end); 0 when end <= start."""
        start, end = aware(start), aware(end)
        if end <= start:
            return 0.0
        return sum((until - since for since, until in self.spans(start, end)), timedelta()).total_seconds()

    def spans(self, start: datetime, end: datetime | None = None) -> Iterator[Span]:
        """The open spans from `start` on, in order and apart, cut to [start, end). Without `end` they never cease."""
        stop = _END if end is None else end
        if self.always:
            if start < stop:
                yield start, stop
            return
        day = start.astimezone(self.zone).date() - DAY
        last = date.max if end is None else end.astimezone(self.zone).date() + DAY
        done, shut = start, 0
        while done < stop and day <= last:
            try:
                today = self._open_on(day)
                day += DAY
            except OverflowError:
                raise RuleError(TOO_FAR) from None
            shut = 0 if today else shut + 1
            if end is None and shut > MOST_SHUT_DAYS:
                raise RuleError("The calendar does not open within five years. Give it hours.", field="hours")
            for since, until in today:
                since = max(since, done)
                if since >= stop:
                    return
                if since < until:
                    yield since, min(until, stop)
                    done = until

    def _open_on(self, day: date) -> tuple[Span, ...]:
        found = self._cache.get(day)
        if found is None:
            found = self._reckoned(day)
            if len(self._cache) >= _CACHED_DAYS:
                self._cache.clear()
            self._cache[day] = found
        return found

    def hours_on(self, day: date) -> tuple[tuple[int, int], ...]:
        """The spans open on the date, in minutes after midnight of its clock."""
        hours = self._exceptions.get(day)
        if hours is None:
            hours = () if self._is_holiday(day) else self._hours.get(day.weekday(), ())
        return hours

    def usual_hours(self, day: date) -> tuple[tuple[int, int], ...]:
        """The spans that the date's weekday is open, holidays and exceptions aside."""
        return self._hours.get(day.weekday(), ())

    def _is_holiday(self, day: date) -> bool:
        return day in self._holidays or (self._public is not None and day in self._public)

    def _reckoned(self, day: date) -> tuple[Span, ...]:
        hours = self.hours_on(day)
        if not hours:
            return ()
        midnight = datetime.combine(day, time(), self.zone)
        offset = offset_of(midnight)
        if offset == offset_of((midnight + DAY).replace(fold=1)):  # no change of the clock touches this date
            start = datetime.combine(day, time(), UTC) - offset
            return tuple((start + timedelta(minutes=opens), start + timedelta(minutes=shuts)) for opens, shuts in hours)
        spans = (
            (self._instant(day, opens, last=False), self._instant(day, shuts, last=True)) for opens, shuts in hours
        )
        return tuple((opens, shuts) for opens, shuts in spans if opens < shuts)

    def _instant(self, day: date, minutes: int, *, last: bool) -> datetime:
        """When the zone's clock reads that time: the first or last of a doubled one, the end of a gap."""
        wall = datetime.combine(day, time()) + timedelta(minutes=minutes)
        late = wall_clock.last(wall, self.zone)
        if minutes == _MINUTES_A_DAY:  # of a doubled midnight, the one after the date's last instant
            last = (late - timedelta(seconds=1)).astimezone(self.zone).date() == day
        return late if last else wall_clock.first(wall, self.zone)


ALWAYS = Calendar(ZoneInfo("UTC"), dict.fromkeys(range(7), ((0, _MINUTES_A_DAY),)))
"""Round the clock. Any calendar open all week without holidays or exceptions is as quick."""


def run(spans: Iterator[Span], seconds: float) -> datetime:
    """The instant at which `seconds` have run in the spans; with 0, the first instant of the first."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < inf:
        raise RuleError("Give a number of seconds, 0 or more.")
    try:
        left = timedelta(seconds=seconds)
    except OverflowError:
        raise RuleError(TOO_FAR) from None
    for since, until in spans:
        if left <= until - since:
            return since + left
        left -= until - since
    raise RuleError(TOO_FAR)


def _date(value: object) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise RuleError(f"Write dates as 2026-12-25; '{value}' is none.") from None


def _spans(value: object, day: str) -> list[tuple[int, int]]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise RuleError(f"Give the hours of {day} as pairs of from and to.", field="hours")
    spans = []
    for pair in value:
        if isinstance(pair, str) or not isinstance(pair, Sequence) or len(pair) != 2:
            raise RuleError(f"Give the hours of {day} as pairs of from and to.", field="hours")
        opens, shuts = minutes_of(pair[0], "hours"), minutes_of(pair[1], "hours")
        if opens >= shuts:
            raise RuleError(f"On {day}, {pair[0]} is not before {pair[1]}. Split hours at 24:00.", field="hours")
        spans.append((opens, shuts))
    spans.sort()
    for (_, shuts), (opens, _) in pairwise(spans):
        if opens < shuts:
            raise RuleError(f"The hours of {day} overlap. Make them follow one another.", field="hours")
    return spans
