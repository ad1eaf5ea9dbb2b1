"""Maintenance windows: once, or recurring in Alertmanager's time intervals, and always with an end.

Instants are aware datetimes, spans are [start, end) in UTC. Source of the intervals' meaning: Alertmanager's time
intervals, <https://prometheus.io/docs/alerting/latest/configuration/#time_interval>.
"""

from calendar import monthrange
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from heapq import merge
from itertools import islice, pairwise
from typing import Any
from zoneinfo import ZoneInfo

from rules.errors import RuleError
from rules.wall_clock import DAY, LATEST, TICK, Span, aware, changes, instant_of, minutes_of, offset_of, zone_named

WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
"""In Alertmanager a week runs from Sunday: saturday:sunday is backwards, sunday:monday is not."""
MONTHS = tuple("january february march april may june july august september october november december".split())
FIELDS = ("times", "weekdays", "days_of_month", "months", "years", "location")
MOST_DAYS_AHEAD = 5 * 366
"""So far occurrences are looked for."""
MOST_DAYS_OVERLAP = 366
"""So far it is looked for windows that meet."""
_LONGEST_MONTH, _SHORTEST_MONTH = 31, 28
_WHOLE_DAY = ((0, 24 * 60),)

Range = tuple[int, int]
"""first and last, both included; of times minutes after midnight, the last one excluded"""


@dataclass(frozen=True)
class Interval:
    """Every field that is given (not None) must match, any range within a field. Weekdays: 0 Sunday to 6."""

    zone: ZoneInfo
    times: tuple[Range, ...] | None = None
    weekdays: tuple[Range, ...] | None = None
    days_of_month: tuple[Range, ...] | None = None
    months: tuple[Range, ...] | None = None
    years: tuple[Range, ...] | None = None

    @classmethod
    def from_dict(cls, data: object) -> "Interval":
        """From Alertmanager's shape: {"times": [{"start_time": "09:00", "end_time": "17:00"}], "weekdays":
        ["monday:friday"], "days_of_month": ["1:5", "-3:-1"], "months": ["january:march"], "years": ["2026:2027"],
        "location": "Europe/Berlin"}.

        All fields are optional; without a location it is UTC. RuleError says what to put right.
        """
        if not isinstance(data, Mapping):
            raise RuleError(f"Give each time interval as an object with any of {', '.join(FIELDS)}.")
        unknown = [str(key) for key in data if key not in FIELDS]
        if unknown:
            raise RuleError(f"A time interval has {', '.join(FIELDS)}; '{unknown[0]}' is none.")
        return cls(
            zone_named(data.get("location") or "UTC"),
            _ranges(data, "times", _times),
            _ranges(data, "weekdays", _weekdays),
            _ranges(data, "days_of_month", _days_of_month),
            _ranges(data, "months", _months),
            _ranges(data, "years", _years),
        )

    def contains(self, at: datetime) -> bool:
        """Whether the instant (UTC) lies inside, by what the zone's clock reads."""
        wall = at.astimezone(self.zone)
        return self._on(wall.date()) and _among(self._times(), wall.hour * 60 + wall.minute, last=-1)

    def spans(self, start: datetime, end: datetime) -> Iterator[Span]:
        """The spans inside, by their start, cut to [start, end); together exactly the instants that it contains."""
        years = range(start.year, end.year + 1)
        turns = [change.at for year in years for change in changes(self.zone, year) if start < change.at < end]
        for since, until in pairwise([start, *turns, end]):  # in each piece the clock runs on without a change
            offset = offset_of(since.astimezone(self.zone))
            day, last = ((edge + offset).date() for edge in (since, until))
            while day <= last:
                midnight = datetime.combine(day, time(), UTC) - offset
                for opens, shuts in self._times() if self._on(day) else ():
                    begin = max(midnight + timedelta(minutes=opens), since)
                    finish = min(midnight + timedelta(minutes=shuts), until)
                    if begin < finish:
                        yield begin, finish
                day += DAY

    def _times(self) -> Sequence[Range]:
        return _WHOLE_DAY if self.times is None else self.times

    def _on(self, day: date) -> bool:
        return (
            (self.years is None or _among(self.years, day.year))
            and (self.months is None or _among(self.months, day.month))
            and (self.weekdays is None or _among(self.weekdays, day.isoweekday() % 7))
            and (self.days_of_month is None or self._day_matches(day))
        )

    def _day_matches(self, day: date) -> bool:
        """Negative days count from the month's end; a range is cut to the month, and one beyond it never matches."""
        length = monthrange(day.year, day.month)[1]
        ranges = (tuple(edge if edge > 0 else length + edge + 1 for edge in each) for each in self.days_of_month or ())
        return any(first <= day.day <= last for first, last in ranges)


@dataclass(frozen=True)
class Window:
    """Maintenance in [start, end): all of it, or, recurring, where any of its intervals lies inside."""

    start: datetime
    end: datetime
    recurring: tuple[Interval, ...] | None = None

    @classmethod
    def from_dict(cls, data: object) -> "Window":
        """From {"start", "end", "recurring": [interval]}; recurring None or missing means once.

        Instants: ISO 8601 with an offset, or aware datetimes. RuleError says what to put right.
        """
        if not isinstance(data, Mapping):
            raise RuleError("A maintenance window is an object with start and end.")
        start, end = (instant_of(data.get(edge), edge, f"Write {edge}") for edge in ("start", "end"))
        if end <= start:
            raise RuleError("The maintenance ends before it begins. Choose a later end.", field="end")
        recurring = data.get("recurring")
        if recurring is None:
            return cls(start, end)
        if isinstance(recurring, str | bytes) or not isinstance(recurring, Sequence) or not recurring:
            raise RuleError("Give at least one time interval in which it recurs.", field="recurring")
        return cls(start, end, tuple(map(Interval.from_dict, recurring)))

    def contains(self, at: datetime) -> bool:
        """Whether the instant (UTC) lies inside."""
        inside = self.start <= at < self.end
        return inside and (self.recurring is None or any(interval.contains(at) for interval in self.recurring))

    def spans(self, start: datetime, end: datetime) -> Iterator[Span]:
        """The occurrences in order and apart, cut to [start, end); those that touch or overlap are one."""
        start, end = max(start, self.start), min(end, self.end)
        if start >= end:
            return
        if self.recurring is None:
            yield start, end
            return
        yield from _joined(merge(*(interval.spans(start, end) for interval in self.recurring)))


AnyWindow = Window | Interval | Mapping[str, Any]
"""A mapping is a window when it names start, end or recurring, and otherwise one of Alertmanager's time intervals."""


def contains(window: AnyWindow, at: datetime) -> bool:
    """Whether the instant lies in the window. RuleError says what to put right in a window or an instant."""
    return _read(window).contains(aware(at))


def valid(window: AnyWindow) -> bool:
    """Whether the window is accepted; reading it says what is to be put right."""
    try:
        _read(window)
    except RuleError:
        return False
    return True


def next_occurrences(window: AnyWindow, after: datetime, most: int = 5) -> list[Span]:
    """The next occurrences, `most` at most, within five years; one that lasts at `after` comes first, cut to it."""
    start = aware(after)
    end = start + min(MOST_DAYS_AHEAD * DAY, LATEST - start)
    if start >= end:
        return []
    found = _read(window)
    return list(islice(_joined(found.spans(start, end)), most))


def begun(window: Window, now: datetime, since: datetime | None = None) -> bool:
    """Whether an occurrence lasts at `now` that has begun after `since`; a `since` ahead of `now` does not count."""
    if not window.contains(now):
        return False
    if since is None or since > now:
        return True
    return list(window.spans(since, now + TICK))[-1][0] > since


def meeting(one: Window, other: Window, after: datetime) -> Span | None:
    """The first span from `after` on, and within a year, that lies in both; None when they never meet."""
    end = min(after + MOST_DAYS_OVERLAP * DAY, LATEST)
    for since, until in one.spans(after, end):
        for span in other.spans(since, until):
            return span
    return None


def _read(window: AnyWindow) -> Window | Interval:
    if isinstance(window, Window | Interval):
        return window
    named = isinstance(window, Mapping) and not {"start", "end", "recurring"}.isdisjoint(window)
    return Window.from_dict(window) if named else Interval.from_dict(window)


def _joined(spans: Iterator[Span]) -> Iterator[Span]:
    held: Span | None = None
    for since, until in spans:
        if held is not None and since <= held[1]:
            held = held[0], max(until, held[1])
            continue
        if held is not None:
            yield held
        held = since, until
    if held is not None:
        yield held


def _among(ranges: Sequence[Range], value: int, last: int = 0) -> bool:
    return any(first <= value <= end + last for first, end in ranges)


def _ranges(data: Mapping[str, Any], field: str, read: Callable[[Any], Range]) -> tuple[Range, ...] | None:
    """The field's ranges in order; None when it is not given. An empty list matches nothing, as in Alertmanager."""
    value = data.get(field)
    if value is None:
        return None
    if isinstance(value, str | bytes) or not isinstance(value, Sequence):
        raise RuleError(f"Give {field} as a list.", field=field)
    return tuple(sorted(map(read, value)))


def _times(value: object) -> Range:
    if not isinstance(value, Mapping) or set(value) != {"start_time", "end_time"}:
        raise RuleError("Give each of times its start_time and end_time.", field="times")
    start, end = (value[edge] for edge in ("start_time", "end_time"))
    opens, shuts = minutes_of(start, "times"), minutes_of(end, "times")
    if len(str(start)) != len("09:00") or len(str(end)) != len("09:00"):
        raise RuleError("Write times with two digits for the hour, such as 09:00.", field="times")
    if opens >= shuts:
        raise RuleError(f"{start} is not before {end}. Split times at 24:00.", field="times")
    return opens, shuts


def _weekdays(value: object) -> Range:
    return _range(value, "weekdays", lambda name: WEEKDAYS.index(name) if name in WEEKDAYS else None, "monday:friday")


def _months(value: object) -> Range:
    def number(name: str) -> int | None:
        found = MONTHS.index(name) + 1 if name in MONTHS else _whole(name)
        return found if found in range(1, len(MONTHS) + 1) else None

    return _range(value, "months", number, "january:march")


def _years(value: object) -> Range:
    return _range(value, "years", _whole, "2026:2027")


def _days_of_month(value: object) -> Range:
    """Backwards is what is so even in the shortest month; in longer ones a range may be empty."""

    def number(text: str) -> int | None:
        found = _whole(text)
        return found if found is not None and 1 <= abs(found) <= _LONGEST_MONTH else None

    def place(day: int) -> int:
        return day if day > 0 else _SHORTEST_MONTH + day

    first, last = _range(value, "days_of_month", number, "1:7 or -7:-1", backwards=False)
    if first < 0 < last:
        raise RuleError(
            f"'{value}' runs from the month's end to its beginning. Write two ranges.", field="days_of_month"
        )
    if place(first) > place(last):
        raise RuleError(f"'{value}' runs backwards. Name the earlier day first.", field="days_of_month")
    return first, last


def _range(
    value: object, field: str, number: Callable[[str], int | None], example: str, *, backwards: bool = True
) -> Range:
    """First and last of 'first:last' or of one; `backwards`: refuse a last before the first."""
    text = str(value).lower() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    first, colon, last = text.partition(":")
    begin, end = number(first), number(last if colon else first)
    if begin is None or end is None:
        raise RuleError(f"Write {field} as {example}; '{value}' is none.", field=field)
    if backwards and begin > end:
        raise RuleError(f"'{value}' runs backwards. Name the earlier one first, or write two ranges.", field=field)
    return begin, end


def _whole(text: str) -> int | None:
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdecimal() and len(digits) <= len("9999") else None
