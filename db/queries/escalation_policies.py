"""Escalation policies as those see them who work by them, and what would happen if one began."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.models import EscalationPolicy, Integration, Schedule, Service, Team
from db.queries import choices, reach
from db.queries.escalation import called, resolve
from rules import access, paging
from rules.access import Actor, NotFound
from rules.escalation import Policy, Step, Target, plan, runs_out_at


@dataclass(frozen=True)
class Known:
    """A policy as it is kept."""

    id: int
    name: str
    steps: list[dict[str, Any]]
    repeats: int
    acknowledge_seconds: int | None
    version: int
    archived_at: datetime | None
    used_by: tuple[str, ...]
    """names of the services, teams and integrations that page by it"""


def policies(db: Session, actor: Actor, *, archived: bool = False) -> list[Known]:
    """All policies in use (or archived), by name."""
    access.check(actor, "escalation")
    gone = EscalationPolicy.archived_at
    statement = select(EscalationPolicy).where(gone.is_not(None) if archived else gone.is_(None))
    found = db.scalars(statement.order_by(func.lower(EscalationPolicy.name))).all()
    users = _users(db)
    return [_known(policy, users) for policy in found]


def policy(db: Session, actor: Actor, policy_id: int) -> Known:
    """One of them. NotFound when there is none."""
    access.check(actor, "escalation")
    found = db.get(EscalationPolicy, policy_id)
    if found is None:
        raise NotFound("There is no such policy any more.")
    return _known(found, _users(db))


def names(db: Session) -> dict[int, str]:
    """Id -> name of the policies in use, by name."""
    statement = select(EscalationPolicy.id, EscalationPolicy.name).where(EscalationPolicy.archived_at.is_(None))
    return {id_: name for id_, name in db.execute(statement.order_by(func.lower(EscalationPolicy.name)))}


def _users(db: Session) -> dict[int, list[str]]:
    users: dict[int, list[str]] = {}
    for model, word in ((Service, "service"), (Team, "team"), (Integration, "integration")):
        statement = select(model.escalation_policy_id, model.name).where(
            model.escalation_policy_id.is_not(None), model.archived_at.is_(None)
        )
        for row in db.execute(statement.order_by(model.name)):
            users.setdefault(int(row[0] or 0), []).append(f"{word} {row[1]}")
    return users


def _known(found: EscalationPolicy, users: dict[int, list[str]]) -> Known:
    return Known(
        found.id,
        found.name,
        found.steps,
        found.repeats,
        found.acknowledge_seconds,
        found.version,
        found.archived_at,
        tuple(users.get(found.id, ())),
    )


def targets(db: Session, actor: Actor) -> dict[Target, str]:
    """Whom a step may ask -> what it is called: schedules first, then people, then teams, each by name."""
    access.check(actor, "escalation")
    schedules = select(Schedule.id, Schedule.name).where(Schedule.archived_at.is_(None))
    found = {
        Target("schedule", id_): f"On call: {name}"
        for id_, name in db.execute(schedules.order_by(func.lower(Schedule.name)))
    }
    found |= {Target("person", id_): name for id_, name in choices.workers(db).items()}
    return found | {Target("team", team.id): f"Team: {team.name}" for team in choices.teams(db)}


@dataclass(frozen=True)
class Firing:
    """One step of a dry run."""

    at: datetime
    step: int
    """from 0"""
    names: tuple[str, ...]
    """who would be reached"""
    warnings: tuple[str, ...]
    """who would not, and why"""


@dataclass(frozen=True)
class DryRun:
    """What would happen if nobody answered: the first round, and when the steps have run out after all of them."""

    steps: tuple[Firing, ...]
    ends_at: datetime


def dry_run(db: Session, actor: Actor, steps: Sequence[dict[str, Any]], repeats: int, at: datetime) -> DryRun:
    """Let a P1 begin at `at`, by steps that need not be kept yet. RuleError when they cannot be kept so."""
    access.check(actor, "escalation")
    made = Policy.from_dict({"steps": steps, "repeats": repeats})
    looked: dict[tuple[Step, datetime], tuple[tuple[str, ...], tuple[str, ...]]] = {}

    def reaches(step: Step, moment: datetime) -> bool:
        if (step, moment) not in looked:
            looked[step, moment] = _asked(db, step, moment)
        return bool(looked[step, moment][0])

    fired = plan(made, at, reaches)
    first = tuple(Firing(one.at, one.step, *looked[made.steps[one.step], one.at]) for one in fired if one.round == 0)
    return DryRun(first, runs_out_at(made, at, reaches))


def _asked(db: Session, step: Step, at: datetime) -> tuple[tuple[str, ...], tuple[str, ...]]:
    found = resolve(db, step.targets, at)
    known = called(db, found.people)
    usable = {one.person_id for one in reach.reached(db, list(known), paging.urgency(1)) if one.steps}
    missed = [f"{name} has no way to be reached" for id_, name in known.items() if id_ not in usable]
    return tuple(name for id_, name in known.items() if id_ in usable), (*found.nobody, *missed)
