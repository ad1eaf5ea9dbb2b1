"""The trends screen: the measures of a period, beside the period before, in the steps its charts draw."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.models import Incident, from_micros
from db.queries.measures import (
    COUNTED,
    DONE,
    REPORTED,
    RESOLVED,
    Conditions,
    Filters,
    Quantiles,
    count,
    hourly,
    per_bucket,
    quantiles,
    scope,
    waiting,
    within,
)
from db.queries.trends import (
    ALL,
    EVERYTHING,
    backlog,
    by_category,
    by_priority,
    reopened,
    resolution,
    resolve_times,
    to_resolve,
)
from rules import access
from rules.access import Actor
from rules.periods import MOST_DAYS_BY_WEEK, Bucket, Period, days, months, weeks, zone_of


@dataclass(frozen=True)
class Figures:
    """The numbers of one period."""

    opened: int
    resolved: int
    to_resolve: Quantiles
    sla: dict[str, int]
    reopened: dict[str, int]
    backlog: int


@dataclass(frozen=True)
class Overview:
    now: Figures
    before: Figures | None
    buckets: list[Bucket]
    by_month: bool
    opened: list[int]
    resolved: list[int]
    spread: list[Quantiles]
    levels: list[tuple[Bucket, int]]
    categories: list[dict[str, Any]]
    priorities: dict[int, int]
    heat: dict[tuple[int, int], int] = field(default_factory=dict)
    """(weekday from Monday 0, hour) -> reported in the zone"""


def first_and_last(db: Session, actor: Actor) -> tuple[datetime | None, datetime | None]:
    """When the oldest and the newest incident was reported that the actor may know of."""
    access.check(actor, "trends")
    ends = select(func.min(Incident.reported_at), func.max(Incident.reported_at))
    oldest, newest = db.execute(ends.where(*scope(db, actor, EVERYTHING))).one()
    return oldest, newest


def overview(db: Session, actor: Actor, period: Period, zone: str, filters: Filters, now: datetime) -> Overview:
    """Everything the screen shows of a period. Forbidden without the right to trends."""
    access.check(actor, "trends")
    seen = scope(db, actor, filters)
    length = (period.end - period.start).days
    by_month = length > MOST_DAYS_BY_WEEK
    buckets = (months if by_month else weeks)(period.start, period.end, zone)
    fine = days(period.start, period.end, zone) if length <= 100 else weeks(period.start, period.end, zone)
    opened = hourly(db, REPORTED, period.start, period.end, seen, zone)
    resolved = hourly(db, RESOLVED, period.start, period.end, seen, zone)
    reported_in = [within(REPORTED, period.start, period.end), *seen]
    levels = list(zip(fine, backlog(db, DONE, fine, seen, zone), strict=True))
    return Overview(
        now=figures(db, period.start, period.end, seen, now),
        before=figures(db, *period.before, seen, now) if period.before else None,
        buckets=buckets,
        by_month=by_month,
        opened=per_bucket(opened, buckets),
        resolved=per_bucket(resolved, buckets),
        spread=resolve_times(db, buckets, seen),
        levels=levels,
        categories=by_category(db, reported_in),
        priorities=by_priority(db, reported_in),
        heat=_heat(opened, zone),
    )


def figures(db: Session, start: datetime, end: datetime, seen: Conditions, now: datetime) -> Figures:
    """The numbers of [start, end)."""
    resolved_in = within(RESOLVED, start, end)
    spread = quantiles(db, to_resolve(), ALL, [resolved_in, *COUNTED, *seen]).get(0, Quantiles(0, None, None))
    return Figures(
        opened=count(db, [within(REPORTED, start, end), *seen]),
        resolved=count(db, [resolved_in, *seen]),
        to_resolve=spread,
        sla=resolution(db, [within(REPORTED, start, end), *seen], now),
        reopened=reopened(db, start, end, seen),
        backlog=waiting(db, end, DONE, seen),
    )


def _heat(opened: dict[int, int], zone: str) -> dict[tuple[int, int], int]:
    place = zone_of(zone)
    heat: dict[tuple[int, int], int] = {}
    for at, number in opened.items():
        local = from_micros(at).astimezone(place)
        cell = (local.weekday(), local.hour)
        heat[cell] = heat.get(cell, 0) + number
    return heat
