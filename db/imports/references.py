"""The teams, services, categories and people that an import names: found by name, made when they are new."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Table, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from db.imports.servicenow import History
from db.models import Category, CategoryPair, Person, Service, Subcategory, Team

_MOST_AT_ONCE = 500


class References:
    """Names -> ids, remembered from batch to batch. In a dry run new names get ids below zero."""

    def __init__(self, now: datetime, *, dry_run: bool) -> None:
        self._now = now
        self._dry_run = dry_run
        self._unmade = 0
        self.teams: dict[str, int] = {}
        self.services: dict[str, int] = {}
        self.people: dict[str, int] = {}
        self.pairs: dict[tuple[str, str | None], int] = {}
        self._categories: dict[str, int] = {}
        self._subcategories: dict[str, int] = {}

    def learn(self, db: Session, histories: Sequence[History]) -> None:
        """Know every name in `histories`. Called in the transaction, under the lock, that writes them."""
        self._named(db, Team, self.teams, (entry.to_team for history in histories for entry in history.entries))
        self._named(db, Service, self.services, (history.service for history in histories))
        people = (name for history in histories for name in (history.caller, history.opened_by, history.assignee))
        self._people(db, people)
        pairs = {history.category for history in histories if history.category} - self.pairs.keys()
        if pairs:
            self._named(db, Category, self._categories, (category for category, _ in pairs))
            self._named(db, Subcategory, self._subcategories, (subcategory for _, subcategory in pairs))
            self._pairs(db, pairs)

    def _named(
        self,
        db: Session,
        model: type[Team] | type[Service] | type[Category] | type[Subcategory],
        known: dict[str, int],
        names: Iterable[str | None],
    ) -> None:
        new = sorted({name for name in names if name} - known.keys())
        self._find(db, model, known, new)
        new = [name for name in new if name not in known]
        if not new:
            return
        if self._dry_run:
            known.update((name, self._next_unmade()) for name in new)
            return
        _insert(db, model.__table__, [{"name": name} | _DEFAULTS.get(model.__tablename__, {}) for name in new])
        self._find(db, model, known, new)

    def _find(self, db: Session, model: Any, known: dict[str, int], names: Sequence[str]) -> None:
        for part in _parts(names):
            known.update(
                (name, row_id) for name, row_id in db.execute(select(model.name, model.id).where(model.name.in_(part)))
            )

    def _people(self, db: Session, names: Iterable[str | None]) -> None:
        """Only people who themselves came with an import are meant: a name alone gives nobody's account anything."""
        new = sorted({name for name in names if name} - self.people.keys())
        self._find_people(db, new)
        new = [name for name in new if name not in self.people]
        if self._dry_run:
            self.people.update((name, self._next_unmade()) for name in new)
        elif new:
            made = {"zone": "UTC", "created_at": self._now, "imported": True, "sample": False, "version": 1}
            db.execute(Person.__table__.insert(), [{"name": name} | made for name in new])  # type: ignore[attr-defined]
            self._find_people(db, new)

    def _find_people(self, db: Session, names: Sequence[str]) -> None:
        for part in _parts(names):
            found = select(Person.name, Person.id).where(Person.imported, Person.name.in_(part))
            self.people.update((name, row_id) for name, row_id in db.execute(found.order_by(Person.id.desc())))

    def _pairs(self, db: Session, pairs: Iterable[tuple[str, str | None]]) -> None:
        ids, below = self._categories, self._subcategories
        by_id = {(ids[one], below[other] if other else None): (one, other) for one, other in pairs}
        self._find_pairs(db, by_id)
        new = sorted((key for key, pair in by_id.items() if pair not in self.pairs), key=str)
        if self._dry_run:
            self.pairs.update((by_id[key], self._next_unmade()) for key in new)
        elif new:
            rows = [{"category_id": one, "subcategory_id": other, "runbook": ""} for one, other in new]
            _insert(db, CategoryPair.__table__, rows)
            self._find_pairs(db, by_id)

    def _find_pairs(self, db: Session, by_id: dict[tuple[int, int | None], tuple[str, str | None]]) -> None:
        categories = {category for category, _ in by_id}
        found = select(CategoryPair.category_id, CategoryPair.subcategory_id, CategoryPair.id).where(
            CategoryPair.category_id.in_(categories)
        )
        for category, subcategory, pair in db.execute(found):
            if (category, subcategory) in by_id:
                self.pairs[by_id[category, subcategory]] = pair

    def _next_unmade(self) -> int:
        self._unmade -= 1
        return self._unmade


_DEFAULTS: dict[str, dict[str, Any]] = {
    "team": {"tier": "2", "way": "itil", "contact": "", "imported": True},
    "service": {"description": "", "imported": True},
}
"""An imported team is taken for tier 2: nothing in a ServiceNow export names a group's tier."""


def _insert(db: Session, table: Any, rows: list[dict[str, Any]]) -> None:
    """Insert what is not there yet: somebody may make the same team on a screen at this very moment."""
    assert isinstance(table, Table)
    insert = postgresql.insert if db.get_bind().dialect.name == "postgresql" else sqlite.insert
    db.execute(insert(table).on_conflict_do_nothing(), rows)


def _parts(names: Sequence[str]) -> Iterable[Sequence[str]]:
    for start in range(0, len(names), _MOST_AT_ONCE):
        yield names[start : start + _MOST_AT_ONCE]
