"""The same change for several incidents: each in a transaction of its own, each with its result."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.commands import incidents
from db.commands.undo import undo
from db.engine import DatabaseProblem, writing
from db.models import Incident
from rules.access import Actor
from rules.errors import RuleError

MOST = 200


@dataclass(frozen=True)
class Item:
    """One incident as it was seen."""

    id: int
    number: str
    version: int


@dataclass(frozen=True)
class Result:
    """What became of one incident."""

    item: Item
    """as it is now, when it was changed"""
    done: bool
    sentence: str


def change(
    items: Sequence[Item],
    fields: Mapping[str, Any],
    action: str | None,
    *,
    actor: Actor,
    now: datetime,
    engine: Engine | None = None,
) -> list[Result]:
    """Take `action` with `fields` on each, or change only the `fields` (incidents.TRIAGE_FIELDS) when it is None.

    One that is refused says why and holds up none of the others. RuleError for more than MOST.
    """

    def one(db: Session, item: Item) -> Incident:
        if action is None:
            return incidents.prioritise(db, item.id, item.version, fields, actor=actor, now=now)
        return incidents.perform(db, item.id, item.version, action, fields, actor=actor, now=now)

    return _each(items, one, engine)


def take_back(items: Sequence[Item], *, actor: Actor, now: datetime, engine: Engine | None = None) -> list[Result]:
    """Undo the change that made each one's version."""
    return _each(items, lambda db, item: undo(db, item.id, item.version, actor=actor, now=now), engine)


def _each(
    items: Sequence[Item], change_one: Callable[[Session, Item], Incident], engine: Engine | None
) -> list[Result]:
    if len(items) > MOST:
        raise RuleError(f"Choose at most {MOST} incidents at once.")
    results = []
    for item in items:
        try:
            with writing(engine) as db:
                version = change_one(db, item).version
        except (RuleError, DatabaseProblem) as problem:
            results.append(Result(item, False, problem.sentence))
        else:
            same = version == item.version
            sentence = "It was so already." if same else "Done."
            results.append(Result(Item(item.id, item.number, version), not same, sentence))
    return results
