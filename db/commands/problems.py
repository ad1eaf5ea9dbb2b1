"""Problems: opened, written on, moved from state to state. Everything that happens to one is kept in its history."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db.commands import notices, problem_links, problem_news
from db.commands.problem_history import for_change, keep
from db.models import CategoryPair, Person, PersonRole, Problem, Service
from db.queries.problems import record_of
from rules import access
from rules import problems as rules
from rules.access import Actor
from rules.errors import RuleError

TEXTS = ("title", *rules.TEXTS)
FIELDS = (*TEXTS, "service_id", "category_pair_id", "restricted", "owner_id")
"""what change() changes"""
YOURS = "problem"
"""kind of notice"""


def begin(
    db: Session,
    given: Mapping[str, Any],
    incident_ids: Sequence[int] = (),
    *,
    form_token: str | None = None,
    actor: Actor,
    now: datetime,
) -> Problem:
    """Open a problem with FIELDS of which only the title must be there, and link incidents with it.

    The same `form_token` again gives the one made. RuleError with `fields`, NotFound for an incident not open to them.
    """
    access.check(actor, "problem_edit")
    made = _made_from(db, form_token)
    if made is not None:
        return made
    values = _checked(db, {"title": "", **given}, None)
    problem = Problem(
        number=f"new {form_token or now.timestamp()} {actor.id}"[:40],
        version=1,
        state="open",
        opened_at=now,
        opened_by_id=actor.id,
        changed_at=now,
        form_token=form_token,
        **{name: values.get(name, _NOTHING[name]) for name in FIELDS},
    )
    try:
        with db.begin_nested() if form_token else nullcontext():
            db.add(problem)
            db.flush()
    except IntegrityError:  # the same form arrived twice at once, and the other transaction was first
        made = _made_from(db, form_token)
        if made is None:
            raise
        return made
    problem.number = f"PRB-{problem.id:06d}"
    keep(db, problem, actor, now, "opened", "opened it")
    _tell_owner(db, problem, None, actor, now)
    db.flush()
    if incident_ids:
        problem_links.link(db, problem.id, incident_ids, actor=actor, now=now)
    db.flush()
    return problem


def change(
    db: Session, problem_id: int, version: int | None, given: Mapping[str, Any], *, actor: Actor, now: datetime
) -> Problem:
    """Change FIELDS of a problem that is still at `version` (None: as it is). What changes nothing is no version.

    RuleError with `fields`; 'version' is among them when somebody else was first.
    """
    problem = for_change(db, problem_id, version, actor)
    changes = _changes(db, problem, given)
    wrong = rules.missing(problem.state, _texts(problem, changes))
    if wrong:
        raise RuleError(" ".join(wrong.values()), fields=wrong)
    if changes:
        _write(db, problem, "changed", f"changed {_named(changes)}", changes, "", actor, now)
    return problem


def move(
    db: Session,
    problem_id: int,
    version: int | None,
    name: str,
    reason: str = "",
    given: Mapping[str, Any] | None = None,
    *,
    actor: Actor,
    now: datetime,
) -> Problem:
    """Take one step (rules.problems.MOVES), with FIELDS that are written in the same step.

    Once it is fixed, those who wait for it are told, and what is on hold for it goes on; so it does once it is closed.
    RuleError with `fields` as of change().
    """
    problem = for_change(db, problem_id, version, actor)
    changes = _changes(db, problem, given or {})
    to, kept = rules.target(problem.state, name, reason, _texts(problem, changes))
    changes |= {"state": to, "fixed_at": problem.fixed_at, "closed_at": None}
    if to == "fixed":
        changes["fixed_at"] = now
    elif to == "closed":
        changes["closed_at"] = now
    else:
        changes["fixed_at"] = None
    _write(db, problem, name, rules.MOVES[name].told, changes, kept, actor, now)
    if to == "fixed":
        problem_news.fixed(db, problem, actor=actor, now=now)
    elif to == "closed":
        problem_news.closed(db, problem, kept, actor=actor, now=now)
    return problem


_NOTHING: Mapping[str, Any] = {
    **dict.fromkeys(TEXTS, ""), "service_id": None, "category_pair_id": None, "restricted": False, "owner_id": None,
}  # fmt: skip
_WORDS = {
    "title": "what repeats",
    "cause": "the cause",
    "workaround": "the workaround",
    "public_words": "what reporters read",
    "fix": "the permanent fix",
    "service_id": "the service",
    "category_pair_id": "the category",
    "restricted": "who sees it",
    "owner_id": "the owner",
}


def _named(changes: Mapping[str, Any]) -> str:
    *first, last = [_WORDS[name] for name in FIELDS if name in changes]
    return f"{', '.join(first)} and {last}" if first else last


def _write(
    db: Session,
    problem: Problem,
    kind: str,
    told: str,
    changes: dict[str, Any],
    detail: str,
    actor: Actor,
    now: datetime,
) -> None:
    before = {name: getattr(problem, name) for name in changes}
    for name, value in changes.items():
        setattr(problem, name, value)
    if changes.get("restricted") and not access.may(actor, "problems", record_of(db, problem)):
        sentence = "You would not see it any more. Make yourself its owner, or leave it open."
        raise RuleError(sentence, field="restricted")
    problem.version += 1
    problem.changed_at = now
    values = {
        name: [was, changes[name]] for name, was in before.items() if was != changes[name] and not name.endswith("_at")
    }
    keep(db, problem, actor, now, kind, told, detail, values)
    if "owner_id" in changes:
        _tell_owner(db, problem, before["owner_id"], actor, now)
    db.flush()


def _tell_owner(db: Session, problem: Problem, before: int | None, actor: Actor, now: datetime) -> None:
    owner = problem.owner_id
    if owner not in (None, before, actor.id):
        subject = f"Yours to solve: {problem.number}: {problem.title}"
        notices.tell(db, [owner], YOURS, subject, f"{actor.name} made you its owner.", now=now)


def _changes(db: Session, problem: Problem, given: Mapping[str, Any]) -> dict[str, Any]:
    values = _checked(db, given, problem)
    return {name: value for name, value in values.items() if getattr(problem, name) != value}


def _texts(problem: Problem, changes: Mapping[str, Any]) -> dict[str, str]:
    return {name: changes.get(name, getattr(problem, name)) for name in rules.TEXTS}


def _checked(db: Session, given: Mapping[str, Any], found: Problem | None) -> dict[str, Any]:
    """What is given, as it is kept. RuleError names every fault by field."""
    unknown = sorted(set(given) - set(FIELDS))
    if unknown:
        raise RuleError(f"A problem has no field called '{unknown[0]}'.")
    values = {name: value for name, value in given.items() if name not in TEXTS}
    wrong: dict[str, str] = {}
    try:
        values |= rules.checked({name: given[name] for name in TEXTS if name in given})
    except RuleError as error:
        wrong |= error.fields
    wrong |= _unknown(db, values, found)
    if wrong:
        raise RuleError(" ".join(wrong.values()), fields=wrong)
    if "restricted" in values:
        values["restricted"] = bool(values["restricted"])
    return values


def _unknown(db: Session, values: Mapping[str, Any], found: Problem | None) -> dict[str, str]:
    """What it names and is not in use, unless it named that before."""
    wrong = {}
    models: tuple[tuple[str, Any, str], ...] = (
        ("service_id", Service, "Choose a service from the list."),
        ("category_pair_id", CategoryPair, "Choose a category from the list."),
    )
    for field, model, sentence in models:
        chosen = values.get(field)
        if chosen is None or (found is not None and getattr(found, field) == chosen):
            continue
        row = db.get(model, chosen)
        if row is None or row.archived_at is not None:
            wrong[field] = sentence
    owner = values.get("owner_id")
    if owner is not None and (found is None or found.owner_id != owner):
        person = db.get(Person, owner)
        roles = set(db.scalars(select(PersonRole.role).where(PersonRole.person_id == owner)))
        if person is None or person.disabled_at is not None or not roles & access.TABLE["problem_edit"]:
            wrong["owner_id"] = "Choose somebody from the list, who works on problems."
    return wrong


def _made_from(db: Session, form_token: str | None) -> Problem | None:
    if not form_token:
        return None
    return db.scalars(select(Problem).where(Problem.form_token == form_token)).one_or_none()
