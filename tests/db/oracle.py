"""The measures once more in plain Python, one incident after the other: slow, and plainly what the definitions say.

Nothing of the app's own counting is used: definitions come from the design's section on measures and from the words of
each figure and panel.
"""

from bisect import bisect_left
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from math import isclose
from typing import Any
from zoneinfo import ZoneInfo

from rules.access import SYSTEM

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PAIRS = {1: ("Print", None), 2: ("Print", "Toner"), 3: ("Mail", "Toner")}
"""category pairs of the tests: two categories, and a subcategory that stands under both"""
CATEGORIES = {1: "Print", 2: "Mail"}
TIERS = {1: "1", 2: "2", 3: "external", 4: "1"}
"""teams of the tests -> tier"""


@dataclass(frozen=True)
class Case:
    """An incident as far as it is measured; the names are those of the model."""

    reported_at: datetime
    state: str = "new"
    started_at: datetime | None = None
    detected_at: datetime | None = None
    acknowledged_at: datetime | None = None
    resolved_at: datetime | None = None
    recovered_at: datetime | None = None
    closed_at: datetime | None = None
    cancelled_at: datetime | None = None
    response_due_at: datetime | None = None
    resolution_due_at: datetime | None = None
    duplicate_of_id: int | None = None
    priority: int | None = None
    major: bool = False
    source: str = "form"
    team_id: int | None = None
    service_id: int | None = None
    category_pair_id: int | None = None
    reopen_count: int = 0
    handovers: int = 0
    ping_pong: bool = False
    restricted: bool = False
    reporter_id: int | None = None
    assignee_id: int | None = None
    named_ids: tuple[int, ...] = ()
    """people named on it"""
    stands_since: datetime | None = None
    """since when its clock stands"""

    def columns(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if name not in ("named_ids", "stands_since")}

    @property
    def counts(self) -> bool:
        return self.state != "cancelled" and self.duplicate_of_id is None

    @property
    def severe(self) -> bool:
        return self.counts and (self.major or self.priority in (1, 2))

    def gone_by(self, at: datetime) -> bool:
        """Resolved, closed or cancelled before then."""
        return any(end is not None and end < at for end in (self.resolved_at, self.closed_at, self.cancelled_at))

    def closed_by(self, at: datetime) -> bool:
        return any(end is not None and end < at for end in (self.closed_at, self.cancelled_at))

    @property
    def restored_at(self) -> datetime | None:
        """When it recovered; of what is closed and nobody said so, when it was resolved, or else closed."""
        return self.recovered_at or (self.closed_at and (self.resolved_at or self.closed_at))

    @property
    def hours_to_acknowledge(self) -> float:
        known = self.detected_at if self.source == "alert" and self.detected_at else self.reported_at
        return (self.acknowledged_at - known) / HOUR

    @property
    def hours_to_resolve(self) -> float:
        return (self.resolved_at - self.reported_at) / HOUR

    @property
    def hours_to_recover(self) -> float:
        return (self.recovered_at - (self.started_at or self.reported_at)) / HOUR

    @property
    def straight(self) -> bool:
        return TIERS.get(self.team_id) == "1" and self.handovers == 0 and self.reopen_count == 0


def seen_by(actor, cases):
    """What counts for somebody: all but the restricted ones that have nothing to do with them."""
    if actor is SYSTEM:
        return list(cases)
    return [
        case
        for case in cases
        if not case.restricted
        or actor.id in (case.reporter_id, case.assignee_id, *case.named_ids)
        or case.team_id in actor.team_ids
    ]


def meeting(filters, cases):
    """What the filters leave."""
    return [
        case
        for case in cases
        if filters.team_id in (None, case.team_id)
        and filters.priority in (None, case.priority)
        and filters.service_id in (None, case.service_id)
        and filters.source in (None, case.source)
        and filters.pair_id in (None, case.category_pair_id or 0)
        and (
            filters.category_id is None
            or PAIRS.get(case.category_pair_id, (None,))[0] == CATEGORIES[filters.category_id]
        )
    ]


def within(cases, moment, start, end):
    """Those whose moment lies in [start, end)."""
    return [case for case in cases if (at := getattr(case, f"{moment}_at")) is not None and start <= at < end]


def quantile(values, share):
    """Linear between neighbours; None of nothing."""
    if not values:
        return None
    ordered, place = sorted(values), share * (len(values) - 1)
    below = int(place)
    above = ordered[min(below + 1, len(ordered) - 1)]
    return ordered[below] + (above - ordered[below]) * (place - below)


def spread(values):
    return {"n": len(values), "median": quantile(values, 0.5), "p90": quantile(values, 0.9)}


def spread_by_priority(cases, hours):
    levels = sorted({case.priority for case in cases} - {None})
    by_level = {str(level): spread([hours(c) for c in cases if c.priority == level]) for level in levels}
    return spread([hours(case) for case in cases]) | {"by_priority": by_level}


def promise(cases, kind, now):
    """{met, breached} of what has a due time; what still runs in time, or stood still in time, is neither."""
    found = Counter()
    for case in cases:
        due = case.response_due_at if kind == "response" else case.resolution_due_at
        answered = case.acknowledged_at or case.resolved_at
        ended = answered if kind == "response" else case.resolved_at
        # While it is on hold, what was left then is still left.
        until = case.stands_since or now if kind == "resolution" else now
        if not case.counts or due is None or (ended is None and due >= min(until, now)):
            continue
        found["met" if ended is not None and ended <= due else "breached"] += 1
    return {"met": found["met"], "breached": found["breached"]}


def begins(day: date, zone: str) -> datetime:
    """The first instant of a local day: between a day before and a day after its midnight in UTC."""
    place, least = ZoneInfo(zone), datetime.combine(day, time(), UTC) - DAY
    quarters = [least + n * HOUR / 4 for n in range(3 * 24 * 4)]
    return quarters[bisect_left(quarters, day, key=lambda at: at.astimezone(place).date())]


def local_days(start, end, zone):
    """Every local day that [start, end) touches."""
    place = ZoneInfo(zone)
    day, last = start.astimezone(place).date(), (end - timedelta(microseconds=1)).astimezone(place).date()
    found = []
    while day <= last:
        found.append(day)
        day += DAY
    return found


def step_of(day, by):
    """The name of the month, the week (its Monday) or the day that a local day belongs to."""
    if by == "month":
        return f"{day:%Y-%m}"
    return (day - timedelta(days=day.weekday()) if by == "week" else day).isoformat()


def per_step(cases, moment, start, end, zone, by):
    found = within(cases, moment, start, end)
    clock = ZoneInfo(zone)
    counts = Counter(step_of(getattr(case, f"{moment}_at").astimezone(clock).date(), by) for case in found)
    names = {step_of(day, by) for day in local_days(start, end, zone)}
    return {"n": len(found), f"per_{by}": {name: counts[name] for name in names}}


def step_ends(start, end, zone, by):
    last = {step_of(day, by): day for day in local_days(start, end, zone)}
    return {name: min(begins(day + DAY, zone), end) for name, day in last.items()}


def measures(cases, start, end, zone, now, by="month"):
    """What `measures --json` says."""
    opened = within(cases, "reported", start, end)
    ends = step_ends(start, end, zone, by)
    counted = [case for case in cases if case.counts]
    acknowledged, recovered = within(counted, "acknowledged", start, end), within(counted, "recovered", start, end)
    done = within(counted, "resolved", start, end)
    pairs = Counter(PAIRS.get(case.category_pair_id, (None, None)) for case in opened)
    levels = Counter(str(case.priority) for case in opened if case.priority is not None)
    return {
        "from": start.isoformat(),
        "to": end.isoformat(),
        "zone": zone,
        "opened": per_step(cases, "reported", start, end, zone, by),
        "resolved": per_step(cases, "resolved", start, end, zone, by),
        "backlog": {
            "unresolved": {name: len(backlog(cases, at)) for name, at in ends.items()},
            "unclosed": {
                name: sum(case.reported_at < at and not case.closed_by(at) for case in cases)
                for name, at in ends.items()
            },
        },
        "time_to_acknowledge_hours": spread_by_priority(acknowledged, lambda case: case.hours_to_acknowledge)
        | {"never": sum(case.counts and case.acknowledged_at is None for case in opened)},
        "time_to_resolve_hours": spread_by_priority(done, lambda case: case.hours_to_resolve),
        "time_to_recover_hours": spread_by_priority(recovered, lambda case: case.hours_to_recover),
        "reopened": {"n": sum(case.reopen_count > 0 for case in done), "of": len(done)},
        "first_line": {"n": sum(case.straight for case in done), "of": len(done)},
        "handovers": {
            "any": sum(case.handovers > 0 for case in opened),
            "mean": sum(case.handovers for case in opened) / len(opened) if opened else None,
            "ping_pong": sum(case.ping_pong for case in opened),
        },
        "sla": {kind: promise(opened, kind, now) for kind in ("response", "resolution")},
        "by_priority": dict(levels),
        "by_category": [{"category": pair[0], "subcategory": pair[1], "n": n} for pair, n in pairs.items()],
    }


def backlog(cases, at):
    """Reported before then, and not resolved, closed or cancelled."""
    return [case for case in cases if case.reported_at < at and not case.gone_by(at)]


def downtime(cases, service, start, end, now):
    """Hours with something severe on the service; what overlaps counts once."""
    moments, down = [], timedelta()
    for case in cases:
        if case.severe and case.service_id == service:
            moments.append((max(case.started_at or case.reported_at, start), 1))
            moments.append((min(case.restored_at or now, now, end), -1))
            if moments[-1][0] <= moments[-2][0]:
                del moments[-2:]
    running, since = 0, None
    for at, step in sorted(moments, key=lambda moment: (moment[0], -moment[1])):
        since = at if running == 0 else since
        running += step
        if running == 0:
            down += at - since
    return down / HOUR


def differences(found, expected, place="") -> list[str]:
    """Where two answers differ, each with both values; numbers may differ by rounding, categories in their order."""
    if place == ".by_category":
        assert [row["n"] for row in found] == sorted((row["n"] for row in found), reverse=True), "most first"
        found, expected = (
            {(row["category"], row["subcategory"]): row["n"] for row in rows} for rows in (found, expected)
        )
    if isinstance(found, tuple) and isinstance(expected, tuple):
        found, expected = dict(enumerate(found)), dict(enumerate(expected))
    if isinstance(found, dict) and isinstance(expected, dict):
        keys = [*found, *(key for key in expected if key not in found)]
        return [
            said
            for key in keys
            for said in differences(found.get(key, "missing"), expected.get(key, "missing"), f"{place}.{key}")
        ]
    if isinstance(found, float) and isinstance(expected, float | int):
        same = isclose(found, expected, rel_tol=1e-9, abs_tol=1e-9)
    else:
        same = found == expected
    return [] if same else [f"{place}: {found!r}, expected {expected!r}"]
