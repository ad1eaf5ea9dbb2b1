"""The measures of the design of one period: a fixed surface for the command line, the API and every export."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import Category, CategoryPair, Subcategory
from db.queries.facts import MISSING
from db.queries.measures import Measured, measured, per_bucket, quantiles, tally
from rules import access
from rules.access import SYSTEM, Actor
from rules.measures import FIGURES, Filters
from rules.periods import Bucket, steps_of

EVERYTHING = Filters()
LEVELS = (1, 2, 3, 4, 5)
"""priorities"""


def measures(
    db: Session,
    start: datetime,
    end: datetime,
    zone: str,
    *,
    now: datetime,
    actor: Actor = SYSTEM,
    filters: Filters = EVERYTHING,
    by: str = "month",
) -> dict[str, Any]:
    """Every measure of [start, end); months are those of `zone`. The keys are a fixed surface of the design.

    `by` week or day: counts are per week (of Monday) or day, and named by dates. Forbidden without the right to
    trends.
    """
    access.check(actor, "trends")
    found = measured(db, actor, filters, now)
    buckets = steps_of(by, start, end, zone)
    reported = found.rows("opened", start, end)
    return {
        "from": start.isoformat(),
        "to": end.isoformat(),
        "zone": zone,
        "opened": _counted(found, "opened", by, buckets, start, end),
        "resolved": _counted(found, "resolved", by, buckets, start, end),
        "backlog": {
            key: _named(buckets, found.levels(key, [bucket.end for bucket in buckets]))
            for key in ("unresolved", "unclosed")
        },
        "time_to_acknowledge_hours": _spread(
            found, "to_acknowledge", start, end, never=found.count("never_acknowledged", start, end)
        ),
        "time_to_resolve_hours": _spread(found, "to_resolve", start, end),
        "time_to_recover_hours": _spread(found, "to_recover", start, end),
        "reopened": part_of(found, "reopened", start, end),
        "first_line": part_of(found, "first_line", start, end),
        "handovers": handovers(found, start, end),
        "sla": {kind: promise(found, kind, start, end) for kind in ("response", "resolution")},
        "by_priority": {str(level): n for level, n in by_priority(found, start, end).items()},
        "by_category": by_category(db, tally(reported, "pair")),
    }


def _named(buckets: Sequence[Bucket], values: Sequence[int]) -> dict[str, int]:
    return {bucket.name: value for bucket, value in zip(buckets, values, strict=True)}


def _counted(
    found: Measured, key: str, by: str, buckets: Sequence[Bucket], start: datetime, end: datetime
) -> dict[str, Any]:
    rows = found.rows(key, start, end)
    return {"n": len(rows), f"per_{by}": _named(buckets, per_bucket(rows, FIGURES[key].moment, buckets))}


def _spread(found: Measured, key: str, start: datetime, end: datetime, **beside: int) -> dict[str, Any]:
    whole = found.spread(key, start, end)
    values, levels = found.durations(key, start, end), found.rows(key, start, end)["priority"]
    by_level = {level: quantiles(values[(levels == level) & (values != MISSING)]) for level in LEVELS}
    return {
        "n": whole.n,
        "median": whole.median,
        "p90": whole.p90,
        **beside,
        "by_priority": {
            str(level): {"n": each.n, "median": each.median, "p90": each.p90}
            for level, each in by_level.items()
            if each.n
        },
    }


def part_of(found: Measured, key: str, start: datetime, end: datetime) -> dict[str, int]:
    """How many of those resolved in the period the figure counts."""
    return {"n": found.count(key, start, end), "of": found.count("to_resolve", start, end)}


def promise(found: Measured, kind: str, start: datetime, end: datetime) -> dict[str, int]:
    """Targets met and breached of those reported in the period; `kind`: response or resolution."""
    return {
        "met": found.count(f"{kind}_met", start, end),
        "breached": found.count(f"{kind}_missed", start, end),
    }


def handovers(found: Measured, start: datetime, end: datetime) -> dict[str, Any]:
    """Changes of team of those reported in the period; ping-pong came back to a team that had it before."""
    changes = found.rows("opened", start, end)["handovers"]
    return {
        "any": found.count("handed_over", start, end),
        "mean": int(changes.sum(dtype=np.int64)) / len(changes) if len(changes) else None,
        "ping_pong": found.count("ping_pong", start, end),
    }


def by_priority(found: Measured, start: datetime, end: datetime) -> dict[int, int]:
    """Priority -> how many were reported in the period."""
    counts = tally(found.rows("opened", start, end), "priority")
    return {level: counts[level] for level in LEVELS if level in counts}


def by_category(db: Session, counts: dict[int, int]) -> list[dict[str, Any]]:
    """Category pairs with how many, most first; None where nobody has sorted it. `counts`: id of the pair -> n."""
    names = pair_names(db)
    named = [(names.get(pair, (None, None)), n) for pair, n in counts.items()]
    named.sort(key=lambda each: (-each[1], each[0][0] or "", each[0][1] or ""))
    return [{"category": category, "subcategory": sub, "n": n} for (category, sub), n in named]


def pair_words(names: dict[int, tuple[str, str | None]], pair: int) -> str:
    """A category pair in words."""
    return " › ".join(part for part in names.get(pair, ()) if part) or "Not sorted yet"


def pair_names(db: Session) -> dict[int, tuple[str, str | None]]:
    """id of a category pair -> (category, subcategory)."""
    statement = (
        select(CategoryPair.id, Category.name, Subcategory.name)
        .join(Category, Category.id == CategoryPair.category_id)
        .outerjoin(Subcategory, Subcategory.id == CategoryPair.subcategory_id)
    )
    return {pair: (category, sub) for pair, category, sub in db.execute(statement)}
