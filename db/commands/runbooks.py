"""Runbooks: a lead or an administrator writes and archives them. Every save is a new version; the old ones stay."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.commands import audit
from db.models import CategoryPair, Person, Runbook, RunbookVersion, Service
from rules import access
from rules import runbooks as rules
from rules.access import Actor, NotFound
from rules.errors import RuleError


def save(
    db: Session,
    runbook_id: int | None,
    version: int | None = None,
    *,
    name: str,
    text: str,
    service_id: int | None = None,
    category_pair_id: int | None = None,
    actor: Actor,
    now: datetime,
) -> int:
    """Add a runbook (None), or a version to one that is still at `version`; its id. What changes nothing is no version.

    RuleError with `fields`; 'version' is among them when somebody else saved first.
    """
    access.check(actor, "runbook_edit")
    wrong: dict[str, str] = {}
    given: dict[str, Any] = {"service_id": service_id, "category_pair_id": category_pair_id}
    for field, check, typed in (("name", rules.name, name), ("text", rules.checked, text)):
        try:
            given[field] = check(typed)
        except RuleError as error:
            wrong |= error.fields or {field: error.sentence}
    found = _found(db, runbook_id) if runbook_id is not None else None
    wrong |= _unknown(db, given, found)
    if "name" in given and _taken(db, given["name"], runbook_id):
        wrong["name"] = f"There is one called {given['name']} already. Choose another name, or bring it back."
    if wrong:
        raise RuleError(" ".join(wrong.values()), fields=wrong)
    if found is None:
        made = Runbook(name=given["name"], service_id=service_id, category_pair_id=category_pair_id, version=1)
        db.add(made)
        db.flush()
        _keep(db, made, given["text"], actor, now)
        audit.record(db, actor, now, "runbook added", made.name, after=_facts(made))
        return made.id
    _change(db, found, version, given, actor, now)
    return found.id


def archive(db: Session, runbook_id: int, *, actor: Actor, now: datetime) -> None:
    """Offer it no longer. Where it is open it stays."""
    _switch(db, runbook_id, now, "runbook archived", actor, now)


def restore(db: Session, runbook_id: int, *, actor: Actor, now: datetime) -> None:
    """Offer it again."""
    _switch(db, runbook_id, None, "runbook brought back", actor, now)


def _switch(
    db: Session, runbook_id: int, archived_at: datetime | None, action: str, actor: Actor, now: datetime
) -> None:
    access.check(actor, "runbook_edit")
    found = _found(db, runbook_id)
    if (found.archived_at is None) == (archived_at is None):
        return
    found.archived_at = archived_at
    audit.record(db, actor, now, action, found.name)


def _change(
    db: Session, found: Runbook, version: int | None, given: dict[str, Any], actor: Actor, now: datetime
) -> None:
    newest = db.get_one(RunbookVersion, (found.id, found.version))
    if version is not None and found.version != version:
        who = db.get_one(Person, newest.saved_by_id).name
        sentence = f"{who} saved version {found.version} while you were writing. See what it says, then choose."
        raise RuleError(sentence, field="version")
    before = {"name": found.name, "service_id": found.service_id, "category_pair_id": found.category_pair_id}
    if before | {"text": newest.text} == given:
        return
    told = _facts(found)
    found.name = given["name"]
    found.service_id, found.category_pair_id = given["service_id"], given["category_pair_id"]
    found.version += 1
    db.flush()
    _keep(db, found, given["text"], actor, now)
    audit.record(db, actor, now, "runbook changed", found.name, before=told, after=_facts(found))


def _keep(db: Session, runbook: Runbook, text: str, actor: Actor, now: datetime) -> None:
    db.add(
        RunbookVersion(
            runbook_id=runbook.id,
            version=runbook.version,
            name=runbook.name,
            text=text,
            saved_at=now,
            saved_by_id=actor.id,
        )
    )


def _facts(runbook: Runbook) -> dict[str, Any]:
    """What the audit keeps of it; its text is in its versions."""
    return {
        "name": runbook.name,
        "service_id": runbook.service_id,
        "category_pair_id": runbook.category_pair_id,
        "version": runbook.version,
    }


def _found(db: Session, runbook_id: int) -> Runbook:
    found = db.get(Runbook, runbook_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound("There is no such runbook.")
    return found


def _taken(db: Session, name: str, runbook_id: int | None) -> bool:
    same = select(Runbook.id).where(func.lower(Runbook.name) == name.lower())
    return any(other != runbook_id for other in db.scalars(same))


def _unknown(db: Session, given: dict[str, Any], found: Runbook | None) -> dict[str, str]:
    """What it names and is not in use, unless it named that before: what was archived since takes no save away."""
    wrong = {}
    models: tuple[tuple[str, Any, str], ...] = (
        ("service_id", Service, "Choose a service from the list."),
        ("category_pair_id", CategoryPair, "Choose a category from the list."),
    )
    for field, model, sentence in models:
        chosen = given[field]
        if chosen is None or (found is not None and getattr(found, field) == chosen):
            continue
        row = db.get(model, chosen)
        if row is None or row.archived_at is not None:
            wrong[field] = sentence
    return wrong
