"""Turns of on-call in words, and moments that people choose for them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from db.queries.oncall import Now, Who
from pages.parts import times
from pages.parts.texts import literal
from rules import wall_clock
from rules.business_time import DAYS
from rules.errors import RuleError

CHOOSE = "Choose a day and a time."
EVERY = {"hour": "Hourly", "day": "Daily", "week": "Weekly", "month": "Monthly"}


def between(start: datetime, end: datetime, now: datetime) -> str:
    """'Thu 3 Dec 14:00 to Mon 7 Dec 09:00', on the reader's clock."""
    first, last = times.local(start), times.local(end)
    if first.date() == last.date():
        return f"{moment(start, now)} to {last:%H:%M}"
    return f"{moment(start, now)} to {moment(end, now)}"


def moment(instant: datetime, now: datetime) -> str:
    """'today 14:05', 'tomorrow 09:00', 'Mon 7 Dec 09:00', with the year when it differs: people think in weekdays."""
    at, today = times.local(instant), times.local(now)
    near = {-1: "yesterday", 0: "today", 1: "tomorrow"}.get((at.date() - today.date()).days)
    year = f" {at.year}" if at.year != today.year else ""
    return f"{near or f'{at:%a} {at.day} {at:%b}{year}'} {at:%H:%M}"


def who(people: Iterable[Who]) -> str:
    """'Ana and Bo'; '' for nobody. As they are called, not yet safe inside Markdown."""
    names = [person.name for person in people]
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


def present(found: Now) -> str:
    """Markdown: who is on call; in red when that is nobody and should not be."""
    if found.people:
        return literal(who(found.people))
    return ":red[:material/error: Nobody]" if found.meant else ":gray[Nobody at this hour]"


def following(found: Now, now: datetime) -> str:
    """'until tomorrow 09:00, then Bo', not yet safe inside Markdown; nothing ever changes: 'until further notice'."""
    if found.until is None:
        return "until further notice" if found.people else "add people to it"
    return f"until {moment(found.until, now)}, then {who(found.following) or 'nobody'}"


def begin(words: str) -> str:
    """The words as the beginning of a sentence."""
    return words[:1].upper() + words[1:]


def wall(instant: datetime) -> datetime:
    """What the reader's clock reads, for a field to choose a moment in."""
    return times.local(instant).replace(tzinfo=None, second=0, microsecond=0)


def chosen(value: datetime) -> datetime:
    """The instant of such a field."""
    return wall_clock.first(value, times.zone())


def span(start: datetime | None, end: datetime | None) -> tuple[datetime, datetime]:
    """The instants of two such fields; RuleError when one is empty."""
    if start is None or end is None:
        empty = {"start": start, "end": end}
        raise RuleError(CHOOSE, fields={name: CHOOSE for name, value in empty.items() if value is None})
    return chosen(start), chosen(end)


def layer(data: Mapping[str, Any], names: Mapping[str, str], zone: str) -> str:
    """'Weekly, hands over Monday 09:00: Ana → Bo → Cy', not yet safe inside Markdown."""
    start = datetime.fromisoformat(str(data["start"])).astimezone(ZoneInfo(zone))
    unit, length = str(data["unit"]), int(data.get("length", 1))
    every = EVERY[unit] if length == 1 else f"Every {length} {unit}s"
    hands = {"week": f"{start:%A %H:%M}", "month": f"on day {start.day} at {start:%H:%M}", "day": f"{start:%H:%M}"}
    over = f", hands over {hands[unit]}" if unit in hands else ""
    order = " → ".join(names.get(str(member), "?") for member in data["members"])
    if len(set(data["members"])) == 1:
        return f"Always {order}{hours(data)}"
    return f"{every}{over}: {order}{hours(data)}"


def hours(data: Mapping[str, Any]) -> str:
    """' · Mon to Fri 09:00 to 17:00'; '' for round the clock."""
    return "".join(f" · {_days(one)} {one['from']} to {one['to']}" for one in data.get("windows") or ())


def _days(window: Mapping[str, Any]) -> str:
    days = [day for day in DAYS if day in (window.get("days") or DAYS)]
    if len(days) == len(DAYS):
        return "daily"
    run = [DAYS.index(day) for day in days]
    if len(run) > 2 and run == list(range(run[0], run[-1] + 1)):
        return f"{days[0].capitalize()} to {days[-1].capitalize()}"
    return ", ".join(day.capitalize() for day in days)
