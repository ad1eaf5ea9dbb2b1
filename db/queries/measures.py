"""The building blocks of every measure: counts per hour, quantiles, what is counted at all. SQL does the counting."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, ColumnElement, case, func, select, type_coerce
from sqlalchemy.orm import Session

from db.models import CategoryPair, Incident, to_micros
from db.queries.access import hidden_ids
from rules.access import Actor
from rules.periods import Bucket

HOUR = 3_600_000_000
QUARTER = HOUR // 4
"""microseconds"""

Conditions = list[ColumnElement[bool]]


@dataclass(frozen=True)
class Filters:
    """Which incidents are counted. Empty fields filter nothing."""

    team_id: int | None = None
    priority: int | None = None
    category_id: int | None = None
    service_id: int | None = None
    source: str | None = None


@dataclass(frozen=True)
class Quantiles:
    """Hours; None where n is 0."""

    n: int
    median: float | None
    p90: float | None


def micros(column: Any) -> ColumnElement[int]:
    """An instant as its number."""
    return type_coerce(column, BigInteger)


REPORTED = micros(Incident.reported_at)
RESOLVED = micros(Incident.resolved_at)
DONE = micros(Incident.done_at)
_CLOSED = micros(func.coalesce(Incident.closed_at, Incident.cancelled_at))
CLOSED = case((_CLOSED < REPORTED, REPORTED), else_=_CLOSED)
"""When it left the backlog of what is not closed: closed, else cancelled; never before reported."""
COUNTED: Conditions = [Incident.state != "cancelled", Incident.duplicate_of_id.is_(None)]
"""Times leave out what was cancelled and what repeats another."""


def scope(db: Session, actor: Actor, filters: Filters) -> Conditions:
    """What the filters leave, without the restricted incidents that are not open to the actor."""
    hidden = hidden_ids(db, actor)
    conditions: Conditions = [Incident.id.not_in(hidden)] if hidden else []
    if filters.team_id is not None:
        conditions.append(Incident.team_id == filters.team_id)
    if filters.priority is not None:
        conditions.append(Incident.priority == filters.priority)
    if filters.service_id is not None:
        conditions.append(Incident.service_id == filters.service_id)
    if filters.source is not None:
        conditions.append(Incident.source == filters.source)
    if filters.category_id is not None:
        pairs = select(CategoryPair.id).where(CategoryPair.category_id == filters.category_id)
        conditions.append(Incident.category_pair_id.in_(pairs))
    return conditions


def within(column: ColumnElement[int], start: datetime, end: datetime) -> ColumnElement[bool]:
    """The moment lies in [start, end)."""
    return (column >= to_micros(start)) & (column < to_micros(end))


def count(db: Session, conditions: Iterable[ColumnElement[bool]]) -> int:
    """How many incidents meet the conditions."""
    return db.execute(select(func.count()).select_from(Incident).where(*conditions)).scalar_one()


def waiting(db: Session, at: datetime, done: ColumnElement[int], seen: Conditions) -> int:
    """The backlog at an instant: reported before it, and not `done` before it. Counts no more than what came since."""
    # Not by the index of what was reported, which holds all of the past: + 0 hides it from the planner.
    came = to_micros(at) > REPORTED + 0
    return count(db, [done.is_(None), came, *seen]) + count(db, [done >= to_micros(at), came, *seen])


def hourly(
    db: Session, column: ColumnElement[int], start: datetime, end: datetime, scope: Conditions, zone: str
) -> dict[int, int]:
    """Start of the hour (quarter, where the zone's clock does not follow the hour) in microseconds -> how many."""
    unit = _unit(zone, start, end)
    slot = (column // unit).label("slot")
    statement = select(slot, func.count()).where(within(column, start, end), *scope).group_by(slot)
    return {int(at) * unit: number for at, number in db.execute(statement)}


def _unit(zone: str, start: datetime, end: datetime) -> int:
    place, middle = ZoneInfo(zone), start + (end - start) / 2
    for instant in (start, middle, end):
        offset = instant.astimezone(place).utcoffset()
        if offset is not None and offset.total_seconds() % 3600:
            return QUARTER
    return QUARTER if zone == "Australia/Lord_Howe" else HOUR


def per_bucket(counted: dict[int, int], buckets: Sequence[Bucket]) -> list[int]:
    """The counts of hourly() added up by bucket."""
    edges = [to_micros(bucket.start) for bucket in buckets]
    totals = [0] * len(buckets)
    for at, number in counted.items():
        place = bisect_right(edges, at) - 1
        totals[max(place, 0)] += number
    return totals


def quantiles(
    db: Session,
    duration: ColumnElement[int],
    group: ColumnElement[Any],
    conditions: Iterable[ColumnElement[bool]],
) -> dict[Any, Quantiles]:
    """Group -> n, median and 90th percentile of the durations in hours; linear between ranks, as numpy's default."""
    spent = duration.label("spent")
    place = (func.row_number().over(partition_by=group, order_by=duration) - 1).label("place")
    number = func.count().over(partition_by=group).label("number")
    ranked = select(group.label("grp"), spent, place, number).where(*conditions).subquery()
    rank, n = ranked.c.place, ranked.c.number
    middle, high = (n - 1) // 2, ((n - 1) * 9) // 10
    wanted = rank.in_((middle, n // 2, high, high + 1))
    values: dict[Any, dict[int, int]] = {}
    sizes: dict[Any, int] = {}
    for name, took, at, total in db.execute(select(ranked.c.grp, ranked.c.spent, rank, n).where(wanted)):
        values.setdefault(name, {})[int(at)] = int(took)
        sizes[name] = int(total)
    return {
        name: Quantiles(sizes[name], _at(found, sizes[name], 1, 2), _at(found, sizes[name], 9, 10))
        for name, found in values.items()
    }


def _at(found: dict[int, int], n: int, part: int, of: int) -> float:
    low, rest = divmod((n - 1) * part, of)
    value = found[low] + (found[low + 1] - found[low]) * rest / of if rest else found[low]
    return value / HOUR


def bucket_of(column: ColumnElement[int], buckets: Sequence[Bucket]) -> ColumnElement[int]:
    """The number of the bucket that the moment lies in."""
    return case(*((column < to_micros(bucket.end), index) for index, bucket in enumerate(buckets)), else_=len(buckets))
