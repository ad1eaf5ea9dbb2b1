"""The people who can sign in, for those who set them up."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from db.models import OneTimeLink, Person, PersonRole, SignInSession, Team, TeamMember
from rules import access
from rules.access import Actor, NotFound

PAGE_SIZE = 25


@dataclass(frozen=True)
class PersonRow:
    id: int
    name: str
    email: str
    roles: tuple[str, ...]
    team_ids: tuple[int, ...]
    teams: tuple[str, ...]
    leads: tuple[int, ...]
    """ids of the teams they lead"""
    disabled_at: datetime | None
    waiting: bool
    """invited, and has not chosen a password yet"""
    last_seen_at: datetime | None


def people(db: Session, actor: Actor, *, text: str = "", page: int = 1) -> tuple[list[PersonRow], int]:
    """One page of the people who can sign in, by name, and how many match."""
    access.check(actor, "people")
    conditions: list[ColumnElement[bool]] = [Person.email.is_not(None)]
    if text.strip():
        typed = text.strip().lower()
        conditions.append(
            or_(
                func.lower(Person.name).contains(typed, autoescape=True),
                func.lower(Person.email).contains(typed, autoescape=True),
            )
        )
    total = db.execute(select(func.count()).select_from(Person).where(*conditions)).scalar_one()
    ids = list(
        db.execute(
            select(Person.id)
            .where(*conditions)
            .order_by(func.lower(Person.name), Person.id)
            .limit(PAGE_SIZE)
            .offset((max(page, 1) - 1) * PAGE_SIZE)
        ).scalars()
    )
    return _rows(db, ids), total


def person(db: Session, actor: Actor, person_id: int) -> PersonRow:
    """One person. NotFound when there is none who can sign in."""
    access.check(actor, "people")
    rows = _rows(db, [person_id])
    if not rows:
        raise NotFound("There is no such person.")
    return rows[0]


def _rows(db: Session, ids: list[int]) -> list[PersonRow]:
    seen = (
        select(func.max(SignInSession.last_seen_at))
        .where(SignInSession.person_id == Person.id)
        .correlate(Person)
        .scalar_subquery()
    )
    found = db.execute(
        select(Person.id, Person.name, Person.email, Person.disabled_at, Person.password_hash.is_(None), seen)
        .where(Person.id.in_(ids), Person.email.is_not(None))
        .order_by(func.lower(Person.name), Person.id)
    )
    roles: dict[int, list[str]] = {}
    for person_id, role in db.execute(
        select(PersonRole.person_id, PersonRole.role).where(PersonRole.person_id.in_(ids))
    ):
        roles.setdefault(person_id, []).append(role)
    teams: dict[int, list[tuple[str, int, bool]]] = {}
    for person_id, team_id, name, lead in db.execute(
        select(TeamMember.person_id, Team.id, Team.name, TeamMember.lead)
        .join(Team, Team.id == TeamMember.team_id)
        .where(TeamMember.person_id.in_(ids))
        .order_by(Team.name)
    ):
        teams.setdefault(person_id, []).append((name, team_id, lead))
    order = list(access.ROLES)
    return [
        PersonRow(
            person_id,
            name,
            email or "",
            tuple(sorted(roles.get(person_id, []), key=order.index)),
            tuple(team_id for _, team_id, _ in teams.get(person_id, [])),
            tuple(team for team, _, _ in teams.get(person_id, [])),
            tuple(team_id for _, team_id, lead in teams.get(person_id, []) if lead),
            disabled_at,
            waiting,
            last_seen,
        )
        for person_id, name, email, disabled_at, waiting, last_seen in found
    ]


def link_holder(db: Session, token_hash: bytes, now: datetime) -> str | None:
    """The name of whom a one-time link is for; None when it is used, too old or unknown."""
    return db.execute(
        select(Person.name)
        .join(OneTimeLink, OneTimeLink.person_id == Person.id)
        .where(
            OneTimeLink.token_hash == token_hash,
            OneTimeLink.used_at.is_(None),
            OneTimeLink.expires_at > now,
            Person.disabled_at.is_(None),
        )
    ).scalar()


def samples(db: Session) -> list[tuple[int, str, tuple[str, ...]]]:
    """Id, name and roles of the people of the sample data; those with most to do first, roles without 'reporter'."""
    ids = list(db.execute(select(Person.id).where(Person.sample, Person.disabled_at.is_(None))).scalars())
    order = list(access.ROLES)
    people = [(row.id, row.name, tuple(role for role in row.roles if role != "reporter")) for row in _rows(db, ids)]
    people.sort(key=lambda person: (-max((order.index(role) for role in person[2]), default=0), person[1]))
    return [(person_id, name, roles or ("reporter",)) for person_id, name, roles in people]


def acting(db: Session, person_id: int) -> Actor | None:
    """The person as an actor with their roles and teams as they are now; None when they have no account any more."""
    found = db.get(Person, person_id)
    if found is None or found.disabled_at is not None:
        return None
    roles = db.scalars(select(PersonRole.role).where(PersonRole.person_id == person_id))
    teams = db.scalars(select(TeamMember.team_id).where(TeamMember.person_id == person_id))
    return Actor(found.id, found.name, frozenset({"reporter", *roles}), frozenset(teams), found.zone, found.email)


def who_may(db: Session, action: str) -> dict[int, str]:
    """Id -> name, by name, of those with an account whose role opens the action to them."""
    roles = sorted(access.TABLE[action])
    held = select(PersonRole.person_id).where(PersonRole.role.in_(roles))
    statement = select(Person.id, Person.name).where(
        Person.id.in_(held), Person.email.is_not(None), Person.disabled_at.is_(None)
    )
    return {person_id: name for person_id, name in db.execute(statement.order_by(func.lower(Person.name), Person.id))}


def wants_notices(db: Session, actor: Actor) -> bool:
    """Whether notices leave the app for `actor`; pages do in any case."""
    return bool((db.get_one(Person, actor.id).preferences or {}).get("notices", True))
