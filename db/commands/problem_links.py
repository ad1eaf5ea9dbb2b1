"""Incidents of a problem: linked and unlinked, told on the timeline of each and in the history of the problem.

Of a restricted incident only its own timeline tells it: not everybody who reads the problem may know of it.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.commands import incidents, merging, timeline
from db.commands.problem_history import for_change, keep
from db.models import Incident, IncidentLink, Problem
from db.queries.problems import record_of
from rules import access
from rules.access import Actor
from rules.errors import RuleError
from rules.text import looked_for

MOST_AT_ONCE = 100
MOST_LINKS = 50
"""of one incident, whatever they lead to"""


def link(
    db: Session, problem_id: int, incident_ids: Sequence[int], *, actor: Actor, now: datetime
) -> list[IncidentLink]:
    """Link incidents with a problem; those that are linked already are passed over. RuleError or NotFound."""
    problem = for_change(db, problem_id, None, actor)
    if problem.state == "closed":
        raise RuleError(f"{problem.number} is closed. Open it again first.")
    wanted = sorted(set(incident_ids))
    if len(wanted) > MOST_AT_ONCE:
        raise RuleError(f"Choose at most {MOST_AT_ONCE} incidents at once.")
    if wanted:
        merging.lock(db, *wanted)  # all at once and the oldest first; one by one, a part of the first came too early
    held = set(
        db.scalars(
            select(IncidentLink.incident_id).where(
                IncidentLink.problem_id == problem.id, IncidentLink.incident_id.in_(wanted)
            )
        )
    )
    counted = (
        select(IncidentLink.incident_id, func.count())
        .where(IncidentLink.incident_id.in_(wanted))
        .group_by(IncidentLink.incident_id)
    )
    full = {incident_id for incident_id, links in db.execute(counted) if links >= MOST_LINKS}
    found = [incidents.for_change(db, incident_id, None, actor) for incident_id in wanted if incident_id not in held]
    made = [_one(db, problem, incident, incident.id in full, actor, now) for incident in found]
    _keep(db, problem, found, "link", "linked", actor, now)
    db.flush()
    return made


def _one(db: Session, problem: Problem, incident: Incident, full: bool, actor: Actor, now: datetime) -> IncidentLink:
    if full:
        raise RuleError(f"{incident.number} has {MOST_LINKS} links already. Remove one that no longer matters.")
    made = IncidentLink(
        incident_id=incident.id,
        kind="problem",
        reference=problem.number,
        url="",
        added_by_id=actor.id,
        added_at=now,
        problem_id=problem.id,
    )
    db.add(made)
    told = f"linked it with problem {problem.number}"
    changes = {"link": [None, problem.number]}
    timeline.add(db, incident, actor, now, "relate", told, changes=changes, versioned=False)
    return made


def unlink(db: Session, problem_id: int, incident_id: int, *, actor: Actor, now: datetime) -> None:
    """Take an incident out of a problem; one that is out already changes nothing."""
    problem = for_change(db, problem_id, None, actor)
    incident = incidents.for_change(db, incident_id, None, actor)
    held = db.scalars(
        select(IncidentLink).where(IncidentLink.problem_id == problem.id, IncidentLink.incident_id == incident.id)
    ).one_or_none()
    if held is None:
        return
    told = f"removed the link with problem {problem.number}"
    changes = {"link": [problem.number, None]}
    timeline.add(db, incident, actor, now, "relate", told, changes=changes, versioned=False)
    _keep(db, problem, [incident], "unlink", "took out", actor, now)
    db.delete(held)
    db.flush()


def named(db: Session, number: str, actor: Actor) -> int | None:
    """Id of the problem with this number that is open to the actor; None when there is none to them."""
    found = db.scalars(select(Problem).where(Problem.number == looked_for(number).upper())).one_or_none()
    may = found is not None and access.may(actor, "problems", record_of(db, found))
    return found.id if found is not None and may else None


def _keep(
    db: Session, problem: Problem, found: Sequence[Incident], kind: str, told: str, actor: Actor, now: datetime
) -> None:
    numbers = sorted(each.number for each in found if not each.restricted)
    if numbers:
        keep(db, problem, actor, now, kind, f"{told} {', '.join(numbers)}")
