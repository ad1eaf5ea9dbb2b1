"""Runbooks as those who write and read them see them: the list, one with its versions, an old version."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func, literal, select
from sqlalchemy.orm import Session

from db.models import Category, CategoryPair, Person, Runbook, RunbookVersion, Service, Subcategory
from rules import access
from rules.access import Actor, NotFound

PAIR = Category.name + func.coalesce(literal(" › ") + Subcategory.name, "")


@dataclass(frozen=True)
class Known:
    """A runbook as a row of the list."""

    id: int
    name: str
    service_id: int | None
    service: str | None
    category_pair_id: int | None
    pair: str | None
    version: int
    saved_at: datetime
    saved_by: str
    archived_at: datetime | None

    @property
    def about(self) -> str:
        """What it goes with, in words."""
        named = " and ".join(part for part in (self.service, self.pair) if part)
        return f"For {named}" if named else "For any incident"


@dataclass(frozen=True)
class Version:
    """One save."""

    number: int
    name: str
    saved_at: datetime
    saved_by: str


def everything(db: Session, actor: Actor, *, archived: bool = False) -> list[Known]:
    """All that are in use, or archived, by name."""
    access.check(actor, "runbooks")
    gone = Runbook.archived_at.is_not(None) if archived else Runbook.archived_at.is_(None)
    return [Known(*row) for row in db.execute(_known().where(gone).order_by(func.lower(Runbook.name), Runbook.id))]


def one(db: Session, actor: Actor, runbook_id: int) -> tuple[Known, str]:
    """One of them and its newest text. NotFound when there is none."""
    access.check(actor, "runbooks")
    row = db.execute(_known().where(Runbook.id == runbook_id)).one_or_none()
    if row is None:
        raise NotFound("There is no such runbook.")
    known = Known(*row)
    return known, text(db, actor, runbook_id, known.version)


def versions(db: Session, actor: Actor, runbook_id: int) -> list[Version]:
    """Its versions, newest first."""
    access.check(actor, "runbooks")
    found = (
        select(RunbookVersion.version, RunbookVersion.name, RunbookVersion.saved_at, Person.name)
        .join(Person, Person.id == RunbookVersion.saved_by_id)
        .where(RunbookVersion.runbook_id == runbook_id)
        .order_by(RunbookVersion.version.desc())
    )
    return [Version(*row) for row in db.execute(found)]


def text(db: Session, actor: Actor, runbook_id: int, version: int) -> str:
    """What one version said. NotFound when there is none."""
    access.check(actor, "runbooks")
    kept = db.get(RunbookVersion, (runbook_id, version))
    if kept is None:
        raise NotFound("There is no such version.")
    return kept.text


def _known() -> Select[*tuple[Any, ...]]:
    newest = and_(RunbookVersion.runbook_id == Runbook.id, RunbookVersion.version == Runbook.version)
    return (
        select(
            Runbook.id,
            Runbook.name,
            Runbook.service_id,
            Service.name,
            Runbook.category_pair_id,
            PAIR,
            Runbook.version,
            RunbookVersion.saved_at,
            Person.name,
            Runbook.archived_at,
        )
        .join(RunbookVersion, newest)
        .join(Person, Person.id == RunbookVersion.saved_by_id)
        .outerjoin(Service, Service.id == Runbook.service_id)
        .outerjoin(CategoryPair, CategoryPair.id == Runbook.category_pair_id)
        .outerjoin(Category, Category.id == CategoryPair.category_id)
        .outerjoin(Subcategory, Subcategory.id == CategoryPair.subcategory_id)
    )
