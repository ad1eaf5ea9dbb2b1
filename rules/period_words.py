"""Instants and periods of trends in words, on the clock of a zone: the same on screen, in files and in print."""

from datetime import UTC, datetime, time, timedelta

from rules.periods import zone_of

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_TICK = timedelta.resolution


def on_clock(instant: datetime, zone: str) -> datetime:
    """The instant on the zone's clock; in UTC at either end of the calendar, where a zone would leave it."""
    try:
        return instant.astimezone(zone_of(zone))
    except OverflowError:
        return instant.astimezone(UTC)


def moment(instant: datetime, zone: str) -> str:
    """'23 Nov 2026, 14:05'."""
    at = on_clock(instant, zone)
    return f"{day(instant, zone)}, {at:%H:%M}"


def day(instant: datetime, zone: str) -> str:
    """'23 Nov 2026'."""
    at = on_clock(instant, zone)
    return f"{at.day} {at:%b} {at.year}"


def period(start: datetime, end: datetime, zone: str) -> str:
    """[start, end): '1 Mar 2026 to 31 May 2026' for whole days, '23 Nov 2026' for one, else with the times."""
    whole = start < end and all(on_clock(at, zone).time() == time() for at in (start, end))
    if not whole:
        first = day(start, zone) if on_clock(start, zone).time() == time() else moment(start, zone)
        return f"{first} to {moment(end, zone)}"
    first, last = day(start, zone), day(end - _TICK, zone)
    return first if first == last else f"{first} to {last}"


def counted_in(level: bool, start: datetime, end: datetime, zone: str) -> str:
    """The period that something is counted in; of a level only the instant it is counted at."""
    return f"at {moment(end, zone)}" if level else period(start, end, zone)


def hour_of_week(hour: int) -> str:
    """'Mondays, 09:00 to 10:00', of hours since Monday 00:00."""
    weekday, begun = divmod(hour, 24)
    return f"{WEEKDAYS[weekday]}s, {begun:02d}:00 to {begun + 1:02d}:00"
