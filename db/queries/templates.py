"""Templates: what Report offers, and all of them as an administrator sees them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from db.models import CategoryPair, Service, Template
from rules import access, templates
from rules.access import Actor, NotFound
from rules.templates import Question


@dataclass(frozen=True)
class Offered:
    """One answer to 'What do you need?'."""

    id: int
    name: str
    description: str
    questions: tuple[Question, ...]
    """in the order they are asked"""
    names_service: bool
    """its reports concern one service, so that what is affected need not be said"""


@dataclass(frozen=True)
class Kept:
    """A template with everything its form shows."""

    id: int
    name: str
    version: int
    archived_at: datetime | None
    questions: list[dict[str, Any]]
    checklist: list[str]
    values: dict[str, Any]
    """the other fields, by name"""


FIELDS = ("name", "description", "service_id", "category_pair_id", "impact", "urgency", "team_id")


def offered(db: Session) -> list[Offered]:
    """What Report offers, by name."""
    columns = (Template.id, Template.name, Template.description, Template.questions, Service.id)
    service = (Service.id == Template.service_id) & Service.archived_at.is_(None)
    statement = select(*columns).outerjoin(Service, service).where(Template.archived_at.is_(None))
    return [
        Offered(template_id, name, description, templates.read(asked), service_id is not None)
        for template_id, name, description, asked, service_id in db.execute(statement.order_by(_BY_NAME, Template.id))
    ]


def everything(db: Session, actor: Actor, *, archived: bool = False) -> list[Kept]:
    """All that are in use, or archived, by name."""
    access.check(actor, "settings")
    gone = Template.archived_at.is_not(None) if archived else Template.archived_at.is_(None)
    return [_kept(found) for found in db.scalars(select(Template).where(gone).order_by(_BY_NAME, Template.id))]


def one(db: Session, actor: Actor, template_id: int) -> Kept:
    """One of them. NotFound when there is none."""
    access.check(actor, "settings")
    found = db.get(Template, template_id)
    if found is None:
        raise NotFound("There is no such template any more.")
    return _kept(found)


_OF_CATEGORY = (
    select(Template.name, Template.checklist)
    .join(CategoryPair, CategoryPair.template_id == Template.id)
    .where(CategoryPair.id == bindparam("pair_id"), Template.archived_at.is_(None))
)


def of_category(db: Session, pair_id: int | None) -> tuple[str, Sequence[str]] | None:
    """The name and the steps of the template whose checklist goes with a category; None when there is none."""
    row = db.execute(_OF_CATEGORY, {"pair_id": pair_id}).one_or_none() if pair_id is not None else None
    return (row[0], row[1]) if row is not None and row[1] else None


_BY_NAME = func.lower(Template.name)


def _kept(found: Template) -> Kept:
    values = {name: getattr(found, name) for name in FIELDS}
    return Kept(
        found.id, found.name, found.version, found.archived_at, list(found.questions), list(found.checklist), values
    )
