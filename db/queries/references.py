"""What programs name in words, found: services, teams and categories by name or id, people by e-mail address or id."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from db.models import Category, CategoryPair, Incident, Person, Service, Subcategory, Team
from rules.access import NotFound
from rules.errors import RuleError

LARGEST_ID = 2**31 - 1
_NAMED = "things that were named"
_PAIR = Category.name + func.coalesce(" › " + Subcategory.name, "")


def _named(column: Any, name: str) -> ColumnElement[bool]:
    # SQLite's lower() knows ASCII only.
    return or_(column == name, func.lower(column) == name.lower())


def _of(model: Any, given: int | str) -> Select[Any]:
    """The whole row: what is done with it looks for it in the session first."""
    wanted = model.id == given if isinstance(given, int) else _named(model.name, given)
    return select(model).where(model.archived_at.is_(None), wanted)


def _service(given: int | str) -> Select[Any]:
    return _of(Service, given)


def _team(given: int | str) -> Select[Any]:
    return _of(Team, given)


def _category(given: int | str) -> Select[int]:
    wanted = CategoryPair.id == given if isinstance(given, int) else _named(_PAIR, given.replace(" > ", " › "))
    return (
        select(CategoryPair.id)
        .join(Category, Category.id == CategoryPair.category_id)
        .outerjoin(Subcategory, Subcategory.id == CategoryPair.subcategory_id)
        .where(CategoryPair.archived_at.is_(None), Category.archived_at.is_(None), wanted)
    )


def _person(given: int | str) -> Select[int]:
    wanted = Person.id == given if isinstance(given, int) else func.lower(Person.email) == given.lower()
    return select(Person.id).where(Person.disabled_at.is_(None), Person.email.is_not(None), wanted)


def _incident(given: int | str) -> Select[int]:
    return select(Incident.id).where(Incident.number == str(given))


KINDS: dict[str, tuple[Callable[[int | str], Select[Any]], str]] = {
    "service": (_service, "There is no service '{}'. Give its name or its id."),
    "team": (_team, "There is no team '{}'. Give its name or its id."),
    "category": (
        _category,
        "There is no category '{}'. Give its name, as 'Hardware' or 'Hardware › Printer', or its id.",
    ),
    "person": (
        _person,
        "Nobody has the address '{}'. Give the e-mail address of somebody who can sign in, or their id.",
    ),
    "incident": (_incident, "Choose the incident it repeats: there is none with this number."),
}
"""what may be named -> how it is found, and what is said when it is not"""


def found(db: Session, given: Mapping[str, tuple[str, int | str]]) -> dict[str, int]:
    """Field -> id, of field -> (kind, name or id). RuleError names every field whose thing is not there."""
    ids: dict[str, int] = {}
    wrong: dict[str, str] = {}
    for field, (kind, name) in given.items():
        find, absent = KINDS[kind]
        known = not isinstance(name, int) or 0 < name <= LARGEST_ID
        thing = db.scalars(find(name).limit(1)).first() if known else None
        if thing is None:
            wrong[field] = absent.format(str(name)[:60])
        else:
            ids[field] = thing if isinstance(thing, int) else _kept(db, thing).id
    if wrong:
        raise RuleError(" ".join(wrong.values()), fields=wrong)
    return ids


def _kept(db: Session, thing: Any) -> Any:
    """The session forgets what nobody holds, and would read it again when a command looks for it."""
    db.info.setdefault(_NAMED, []).append(thing)
    return thing


def incident_id(db: Session, number: str) -> int:
    """The id of the incident with this number; NotFound when there is none. Access is the caller's to check."""
    id_ = db.scalar(select(Incident.id).where(Incident.number == number.strip()[:40]))
    if id_ is None:
        raise NotFound("There is no such incident, or it is not open to you.")
    return id_
