"""Measuring: which incidents a figure counts, how many in each bucket, and the quantiles of their durations.

What each word means of one incident is defined in db.queries.facts; which incidents a figure counts, in rules.measures.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, and_, exists, select
from sqlalchemy.orm import Session

from db.models import QUEUE_ON_HOLD, CategoryPair, Incident, Pause, Team, to_micros
from db.queries import columns
from db.queries.access import hidden_ids
from db.queries.columns import Rows, View
from db.queries.facts import CERTAIN, MISSING, SOURCE_CODES
from rules.access import Actor
from rules.measures import FIGURES, LASTING, LEVELS, Filters
from rules.periods import Bucket, offsets

HOUR = 3_600_000_000
DAY = 24 * HOUR
"""microseconds"""
_THURSDAY = 3
"""1 January 1970"""

Conditions = list[ColumnElement[bool]]


@dataclass(frozen=True)
class Quantiles:
    """Hours; None where n is 0."""

    n: int
    median: float | None
    p90: float | None


def scope(db: Session, actor: Actor, filters: Filters) -> Conditions:
    """What the filters leave, without the restricted incidents that are not open to the actor, for SQL."""
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
    if filters.pair_id is not None:
        pair = Incident.category_pair_id
        conditions.append(pair == filters.pair_id if filters.pair_id else pair.is_(None))
    return conditions


def clock_stands() -> ColumnElement[bool]:
    """Put on hold before it was due: its clock to resolve stands, and it is not late however long that lasts."""
    since = [Pause.incident_id == Incident.id, Pause.ended_at.is_(None), Pause.began_at <= Incident.resolution_due_at]
    return and_(Incident.queue_group == QUEUE_ON_HOLD, exists().where(*since))


@dataclass
class Measured:
    """What somebody may count, narrowed by filters, as of one moment."""

    db: Session
    view: View
    now: datetime
    first_line: Sequence[int]
    """ids of the teams of tier 1"""
    _found: dict[Any, Rows] = field(default_factory=dict)

    def rows(self, key: str, start: datetime, end: datetime) -> Rows:
        """The incidents that the figure counts in [start, end); of a level: at `end`."""
        asked = (key, start, end)
        if asked not in self._found:
            self._found[asked] = self._rows(key, start, end)
        return self._found[asked]

    def count(self, key: str, start: datetime, end: datetime) -> int:
        """How many that are."""
        if key in LEVELS:
            return self.levels(key, [end])[0]
        return len(self.rows(key, start, end))

    def levels(self, key: str, instants: Sequence[datetime]) -> list[int]:
        """A level at each instant."""
        came, went = self.view.before("reported", instants), self.view.before(LEVELS[key], instants)
        return [arrived - left for arrived, left in zip(came, went, strict=True)]

    def spread(self, key: str, start: datetime, end: datetime) -> Quantiles:
        """The quantiles of the figure's duration."""
        name = str(FIGURES[key].duration)
        return self.rows(key, start, end).kept(name, lambda rows: quantiles(rows[name][rows[name] != MISSING]))

    def durations(self, key: str, start: datetime, end: datetime) -> NDArray[Any]:
        """The figure's duration of each incident that it counts, microseconds."""
        return self.rows(key, start, end)[str(FIGURES[key].duration)]

    def _rows(self, key: str, start: datetime, end: datetime) -> Rows:
        figure = FIGURES[key]
        if key in LEVELS:
            came = self.view.between("reported", _BEGINNING, end)
            ended = came[LEVELS[key]]
            return came.where((ended == MISSING) | (ended >= to_micros(end)))
        if key in LASTING:
            lasted = self.view.marked(figure.conditions[0])
            over = restored(lasted)
            during = (lasted["began"] < to_micros(end)) & ((over == MISSING) | (over > to_micros(start)))
            return lasted.where(during)
        rows = self.view.between(figure.moment, start, end)
        for condition in figure.conditions:
            rows = self._meeting(rows, condition)
        return rows

    def _meeting(self, rows: Rows, condition: str) -> Rows:
        if condition == "open" or condition.endswith(("_late", "_due")):  # these depend on the moment of asking
            return rows.where(self._met(rows, condition))
        key = (condition, *self.first_line) if condition == "first_line" else condition
        return rows.kept(key, lambda all_: all_.where(self._met(all_, condition)))

    def _met(self, rows: Rows, condition: str) -> NDArray[np.bool_]:
        if condition == "first_line":
            met = np.isin(rows["team"], self.first_line)
        elif condition == "open":
            met = (rows["done"] == MISSING) | (rows["done"] >= to_micros(self.now))
        elif condition.endswith("_late"):
            since = rows[f"{condition}_from"]
            met = (since != MISSING) & (since < to_micros(self.now))
            if condition == "resolution_late":
                running = np.flatnonzero(met & (since != CERTAIN))
                if len(running):
                    met[running] = ~np.isin(rows["id"][running], self._standing)
        elif condition.endswith("_due"):
            kind = condition.removesuffix("_due")
            met = self._met(rows, f"{kind}_kept") | self._met(rows, f"{kind}_late")
        else:
            met = rows[condition] != 0
        return np.asarray(met, np.bool_)

    @cached_property
    def _standing(self) -> list[int]:
        """Ids of those past their due time whose clock stands; few, found by the index of due times."""
        past = select(Incident.id).where(Incident.resolution_due_at < self.now, clock_stands())
        return list(self.db.scalars(past))


_BEGINNING = datetime.fromisoformat("0001-01-01T00:00+00:00")


def measured(db: Session, actor: Actor, filters: Filters, now: datetime) -> Measured:
    """What the actor may count. Not for a transaction that writes: it would read every incident anew."""
    # 0 stands for nothing in the columns; only of pairs it is asked for.
    wanted: dict[str, list[int]] = {
        name: [value] if value or name == "pair" else []
        for name, value in (
            ("team", filters.team_id),
            ("priority", filters.priority),
            ("service", filters.service_id),
            ("pair", filters.pair_id),
            ("source", SOURCE_CODES.get(filters.source, 0) if filters.source is not None else None),
        )
        if value is not None
    }
    if filters.category_id is not None:
        pairs = list(db.scalars(select(CategoryPair.id).where(CategoryPair.category_id == filters.category_id)))
        wanted["pair"] = [pair for pair in pairs if filters.pair_id in (None, pair)]
    tier_one = list(db.scalars(select(Team.id).where(Team.tier == "1")))
    return Measured(db, columns.view(db, hidden_ids(db, actor), wanted), now, tier_one)


def quantiles(values: NDArray[Any]) -> Quantiles:
    """n, median and 90th percentile of durations in hours; linear between ranks, as numpy's default, but exact."""
    n = len(values)
    if not n:
        return Quantiles(0, None, None)
    places = sorted({(n - 1) // 2, n // 2, (n - 1) * 9 // 10, min((n - 1) * 9 // 10 + 1, n - 1)})
    ranked = np.partition(values, places)
    found = {place: int(ranked[place]) for place in places}
    return Quantiles(n, _at(found, n, 1, 2), _at(found, n, 9, 10))


def _at(found: dict[int, int], n: int, part: int, of: int) -> float:
    low, rest = divmod((n - 1) * part, of)
    value = found[low] + (found[low + 1] - found[low]) * rest / of if rest else found[low]
    return value / HOUR


def grouped(values: NDArray[Any], groups: NDArray[Any], number: int) -> list[NDArray[Any]]:
    """The values of each group 0, 1, ... up to `number`."""
    by_group = np.argsort(groups.astype(np.uint16), kind="stable")
    return np.split(values[by_group], np.cumsum(np.bincount(groups, minlength=number))[: number - 1])


def restored(rows: Rows) -> NDArray[Any]:
    """When each recovered; MISSING where it still lasts.

    Where nobody said so of what is closed, as of imported ones, it was resolved or else closed then.
    """

    def made(all_: Rows) -> NDArray[Any]:
        recovered, resolved, closed = all_["recovered"], all_["resolved"], all_["closed"]
        over = np.where((closed != MISSING) & (resolved != MISSING), resolved, closed)
        return np.where(recovered != MISSING, recovered, over)

    return rows.derived("restored", made)


def bucketed(rows: Rows, moment: str, buckets: Sequence[Bucket]) -> NDArray[np.intp]:
    """The number of the bucket that each row's moment lies in; all of them lie in one."""
    between = edges(buckets)
    return rows.derived((moment, between), lambda all_: np.searchsorted(between, all_[moment], side="right"))


def edges(buckets: Sequence[Bucket]) -> tuple[int, ...]:
    """The instants between the buckets. They stay from one asking to the next, unlike the end of the last, now."""
    return tuple(to_micros(bucket.start) for bucket in buckets[1:])


def per_bucket(rows: Rows, moment: str, buckets: Sequence[Bucket]) -> list[int]:
    """How many rows' moments lie in each bucket."""

    def count(all_: Rows) -> list[int]:
        counts = np.bincount(bucketed(all_, moment, buckets), minlength=len(buckets))
        return [int(n) for n in counts[: len(buckets)]]

    return rows.kept(("counts", moment, edges(buckets)), count)


def tally(rows: Rows, name: str) -> dict[int, int]:
    """Value of a column -> how often, most often first."""

    def count(all_: Rows) -> dict[int, int]:
        counts = np.bincount(all_[name])
        found = np.flatnonzero(counts)
        return {int(value): int(counts[value]) for value in found[np.argsort(-counts[found], kind="stable")]}

    return rows.kept(("tally", name), count)


def local(instants: NDArray[Any], zone: str) -> NDArray[Any]:
    """The instants as a clock of the zone shows them, in microseconds since its 1 January 1970."""
    if not len(instants):
        return instants
    changes = offsets(int(instants.min()) // 1_000_000, int(instants.max()) // 1_000_000 + 1, zone)
    since = np.array([at for at, _ in changes], np.int64) * 1_000_000
    shift = np.array([seconds for _, seconds in changes], np.int64) * 1_000_000
    return instants + shift[np.searchsorted(since, instants, side="right") - 1]


def by_hour(rows: Rows, zone: str) -> NDArray[Any]:
    """How many were reported in each hour of the week from Monday 00:00, on the clock of the zone."""
    return rows.kept(
        ("hours", zone), lambda all_: np.bincount(weekday_and_hour(all_["reported"], zone), minlength=7 * 24)
    )


def weekday_and_hour(instants: NDArray[Any], zone: str) -> NDArray[Any]:
    """Of each instant, hours since Monday 00:00 on the clock of the zone."""
    clock = local(instants, zone)
    return np.asarray((clock // DAY + _THURSDAY) % 7 * 24 + clock % DAY // HOUR)
