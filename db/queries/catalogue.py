"""Teams, services and categories as an administrator sees them: all of them, with what hangs on each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, String, func, literal, select
from sqlalchemy.orm import Session

from db.models import QUEUE_ON_HOLD, Category, CategoryPair, Incident, Service, Subcategory, Team, TeamMember
from db.queries.access import hidden_ids
from rules import access
from rules.access import Actor, NotFound

PAGE_SIZE = 25


@dataclass(frozen=True)
class Thing:
    """One team, service or pair of category and subcategory."""

    id: int
    name: str
    archived_at: datetime | None
    open: int
    """open incidents that have it"""
    members: int
    """of a team"""
    owner: str
    """the team that owns a service, or usually takes a category"""
    values: dict[str, Any]
    """what its form shows, by field"""


def things(
    db: Session, actor: Actor, kind: str, *, text: str = "", archived: bool = False, page: int = 1
) -> tuple[list[Thing], int]:
    """One page of a kind (rules.catalogue.KINDS), by name, and how many match."""
    access.check(actor, "settings")
    statement, name, gone = _KINDS[kind](_unseen(db, actor))
    conditions: list[ColumnElement[bool]] = [gone.is_not(None) if archived else gone.is_(None)]
    if text.strip():
        conditions.append(func.lower(name).contains(text.strip().lower(), autoescape=True))
    total = db.execute(select(func.count()).select_from(statement.where(*conditions).subquery())).scalar_one()
    wanted = statement.where(*conditions).order_by(func.lower(name)).limit(PAGE_SIZE)
    rows = db.execute(wanted.offset((max(page, 1) - 1) * PAGE_SIZE)).all()
    return [_thing(kind, row) for row in rows], total


def thing(db: Session, actor: Actor, kind: str, thing_id: int) -> Thing:
    """One of a kind. NotFound when there is none."""
    access.check(actor, "settings")
    statement, _, _ = _KINDS[kind](_unseen(db, actor))
    own: Any = {"team": Team.id, "service": Service.id, "category": CategoryPair.id}[kind]
    row = db.execute(statement.where(own == thing_id)).one_or_none()
    if row is None:
        raise NotFound("There is no such entry any more.")
    return _thing(kind, row)


def service_named(db: Session, name: str) -> int | None:
    """The id of the service in use with this name, in any case; for the command line."""
    named = select(Service.id).where(func.lower(Service.name) == name.strip().lower(), Service.archived_at.is_(None))
    return db.execute(named).scalar()


def names(db: Session, actor: Actor) -> tuple[list[str], list[str]]:
    """The names of all categories and of all subcategories."""
    access.check(actor, "settings")
    tops = db.scalars(select(Category.name).order_by(Category.name))
    return list(tops), list(db.scalars(select(Subcategory.name).order_by(Subcategory.name)))


def _unseen(db: Session, actor: Actor) -> list[ColumnElement[bool]]:
    hidden = hidden_ids(db, actor)
    return [Incident.id.not_in(hidden)] if hidden else []


def _open(column: Any, own: Any, seen: list[ColumnElement[bool]]) -> Any:
    is_open = (column == own, Incident.queue_group <= QUEUE_ON_HOLD, *seen)
    counted = select(func.count()).select_from(Incident).where(*is_open)
    return counted.correlate(Team, Service, CategoryPair).scalar_subquery()


def _teams(seen: list[ColumnElement[bool]]) -> tuple[Select[Any], Any, Any]:
    members = select(func.count()).where(TeamMember.team_id == Team.id).correlate(Team).scalar_subquery()
    counted = _open(Incident.team_id, Team.id, seen)
    columns = (Team.id, Team.name, Team.archived_at, counted, members, literal("", String), Team.tier, Team.way)
    return select(*columns, Team.contact, Team.escalation_policy_id), Team.name, Team.archived_at


def _services(seen: list[ColumnElement[bool]]) -> tuple[Select[Any], Any, Any]:
    counted, owner = _open(Incident.service_id, Service.id, seen), func.coalesce(Team.name, "")
    columns = (Service.id, Service.name, Service.archived_at, counted, literal(0), owner, Service.description)
    own = (Service.team_id, Service.impact, Service.escalation_policy_id)
    statement = select(*columns, *own).outerjoin(Team, Team.id == Service.team_id)
    return statement, Service.name, Service.archived_at


def _categories(seen: list[ColumnElement[bool]]) -> tuple[Select[Any], Any, Any]:
    counted, owner = _open(Incident.category_pair_id, CategoryPair.id, seen), func.coalesce(Team.name, "")
    name = Category.name + func.coalesce(" › " + Subcategory.name, "")
    gone = func.coalesce(CategoryPair.archived_at, Category.archived_at, type_=CategoryPair.archived_at.type)
    columns = (CategoryPair.id, name, gone, counted, literal(0), owner, Category.name, Subcategory.name)
    statement = (
        select(*columns, CategoryPair.team_id, CategoryPair.runbook, CategoryPair.template_id)
        .join(Category, Category.id == CategoryPair.category_id)
        .outerjoin(Subcategory, Subcategory.id == CategoryPair.subcategory_id)
        .outerjoin(Team, Team.id == CategoryPair.team_id)
    )
    return statement, name, gone


_KINDS = {"team": _teams, "service": _services, "category": _categories}
_FIELDS = {
    "team": ("name", "tier", "way", "contact", "escalation_policy_id"),
    "service": ("name", "description", "team_id", "impact", "escalation_policy_id"),
    "category": ("category", "subcategory", "team_id", "runbook", "template_id"),
}


def _thing(kind: str, row: Sequence[Any]) -> Thing:
    thing_id, name, archived_at, waiting, members, owner, *rest = row
    values = [name, *rest] if kind in ("team", "service") else rest
    return Thing(thing_id, name, archived_at, waiting, members, owner, dict(zip(_FIELDS[kind], values, strict=True)))
