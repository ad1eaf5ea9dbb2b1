"""The measures of the design: one definition each, for the screen, the command line and every export."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Integer, case, func, literal, or_, select, type_coerce
from sqlalchemy.orm import Session

from db.models import Category, CategoryPair, Incident, Subcategory, Team, to_micros
from db.queries.measures import (
    CLOSED,
    COUNTED,
    DONE,
    REPORTED,
    RESOLVED,
    Conditions,
    Filters,
    Quantiles,
    bucket_of,
    count,
    hourly,
    micros,
    per_bucket,
    quantiles,
    scope,
    waiting,
    within,
)
from rules.access import SYSTEM, Actor
from rules.periods import Bucket, months

EVERYTHING = Filters()
ALL = literal(0)


def measures(
    db: Session,
    start: datetime,
    end: datetime,
    zone: str,
    *,
    now: datetime,
    actor: Actor = SYSTEM,
    filters: Filters = EVERYTHING,
) -> dict[str, Any]:
    """Every measure of [start, end); months are those of `zone`. The keys are a fixed surface of the design."""
    seen = scope(db, actor, filters)
    buckets = months(start, end, zone)
    opened = hourly(db, REPORTED, start, end, seen, zone)
    resolved = hourly(db, RESOLVED, start, end, seen, zone)
    reported_in = [within(REPORTED, start, end), *seen]
    return {
        "from": start.isoformat(),
        "to": end.isoformat(),
        "zone": zone,
        "opened": _counted(opened, buckets),
        "resolved": _counted(resolved, buckets),
        "backlog": {
            "unresolved": _named(buckets, backlog(db, DONE, buckets, seen, zone)),
            "unclosed": _named(buckets, backlog(db, CLOSED, buckets, seen, zone)),
        },
        "time_to_acknowledge_hours": _answered(db, start, end, seen),
        "time_to_resolve_hours": _spread(db, to_resolve(), within(RESOLVED, start, end), seen),
        "time_to_recover_hours": _spread(
            db, *_to_recover(), seen=seen, moment=within(micros(Incident.recovered_at), start, end)
        ),
        "reopened": reopened(db, start, end, seen),
        "first_line": first_line(db, start, end, seen),
        "handovers": _handovers(db, reported_in),
        "sla": {
            "response": _response(db, reported_in, now),
            "resolution": resolution(db, reported_in, now),
        },
        "by_priority": {str(level): n for level, n in by_priority(db, reported_in).items()},
        "by_category": by_category(db, reported_in),
    }


def _named(buckets: Sequence[Bucket], values: Sequence[int]) -> dict[str, int]:
    return {bucket.name: value for bucket, value in zip(buckets, values, strict=True)}


def _counted(counts: dict[int, int], buckets: Sequence[Bucket]) -> dict[str, Any]:
    return {"n": sum(counts.values()), "per_month": _named(buckets, per_bucket(counts, buckets))}


def backlog(db: Session, done: ColumnElement[int], buckets: Sequence[Bucket], seen: Conditions, zone: str) -> list[int]:
    """At the end of each bucket: reported before it and not done yet."""
    if not buckets:
        return []
    start, end = buckets[0].start, buckets[-1].end
    level = waiting(db, start, done, seen)
    came = per_bucket(hourly(db, REPORTED, start, end, seen, zone), buckets)
    went = per_bucket(hourly(db, done, start, end, seen, zone), buckets)
    levels = []
    for arrived, left in zip(came, went, strict=True):
        level += arrived - left
        levels.append(level)
    return levels


def to_resolve() -> ColumnElement[int]:
    """Last resolved minus reported."""
    return RESOLVED - REPORTED


def _to_recover() -> tuple[ColumnElement[int]]:
    """Recovered minus started, or reported where nobody knows the start."""
    began = micros(func.coalesce(Incident.started_at, Incident.reported_at))
    return (micros(Incident.recovered_at) - began,)


def _spread(db: Session, duration: ColumnElement[int], moment: ColumnElement[bool], seen: Conditions) -> dict[str, Any]:
    conditions = [moment, *COUNTED, *seen]
    whole = quantiles(db, duration, ALL, conditions).get(0, Quantiles(0, None, None))
    levels = quantiles(
        db, duration, type_coerce(Incident.priority, Integer), [Incident.priority.is_not(None), *conditions]
    )
    return {
        "n": whole.n,
        "median": whole.median,
        "p90": whole.p90,
        "by_priority": {
            str(level): {"n": found.n, "median": found.median, "p90": found.p90}
            for level, found in sorted(levels.items())
        },
    }


def _answered(db: Session, start: datetime, end: datetime, seen: Conditions) -> dict[str, Any]:
    """First human acknowledgement minus reported (detected, for alerts); beside it those never acknowledged."""
    known = micros(func.coalesce(Incident.detected_at, Incident.reported_at))
    since = case((Incident.source == "alert", known), else_=REPORTED)
    answered = micros(Incident.acknowledged_at)
    found = _spread(db, answered - since, within(answered, start, end), seen)
    never = count(db, [within(REPORTED, start, end), Incident.acknowledged_at.is_(None), *COUNTED, *seen])
    return {"n": found["n"], "median": found["median"], "p90": found["p90"], "never": never} | {
        "by_priority": found["by_priority"]
    }


def reopened(db: Session, start: datetime, end: datetime, seen: Conditions) -> dict[str, int]:
    """Reopened at least once, of those resolved in the period."""
    resolved = [within(RESOLVED, start, end), *COUNTED, *seen]
    statement = select(func.count(case((Incident.reopen_count > 0, 1))), func.count()).where(*resolved)
    n, of = db.execute(statement).one()
    return {"n": n, "of": of}


def first_line(db: Session, start: datetime, end: datetime, seen: Conditions) -> dict[str, int]:
    """Resolved by tier 1, never handed over or reopened, of those resolved in the period."""
    resolved = [within(RESOLVED, start, end), *COUNTED, *seen]
    tier_one = Incident.team_id.in_(select(Team.id).where(Team.tier == "1"))
    by_them = [tier_one, Incident.handovers == 0, Incident.reopen_count == 0, *resolved]
    return {"n": count(db, by_them), "of": count(db, resolved)}


def _handovers(db: Session, reported_in: Conditions) -> dict[str, Any]:
    """Changes of team of those reported in the period; ping-pong came back to a team that had it before."""
    any_, total, back, n = db.execute(
        select(
            func.count(case((Incident.handovers > 0, 1))),
            func.coalesce(func.sum(Incident.handovers), 0),
            func.count(case((Incident.ping_pong, 1))),
            func.count(),
        ).where(*reported_in)
    ).one()
    return {"any": any_, "mean": float(total) / n if n else None, "ping_pong": back}


def _kept(
    db: Session, ended: ColumnElement[Any], due: ColumnElement[Any], conditions: Conditions, now: datetime
) -> dict[str, int]:
    """Met: ended by its due time. Breached: ended later, or still running and late. Running in time: neither."""
    late = or_(ended > due, (ended.is_(None)) & (due < to_micros(now)))
    met, breached = db.execute(
        select(func.count(case((ended <= due, 1))), func.count(case((late, 1)))).where(
            due.is_not(None), *COUNTED, *conditions
        )
    ).one()
    return {"met": met, "breached": breached}


def _response(db: Session, reported_in: Conditions, now: datetime) -> dict[str, int]:
    ended = micros(func.coalesce(Incident.acknowledged_at, Incident.resolved_at))
    return _kept(db, ended, micros(Incident.response_due_at), reported_in, now)


def resolution(db: Session, conditions: Conditions, now: datetime) -> dict[str, int]:
    """Resolution targets met and breached."""
    return _kept(db, RESOLVED, micros(Incident.resolution_due_at), conditions, now)


def by_priority(db: Session, conditions: Conditions) -> dict[int, int]:
    """Priority -> how many."""
    statement = (
        select(Incident.priority, func.count())
        .where(Incident.priority.is_not(None), *conditions)
        .group_by(Incident.priority)
        .order_by(Incident.priority)
    )
    return {int(level or 0): n for level, n in db.execute(statement)}


def by_category(db: Session, conditions: Conditions) -> list[dict[str, Any]]:
    """Category pairs with how many, most first; None where nobody has sorted it."""
    pairs = (
        select(Incident.category_pair_id.label("pair"), func.count().label("n"))
        .where(*conditions)
        .group_by(Incident.category_pair_id)
        .subquery()
    )
    statement = (
        select(Category.name, Subcategory.name, pairs.c.n)
        .select_from(pairs)
        .outerjoin(CategoryPair, CategoryPair.id == pairs.c.pair)
        .outerjoin(Category, Category.id == CategoryPair.category_id)
        .outerjoin(Subcategory, Subcategory.id == CategoryPair.subcategory_id)
        .order_by(pairs.c.n.desc(), Category.name, Subcategory.name)
    )
    return [{"category": category, "subcategory": sub, "n": n} for category, sub, n in db.execute(statement)]


def resolve_times(db: Session, buckets: Sequence[Bucket], seen: Conditions) -> list[Quantiles]:
    """Time to resolve by the bucket it was resolved in."""
    if not buckets:
        return []
    moment = within(RESOLVED, buckets[0].start, buckets[-1].end)
    found = quantiles(db, to_resolve(), bucket_of(RESOLVED, buckets), [moment, *COUNTED, *seen])
    return [found.get(index, Quantiles(0, None, None)) for index in range(len(buckets))]
