"""What is likely to come: open incidents that similar ones say will breach, and next week's arrivals."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import BigInteger, ColumnElement, and_, func, literal, or_, select, type_coerce
from sqlalchemy.orm import Session

from db.models import QUEUE_ACTIVE, QUEUE_ON_HOLD, Incident, Pause, from_micros, to_micros
from db.queries.aggregated import Column
from db.queries.facts import MISSING, REPORTED, micros
from db.queries.measures import measured, per_bucket, scope
from rules import access, forecast
from rules.access import Actor
from rules.forecast import BASES, LOOKS_AHEAD, LOOKS_BACK, Arrivals, Lifetimes, Remaining
from rules.measures import Filters
from rules.periods import days, midnight, zone_of
from rules.states import PAUSING_REASONS

MOST_PAST = 20_000
"""incidents of the past that are looked at"""
MOST_OPEN = 200
"""open incidents that are looked at, those due first"""
MOST_CHECKED = 100
"""open incidents of one past moment that the forecast is checked on"""
CHECKED = (timedelta(days=28), timedelta(days=56), timedelta(days=84))
"""how long ago it is checked"""
_SECOND = 1_000_000
_NOTHING = literal(0, BigInteger)
_KEYS = (
    func.coalesce(type_coerce(Incident.service_id, BigInteger), _NOTHING),
    func.coalesce(type_coerce(Incident.category_pair_id, BigInteger), _NOTHING),
    func.coalesce(type_coerce(Incident.priority, BigInteger), _NOTHING),
)

Flags = NDArray[np.bool_]
Key = tuple[int, int, int]
"""service, category pair and priority; 0 where it has none"""


@dataclass(frozen=True)
class Candidate:
    """An open incident that is due soon, and what similar ones say of it."""

    id: int
    reported_at: datetime
    due_at: datetime
    """later by the present pause while its clock stands"""
    paused: bool
    key: Key
    basis: str | None
    """of rules.forecast.BASES; None: too few are like it"""
    remaining: Remaining | None


@dataclass(frozen=True)
class Outlook:
    """The open incidents that were looked at, the likeliest to breach first."""

    likely: list[Candidate]
    looked_at: int
    silent: int
    """of these, too few are like them"""
    cut: bool
    """more than MOST_OPEN are due that soon"""


class Past:
    """Incidents of the time that is looked back, resolved or open until `now`. Instants and lengths: microseconds."""

    def __init__(self, rows: Column, now: int, every: int = 1) -> None:
        """`rows`: id, reported, resolved (-1: not yet), service, category pair, priority."""
        self.ids, self.reported, self.end, service, pair, priority = rows.T
        self._keys = (service, pair, priority)
        self._known: dict[tuple[int | None, ...], Lifetimes] = {}
        self.now = now
        self.every = every
        """one in so many was taken, by its id"""
        self.ended = (self.end >= 0) & (self.end < now)
        self.spent = np.where(self.ended, self.end, now) - self.reported

    def at(self, moment: int) -> "Past":
        """The same as it was known at an earlier moment."""
        rows = np.column_stack((self.ids, self.reported, self.end, *self._keys))
        return Past(rows[self.reported < moment], moment, self.every)

    def key(self, place: int) -> Key:
        """What the incident at this place is similar by."""
        service, pair, priority = (int(column[place]) for column in self._keys)
        return service, pair, priority

    def alike(self, basis: str, key: Key) -> Flags:
        """Which are similar to one with this key; none where it lacks what the basis asks for."""
        wanted = _wanted(basis, key)
        if not all(value for value in wanted if value is not None):
            return np.zeros(len(self.ids), bool)
        same = [column == value for column, value in zip(self._keys, wanted, strict=True) if value is not None]
        return cast(Flags, np.logical_and.reduce(same))

    def remaining(self, key: Key, age: float, left: float) -> tuple[str | None, Remaining | None]:
        """What similar ones say of one with this key, `age` seconds old with `left` to its due time, and the basis."""
        for basis in BASES:
            asked = _wanted(basis, key)
            if asked not in self._known:
                chosen = self.alike(basis, key)
                pairs = zip((self.spent[chosen] / _SECOND).tolist(), self.ended[chosen].tolist(), strict=True)
                self._known[asked] = forecast.lifetimes(pairs)
            found = forecast.remaining(self._known[asked], age, left)
            if found is not None:
                return basis, found
        return None, None


def _wanted(basis: str, key: Key) -> tuple[int | None, int | None, int | None]:
    """The parts of the key that the basis asks for, None for the others."""
    service, pair, priority = key
    return {
        "both": (service, pair, None),
        "pair": (None, pair, None),
        "service": (service, None, None),
        "priority": (None, None, priority),
    }[basis]


def past(db: Session, actor: Actor, now: datetime) -> Past:
    """What was reported in the time that is looked back; one in so many of it where that is more than MOST_PAST."""
    access.check(actor, "trends")
    rows = measured(db, actor, Filters(), now).rows("opened", now - LOOKS_BACK, now)
    # Resolved before it was reported: a correction got it wrong, and no length of time comes of it.
    ended = np.where(rows["resolved"] == MISSING, -1, rows["resolved"])
    chosen = (rows["counted"] != 0) & ((ended < 0) | (ended >= rows["reported"]))
    every = max(1, -(-int(np.count_nonzero(chosen)) // MOST_PAST))
    chosen &= rows["id"] % every == 0
    known = (rows["id"], rows["reported"], ended, rows["service"], rows["pair"], rows["priority"])
    return Past(np.column_stack([column[chosen].astype(np.int64) for column in known]), to_micros(now), every)


def outlook(db: Session, actor: Actor, known: Past, filters: Filters, now: datetime) -> Outlook:
    """Open incidents due within the time that is looked ahead, not late yet, and likely to be."""
    access.check(actor, "trends")
    candidates = [_judged(row, known, now) for row in _due(db, actor, filters, now)]
    looked_at = candidates[:MOST_OPEN]
    likely = [each for each in looked_at if each.remaining is not None and each.remaining.likely_late]
    likely.sort(key=lambda each: (-each.remaining.share if each.remaining else 0.0, each.due_at, each.id))
    silent = sum(each.remaining is None for each in looked_at)
    return Outlook(likely, len(looked_at), silent, len(candidates) > MOST_OPEN)


def similar(known: Past, candidate: Candidate) -> list[int]:
    """Ids of exactly the incidents that the forecast of this one rests on, the newest first."""
    if candidate.basis is None:
        return []
    age = known.now - to_micros(candidate.reported_at)
    longer = np.flatnonzero(known.alike(candidate.basis, candidate.key) & (known.spent > age))
    newest = np.lexsort((-known.ids[longer], -known.reported[longer]))
    return [int(id_) for id_ in known.ids[longer[newest]]]


def checked(known: Past) -> tuple[int, int]:
    """Of incidents that were open at CHECKED moments: how many were done within what would have been said of them.

    And of how many of them something would have been said, and has come out by now.
    """
    held = said = 0
    for ago in CHECKED:
        moment = known.now - ago // timedelta(microseconds=1)
        before = known.at(moment)
        for place in _open_at(known, moment):
            age = (moment - int(known.reported[place])) / _SECOND
            _, found = before.remaining(known.key(place), age, 0)
            if found is None or found.seconds is None:
                continue
            done = bool(known.ended[place])
            took = ((int(known.end[place]) if done else known.now) - moment) / _SECOND
            if done or took > found.seconds:
                said += 1
                held += done and took <= found.seconds
    return held, said


def _open_at(known: Past, moment: int) -> list[int]:
    """Places of MOST_CHECKED, at most, that were open at the moment."""
    then = np.flatnonzero((known.reported < moment) & (~known.ended | (known.end >= moment)))
    return [int(place) for place in then[:: max(1, -(-len(then) // MOST_CHECKED))]]


def expected(
    db: Session, actor: Actor, filters: Filters, now: datetime, zone: str
) -> tuple[list[int], Arrivals | None]:
    """Reports of each whole day until today, oldest first and as many as are looked at; and next week's arrivals."""
    access.check(actor, "trends")
    place = zone_of(zone)
    today = now.astimezone(place).date()
    begins = today - timedelta(days=forecast.MOST_DAYS)
    seen = scope(db, actor, filters)
    first = db.execute(select(Incident.reported_at).where(*seen).order_by(Incident.reported_at).limit(1)).scalar()
    if first is None:
        return [], None
    # Not from the first day, which may be a part of one.
    begins = max(begins, first.astimezone(place).date() + timedelta(days=1))
    start, end = midnight(begins, place), midnight(today, place)
    buckets = days(start, end, zone)
    if not buckets:
        return [], None
    rows = measured(db, actor, filters, now).rows("opened", start, end)
    counts = per_bucket(rows, "reported", buckets)
    return counts, forecast.arrivals(counts)


def _judged(row: Any, known: Past, now: datetime) -> Candidate:
    id_, reported, due, paused_since, *key = row
    reported_at, due_at = from_micros(int(reported)), from_micros(int(due))
    if paused_since is not None:
        due_at += now - from_micros(int(paused_since))
    age, left = (now - reported_at).total_seconds(), (due_at - now).total_seconds()
    service, pair, priority = (int(part) for part in key)
    basis, found = known.remaining((service, pair, priority), age, left)
    return Candidate(id_, reported_at, due_at, paused_since is not None, (service, pair, priority), basis, found)


def _due(db: Session, actor: Actor, filters: Filters, now: datetime) -> list[Any]:
    """Those due soon and not late, the first by due time; one more than are looked at tells that there are more."""
    due, at = micros(Incident.resolution_due_at), to_micros(now)
    since: ColumnElement[int] = (
        select(func.max(micros(Pause.began_at)))
        .where(Pause.incident_id == Incident.id, Pause.ended_at.is_(None))
        .correlate(Incident)
        .scalar_subquery()
    )
    stands = and_(Incident.queue_group == QUEUE_ON_HOLD, Incident.hold_reason.in_(sorted(PAUSING_REASONS)))
    in_time = or_(due > at, and_(stands, due > since))
    statement = (
        select(micros(Incident.id), REPORTED, due, since, *_KEYS)
        .where(
            Incident.queue_group.in_((QUEUE_ACTIVE, QUEUE_ON_HOLD)),
            due <= to_micros(now + LOOKS_AHEAD),
            in_time,
            *scope(db, actor, filters),
        )
        .order_by(due, Incident.id)
        .limit(MOST_OPEN + 1)
    )
    return list(db.execute(statement).all())
