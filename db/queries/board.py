"""The board: open and finished-but-unclosed incidents by state, the first of each in rank order."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Subquery, func, select, union_all
from sqlalchemy.orm import Session

from db.models import QUEUE_AWAITING, QUEUE_GROUP, Incident
from db.queries import triage
from db.queries.access import visible
from db.queries.incidents import works_on
from db.queries.lines import Line, of_ids
from db.queries.text_search import found
from rules import access
from rules.access import Actor

COLUMNS = ("new", "assigned", "in_progress", "on_hold", "resolved", "recovered")
SHOWN = 12


@dataclass(frozen=True)
class Board:
    counts: dict[str, int]
    """state -> how many there are; triage.MOST + 1 stands for more than triage.MOST"""
    lines: dict[str, list[Line]]
    """state -> the first of them"""


def board(
    db: Session,
    actor: Actor,
    *,
    view: str = "all",
    text: str = "",
    team_id: int | None = None,
    priority: int | None = None,
    shown: int = SHOWN,
) -> Board:
    """The columns with their counts and their first cards. `view` is all, team (my teams) or mine."""
    access.check(actor, "board")
    conditions: list[ColumnElement[bool]] = []
    if view == "team":
        conditions.append(Incident.team_id.in_(sorted(actor.team_ids)))
    elif view == "mine":
        conditions.append(Incident.assignee_id == actor.id)
    if team_id is not None:
        conditions.append(Incident.team_id == team_id)
    if priority is not None:
        conditions.append(Incident.priority == priority)
    matched = found(db, text, internal=works_on(actor))
    if matched is not None:
        counts, ids = _found(db, [Incident.id.in_(matched), *conditions, visible(actor)], shown)
    elif conditions:
        counts, ids = _filtered(db, [*conditions, visible(actor)], shown)
    else:
        counts, ids = _everything(db, actor, shown)
    cards: dict[str, list[Line]] = {state: [] for state in COLUMNS}
    for line in of_ids(db, ids):
        cards[line.state].append(line)
    return Board({state: counts.get(state, 0) for state in COLUMNS}, cards)


def _everything(db: Session, actor: Actor, shown: int) -> tuple[dict[str, int], list[int]]:
    """Counts by index, and the first of each state by index."""
    numbers = triage.counts(db, actor, [[Incident.state == state] for state in COLUMNS], triage.MOST)
    counts = dict(zip(COLUMNS, numbers, strict=True))
    picks = [
        select(Incident.id, Incident.rank_at)
        .where(Incident.state == state, visible(actor))
        .order_by(Incident.rank_at, Incident.id)
        .limit(shown)
        .subquery()
        for state in COLUMNS
        if counts.get(state)
    ]
    return counts, _first(db, picks)


def _filtered(db: Session, conditions: list[ColumnElement[bool]], shown: int) -> tuple[dict[str, int], list[int]]:
    """Counts in one walk of the queue, and the first of each state in a short one each."""

    def of(state: str) -> Subquery:
        group = Incident.queue_group == QUEUE_GROUP[state]
        few = select(Incident.id, Incident.rank_at).where(group, Incident.state == state, *conditions)
        few = few.order_by(Incident.rank_at, Incident.reported_at, Incident.id).limit(shown)
        return few.with_hint(Incident, *triage.WALK).subquery()

    number = select(Incident.state, func.count()).where(Incident.queue_group <= QUEUE_AWAITING, *conditions)
    counts = {state: n for state, n in db.execute(number.group_by(Incident.state).with_hint(Incident, *triage.WALK))}
    return counts, _first(db, [of(state) for state in COLUMNS if counts.get(state)])


def _found(db: Session, conditions: list[ColumnElement[bool]], shown: int) -> tuple[dict[str, int], list[int]]:
    """The same of what a text finds, in one pass, so that it is looked for once."""
    place = func.row_number().over(
        partition_by=Incident.state, order_by=(Incident.rank_at, Incident.reported_at, Incident.id)
    )
    number = func.count().over(partition_by=Incident.state)
    matches = select(Incident.id, Incident.state, place.label("place"), number.label("number")).where(
        Incident.queue_group <= QUEUE_AWAITING, *conditions
    )
    of_them = matches.subquery()
    rows = db.execute(
        select(of_them.c.id, of_them.c.state, of_them.c.number)
        .where(of_them.c.place <= shown)
        .order_by(of_them.c.place)
    ).all()
    return {row.state: row.number for row in rows}, [row.id for row in rows]


def _first(db: Session, picks: list[Subquery]) -> list[int]:
    """The ids of several short lists, by rank."""
    if not picks:
        return []
    each = union_all(*(select(pick.c.id, pick.c.rank_at) for pick in picks)).subquery()
    return list(db.scalars(select(each.c.id).order_by(each.c.rank_at, each.c.id)))
