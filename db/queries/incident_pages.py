"""Incidents as programs list them: in a chosen order, a page at a time, each page after the place where one ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, false, func, literal, select, tuple_
from sqlalchemy.orm import Session

from db.models import Follower, Incident
from db.queries.access import visible
from db.queries.incidents import works_on
from db.queries.lines import RANKED, Line, of_ids
from db.queries.text_search import candidates, common, once
from db.queries.triage import DENSE
from rules import access
from rules.access import TABLE, Actor

_REPORTED, _CHANGED = (Incident.reported_at, Incident.id), (Incident.changed_at, Incident.id)
SORTS: dict[str, tuple[Any, ...]] = {
    "rank": RANKED,
    "reported": _REPORTED,
    "-reported": _REPORTED,
    "changed": _CHANGED,
    "-changed": _CHANGED,
}
"""order -> its columns; a leading minus: the newest first"""
_INDEXES = {"rank": "ix_incident_queue", "reported": "ix_incident_reported_at", "changed": "ix_incident_changed_at"}


@dataclass(frozen=True)
class Wanted:
    """Which incidents. What is empty leaves out nothing."""

    sort: str = "-reported"
    states: tuple[str, ...] = ()
    text: str = ""
    team_id: int | None = None
    service_id: int | None = None
    priority: int | None = None
    changed_since: datetime | None = None


def page(
    db: Session, actor: Actor, wanted: Wanted, limit: int, after: Sequence[Any] | None = None
) -> tuple[list[Line], tuple[Any, ...] | None]:
    """Up to `limit` of the incidents open to the actor, and the place after which the next page begins (None: the end).

    A place holds the values of the order's columns: what is added or moves meanwhile makes no incident appear twice.
    """
    access.check(actor, "browse")
    order, down = SORTS[wanted.sort], wanted.sort.startswith("-")
    chosen = select(Incident.id, *order).where(*_conditions(db, actor, wanted), visible(actor))
    if after is not None:
        place = tuple_(*(literal(value, column.type) for column, value in zip(order, after, strict=True)))
        chosen = chosen.where(tuple_(*order) < place if down else tuple_(*order) > place)
    chosen = chosen.order_by(*(column.desc() if down else column for column in order))
    if _reads_all(actor) and _walks(db, wanted):
        chosen = chosen.with_hint(Incident, f"INDEXED BY {_INDEXES[wanted.sort.removeprefix('-')]}", "sqlite")
    rows = db.execute(chosen.limit(limit + 1)).all()
    more = len(rows) > limit
    return of_ids(db, [row[0] for row in rows[:limit]]), tuple(rows[limit - 1][1:]) if more else None


def _reads_all(actor: Actor) -> bool:
    return bool(actor.roles & TABLE["read"])


def _walks(db: Session, wanted: Wanted) -> bool:
    """Whether so many match that a page is sooner full by walking in the order asked for than by sorting them.

    SQLite does not know how common a value is; PostgreSQL does.
    """
    narrowing = _narrowing(wanted)
    if not narrowing or wanted.text or db.get_bind().dialect.name != "sqlite":
        return False
    some = select(Incident.id).where(*narrowing).limit(DENSE + 1).subquery()
    return (db.scalar(select(func.count()).select_from(some)) or 0) > DENSE


def _narrowing(wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.states:
        conditions.append(Incident.state.in_(wanted.states))
    if wanted.team_id is not None:
        conditions.append(Incident.team_id == wanted.team_id)
    if wanted.service_id is not None:
        conditions.append(Incident.service_id == wanted.service_id)
    if wanted.priority is not None:
        conditions.append(Incident.priority == wanted.priority)
    return conditions


def _conditions(db: Session, actor: Actor, wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions = _narrowing(wanted)
    if wanted.changed_since is not None:
        conditions.append(Incident.changed_at >= wanted.changed_since)
    if not _reads_all(actor):  # their few are found by indexes, where visible() would be asked of everything
        own = select(Incident.id).where((Incident.reporter_id == actor.id) | (Incident.assignee_id == actor.id))
        followed = select(Follower.incident_id).where(Follower.person_id == actor.id)
        conditions.append(Incident.id.in_(own.union(followed)))
    parts = candidates(db, wanted.text, internal=works_on(actor))
    ids = once(parts)
    if ids is not None:
        among = Incident.id.in_(ids)
        # What is found everywhere is sooner met in the order asked for than sorted; put so, PostgreSQL walks too.
        conditions.append(func.coalesce(among, false()) if common(db, parts, DENSE) else among)
    return conditions
