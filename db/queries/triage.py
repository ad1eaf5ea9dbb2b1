"""The queue of open incidents in the order to work on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    ScalarSelect,
    Select,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.orm import Session

from db.models import QUEUE_ACTIVE, QUEUE_AWAITING, QUEUE_ON_HOLD, CategoryPair, Incident
from db.queries import confirmation
from db.queries.access import hidden_list, visible
from db.queries.incidents import works_on
from db.queries.lines import RANKED, Line, lines, of_ids
from db.queries.settings import policies
from db.queries.text_search import candidates, common, once
from rules import access
from rules.access import Actor
from rules.priority import RISKS, Merits

PAGE_SIZE = 25
MANY = 1000
MOST = 10_000
"""as far as an index counts"""
MATCHES = 1000
"""as far as matches are counted that have to be read"""
DENSE = 5000
"""from so many on, a page is sooner full by walking the queue than by sorting all that match"""
NEWEST = (Incident.reported_at.desc(), Incident.id.desc())
WALK = ("INDEXED BY ix_incident_queue", "sqlite")
"""PostgreSQL knows how common a value is and chooses by itself; the index holds all that filters and access ask"""
VIEWS = {
    "open": "Open",
    "new": "Inbox",
    "mine": "Mine",
    "late": "Late",
    "hold": "On hold",
    "close": "To close",
    "all": "All",
}
"""all: what is over, too, the newest first"""


@dataclass(frozen=True)
class Filters:
    """What part of the queue is wanted. Empty fields filter nothing."""

    view: str = "open"
    text: str = ""
    team_id: int | None = None
    service_id: int | None = None
    priority: int | None = None
    category_id: int | None = None
    assignee_id: int | None = None


@dataclass(frozen=True)
class Queue:
    lines: list[Line]
    total: int
    """How many match, as far as they are counted."""
    first: int
    """The place of the first line among all that match, from 1."""
    more: bool = False
    """There are more than were counted."""


def _conditions(
    db: Session, actor: Actor, filters: Filters, now: datetime, matched: ColumnElement[bool] | None = None
) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if filters.view == "new":
        conditions.append(Incident.state == "new")
    elif filters.view == "hold":
        conditions.append(Incident.queue_group == QUEUE_ON_HOLD)
    elif filters.view == "late":
        conditions += [Incident.queue_group == QUEUE_ACTIVE, Incident.resolution_due_at < now]
    elif filters.view == "close":
        theirs = confirmation.for_closer(db, actor)
        conditions += [*confirmation.closable(policies(db).patience, now), *([false()] if theirs is None else theirs)]
    elif filters.view != "all":
        conditions.append(Incident.queue_group <= QUEUE_ON_HOLD)
    if filters.view == "mine":
        conditions.append(or_(*_mine(actor)))
    if filters.team_id is not None:
        conditions.append(Incident.team_id == filters.team_id)
    if filters.service_id is not None:
        conditions.append(Incident.service_id == filters.service_id)
    if filters.priority is not None:
        conditions.append(Incident.priority == filters.priority)
    if filters.category_id is not None:
        pairs = db.scalars(select(CategoryPair.id).where(CategoryPair.category_id == filters.category_id))
        conditions.append(Incident.category_pair_id.in_(pairs.all()))
    if filters.assignee_id is not None:
        conditions.append(Incident.assignee_id == filters.assignee_id)
    if matched is not None:
        conditions.append(matched)
    return conditions


def _mine(actor: Actor) -> list[ColumnElement[bool]]:
    """What is of the actor's teams, and what the actor has."""
    return [Incident.team_id.in_(sorted(actor.team_ids)), Incident.assignee_id == actor.id]


def count(db: Session, actor: Actor, conditions: list[ColumnElement[bool]], most: int | None = None) -> int:
    """How many incidents meet the conditions and are visible; `most` + 1 stands for more than `most`."""
    return counts(db, actor, [conditions], most)[0]


def counts(
    db: Session, actor: Actor, several: Sequence[list[ColumnElement[bool]]], most: int | None = None
) -> list[int]:
    """The same for several sets of conditions: all, less those hidden, so that indexes do the work."""

    def counted(*more: ColumnElement[bool]) -> list[ScalarSelect[int]]:
        each = (select(Incident.id).where(*conditions, *more) for conditions in several)
        return [
            select(func.count()).select_from(ids.limit(None if most is None else most + 1).subquery()).scalar_subquery()
            for ids in each
        ]

    # Mostly nothing is hidden: one statement says so beside the counts.
    *everything, hidden = db.execute(select(*counted(), hidden_list(actor))).one()
    if not hidden:
        return everything
    fewer = db.execute(select(*counted(Incident.id.in_([int(id_) for id_ in hidden.split()])))).one()
    return [
        all_of_them if most is not None and all_of_them > most else all_of_them - kept
        for all_of_them, kept in zip(everything, fewer, strict=True)
    ]


def queue(
    db: Session, actor: Actor, filters: Filters, page: int, now: datetime, *, known: Mapping[str, int] | None = None
) -> Queue:
    """Page `page` (from 1) of the queue in rank order. Forbidden without the right to triage.

    `known`: the tallies() of this moment, so that a whole view is not counted again.
    """
    access.check(actor, "triage")
    if not _indexed(filters):
        walk = True if known is not None and known["open"] <= MOST else None
        if filters.view == "all":  # the order of what is newest holds less than filters and access ask
            walk = None if db.get_bind().dialect.name == "sqlite" else False
        return _read(db, actor, filters, page, now, walk=walk)
    whole = filters == Filters(view=filters.view) and known is not None
    total = known[filters.view] if known and whole and filters.view in known else _total(db, actor, filters, now)
    # What is new is active: its own index has the order, where the group before it would have all of them sorted.
    order = {"new": RANKED[1:], "all": NEWEST}.get(filters.view, RANKED)
    chosen = select(Incident.id).where(*_conditions(db, actor, filters, now), visible(actor)).order_by(*order)
    if filters.view in ("late", "mine") and total > DENSE:
        chosen = chosen.with_hint(Incident, *WALK)
    first = (max(1, min(page, -(-min(total, MOST) // PAGE_SIZE))) - 1) * PAGE_SIZE
    return Queue(lines(db, chosen.limit(PAGE_SIZE).offset(first)), min(total, MOST), first + 1, total > MOST)


def _read(db: Session, actor: Actor, filters: Filters, page: int, now: datetime, *, walk: bool | None) -> Queue:
    """A page of what no index alone counts: the queue is walked in its order, no further than people page.

    Words that few incidents have are found by themselves first. `walk` says what is better; None: to be found out.
    """
    matched, walked = _matching(db, actor, filters.text, walk)
    conditions = _conditions(db, actor, filters, now, matched)
    matches = select(Incident.id, *RANKED[:-1]).where(*conditions, visible(actor))
    if filters.view == "all":
        cut = matches.order_by(*NEWEST).limit(MATCHES + 1).subquery()
        order: list[ColumnElement[Any]] = [cut.c.reported_at.desc(), cut.c.id.desc()]
    else:
        awaiting, still = Incident.queue_group == QUEUE_AWAITING, Incident.queue_group <= QUEUE_ON_HOLD
        matches = matches.where(awaiting if filters.view == "close" else still).order_by(*RANKED)
        cut = (matches.with_hint(Incident, *WALK) if walked else matches).limit(MATCHES + 1).subquery()
        order = [cut.c[column.key] for column in RANKED]
    counted = select(cut.c.id, func.count().over()).order_by(*order)
    first = (max(page, 1) - 1) * PAGE_SIZE
    rows = db.execute(counted.limit(PAGE_SIZE).offset(first)).all()
    if not rows and first:
        first, rows = 0, db.execute(counted.limit(PAGE_SIZE)).all()
    total = rows[0][1] if rows else 0
    return Queue(of_ids(db, [row[0] for row in rows]), min(total, MATCHES), first + 1, total > MATCHES)


def _matching(db: Session, actor: Actor, text: str, walk: bool | None) -> tuple[ColumnElement[bool] | None, bool]:
    """The condition that a text stands for (None: nothing is asked), and whether the queue is best walked for it."""
    parts = candidates(db, text, internal=works_on(actor))
    ids = once(parts)
    if ids is None:
        return None, True
    if common(db, parts, DENSE) if walk is None else walk:
        return func.coalesce(Incident.id.in_(ids), false()), True  # put so, PostgreSQL walks too
    return Incident.id.in_(ids), False


def _indexed(filters: Filters) -> bool:
    """True when an index alone counts what the filters leave."""
    if filters.category_id is not None or filters.text.strip():
        return False
    narrowing = (filters.team_id, filters.service_id, filters.priority, filters.assignee_id)
    given = sum(value is not None for value in narrowing)
    return given == 0 or (given == 1 and filters.view in ("open", "hold"))


def _total(db: Session, actor: Actor, filters: Filters, now: datetime) -> int:
    """How many match what an index alone counts; MOST + 1 stands for more than MOST."""
    if filters.view != "mine":
        return count(db, actor, _conditions(db, actor, filters, now), MOST)
    # Either is counted by its own index, where both at once would have the whole queue read.
    of_my_teams, my_own = _mine(actor)
    rest = _conditions(db, actor, replace(filters, view="open"), now)
    parts = [[of_my_teams, *rest], [my_own, not_(func.coalesce(of_my_teams, false())), *rest]]
    return min(sum(counts(db, actor, parts, MOST)), MOST + 1)


def tallies(db: Session, actor: Actor, now: datetime) -> dict[str, int]:
    """How many are open, new, late and on hold, for the caption and the menu; MOST + 1 stands for more than MOST."""
    views = ("open", "new", "late", "hold")
    several = [_conditions(db, actor, Filters(view=view), now) for view in views]
    return dict(zip(views, counts(db, actor, several, MOST), strict=True))


def unassigned(actor: Actor, most: int, *where: ColumnElement[bool]) -> Select[int]:
    """Ids of active incidents of the actor's teams that nobody has: the first `most` of each team, in no order."""
    each = [
        select(Incident.id)
        .where(
            Incident.team_id == team_id,
            Incident.queue_group == QUEUE_ACTIVE,
            Incident.assignee_id.is_(None),
            visible(actor),
            *where,
        )
        .order_by(*RANKED)
        .limit(most)
        .subquery()
        for team_id in sorted(actor.team_ids)
    ]
    if not each:
        return select(Incident.id).where(false())
    return select(union_all(*(select(part.c.id) for part in each)).subquery().c.id)


def open_count(db: Session, actor: Actor) -> int:
    """How many incidents are open, for the menu; MANY stands for so many or more."""
    return count(db, actor, [Incident.queue_group <= QUEUE_ON_HOLD], MANY - 1)


@dataclass(frozen=True)
class Neighbour:
    """The incident just ahead of another in the queue."""

    number: str
    due: datetime | None
    merits: Merits


def place(db: Session, actor: Actor, incident_id: int) -> int | None:
    """The place among all open incidents, from 1; MOST + 1 stands for further back, None for not open."""
    return standing(db, actor, incident_id)[0]


def standing(db: Session, actor: Actor, incident_id: int) -> tuple[int | None, Neighbour | None]:
    """The place among all open incidents, as of `place`, and what stands just ahead of it among the active ones."""
    own = db.execute(
        select(Incident.queue_group, Incident.rank_at, Incident.reported_at, Incident.id).where(
            Incident.id == incident_id, Incident.queue_group <= QUEUE_ON_HOLD, visible(actor)
        )
    ).one_or_none()
    if own is None:
        return None, None
    # Of the same rank there are few: apart, either part is counted along the index.
    group, rank = Incident.queue_group == own.queue_group, Incident.rank_at
    ahead_of_it = [
        [Incident.queue_group < own.queue_group],
        [group, rank < own.rank_at],
        [group, rank == own.rank_at, _before(own)],
    ]
    better_groups, *same_group = counts(db, actor, ahead_of_it, MOST)
    ahead = _just_ahead(db, actor, own) if own.queue_group == QUEUE_ACTIVE and any(same_group) else None
    return min(better_groups + sum(same_group), MOST) + 1, ahead


def _just_ahead(db: Session, actor: Actor, own: Row[int, datetime, datetime, int]) -> Neighbour | None:
    risks = [getattr(Incident, risk) for risk in RISKS]
    row = db.execute(
        select(
            Incident.number,
            Incident.resolution_due_at,
            Incident.priority,
            Incident.major,
            Incident.people_affected,
            Incident.pin_seconds,
            *risks,
        )
        .where(Incident.queue_group == QUEUE_ACTIVE, _before(own), visible(actor))
        .order_by(Incident.rank_at.desc(), Incident.reported_at.desc(), Incident.id.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    number, due, level, major, people, pin, *taken = row
    present = tuple(risk for risk, holds in zip(RISKS, taken, strict=True) if holds)
    return Neighbour(number, due, Merits(level or 5, major=major, risks=present, people=people, pin_seconds=pin))


def _before(own: Row[int, datetime, datetime, int]) -> ColumnElement[bool]:
    """Incidents of the same group that stand ahead of it."""
    columns = (Incident.rank_at, Incident.reported_at, Incident.id)
    return tuple_(*columns) < tuple_(
        *(literal(value, column.type) for column, value in zip(columns, own[1:], strict=True))
    )
