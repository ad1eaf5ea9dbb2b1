"""Escalation policies: added, changed, archived. What runs already goes on by the policy as it was when it began."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.commands import audit
from db.models import EscalationPolicy, Integration, Schedule, Service, Team
from db.queries import choices
from rules import access, text
from rules.access import Actor, NotFound
from rules.errors import RuleError
from rules.escalation import LEAST_TIMEOUT, MOST_TIMEOUT, Policy, Target

NAME_LIMIT = 120
_KEPT = ("name", "steps", "repeats", "acknowledge_seconds")


def save(
    db: Session,
    policy_id: int | None,
    *,
    name: str,
    steps: Sequence[Mapping[str, Any]],
    repeats: int = 0,
    acknowledge_seconds: int | None = None,
    version: int | None = None,
    actor: Actor,
    now: datetime,
) -> int:
    """Add a policy (None), or change the one that was seen at `version`; its id.

    RuleError with `fields`: name, steps, steps.N (N from 0), repeats, acknowledge_seconds.
    """
    access.check(actor, "escalation_edit")
    wrong: dict[str, str] = {}
    given = {
        "name": _name(db, policy_id, name, wrong),
        "steps": _steps(db, steps, repeats, wrong),
        "repeats": repeats,
        "acknowledge_seconds": acknowledge_seconds,
    }
    if acknowledge_seconds is not None and not LEAST_TIMEOUT <= acknowledge_seconds <= MOST_TIMEOUT:
        wrong["acknowledge_seconds"] = "Give a time from 5 min to 7 d, or leave it empty."
    if wrong:
        raise RuleError(" ".join(dict.fromkeys(wrong.values())), fields=wrong)
    if policy_id is None:
        made = EscalationPolicy(**given, created_at=now)
        db.add(made)
        db.flush()
        audit.record(db, actor, now, "escalation policy added", made.name, after=given)
        return made.id
    policy = _held(db, policy_id)
    if version is not None and policy.version != version:
        raise RuleError("Somebody changed it meanwhile. Leave this, look at it as it is now, and change it again.")
    before = {key: getattr(policy, key) for key in _KEPT}
    if given != before:
        for key, value in given.items():
            setattr(policy, key, value)
        policy.version += 1
        db.flush()
        audit.record(db, actor, now, "escalation policy changed", policy.name, before=before, after=given)
    return policy.id


def archive(db: Session, policy_id: int, *, actor: Actor, now: datetime) -> None:
    """Take it out of use. RuleError while a service, a team or an integration still has it."""
    access.check(actor, "escalation_edit")
    policy = _held(db, policy_id)
    if policy.archived_at is not None:
        return
    users = [
        name
        for model in (Service, Team, Integration)
        for name in db.scalars(
            select(model.name).where(model.escalation_policy_id == policy.id, model.archived_at.is_(None))
        )
    ]
    if users:
        raise RuleError(f"{', '.join(users[:5])} would page nobody. Give them another policy first.")
    policy.archived_at = now
    policy.version += 1
    audit.record(db, actor, now, "escalation policy archived", policy.name)


def restore(db: Session, policy_id: int, *, actor: Actor, now: datetime) -> None:
    """Bring back what was archived."""
    access.check(actor, "escalation_edit")
    policy = _held(db, policy_id)
    if policy.archived_at is not None:
        policy.archived_at = None
        policy.version += 1
        audit.record(db, actor, now, "escalation policy brought back", policy.name)


def _held(db: Session, policy_id: int) -> EscalationPolicy:
    policy = db.get(EscalationPolicy, policy_id, with_for_update=True)
    if policy is None:
        raise NotFound("There is no such policy any more.")
    return policy


def _name(db: Session, policy_id: int | None, name: str, wrong: dict[str, str]) -> str:
    try:
        name = text.line(name, "name", NAME_LIMIT, required="Give the policy a name.")
    except RuleError as error:
        wrong["name"] = error.sentence
        return ""
    other = db.scalar(select(EscalationPolicy).where(func.lower(EscalationPolicy.name) == name.lower()))
    if other is not None and other.id != policy_id:
        wrong["name"] = f"There is a policy called {other.name} already. Choose another name, or bring it back."
    return name


def _steps(
    db: Session, steps: Sequence[Mapping[str, Any]], repeats: int, wrong: dict[str, str]
) -> list[dict[str, Any]]:
    """The steps as they are kept. Whom they name must be there; one that names nobody asks for somebody."""
    try:
        policy = Policy.from_dict({"steps": steps, "repeats": repeats})
    except RuleError as error:
        wrong["repeats" if "repeats" in error.fields else "steps"] = error.sentence
        return []
    known = {
        "schedule": set(db.scalars(select(Schedule.id).where(Schedule.archived_at.is_(None)))),
        "person": set(choices.workers(db)),
        "team": {team.id for team in choices.teams(db)},
    }
    for number, step in enumerate(policy.steps):
        if not step.targets:
            wrong[f"steps.{number}"] = f"Step {number + 1}: choose whom to ask."
        elif gone := [target for target in step.targets if target.id not in known[target.kind]]:
            wrong[f"steps.{number}"] = f"Step {number + 1}: {_gone(gone)}"
    return [
        {"delay": step.delay, "targets": [{"kind": target.kind, "id": target.id} for target in step.targets]}
        for step in policy.steps
    ]


def _gone(targets: Sequence[Target]) -> str:
    said = {
        "schedule": "a schedule is not kept any more.",
        "person": "somebody does not work on incidents any more.",
        "team": "a team is archived.",
    }
    return f"{said[targets[0].kind]} Choose somebody else."
