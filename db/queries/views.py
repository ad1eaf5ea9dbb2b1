"""The views of a list that a person may choose from."""

from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from db.models import Person, SavedView
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


def views(db: Session, actor: Actor, page: str) -> list[View]:
    """The actor's own views of the list and those others share, own ones first, by name."""
    access.check(actor, page)
    statement = (
        select(SavedView, Person.name)
        .join(Person, Person.id == SavedView.owner_id)
        .where(SavedView.page == page, or_(SavedView.owner_id == actor.id, SavedView.shared))
        .order_by(SavedView.owner_id != actor.id, SavedView.name, SavedView.id)
        .limit(MOST)
    )
    return [
        View(view.id, view.name, view.address, view.shared, view.owner_id == actor.id, owner)
        for view, owner in db.execute(statement)
    ]
