"""The trends screen: the measures of a period, beside the period before, in the steps its charts draw."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.models import Incident
from db.queries.facts import MISSING
from db.queries.measures import (
    Measured,
    Quantiles,
    buckets_of,
    grouped,
    measured,
    per_bucket,
    quantiles,
    scope,
    tally,
    weekday_and_hour,
)
from db.queries.trends import EVERYTHING, by_category, by_priority, part_of, promise
from rules import access
from rules.access import Actor
from rules.measures import FIGURES, Filters
from rules.periods import MOST_DAYS_BY_WEEK, Bucket, Period, days, months, weeks


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
    found, start, end = measured(db, actor, filters, now), period.start, period.end
    length = (end - start).days
    by_month = length > MOST_DAYS_BY_WEEK
    buckets = (months if by_month else weeks)(start, end, zone)
    fine = days(start, end, zone) if length <= 100 else weeks(start, end, zone)
    reported = found.rows("opened", start, end)
    levels = found.levels("unresolved", [bucket.end for bucket in fine])
    return Overview(
        now=figures(found, start, end),
        before=figures(found, *period.before) if period.before else None,
        buckets=buckets,
        by_month=by_month,
        opened=per_bucket(reported["reported"], buckets),
        resolved=per_bucket(found.rows("resolved", start, end)["resolved"], buckets),
        spread=spreads(found, "to_resolve", buckets),
        levels=list(zip(fine, levels, strict=True)),
        categories=by_category(db, tally(reported["pair"])),
        priorities=by_priority(found, start, end),
        heat={divmod(cell, 24): n for cell, n in tally(weekday_and_hour(reported["reported"], zone)).items()},
    )


def figures(found: Measured, start: datetime, end: datetime) -> Figures:
    """The numbers of [start, end)."""
    return Figures(
        opened=found.count("opened", start, end),
        resolved=found.count("resolved", start, end),
        to_resolve=found.spread("to_resolve", start, end),
        sla=promise(found, "resolution", start, end),
        reopened=part_of(found, "reopened", start, end),
        backlog=found.count("unresolved", start, end),
    )


def spreads(found: Measured, key: str, buckets: Sequence[Bucket]) -> list[Quantiles]:
    """The quantiles of a figure's duration in each bucket."""
    if not buckets:
        return []
    start, end = buckets[0].start, buckets[-1].end
    values, moments = found.durations(key, start, end), found.rows(key, start, end)[FIGURES[key].moment]
    known = values != MISSING
    parts = grouped(values[known], buckets_of(moments[known], buckets), len(buckets))
    return [quantiles(part) for part in parts]
