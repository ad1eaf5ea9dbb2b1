"""What a zone's clock reads and when: doubled times, gaps, and the changes of the clock that make them."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from rules.errors import RuleError

DAY = timedelta(days=1)
TICK = timedelta.resolution
TOO_FAR = "Dates run from the year 2 to 9998. Choose one nearer, or less time."
LATEST = datetime(date.max.year, 1, 1, tzinfo=UTC) - TICK
"""the last instant that is reckoned with"""
_MINUTES_A_DAY = 24 * 60
_STRIDE = 2 * DAY
"""No zone's clock has changed twice within three days (tz database 2026); so no change hides between two looks."""
_SETTLED, _CYCLE = 2100, 400
"""From there on the tz database knows rules only, and the calendar repeats them every 400 years, weekdays included."""

Span = tuple[datetime, datetime]
"""[start, end) in UTC"""


class Change(NamedTuple):
    """A change of the clock: from `at` (UTC) on it is `after` ahead of UTC, until then `before`."""

    at: datetime
    before: timedelta
    after: timedelta


def zone_named(name: object) -> ZoneInfo:
    """The zone; RuleError when there is none such."""
    try:
        return ZoneInfo(str(name))
    except (KeyError, ValueError, OSError):
        raise RuleError(f"There is no zone '{name}'. Name one such as Europe/Berlin.", field="zone") from None


def aware(instant: datetime) -> datetime:
    """The instant in UTC; RuleError without a zone, or outside the years 2 to 9998."""
    if not isinstance(instant, datetime) or instant.tzinfo is None or instant.utcoffset() is None:
        raise RuleError("An instant needs a date, a time and a zone.")
    try:
        moment = instant.astimezone(UTC)
    except OverflowError:
        raise RuleError(TOO_FAR) from None
    if not date.min.year < moment.year < date.max.year:
        raise RuleError(TOO_FAR)
    return moment


def instant_of(value: object, field: str, words: str) -> datetime:
    """The instant in UTC, of ISO 8601 text with an offset or of an aware datetime.

    RuleError with `field` otherwise; `words` begin its sentence, such as 'Write start'.
    """
    try:
        return aware(datetime.fromisoformat(value) if isinstance(value, str) else value)  # type: ignore[arg-type]
    except ValueError as error:
        why = error.sentence if isinstance(error, RuleError) else "It is no date and time."
        raise RuleError(f"{words} as 2026-11-23T09:00+01:00. {why}", field=field) from None


def offset_of(moment: datetime) -> timedelta:
    """How far the clock of an aware moment's zone is ahead of UTC then."""
    return moment.utcoffset() or timedelta()


def first(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first instant (UTC) at which the zone's clock reads the naive `wall`; in a gap, the first one after it."""
    return _instant(wall, zone, fold=0)


def last(wall: datetime, zone: ZoneInfo) -> datetime:
    """The last instant (UTC) at which the zone's clock reads the naive `wall`; in a gap, the first one after it."""
    return _instant(wall, zone, fold=1)


def minutes_of(value: object, field: str | None = None) -> int:
    """Minutes after midnight of '09:00'; '24:00' is 1440. RuleError with `field` for anything else."""
    hour, colon, minute = str(value).partition(":")
    digits = (hour + minute).isascii() and hour.isdecimal() and minute.isdecimal()
    if colon and digits and len(hour) <= 2 and len(minute) == 2:
        total = int(hour) * 60 + int(minute)
        if int(minute) < 60 and total <= _MINUTES_A_DAY:
            return total
    raise RuleError(f"Write times as 09:00, up to 24:00; '{value}' is none.", field=field)


def said(at: datetime, zone: ZoneInfo) -> str:
    """'Mon 7 Dec 09:00 CET': an instant for people in several places."""
    there = at.astimezone(zone)
    return f"{there:%a} {there.day} {there:%b %H:%M %Z}"


def changes(zone: ZoneInfo, year: int) -> tuple[Change, ...]:
    """The changes of the zone's clock in a year of UTC, in order."""
    if year < _SETTLED + _CYCLE:
        return _changes(zone, year)
    same = _SETTLED + (year - _SETTLED) % _CYCLE
    days = date(year, 1, 1) - date(same, 1, 1)
    return tuple(Change(change.at + days, change.before, change.after) for change in _changes(zone, same))


@lru_cache(maxsize=16_384)
def _changes(zone: ZoneInfo, year: int) -> tuple[Change, ...]:
    found = []
    here = datetime(year, 1, 1, tzinfo=UTC) - timedelta(seconds=1)
    end = datetime(year + 1, 1, 1, tzinfo=UTC) - timedelta(seconds=1)
    before = offset_of(here.astimezone(zone))
    while here < end:
        there = min(here + _STRIDE, end)
        after = offset_of(there.astimezone(zone))
        if after != before:
            found.append(Change(_change_between(here, there, zone), before, after))
        here, before = there, after
    return tuple(found)


def _instant(wall: datetime, zone: ZoneInfo, fold: int) -> datetime:
    early, late = (offset_of(wall.replace(tzinfo=zone, fold=fold)) for fold in (0, 1))
    if early < late:  # in a gap the two readings lie on either side of the change
        clock = wall.replace(tzinfo=UTC, fold=0)
        return _change_between(clock - late, clock - early, zone)
    return wall.replace(tzinfo=UTC, fold=0) - (late if fold else early)


def _change_between(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    offset = offset_of(before.astimezone(zone))
    low, high = int(before.timestamp()), int(after.timestamp())
    while high - low > 1:
        middle = (low + high) // 2
        if offset_of(datetime.fromtimestamp(middle, zone)) == offset:
            low = middle
        else:
            high = middle
    return datetime.fromtimestamp(high, UTC)
