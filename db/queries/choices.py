"""What people choose from in forms."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import CompoundSelect, Integer, func, literal, select, union_all
from sqlalchemy.orm import Session

from db.models import Category, CategoryPair, Person, PersonRole, Service, Subcategory, Team, TeamMember
from rules.access import TABLE

_WORKING = (
    Person.disabled_at.is_(None),
    Person.id.in_(select(PersonRole.person_id).where(PersonRole.role.in_(sorted(TABLE["acknowledge"])))),
)


class PairChoice(NamedTuple):
    id: int
    name: str
    """'Hardware › Printer'"""
    team_id: int | None


@dataclass(frozen=True)
class TeamChoice:
    id: int
    name: str
    tier: str
    way: str
    contact: str


@dataclass(frozen=True)
class ServiceChoice:
    id: int
    name: str
    team_id: int | None


@dataclass(frozen=True)
class Known:
    """What the form of triage offers, each by id, in the order of names."""

    teams: dict[int, str]
    services: dict[int, ServiceChoice]
    people: dict[int, str]
    """those who work on incidents"""
    categories: dict[int, str]
    pairs: dict[int, PairChoice]
    """category pairs"""

    def usual_team(self, pair_id: int | None, service_id: int | None) -> int | None:
        """The team that a category, else a service, usually goes to."""
        found = (self.pairs.get(pair_id or 0), self.services.get(service_id or 0))
        return next((one.team_id for one in found if one and one.team_id), None)


_NOTHING = literal(None, Integer)
_PAIR = Category.name + func.coalesce(literal(" › ") + Subcategory.name, "")
_KNOWN: CompoundSelect[Any] = union_all(
    select(literal("team"), Team.id, Team.name, _NOTHING).where(Team.archived_at.is_(None)),
    select(literal("service"), Service.id, Service.name, Service.team_id).where(Service.archived_at.is_(None)),
    select(literal("person"), Person.id, Person.name, _NOTHING).where(*_WORKING),
    select(literal("category"), Category.id, Category.name, _NOTHING).where(Category.archived_at.is_(None)),
    select(literal("pair"), CategoryPair.id, _PAIR, CategoryPair.team_id)
    .join(Category, Category.id == CategoryPair.category_id)
    .outerjoin(Subcategory, Subcategory.id == CategoryPair.subcategory_id)
    .where(CategoryPair.archived_at.is_(None), Category.archived_at.is_(None)),
)


def known(db: Session) -> Known:
    """Teams, services, people, categories and their pairs in use, in one statement."""
    rows: list[Any] = sorted(db.execute(_KNOWN), key=lambda row: row[2].casefold())
    named = {kind: {row[1]: row[2] for row in rows if row[0] == kind} for kind in ("team", "person", "category")}
    services = {row[1]: ServiceChoice(*row[1:]) for row in rows if row[0] == "service"}
    pairs = {row[1]: PairChoice(*row[1:]) for row in rows if row[0] == "pair"}
    return Known(named["team"], services, named["person"], named["category"], pairs)


def advice(db: Session, pair_id: int | None) -> str:
    """What to do about incidents of a category pair in a few words; empty when nobody has written it down."""
    if pair_id is None:
        return ""
    return db.execute(select(CategoryPair.runbook).where(CategoryPair.id == pair_id)).scalar() or ""


def teams(db: Session) -> list[TeamChoice]:
    """Teams in use, by name."""
    columns = (Team.id, Team.name, Team.tier, Team.way, Team.contact)
    statement = select(*columns).where(Team.archived_at.is_(None)).order_by(Team.name)
    return [TeamChoice(*row) for row in db.execute(statement)]


def services(db: Session) -> list[ServiceChoice]:
    """Services in use, by name."""
    statement = (
        select(Service.id, Service.name, Service.team_id).where(Service.archived_at.is_(None)).order_by(Service.name)
    )
    return [ServiceChoice(*row) for row in db.execute(statement)]


def workers(db: Session, team_id: int | None = None) -> dict[int, str]:
    """Id -> name of the people who work on incidents, of one team or of all, by name."""
    statement = select(Person.id, Person.name).where(*_WORKING).order_by(Person.name)
    if team_id is not None:
        statement = statement.where(Person.id.in_(select(TeamMember.person_id).where(TeamMember.team_id == team_id)))
    return {person_id: name for person_id, name in db.execute(statement)}


def readers(db: Session) -> dict[int, str]:
    """Id -> name of everybody who may read any incident, managers too, by name."""
    reading = select(PersonRole.person_id).where(PersonRole.role.in_(sorted(TABLE["read"])))
    statement = (
        select(Person.id, Person.name)
        .where(Person.disabled_at.is_(None), Person.email.is_not(None), Person.id.in_(reading))
        .order_by(Person.name)
    )
    return {person_id: name for person_id, name in db.execute(statement)}


def people(db: Session) -> dict[int, str]:
    """Id -> name of everybody who can sign in, by name."""
    statement = (
        select(Person.id, Person.name)
        .where(Person.disabled_at.is_(None), Person.email.is_not(None))
        .order_by(Person.name)
    )
    return {person_id: name for person_id, name in db.execute(statement)}


def categories(db: Session) -> dict[int, str]:
    """Id -> name of the categories in use, by name."""
    statement = select(Category.id, Category.name).where(Category.archived_at.is_(None)).order_by(Category.name)
    return {category_id: name for category_id, name in db.execute(statement)}
