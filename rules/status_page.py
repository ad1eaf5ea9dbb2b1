"""What the status page says: the state of its components, their days, and in how many words.

Uptime is the share of the time without a partial or major outage: degraded performance is shown and not counted
against it, as by Atlassian Statuspage (<https://support.atlassian.com/statuspage/docs/display-historical-uptime-of-components/>),
which weighs a partial outage with 30 %; here it counts in full, so that the number never flatters.
"""

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from rules.durations import exact
from rules.errors import RuleError

STATES = {
    "operational": "Operational",
    "degraded": "Degraded performance",
    "partial": "Partial outage",
    "major": "Major outage",
}
"""what an update can say of a component, from best to worst"""
MAINTENANCE = "maintenance"
LABELS = STATES | {MAINTENANCE: "Under maintenance"}
SCHEDULED, IN_PROGRESS, COMPLETED = "Scheduled", "In progress", "Completed"
OUTAGES = frozenset({"partial", "major"})
"""what counts against uptime"""
DAYS = 90
CLOSING_WORDS = "This incident has been resolved."
NOT_OVER_WORDS = "This incident was marked as resolved by mistake. It is not over."
_ORDER = ("operational", MAINTENANCE, "degraded", "partial", "major")
_HEADLINES = {
    "operational": "All systems operational",
    MAINTENANCE: "Maintenance under way",
    "degraded": "Some systems are slower than usual",
    "partial": "Partial outage",
    "major": "Major outage",
}


@dataclass(frozen=True)
class Span:
    """How a component was from `start` until `end` (None: still), by one incident."""

    state: str
    start: datetime
    end: datetime | None = None


@dataclass(frozen=True)
class Day:
    """The worst of one day on the organisation's calendar; state None: nothing is known of it."""

    date: date
    state: str | None
    down: int
    """seconds of outage, each counted once"""


@dataclass(frozen=True)
class History:
    """A component's last days, the oldest first, and the share of the time without an outage (None: no time yet)."""

    days: tuple[Day, ...]
    uptime: float | None


def read_states(given: Mapping[str, str] | None) -> dict[int, str] | None:
    """Component id -> state by what an update says; None when it says nothing. RuleError(field 'components')."""
    if given is None:
        return None
    found: dict[int, str] = {}
    for component, state in given.items():
        written = str(component)
        if not (written.isascii() and written.isdigit() and len(written) < 16):
            raise RuleError("Choose components from the list.", field="components")
        if state not in STATES:
            raise RuleError(f"Choose a state from the list: {', '.join(STATES)}.", field="components")
        found[int(written)] = state
    return found


def worst(states: Iterable[str]) -> str:
    """The worst of these; operational for none."""
    return max(states, key=_ORDER.index, default="operational")


def headline(states: Iterable[str]) -> str:
    """The one sentence above everything."""
    return _HEADLINES[worst(states)]


def bounds(now: datetime, zone: tzinfo, days: int = DAYS) -> list[tuple[date, datetime]]:
    """The last `days` dates in the zone, today included, each with the instant (UTC) at which it begins."""
    today = now.astimezone(zone).date()
    dates = [today - timedelta(days=ago) for ago in range(days - 1, -1, -1)]
    return [(each, datetime.combine(each, time(), zone).astimezone(UTC)) for each in dates]


def history(spans: Sequence[Span], since: datetime, now: datetime, known: Sequence[tuple[date, datetime]]) -> History:
    """The days of a component that is there since `since`; `known` are the `bounds` of now.

    Spans may overlap: of two states the worse one shows, and an outage is counted once.
    """
    starts = [start for _, start in known]
    ends = [*starts[1:], now]
    down = [0.0] * len(known)
    states: list[str | None] = ["operational" if end > since else None for end in ends]
    cut = [(each.state, max(each.start, since, starts[0]), min(each.end or now, now)) for each in spans]
    cut = [(state, start, end) for state, start, end in cut if start < end]
    for state, start, end in cut:
        for day in _days(starts, start, end):
            states[day] = worst((states[day] or "operational", state))
    for start, end in _union((start, end) for state, start, end in cut if state in OUTAGES):
        for day in _days(starts, start, end):
            down[day] += (min(end, ends[day]) - max(start, starts[day])).total_seconds()
    length = (now - max(since, starts[0])).total_seconds()
    uptime = max(0.0, 1 - sum(down) / length) if length > 0 else None
    days = zip(known, states, down, strict=True)
    return History(tuple(Day(each, state, round(gone)) for (each, _), state, gone in days), uptime)


def _days(starts: Sequence[datetime], start: datetime, end: datetime) -> range:
    """Places of the days that [start, end) touches."""
    return range(bisect_right(starts, start) - 1, bisect_right(starts, end - timedelta.resolution))


def _union(spans: Iterable[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    joined: list[tuple[datetime, datetime]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], end)
        else:
            joined.append((start, end))
    return joined


def uptime_words(share: float | None) -> str:
    """'99.98 %', rounded down: it says 100 % only of what was never out. '' for nothing known."""
    if share is None:
        return ""
    if share >= 1:
        return "100 %"
    return f"{math.floor(share * 10_000 + 1e-6) / 100:.2f} %" if share < 0.9999 else "99.99 %"


def day_words(day: Day) -> str:
    """'12 Nov 2026: Major outage, 2 h 5 min'."""
    when = f"{day.date.day} {day.date:%b %Y}"
    if day.state is None:
        return f"{when}: No data"
    out = f", {exact(max(60, round(day.down / 60) * 60))}" if day.down else ""
    return f"{when}: {LABELS[day.state]}{out}"


def history_words(told: History, named: int = 6) -> str:
    """The bars in words, for those who do not see them; so many days by name, the newest first."""
    known = [day for day in told.days if day.state is not None]
    bad = [day for day in reversed(known) if day.state != "operational"]
    length = f"Last {len(known)} days" if len(known) > 1 else "Today"
    if not bad:
        return f"{length}: no incidents."
    words = [day_words(day) for day in bad[:named]]
    if words and len(bad) > named:
        words.append(f"and {len(bad) - named} more")
    return f"{length}: {len(bad)} with incidents." + (f" {'; '.join(words)}." if words else "")


def moved(order: Sequence[tuple[int, str]], component: int, by: int) -> list[int]:
    """The ids in their new order when `component` goes up (-1) or down (1); `order` holds (id, group) as on the page.

    It changes places within its group. The first goes up, and the last down, with its whole group.
    """
    groups: dict[str, list[int]] = {}
    for each, group in order:
        groups.setdefault(group, []).append(each)
    names = list(groups)
    own = next(name for name, members in groups.items() if component in members)
    members = groups[own]
    at = members.index(component)
    if 0 <= at + by < len(members):
        members[at], members[at + by] = members[at + by], members[at]
    else:
        place = names.index(own)
        if 0 <= place + by < len(names):
            names[place], names[place + by] = names[place + by], names[place]
    return [each for name in names for each in groups[name]]


def moment_words(at: datetime, zone: tzinfo) -> str:
    """'Fri 27 Nov 2026, 12:00' by the zone's clock."""
    local = at.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %Y}, {local:%H:%M}"


def span_words(start: datetime, end: datetime, zone: tzinfo) -> str:
    """'Fri 27 Nov 2026, 22:00 – 23:30', with the date of the end when that is another."""
    begins, ends = start.astimezone(zone), end.astimezone(zone)
    last = f"{ends:%H:%M}" if begins.date() == ends.date() else moment_words(end, zone)
    return f"{moment_words(start, zone)} – {last}"


def cut(words: str, limit: int) -> tuple[str, bool]:
    """The words, and whether they were cut at a blank to `limit` characters."""
    if len(words) <= limit:
        return words, False
    return words[:limit].rsplit(None, 1)[0] + " …", True


def stale_words(made: datetime, now: datetime) -> str:
    """'As of 12:40 UTC, 5 minutes ago': how old a copy is that cannot be brought up to date."""
    at = made.astimezone(UTC)
    day = "" if at.date() == now.astimezone(UTC).date() else f"{at.day} {at:%b %Y}, "
    minutes = max(0, int((now - made).total_seconds()) // 60)
    for size, word in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            count = minutes // size
            return f"As of {day}{at:%H:%M} UTC, {count} {word}{'' if count == 1 else 's'} ago"
    return f"As of {day}{at:%H:%M} UTC, less than a minute ago"
