"""Who is told that a problem is fixed: those who work on its open incidents, and those who reported them.

Whoever reported what was merged into one of them waits for it, too.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import chains
from db.commands import notices, timeline
from db.models import Incident, IncidentLink, Problem
from db.queries import people
from db.queries.access import record_of
from db.queries.responsible import leading, responsible
from rules import access
from rules.access import Actor
from rules.states import OPEN, UNCLOSED

FIXED, CAUSE_FIXED = "problem_fixed", "cause_fixed"
"""kinds of notice: for those who work on it, for those who reported it"""


def fixed(db: Session, problem: Problem, *, actor: Actor, now: datetime) -> None:
    """Say so on every open incident of the problem, and tell each person once, whatever number of them they have.

    Of a restricted problem nothing is told but its number.
    """
    ids = select(IncidentLink.incident_id).where(IncidentLink.problem_id == problem.id)
    chosen = select(Incident).where(Incident.id.in_(ids), Incident.state.in_(sorted(UNCLOSED)))
    linked = db.scalars(chosen.order_by(Incident.id).with_for_update().execution_options(populate_existing=True)).all()
    chains.hold(db, linked)
    working: dict[int, list[Incident]] = defaultdict(list)
    waiting: dict[int, list[Incident]] = defaultdict(list)
    leads: dict[int | None, set[int]] = {}
    words = "" if problem.restricted else problem.fix
    for incident in linked:
        if incident.reporter_id not in (None, actor.id):
            waiting[incident.reporter_id or 0].append(incident)
        if incident.state not in OPEN:
            continue
        told = f"fixed problem {problem.number}, which causes it"
        timeline.add(db, incident, actor, now, "relate", told, detail=words, versioned=False)
        for person in _who(db, incident, leads):
            working[person].append(incident)
    for incident, survivor in _merged_into(db, linked):
        reporter = incident.reporter_id
        if reporter is not None and reporter != actor.id and _may_know(db, reporter, survivor):
            waiting[reporter].append(incident)
    _tell_workers(db, problem, words, working, actor, now)
    for person, theirs in waiting.items():
        _tell_reporter(db, person, theirs, now)


def _merged_into(db: Session, linked: Sequence[Incident]) -> list[tuple[Incident, Incident]]:
    """What goes on as one of these, whether merged into it or into what was, each with the one that goes on."""
    goes_on = {incident.id: incident for incident in linked}
    found, level = list[tuple[Incident, Incident]](), list(goes_on)
    while level:
        merged = select(Incident).where(Incident.duplicate_of_id.in_(level)).order_by(Incident.id)
        level = []
        for incident in db.scalars(merged).all():
            if incident.id not in goes_on:
                goes_on[incident.id] = goes_on[incident.duplicate_of_id or 0]
                found.append((incident, goes_on[incident.id]))
                level.append(incident.id)
    return found


def _may_know(db: Session, person_id: int, survivor: Incident) -> bool:
    """Whether the reporter of what was merged may know how the one that goes on fares: not of a restricted one."""
    if not survivor.restricted:
        return True
    reporter = people.acting(db, person_id)
    return reporter is not None and access.may(reporter, "read", record_of(db, survivor))


def _who(db: Session, incident: Incident, leads: dict[int | None, set[int]]) -> set[int]:
    """As responsible(), the leads of each team looked up once."""
    if incident.restricted:
        return set(responsible(db, incident))
    if incident.team_id not in leads:
        leads[incident.team_id] = leading(db, incident.team_id) or set(responsible(db, incident)) - {
            incident.assignee_id or 0
        }
    return leads[incident.team_id] | ({incident.assignee_id} if incident.assignee_id is not None else set())


def _tell_workers(
    db: Session, problem: Problem, words: str, working: dict[int, list[Incident]], actor: Actor, now: datetime
) -> None:
    same: dict[tuple[int, ...], list[int]] = defaultdict(list)
    of = {incident.id: incident for theirs in working.values() for incident in theirs}
    for person, theirs in working.items():
        if person != actor.id:
            same[tuple(incident.id for incident in theirs)].append(person)
    subject = f"Fixed: problem {problem.number}"
    if not problem.restricted:
        subject += f": {problem.title}"
    for ids, them in same.items():
        numbers = ", ".join(of[incident_id].number for incident_id in ids)
        body = f"{words}\n\nStill open because of it: {numbers}".strip()
        only = of[ids[0]] if len(ids) == 1 else None
        notices.tell(db, them, FIXED, subject, body, incident=only, now=now)


def _tell_reporter(db: Session, person: int, theirs: list[Incident], now: datetime) -> None:
    """One notice about all that they reported, with the words that are for everybody."""
    first = theirs[0]
    more = f" and {len(theirs) - 1} more" if len(theirs) > 1 else ""
    subject = f"The cause is fixed: {first.number}: {first.title}{more}"
    body = "What caused it is fixed for good. If it still happens, write under My reports."
    if more:
        body += "\n\n" + "\n".join(f"{incident.number}: {incident.title}" for incident in theirs)
    notices.tell(db, [person], CAUSE_FIXED, subject, body, incident=first, now=now)
