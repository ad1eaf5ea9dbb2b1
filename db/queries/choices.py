"""What people choose from in forms."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import Category, CategoryPair, Person, PersonRole, Service, Subcategory, Team, TeamMember
from rules.access import TABLE


@dataclass(frozen=True)
class PairChoice:
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


@dataclass(frozen=True)
class ServiceChoice:
    id: int
    name: str
    team_id: int | None


def pairs(db: Session) -> list[PairChoice]:
    """Category pairs in use, by name."""
    statement = (
        select(CategoryPair.id, Category.name, Subcategory.name, CategoryPair.team_id)
        .join(Category, Category.id == CategoryPair.category_id)
        .outerjoin(Subcategory, Subcategory.id == CategoryPair.subcategory_id)
        .where(CategoryPair.archived_at.is_(None), Category.archived_at.is_(None))
        .order_by(Category.name, Subcategory.name)
    )
    return [
        PairChoice(pair_id, f"{category} › {sub}" if sub else category, team_id)
        for pair_id, category, sub, team_id in db.execute(statement)
    ]


def teams(db: Session) -> list[TeamChoice]:
    """Teams in use, by name."""
    statement = select(Team.id, Team.name, Team.tier, Team.way).where(Team.archived_at.is_(None)).order_by(Team.name)
    return [TeamChoice(*row) for row in db.execute(statement)]


def services(db: Session) -> list[ServiceChoice]:
    """Services in use, by name."""
    statement = (
        select(Service.id, Service.name, Service.team_id).where(Service.archived_at.is_(None)).order_by(Service.name)
    )
    return [ServiceChoice(*row) for row in db.execute(statement)]


def workers(db: Session, team_id: int | None = None) -> dict[int, str]:
    """Id -> name of the people who work on incidents, of one team or of all, by name."""
    statement = (
        select(Person.id, Person.name)
        .where(
            Person.disabled_at.is_(None),
            Person.id.in_(select(PersonRole.person_id).where(PersonRole.role.in_(sorted(TABLE["acknowledge"])))),
        )
        .order_by(Person.name)
    )
    if team_id is not None:
        statement = statement.where(Person.id.in_(select(TeamMember.person_id).where(TeamMember.team_id == team_id)))
    return {person_id: name for person_id, name in db.execute(statement)}


def categories(db: Session) -> dict[int, str]:
    """Id -> name of the categories in use, by name."""
    statement = select(Category.id, Category.name).where(Category.archived_at.is_(None)).order_by(Category.name)
    return {category_id: name for category_id, name in db.execute(statement)}
