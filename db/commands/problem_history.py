"""What happens to a problem is kept, in its own history; and who changes it has read what others did."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import Problem, ProblemEntry
from db.queries.problems import absent, record_of
from rules import access
from rules.access import Actor
from rules.errors import RuleError


def for_change(db: Session, problem_id: int, version: int | None, actor: Actor) -> Problem:
    """The problem, locked for this transaction. RuleError('version') if it changed since."""
    access.check(actor, "problem_edit")
    problem = db.get(Problem, problem_id, with_for_update=True, populate_existing=True)
    if problem is None or not access.may(actor, "problems", record_of(db, problem)):
        raise absent(actor, problem is not None)
    if version is not None and problem.version != version:
        newer = select(ProblemEntry.actor_name).where(
            ProblemEntry.problem_id == problem.id, ProblemEntry.version > version
        )
        who = ", ".join(dict.fromkeys(db.scalars(newer.order_by(ProblemEntry.id))))
        sentence = (
            f"{who or 'Somebody'} changed {problem.number} while you were writing. See what changed, then choose."
        )
        raise RuleError(sentence, field="version")
    return problem


def keep(
    db: Session,
    problem: Problem,
    actor: Actor,
    now: datetime,
    kind: str,
    told: str,
    detail: str = "",
    changes: dict[str, Any] | None = None,
) -> None:
    """Add to the history what `actor` did; `told` has no subject."""
    db.add(
        ProblemEntry(
            problem_id=problem.id,
            at=now,
            actor_id=None if actor is access.SYSTEM else actor.id,
            actor_name=actor.name,
            kind=kind,
            text=told,
            detail=detail,
            changes=changes,
            version=problem.version,
        )
    )
