"""What programs name in words, found: services, teams and categories by name or id, people by e-mail address or id."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, String, bindparam, func, or_, select
from sqlalchemy.orm import Session

from db.models import Category, CategoryPair, Incident, Person, Service, Subcategory, Team
from rules.access import NotFound
from rules.errors import RuleError
from rules.text import looked_for

LARGEST_ID = 2**31 - 1
_HELD = "things that were named"
_PAIR = Category.name + func.coalesce(" › " + Subcategory.name, "")


@dataclass(frozen=True)
class Kind:
    """Something that may be named. Its statements are built once: to build one costs more than to run it."""

    by_id: Select[Any]
    by_name: Select[Any]
    absent: str
    """what is said when it is not there"""


_ID, _NAME, _LOWER = bindparam("id", type_=Integer), bindparam("name", type_=String), bindparam("lower", type_=String)


def _is_named(column: Any) -> ColumnElement[bool]:
    # SQLite's lower() knows ASCII only.
    return or_(column == _NAME, func.lower(column) == _LOWER)


def _kind(living: Select[Any], id_: Any, named: ColumnElement[bool], absent: str) -> Kind:
    return Kind(living.where(id_ == _ID).limit(1), living.where(named).limit(1), absent)


def _whole(model: Any, absent: str) -> Kind:
    """The whole row: what is done with it looks for it in the session first."""
    return _kind(select(model).where(model.archived_at.is_(None)), model.id, _is_named(model.name), absent)


_PAIRS = (
    select(CategoryPair.id)
    .join(Category, Category.id == CategoryPair.category_id)
    .outerjoin(Subcategory, Subcategory.id == CategoryPair.subcategory_id)
    .where(CategoryPair.archived_at.is_(None), Category.archived_at.is_(None))
)
_PEOPLE = select(Person.id).where(Person.disabled_at.is_(None), Person.email.is_not(None))
_INCIDENT = select(Incident.id).where(Incident.number == _NAME)

KINDS = {
    "service": _whole(Service, "There is no service '{}'. Give its name or its id."),
    "team": _whole(Team, "There is no team '{}'. Give its name or its id."),
    "category": _kind(
        _PAIRS,
        CategoryPair.id,
        _is_named(_PAIR),
        "There is no category '{}'. Give its name, as 'Hardware' or 'Hardware › Printer', or its id.",
    ),
    "person": _kind(
        _PEOPLE,
        Person.id,
        func.lower(Person.email) == _LOWER,
        "Nobody has the address '{}'. Give the e-mail address of somebody who can sign in, or their id.",
    ),
    "incident": Kind(_INCIDENT, _INCIDENT, "Choose the incident it repeats: there is none with this number."),
}


def _first(db: Session, kind: str, given: int | str) -> Any:
    if isinstance(given, int) and not 0 < given <= LARGEST_ID:
        return None
    name = str(given).replace(" > ", " › ") if kind == "category" else str(given)
    statement = KINDS[kind].by_id if isinstance(given, int) else KINDS[kind].by_name
    return db.scalars(statement, {"id": given, "name": name, "lower": name.lower()}).first()


def found(db: Session, given: Mapping[str, tuple[str, int | str]]) -> dict[str, int]:
    """Field -> id, of field -> (kind, name or id). RuleError names every field whose thing is not there."""
    ids: dict[str, int] = {}
    wrong: dict[str, str] = {}
    for field, (kind, name) in given.items():
        thing = _first(db, kind, name)
        if thing is None:
            wrong[field] = KINDS[kind].absent.format(str(name)[:60])
        else:
            ids[field] = thing if isinstance(thing, int) else _kept(db, thing).id
    if wrong:
        raise RuleError(" ".join(wrong.values()), fields=wrong)
    return ids


def _kept(db: Session, thing: Any) -> Any:
    """The session forgets what nobody holds, and would read it again when a command looks for it."""
    db.info.setdefault(_HELD, []).append(thing)
    return thing


def incident_id(db: Session, number: str) -> int:
    """The id of the incident with this number; NotFound when there is none. Access is the caller's to check."""
    id_ = db.scalar(select(Incident.id).where(Incident.number == looked_for(number)))
    if id_ is None:
        raise NotFound("There is no such incident, or it is not open to you.")
    return id_
