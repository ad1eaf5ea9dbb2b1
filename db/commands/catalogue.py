"""What an organisation is made of: teams, services, and the categories that incidents are sorted under.

Nothing is deleted: what is archived leaves the forms and stays on the incidents that have it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.commands import audit
from db.models import (
    QUEUE_ON_HOLD,
    Category,
    CategoryPair,
    EscalationPolicy,
    Incident,
    Service,
    Subcategory,
    Team,
    Template,
)
from rules import access, text
from rules.access import Actor, NotFound
from rules.catalogue import IMPACTS, TIERS, WAYS
from rules.errors import RuleError

NAME_LIMIT = 120
CONTACT_LIMIT = 200
TEXT_LIMIT = 20_000
_MEANWHILE = "Somebody changed it meanwhile. Close this, look at it as it is now, and change it again."
Thing = Team | Service | CategoryPair
Model = type[Team] | type[Service] | type[CategoryPair]
_MODELS: dict[str, Model] = {
    "team": Team,
    "service": Service,
    "category": CategoryPair,
}


def save_team(
    db: Session,
    team_id: int | None,
    *,
    name: str,
    tier: str,
    way: str,
    contact: str = "",
    escalation_policy_id: int | None = None,
    seen: Mapping[str, Any] | None = None,
    actor: Actor,
    now: datetime,
) -> int:
    """Add a team (None), or change one; its id. `seen`: the values it had when the form was opened."""
    wrong: dict[str, str] = {}
    given = {
        "name": _line(wrong, "name", name, NAME_LIMIT, "Give the team a name."),
        "tier": tier,
        "way": way,
        "contact": _line(wrong, "contact", contact, CONTACT_LIMIT),
        "escalation_policy_id": _policy(db, wrong, escalation_policy_id),
    }
    if tier not in TIERS:
        wrong["tier"] = "Choose the tier from the list."
    if way not in WAYS:
        wrong["way"] = "Choose the way of working from the list."
    if tier == "external" and not given["contact"]:
        wrong["contact"] = "Say how the vendor is reached."
    return _save(db, "team", team_id, given, seen, wrong, actor, now)


def save_service(
    db: Session,
    service_id: int | None,
    *,
    name: str,
    description: str = "",
    team_id: int | None = None,
    impact: int | None = None,
    escalation_policy_id: int | None = None,
    seen: Mapping[str, Any] | None = None,
    actor: Actor,
    now: datetime,
) -> int:
    """Add a service (None), or change one; its id."""
    wrong: dict[str, str] = {}
    given = {
        "name": _line(wrong, "name", name, NAME_LIMIT, "Give the service a name."),
        "description": text.block(description, "description", TEXT_LIMIT),
        "team_id": _team(db, wrong, team_id),
        "impact": impact,
        "escalation_policy_id": _policy(db, wrong, escalation_policy_id),
    }
    if impact not in IMPACTS:
        wrong["impact"] = "Choose from the list how much hangs on it."
    return _save(db, "service", service_id, given, seen, wrong, actor, now)


def save_category(
    db: Session,
    pair_id: int | None,
    *,
    category: str,
    subcategory: str = "",
    team_id: int | None = None,
    runbook: str = "",
    template_id: int | None = None,
    seen: Mapping[str, Any] | None = None,
    actor: Actor,
    now: datetime,
) -> int:
    """Add a pair of category and subcategory (None), or change one; its id.

    Names that are there already are used again: a subcategory may stand under several categories. Another name for
    a pair that exists renames the category or the subcategory wherever it stands.
    """
    access.check(actor, "settings")
    wrong: dict[str, str] = {}
    names = (
        _line(wrong, "category", category, NAME_LIMIT, "Give the category a name."),
        _line(wrong, "subcategory", subcategory, NAME_LIMIT),
    )
    given: dict[str, Any] = {
        "team_id": _team(db, wrong, team_id),
        "runbook": text.block(runbook, "runbook", TEXT_LIMIT),
        "template_id": template_id,
    }
    template = db.get(Template, template_id) if template_id is not None else None
    if template_id is not None and (template is None or template.archived_at is not None):
        wrong["template_id"] = "Choose a template from the list."
    if wrong:
        raise RuleError(" ".join(wrong.values()), fields=wrong)
    if pair_id is not None:
        _rename(db, pair_id, names, seen, actor, now)
        return _save(db, "category", pair_id, given, seen, wrong, actor, now)
    top = _by_name(db, Category, names[0]) or Category(name=names[0])
    sub = (_by_name(db, Subcategory, names[1]) or Subcategory(name=names[1])) if names[1] else None
    top.archived_at = None
    db.add_all([part for part in (top, sub) if part is not None])
    db.flush()
    sub_id = sub.id if sub else None
    same = select(CategoryPair.id).where(
        CategoryPair.category_id == top.id, CategoryPair.subcategory_id.is_not_distinct_from(sub_id)
    )
    if db.execute(same).first() is not None:
        raise RuleError("This category is there already. Change it, or bring it back.", field="category")
    return _save(db, "category", None, given | {"category_id": top.id, "subcategory_id": sub_id}, None, {}, actor, now)


def archive(db: Session, kind: str, thing_id: int, *, actor: Actor, now: datetime) -> None:
    """Take a team, service or category out of the forms. A team that still has open incidents is kept."""
    thing = _of_kind(db, kind, thing_id, actor)
    if thing.archived_at is not None:
        return
    if isinstance(thing, Team):
        waiting = select(func.count()).where(Incident.team_id == thing.id, Incident.queue_group <= QUEUE_ON_HOLD)
        count = db.execute(waiting.select_from(Incident)).scalar_one()
        if count:
            raise RuleError(f"{thing.name} has {count:,} open incidents. Give them to another team first.")
    thing.archived_at = now
    audit.record(db, actor, now, f"{kind} archived", _subject(db, thing))


def restore(db: Session, kind: str, thing_id: int, *, actor: Actor, now: datetime) -> None:
    """Bring back what was archived."""
    thing = _of_kind(db, kind, thing_id, actor)
    if thing.archived_at is None:
        return
    thing.archived_at = None
    if isinstance(thing, CategoryPair):
        db.get_one(Category, thing.category_id).archived_at = None
    audit.record(db, actor, now, f"{kind} brought back", _subject(db, thing))


def _save(
    db: Session,
    kind: str,
    thing_id: int | None,
    given: dict[str, Any],
    seen: Mapping[str, Any] | None,
    wrong: dict[str, str],
    actor: Actor,
    now: datetime,
) -> int:
    access.check(actor, "settings")
    model = _MODELS[kind]
    if "name" in given and not wrong:
        other = _by_name(db, model, given["name"])
        if other is not None and other.id != thing_id:
            wrong["name"] = f"There is a {kind} called {other.name} already. Choose another name, or bring it back."
    if wrong:
        raise RuleError(" ".join(wrong.values()), fields=wrong)
    if thing_id is None:
        thing = model(**given)
        db.add(thing)
        db.flush()
        audit.record(db, actor, now, f"{kind} added", _subject(db, thing), after=given)
        return thing.id
    thing = _found(db, model, thing_id)
    before = {name: getattr(thing, name) for name in given}
    for name, value in (seen or {}).items():
        if name in before and before[name] != value:
            raise RuleError(_MEANWHILE)
    if given != before:
        for name, value in given.items():
            setattr(thing, name, value)
        db.flush()
        audit.record(db, actor, now, f"{kind} changed", _subject(db, thing), before=before, after=given)
    return thing.id


def _rename(
    db: Session,
    pair_id: int,
    names: tuple[str, str],
    seen: Mapping[str, Any] | None,
    actor: Actor,
    now: datetime,
) -> None:
    """Give the pair's category and subcategory these names, wherever they stand."""
    pair = db.get(CategoryPair, pair_id, with_for_update=True)
    if pair is None:
        raise NotFound("There is no such entry any more.")
    sub = db.get(Subcategory, pair.subcategory_id) if pair.subcategory_id is not None else None
    if sub is None and names[1]:
        raise RuleError("It has no subcategory. Add a new category with this subcategory instead.", field="subcategory")
    if sub is not None and not names[1]:
        raise RuleError("Give the subcategory a name.", field="subcategory")
    top = db.get_one(Category, pair.category_id)
    for field, part, name in (("category", top, names[0]), ("subcategory", sub, names[1])):
        if part is None or part.name == name:
            continue
        if seen is not None and seen.get(field, part.name) != part.name:
            raise RuleError(_MEANWHILE)
        other = _by_name(db, type(part), name)
        if other is not None and other.id != part.id:
            raise RuleError(f"There is a {field} called {other.name} already. Choose another name.", field=field)
        audit.record(db, actor, now, f"{field} renamed", name, before={"name": part.name}, after={"name": name})
        part.name = name
    db.flush()


def _of_kind(db: Session, kind: str, thing_id: int, actor: Actor) -> Thing:
    access.check(actor, "settings")
    if kind not in _MODELS:
        raise RuleError("Choose a team, a service or a category.")
    return _found(db, _MODELS[kind], thing_id)


def _found(db: Session, model: Model, thing_id: int) -> Thing:
    thing: Thing | None = db.get(model, thing_id, with_for_update=True)  # type: ignore[assignment]
    if thing is None:
        raise NotFound("There is no such entry any more.")
    return thing


def _by_name(db: Session, model: Any, name: str) -> Any:
    return db.scalars(select(model).where(func.lower(model.name) == name.lower())).first()


def _line(wrong: dict[str, str], field: str, value: str, limit: int, required: str = "") -> str:
    try:
        return text.line(value, field, limit, required=required)
    except RuleError as error:
        wrong[field] = error.sentence
        return ""


def _team(db: Session, wrong: dict[str, str], team_id: int | None) -> int | None:
    team = db.get(Team, team_id) if team_id is not None else None
    if team_id is not None and (team is None or team.archived_at is not None):
        wrong["team_id"] = "Choose a team from the list."
    return team_id


def _policy(db: Session, wrong: dict[str, str], policy_id: int | None) -> int | None:
    policy = db.get(EscalationPolicy, policy_id) if policy_id is not None else None
    if policy_id is not None and (policy is None or policy.archived_at is not None):
        wrong["escalation_policy_id"] = "Choose an escalation policy from the list."
    return policy_id


def _subject(db: Session, thing: Thing) -> str:
    if not isinstance(thing, CategoryPair):
        return thing.name
    sub = db.get(Subcategory, thing.subcategory_id) if thing.subcategory_id is not None else None
    return " › ".join(part.name for part in (db.get_one(Category, thing.category_id), sub) if part)
