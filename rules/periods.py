"""Periods of trends: local days, weeks and months of a zone as instants, changes of the clock included."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from rules.errors import RuleError

PRESETS = {"30": "30 days", "90": "3 months", "180": "6 months", "365": "12 months", "all": "All"}
"""key -> words; the number is the length in days, today included"""
_DAY_SECONDS = 86_400
FIRST_DAY, _LAST_DAY = date(1900, 1, 1), date(2999, 12, 31)
"""within which days are asked for"""
MOST_DAYS_BY_DAY = 14
"""A period no longer than this is drawn by days."""
MOST_DAYS_BY_WEEK = 200
"""A longer period is drawn by months."""


STEPS = {"month": 28, "week": 7, "day": 1}
"""step -> the fewest days it has"""
MOST_STEPS = 4_000


@dataclass(frozen=True)
class Bucket:
    """One bar: [start, end) with a name that sorts, such as '2026-03' or '2026-11-23'."""

    name: str
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Period:
    """[start, end) in UTC, and the one before it, cut at the same elapsed point; None before the first record."""

    start: datetime
    end: datetime
    before: tuple[datetime, datetime] | None


def zone_of(name: str) -> ZoneInfo:
    """The zone; RuleError when there is none such."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise RuleError(f"There is no zone '{name}'. Use a name such as UTC or Europe/Berlin.", field="zone") from None


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a local day, in UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def preset(key: str, now: datetime, zone: str, first: datetime | None) -> Period:
    """The period of a preset, up to now. `first`: the oldest record, where 'all' begins."""
    place = zone_of(zone)
    today = now.astimezone(place).date()
    if key == "all":
        return Period(midnight((first or now).astimezone(place).date(), place), now, None)
    if key not in PRESETS:
        raise RuleError(f"Choose a period from {', '.join(PRESETS.values())}.")
    length = int(key)
    start = midnight(today - timedelta(days=length - 1), place)
    earlier = midnight(today - timedelta(days=2 * length - 1), place)
    return Period(start, now, _since(first, earlier, earlier + (now - start)))


def _since(first: datetime | None, start: datetime, end: datetime) -> tuple[datetime, datetime] | None:
    """The span, if there are records of all of it."""
    return (start, end) if first is None or first <= start else None


def chosen_days(first: date, last: date, now: datetime, zone: str, oldest: datetime | None = None) -> Period:
    """The days from `first` to `last`, both included, up to now, against as many days before; `oldest` as in preset.

    RuleError when the days cannot be a period.
    """
    place = zone_of(zone)
    if last < first:
        raise RuleError(f"The period ends ({last}) before it begins ({first}). Exchange the two days.", field="to")
    length = (last - first).days + 1
    start = midnight(first, place)
    end = min(midnight(last + timedelta(days=1), place), now)
    if end <= start:
        raise RuleError("The period begins in the future. Choose days that have been.", field="from")
    try:
        earlier = midnight(first - timedelta(days=length), place)
    except OverflowError:
        raise RuleError("The period begins too early.", field="from") from None
    return Period(start, end, _since(oldest, earlier, min(earlier + (end - start), start)))


def of_days(first: date, last: date, zone: str) -> tuple[datetime, datetime]:
    """[start, end) of two local days, both included; RuleError when they are the wrong way round."""
    if last < first:
        raise RuleError(f"The period ends ({last}) before it begins ({first}). Exchange the two days.", field="to")
    place = zone_of(zone)
    return midnight(first, place), midnight(last + timedelta(days=1), place)


def day_of(written: str, field: str) -> date:
    """A day as it is written in an address; RuleError when it is none, or none of these centuries."""
    try:
        day = date.fromisoformat(written)
    except ValueError:
        day = date.min
    if not FIRST_DAY <= day <= _LAST_DAY:
        raise RuleError(f"'{field}' is a day such as 2026-03-01.", field=field)
    return day


def days(start: datetime, end: datetime, zone: str) -> list[Bucket]:
    """The local days that [start, end) touches, the first and last cut to it."""
    return _cut(start, end, zone, lambda day: day + timedelta(days=1), lambda day: day)


def weeks(start: datetime, end: datetime, zone: str) -> list[Bucket]:
    """The local weeks from Monday that [start, end) touches."""
    return _cut(start, end, zone, lambda day: day + timedelta(days=7), lambda day: day - timedelta(days=day.weekday()))


def months(start: datetime, end: datetime, zone: str) -> list[Bucket]:
    """The local months that [start, end) touches, named '2026-03'."""
    found = _cut(start, end, zone, _next_month, lambda day: day.replace(day=1))
    return [Bucket(bucket.name[:7], bucket.start, bucket.end) for bucket in found]


def steps(start: datetime, end: datetime, zone: str) -> tuple[str, list[Bucket]]:
    """('day', 'week' or 'month', the buckets of that length), as fits the length of [start, end)."""
    length = (end - start).days
    if length <= MOST_DAYS_BY_DAY:
        return "day", days(start, end, zone)
    if length <= MOST_DAYS_BY_WEEK:
        return "week", weeks(start, end, zone)
    return "month", months(start, end, zone)


def steps_of(by: str, start: datetime, end: datetime, zone: str) -> list[Bucket]:
    """The buckets of [start, end) of one length; RuleError for another one, or for more than anybody reads."""
    if by not in STEPS:
        raise RuleError(f"There is no step '{by}'. Choose one of: {', '.join(STEPS)}.", field="by")
    if (end - start).days > MOST_STEPS * STEPS[by]:
        raise RuleError(
            f"That is more than {MOST_STEPS:,} {by}s. Choose a shorter period or a longer step.", field="by"
        )
    return {"day": days, "week": weeks, "month": months}[by](start, end, zone)


def day_words(name: str, *, dated: bool = False) -> str:
    """The name of a bucket in words: '23 Nov' or 'Mar 26'; `dated`: '23 Nov 26'."""
    if len(name) == len("2026-03"):
        return f"{date.fromisoformat(f'{name}-01'):%b %y}"
    day = date.fromisoformat(name)
    return f"{day.day} {day:%b %y}" if dated else f"{day.day} {day:%b}"


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _cut(
    start: datetime, end: datetime, zone: str, following: Callable[[date], date], first_of: Callable[[date], date]
) -> list[Bucket]:
    place = zone_of(zone)
    if end <= start:
        return []
    edges = [first_of(start.astimezone(place).date())]
    while midnight(edges[-1], place) < end:
        edges.append(following(edges[-1]))
    return [
        Bucket(day.isoformat(), max(midnight(day, place), start), min(midnight(after, place), end))
        for day, after in pairwise(edges)
    ]


def offsets(first: int, last: int, zone: str) -> list[tuple[int, int]]:
    """(from when on, seconds east of UTC) of the zone's clock, seconds since 1970, from `first` to `last`."""
    place = zone_of(zone)

    def ahead(at: int) -> int:
        offset = datetime.fromtimestamp(at, place).utcoffset()
        return int(offset.total_seconds()) if offset is not None else 0

    found, at = [(first, ahead(first))], first
    while at < last:
        following = min(at + _DAY_SECONDS, last)
        if ahead(following) != found[-1][1]:
            low, high = at, following
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if ahead(middle) == found[-1][1] else (low, middle)
            found.append((high, ahead(high)))
            at = high
        else:
            at = following
    return found
