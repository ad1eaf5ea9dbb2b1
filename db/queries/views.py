"""The views of a list that a person may choose from."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, case, func, or_, select
from sqlalchemy.orm import Session

from db.models import Person, ReportSchedule, SavedView
from rules import access
from rules.access import Actor

MOST = 100


@dataclass(frozen=True)
class View:
    id: int
    name: str
    address: str
    """the part of the address after '?'"""
    shared: bool
    own: bool
    owner: str
    closed: bool
    """its owner has no account any more"""
    sent_by_others: int
    """how many others have it sent; of somebody else's view 0"""


def views(db: Session, actor: Actor, page: str) -> list[View]:
    """The actor's own views of the list and those others share, own ones first, by name; the first MOST."""
    access.check(actor, page)
    return _found(db, actor, _offered(actor, page).limit(MOST))


def turn(db: Session, actor: Actor, page: str, number: int, size: int) -> tuple[list[View], int]:
    """The same, a page of them, and how many there are; past the last page the last one."""
    access.check(actor, page)
    total = db.execute(select(func.count()).select_from(SavedView).where(*_open_to(actor, page))).scalar_one()
    return _found(db, actor, _offered(actor, page).limit(size).offset(begin(number, total, size))), total


def begin(number: int, total: int, size: int) -> int:
    """How many of `total` come before a page; past the last page, before the last one."""
    return (min(max(number, 1), max(-(-total // size), 1)) - 1) * size


def _open_to(actor: Actor, page: str) -> tuple[Any, ...]:
    return SavedView.page == page, or_(SavedView.owner_id == actor.id, SavedView.shared)


def _offered(actor: Actor, page: str) -> Select[*tuple[Any, ...]]:
    own = SavedView.owner_id == actor.id
    others = (
        select(func.count())
        .where(ReportSchedule.view_id == SavedView.id, ReportSchedule.owner_id != SavedView.owner_id)
        .correlate(SavedView)
        .scalar_subquery()
    )
    return (
        select(SavedView, Person.name, Person.disabled_at, case((own, others), else_=0))
        .join(Person, Person.id == SavedView.owner_id)
        .where(*_open_to(actor, page))
        .order_by(SavedView.owner_id != actor.id, SavedView.name, SavedView.id)
    )


def _found(db: Session, actor: Actor, statement: Select[*tuple[Any, ...]]) -> list[View]:
    return [
        View(
            view.id, view.name, view.address, view.shared, view.owner_id == actor.id, owner, closed is not None, others
        )
        for view, owner, closed, others in db.execute(statement)
    ]
