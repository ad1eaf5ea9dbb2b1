"""Problems as those who work on them see them: the list, one with its incidents and history, those of an incident."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, or_, select, true
from sqlalchemy.orm import Session, aliased

from db.models import (
    Category,
    CategoryPair,
    Deflection,
    Incident,
    IncidentLink,
    Person,
    PersonRole,
    Problem,
    ProblemEntry,
    Service,
    Subcategory,
)
from db.queries.access import visible
from db.queries.lines import Line, lines
from db.queries.text_search import within, words_of
from rules import access
from rules.access import SYSTEM, Actor, NotFound, Record
from rules.problems import LABELS, OPEN
from rules.states import OPEN as WORKED_ON
from rules.text import looked_for

_PAIR = Category.name + func.coalesce(literal(" › ") + Subcategory.name, "")
MOST_CHOICES = 200
_NUMBER = re.compile(r"(?:prb-?)?([0-9]{1,12})", re.ASCII)
_Opener = aliased(Person, name="opener")


@dataclass(frozen=True)
class Row:
    """A problem as a row of the list; incidents that are not open to the reader are not counted."""

    id: int
    number: str
    state: str
    title: str
    restricted: bool
    changed_at: datetime
    service: str | None
    pair: str | None
    owner: str | None
    incidents: int
    still_open: int
    newest: datetime | None
    """when the newest of its incidents was reported"""


@dataclass(frozen=True)
class Detail:
    """Everything that the page of one shows."""

    id: int
    number: str
    version: int
    state: str
    title: str
    service_id: int | None
    category_pair_id: int | None
    restricted: bool
    owner_id: int | None
    cause: str
    workaround: str
    public_words: str
    fix: str
    opened_at: datetime
    changed_at: datetime
    fixed_at: datetime | None
    closed_at: datetime | None
    service: str | None
    pair: str | None
    owner: str | None
    opener: str
    helped: int
    """reports that were not sent because its words helped"""

    @property
    def about(self) -> str:
        """Its service and category in words; empty when it names neither."""
        return " · ".join(part for part in (self.service, self.pair) if part)


class Entry(NamedTuple):
    """One thing that happened to it."""

    id: int
    at: datetime
    actor_name: str
    kind: str
    text: str
    detail: str
    changes: dict[str, Any] | None
    version: int


def record_of(db: Session, problem: Problem) -> Record:
    """What of a problem decides access: as of an incident, with the team of its service."""
    team = db.scalar(select(Service.team_id).where(Service.id == problem.service_id))
    return Record(
        reporter_id=problem.opened_by_id,
        team_id=team,
        assignee_id=problem.owner_id,
        restricted=problem.restricted,
    )


def absent(actor: Actor, hidden: bool) -> NotFound:
    """There is none, or it is not for this actor: both look alike on purpose."""
    refusal = NotFound("There is no such problem, or it is not open to you.")
    if hidden:
        refusal.refused = (actor.id, "problems")
    return refusal


def open_to(actor: Actor) -> ColumnElement[bool]:
    """Problems that `actor` may read, for SQL; the role is the caller's to check."""
    if actor is SYSTEM:
        return true()
    teams = select(Service.id).where(Service.team_id.in_(sorted(actor.team_ids)))
    return or_(
        Problem.restricted.is_(False),
        Problem.owner_id == actor.id,
        Problem.opened_by_id == actor.id,
        Problem.service_id.in_(teams),
    )


def counts(db: Session, actor: Actor) -> dict[str, int]:
    """State -> how many there are."""
    access.check(actor, "problems")
    found = select(Problem.state, func.count()).where(open_to(actor)).group_by(Problem.state)
    known = {state: number for state, number in db.execute(found)}
    return {state: known.get(state, 0) for state in LABELS}


def everything(
    db: Session, actor: Actor, states: Sequence[str], text: str = "", *, limit: int = 25, offset: int = 0
) -> tuple[list[Row], int]:
    """Those in these states whose number or words hold every word of `text`, last changed first; and how many."""
    access.check(actor, "problems")
    conditions = [Problem.state.in_(states), open_to(actor), *_searched(text)]
    total = db.scalar(select(func.count()).select_from(Problem).where(*conditions)) or 0
    page = (
        select(Problem.id)
        .where(*conditions)
        .order_by(Problem.changed_at.desc(), Problem.id.desc())
        .limit(limit)
        .offset(offset)
    )
    ids = db.scalars(page).all()
    counted = _counted(db, actor, ids)
    found: dict[int, Sequence[Any]] = {row[0]: row for row in db.execute(_rows().where(Problem.id.in_(ids)))}
    return [Row(*[*found[id_], *counted.get(id_, (0, 0, None))]) for id_ in ids], total


def _searched(text: str) -> list[ColumnElement[bool]]:
    number = _NUMBER.fullmatch(text.strip().lower())
    if number is not None:
        return [Problem.number == f"PRB-{int(number[1]):06d}"]
    said = Problem.title + " " + Problem.cause + " " + Problem.workaround + " " + Problem.public_words
    return [within(said, word) for word in words_of(text)]


def _rows() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Problem.id,
            Problem.number,
            Problem.state,
            Problem.title,
            Problem.restricted,
            Problem.changed_at,
            Service.name,
            _PAIR,
            Person.name,
        )
        .select_from(Problem)
        .outerjoin(Service, Service.id == Problem.service_id)
        .outerjoin(CategoryPair, CategoryPair.id == Problem.category_pair_id)
        .outerjoin(Category, Category.id == CategoryPair.category_id)
        .outerjoin(Subcategory, Subcategory.id == CategoryPair.subcategory_id)
        .outerjoin(Person, Person.id == Problem.owner_id)
    )


def _counted(db: Session, actor: Actor, ids: Sequence[int]) -> dict[int, tuple[int, int, datetime | None]]:
    if not ids:
        return {}
    working = func.sum(case((Incident.state.in_(sorted(WORKED_ON)), 1), else_=0))
    found = (
        select(IncidentLink.problem_id, func.count(), working, func.max(Incident.reported_at))
        .join(Incident, Incident.id == IncidentLink.incident_id)
        .where(IncidentLink.problem_id.in_(ids), visible(actor))
        .group_by(IncidentLink.problem_id)
    )
    return {row[0]: (row[1], int(row[2]), row[3]) for row in db.execute(found)}


def one(db: Session, actor: Actor, number: str) -> Detail:
    """The problem with this number. NotFound when there is none, or it is not open to the actor."""
    access.check(actor, "problems")
    helped = select(func.count()).where(Deflection.problem_id == Problem.id).correlate(Problem).scalar_subquery()
    query = (
        select(
            Problem.id,
            Problem.number,
            Problem.version,
            Problem.state,
            Problem.title,
            Problem.service_id,
            Problem.category_pair_id,
            Problem.restricted,
            Problem.owner_id,
            Problem.cause,
            Problem.workaround,
            Problem.public_words,
            Problem.fix,
            Problem.opened_at,
            Problem.changed_at,
            Problem.fixed_at,
            Problem.closed_at,
            Service.name,
            _PAIR,
            Person.name,
            _Opener.name,
            helped,
        )
        .select_from(Problem)
        .join(_Opener, _Opener.id == Problem.opened_by_id)
        .outerjoin(Service, Service.id == Problem.service_id)
        .outerjoin(CategoryPair, CategoryPair.id == Problem.category_pair_id)
        .outerjoin(Category, Category.id == CategoryPair.category_id)
        .outerjoin(Subcategory, Subcategory.id == CategoryPair.subcategory_id)
        .outerjoin(Person, Person.id == Problem.owner_id)
    )
    asked = Problem.number == looked_for(number).upper()
    wanted = query.where(asked, open_to(actor))
    row: Sequence[Any] | None = db.execute(wanted).one_or_none()
    if row is None:
        raise absent(actor, db.scalar(select(Problem.id).where(asked)) is not None)
    return Detail(*row)


def incidents(
    db: Session, actor: Actor, problem: Detail, *, limit: int = 10, offset: int = 0
) -> tuple[list[Line], int]:
    """Its incidents that the actor may read, those still worked on first, then the newest; and how many."""
    access.check(actor, "problems")
    linked = select(IncidentLink.incident_id).where(IncidentLink.problem_id == problem.id)
    conditions = [Incident.id.in_(linked), visible(actor)]
    total = db.scalar(select(func.count()).select_from(Incident).where(*conditions)) or 0
    first = case((Incident.state.in_(sorted(WORKED_ON)), 0), else_=1)
    order = (first, Incident.reported_at.desc(), Incident.id.desc())
    chosen = select(Incident.id).where(*conditions).order_by(*order).limit(limit).offset(offset)
    return lines(db, chosen), total


def history(db: Session, actor: Actor, problem: Detail, *, limit: int = 20, offset: int = 0) -> tuple[list[Entry], int]:
    """What happened to it, newest first; and how many entries there are."""
    access.check(actor, "problems")
    of = ProblemEntry.problem_id == problem.id
    total = db.scalar(select(func.count()).select_from(ProblemEntry).where(of)) or 0
    page = _entries().where(of).order_by(ProblemEntry.id.desc()).limit(limit).offset(offset)
    return [Entry(*row) for row in db.execute(page)], total


def since(db: Session, actor: Actor, problem: Detail, version: int) -> list[Entry]:
    """What others did after `version`, oldest first."""
    access.check(actor, "problems")
    newer = and_(ProblemEntry.problem_id == problem.id, ProblemEntry.version > version)
    return [Entry(*row) for row in db.execute(_entries().where(newer).order_by(ProblemEntry.id).limit(20))]


def _entries() -> Select[*tuple[Any, ...]]:
    return select(
        ProblemEntry.id,
        ProblemEntry.at,
        ProblemEntry.actor_name,
        ProblemEntry.kind,
        ProblemEntry.text,
        ProblemEntry.detail,
        ProblemEntry.changes,
        ProblemEntry.version,
    )


def choices(db: Session, actor: Actor, service_id: int | None = None, pair_id: int | None = None) -> dict[int, str]:
    """Id -> words of the open problems to choose from: those of this service and category first, then the newest."""
    access.check(actor, "problems")
    fits = case((Problem.service_id == service_id, 2), else_=0) + case(
        (Problem.category_pair_id == pair_id, 1), else_=0
    )
    found = (
        select(Problem.id, Problem.number, Problem.title)
        .where(Problem.state.in_(sorted(OPEN)), open_to(actor))
        .order_by(fits.desc(), Problem.changed_at.desc(), Problem.id.desc())
        .limit(MOST_CHOICES)
    )
    return {row.id: f"{row.number} {row.title}" for row in db.execute(found)}


def managers(db: Session) -> dict[int, str]:
    """Id -> name of those who may own a problem, by name."""
    able = select(PersonRole.person_id).where(PersonRole.role.in_(sorted(access.TABLE["problem_edit"])))
    found = select(Person.id, Person.name).where(Person.disabled_at.is_(None), Person.id.in_(able))
    return {person_id: name for person_id, name in db.execute(found.order_by(func.lower(Person.name), Person.id))}
