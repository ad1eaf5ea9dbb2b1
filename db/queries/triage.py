"""The queue of open incidents in the order to work on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Row, func, literal, or_, select, tuple_
from sqlalchemy.orm import Session

from db.models import QUEUE_ACTIVE, QUEUE_ON_HOLD, CategoryPair, Incident
from db.queries.access import hidden_ids, visible
from db.queries.lines import RANKED, Line, lines
from db.queries.text_search import found
from rules import access
from rules.access import Actor

PAGE_SIZE = 25
VIEWS = {"open": "Open", "new": "Inbox", "mine": "Mine", "late": "Late", "hold": "On hold"}


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
    first: int
    """The place of the first line among all that match, from 1."""


def _conditions(db: Session, actor: Actor, filters: Filters, now: datetime) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if filters.view == "new":
        conditions.append(Incident.state == "new")
    elif filters.view == "hold":
        conditions.append(Incident.queue_group == QUEUE_ON_HOLD)
    elif filters.view == "late":
        conditions += [Incident.queue_group == QUEUE_ACTIVE, Incident.resolution_due_at < now]
    else:
        conditions.append(Incident.queue_group.in_((QUEUE_ACTIVE, QUEUE_ON_HOLD)))
    if filters.view == "mine":
        conditions.append(or_(Incident.assignee_id == actor.id, Incident.team_id.in_(sorted(actor.team_ids))))
    if filters.team_id is not None:
        conditions.append(Incident.team_id == filters.team_id)
    if filters.service_id is not None:
        conditions.append(Incident.service_id == filters.service_id)
    if filters.priority is not None:
        conditions.append(Incident.priority == filters.priority)
    if filters.category_id is not None:
        pairs = select(CategoryPair.id).where(CategoryPair.category_id == filters.category_id)
        conditions.append(Incident.category_pair_id.in_(pairs))
    if filters.assignee_id is not None:
        conditions.append(Incident.assignee_id == filters.assignee_id)
    matched = found(db, filters.text) if filters.text.strip() else None
    if matched is not None:
        conditions.append(Incident.id.in_(matched))
    return conditions


def count(db: Session, actor: Actor, conditions: list[ColumnElement[bool]]) -> int:
    """How many incidents meet the conditions and are visible."""
    return counts(db, actor, [conditions])[0]


def counts(db: Session, actor: Actor, several: Sequence[list[ColumnElement[bool]]]) -> list[int]:
    """The same for several sets of conditions: all, less those hidden, so that indexes do the work."""

    def counted(*more: ColumnElement[bool]) -> list[int]:
        each = (select(func.count()).select_from(Incident).where(*conditions, *more) for conditions in several)
        return list(db.execute(select(*(statement.scalar_subquery() for statement in each))).one())

    hidden = hidden_ids(db, actor)
    everything = counted()
    fewer = counted(Incident.id.in_(hidden)) if hidden else [0] * len(everything)
    return [all_of_them - kept for all_of_them, kept in zip(everything, fewer, strict=True)]


def queue(db: Session, actor: Actor, filters: Filters, page: int, now: datetime, size: int = PAGE_SIZE) -> Queue:
    """Page `page` (from 1) of the queue in rank order. Forbidden without the right to triage."""
    access.check(actor, "triage")
    conditions = _conditions(db, actor, filters, now)
    page = max(1, page)
    chosen = select(Incident.id).where(*conditions, visible(actor)).order_by(*RANKED)
    if _indexed(filters):
        total = count(db, actor, conditions)
        page = min(page, -(-total // size) or 1)
        found_lines = lines(db, chosen.limit(size).offset((page - 1) * size))
        return Queue(found_lines, total, (page - 1) * size + 1)
    # Nothing but reading the matches can count them: count and cut in one pass.
    counted = chosen.add_columns(func.count().over()).limit(size)
    rows = db.execute(counted.offset((page - 1) * size)).all()
    if not rows and page > 1:
        page = 1
        rows = db.execute(counted).all()
    found_lines = lines(db, select(Incident.id).where(Incident.id.in_([row[0] for row in rows])))
    return Queue(found_lines, rows[0][1] if rows else 0, (page - 1) * size + 1)


def _indexed(filters: Filters) -> bool:
    """True when an index alone counts what the filters leave."""
    narrowing = (filters.team_id, filters.service_id, filters.priority, filters.assignee_id)
    given = sum(value is not None for value in narrowing)
    if filters.category_id is not None:
        return False
    return not filters.text.strip() and (given == 0 or (given == 1 and filters.view in ("open", "hold")))


def tallies(db: Session, actor: Actor, now: datetime) -> dict[str, int]:
    """How many are open, new, late and on hold, for the caption and the menu."""
    views = ("open", "new", "late", "hold")
    several = [_conditions(db, actor, Filters(view=view), now) for view in views]
    return dict(zip(views, counts(db, actor, several), strict=True))


def open_count(db: Session, actor: Actor) -> int:
    """How many incidents are open, for the menu."""
    return count(db, actor, [Incident.queue_group <= QUEUE_ON_HOLD])


def place(db: Session, actor: Actor, incident_id: int) -> int | None:
    """The place among all open incidents, from 1; None when it is not open."""
    own = _standing(db, actor, incident_id)
    if own is None:
        return None
    better_groups, same_group = counts(
        db, actor, [[Incident.queue_group < own.queue_group], [Incident.queue_group == own.queue_group, _before(own)]]
    )
    return better_groups + same_group + 1


def neighbour(db: Session, actor: Actor, incident_id: int) -> Line | None:
    """The line just ahead of an active incident in the queue; None when it is the first, on hold or not open."""
    own = _standing(db, actor, incident_id)
    if own is None or own.queue_group != QUEUE_ACTIVE:
        return None
    chosen = (
        select(Incident.id)
        .where(Incident.queue_group == QUEUE_ACTIVE, _before(own), visible(actor))
        .order_by(Incident.rank_at.desc(), Incident.reported_at.desc(), Incident.id.desc())
        .limit(1)
    )
    return next(iter(lines(db, chosen)), None)


def _standing(db: Session, actor: Actor, incident_id: int) -> Row[int, datetime, datetime, int] | None:
    """What its place in the queue is made of; None when it is not open, or not open to the actor."""
    return db.execute(
        select(Incident.queue_group, Incident.rank_at, Incident.reported_at, Incident.id).where(
            Incident.id == incident_id, Incident.queue_group <= QUEUE_ON_HOLD, visible(actor)
        )
    ).one_or_none()


def _before(own: Row[int, datetime, datetime, int]) -> ColumnElement[bool]:
    """Incidents of the same group that stand ahead of it."""
    columns = (Incident.rank_at, Incident.reported_at, Incident.id)
    return tuple_(*columns) < tuple_(
        *(literal(value, column.type) for column, value in zip(columns, own[1:], strict=True))
    )
