"""The incidents behind a figure: exactly those that it counts, newest first, with the moment they are counted by."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import Category, CategoryPair, Incident, Service, Subcategory, Team, from_micros
from db.queries import lines
from db.queries.access import visible
from db.queries.columns import Rows
from db.queries.facts import MISSING
from db.queries.lines import Line
from db.queries.measures import HOUR, measured, weekday_and_hour
from rules import access
from rules.access import TABLE, Actor
from rules.measures import FIGURES, Filters
from rules.panels import Opens
from rules.priority import LABELS
from rules.sources import SOURCES

PAGE_SIZE = 25
MOST_WRITTEN = 20_000
"""incidents of one file; more would keep everybody else waiting"""
_AT_ONCE = 1_000


@dataclass(frozen=True)
class Counted:
    """One incident that a figure counts."""

    line: Line
    at: datetime
    """the figure's moment"""
    hours: float | None
    """the figure's duration, where it has one"""


@dataclass(frozen=True)
class Found:
    """What a figure counts, as far as it was asked for."""

    rows: Sequence[Counted]
    counted: int
    """as the figure says it"""
    readable: int
    """of those, how many the actor may open; only they are listed"""
    page: int = 1

    @property
    def pages(self) -> int:
        """How many pages they fill; at least one."""
        return max(1, -(-self.readable // PAGE_SIZE))


def incidents(db: Session, actor: Actor, opens: Opens, zone: str, now: datetime, page: int = 1) -> Found:
    """A page of the incidents that are counted, as of `now`; the last one when there are fewer pages.

    `zone`: whose clock `opens.hour` is read from. Forbidden without the right to trends.
    """
    ids, found, places = _newest_first(db, actor, opens, zone, now)
    page = max(1, min(page, -(-len(places) // PAGE_SIZE)))
    shown = places[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    return Found(_listed(db, opens, ids, found, shown), len(ids), len(places), page)


def all_incidents(db: Session, actor: Actor, opens: Opens, zone: str, now: datetime) -> Found:
    """All of them, the newest MOST_WRITTEN at most."""
    ids, found, places = _newest_first(db, actor, opens, zone, now)
    return Found(_listed(db, opens, ids, found, places[:MOST_WRITTEN]), len(ids), len(places))


def _newest_first(
    db: Session, actor: Actor, opens: Opens, zone: str, now: datetime
) -> tuple[NDArray[Any], Rows, NDArray[np.intp]]:
    """Ids of all that are counted, their facts, and the places of those that the actor may open, in order."""
    access.check(actor, "trends")
    found = measured(db, actor, opens.filters, now).rows(opens.figure, opens.start, opens.end)
    moments = found[FIGURES[opens.figure].moment]
    if opens.hour is not None:
        in_hour = weekday_and_hour(moments, zone) == opens.hour
        found, moments = found.where(in_hour), moments[in_hour]
    ids = found["id"]
    # They come nearly in order; a stable sort is quick then.
    places = np.argsort(moments, kind="stable")[::-1]
    if not actor.roles & TABLE["read"]:
        # Who may count every incident need not be one who may open it: administrators open only their own.
        readable = list(db.scalars(select(Incident.id).where(visible(actor))))
        places = places[np.isin(ids[places], readable)]
    return ids, found, places


def _listed(db: Session, opens: Opens, ids: NDArray[Any], found: Rows, places: NDArray[np.intp]) -> list[Counted]:
    figure = FIGURES[opens.figure]
    moments = found[figure.moment]
    spent = found[figure.duration] if figure.duration else None
    listed = []
    for begun in range(0, len(places), _AT_ONCE):
        some = places[begun : begun + _AT_ONCE]
        by_id = {line.id: line for line in lines.of_ids(db, [int(id_) for id_ in ids[some]])}
        for place in some:
            line = by_id.get(int(ids[place]))
            if line is not None:
                took = int(spent[place]) if spent is not None else MISSING
                hours = None if took == MISSING else took / HOUR
                listed.append(Counted(line, from_micros(int(moments[place])), hours))
    return listed


def filter_words(db: Session, actor: Actor, filters: Filters) -> list[str]:
    """What is counted, filter by filter: 'Team: Network', 'Priority: P2 High'; empty when nothing is filtered."""
    access.check(actor, "trends")
    words = []
    for name, model, id_ in (
        ("Team", Team, filters.team_id),
        ("Service", Service, filters.service_id),
        ("Category", Category, filters.category_id),
    ):
        if id_ is not None:
            known = db.scalar(select(model.name).where(model.id == id_))
            words.append(f"{name}: {known or 'none of this number'}")
    if filters.pair_id is not None:
        words.append(f"Category: {_pair(db, filters.pair_id)}")
    if filters.priority is not None:
        label = LABELS.get(filters.priority)
        words.append(f"Priority: P{filters.priority} {label}" if label else "Priority: none of this number")
    if filters.source is not None:
        words.append(f"Source: {SOURCES.get(filters.source, filters.source)}")
    return words


def _pair(db: Session, pair_id: int) -> str:
    if not pair_id:
        return "not sorted yet"
    statement = (
        select(Category.name, Subcategory.name)
        .select_from(CategoryPair)
        .join(Category, Category.id == CategoryPair.category_id)
        .outerjoin(Subcategory, Subcategory.id == CategoryPair.subcategory_id)
        .where(CategoryPair.id == pair_id)
    )
    found = db.execute(statement).one_or_none()
    return " › ".join(name for name in found if name) if found else "none of this number"
