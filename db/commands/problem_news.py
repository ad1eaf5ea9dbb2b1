"""What a problem that is over means to its incidents: what is on hold for it goes on, and those concerned are told.

That it is fixed is told to those who work on its open incidents, and to those who reported them. Whoever reported what
was merged into one of them waits for it, too.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import chains
from db.commands import incidents, notices, timeline
from db.models import Incident, IncidentLink, Problem
from db.queries import people
from db.queries.access import record_of
from db.queries.responsible import leading, responsible
from rules import access
from rules.access import Actor
from rules.problems import OPEN as UNSOLVED
from rules.states import OPEN, UNCLOSED

FIXED, CAUSE_FIXED, CLOSED = "problem_fixed", "cause_fixed", "problem_closed"
"""kinds of notice: for those who work on it, for those who reported it, for those whose incident was on hold for it"""


def fixed(db: Session, problem: Problem, *, actor: Actor, now: datetime) -> None:
    """Say so on every open incident of the problem, and tell each person once, whatever number of them they have.

    What is on hold for it goes on, unless it waits for another one too. Of a restricted problem nothing is told but its
    number.
    """
    linked = _held(db, problem)
    going_on = {incident.id for incident in _on_hold_for(db, problem, linked)}
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
        if incident.id in going_on:
            incidents.wait_is_over(db, incident, "The problem that it waited for is fixed.", now=now)
        for person in _who(db, incident, leads):
            working[person].append(incident)
    for incident, survivor in _merged_into(db, linked):
        reporter = incident.reporter_id
        if reporter is not None and reporter != actor.id and _may_know(db, reporter, survivor):
            waiting[reporter].append(incident)
    still = "Still open because of it"
    _tell_workers(db, problem, FIXED, "Fixed", words, still, working, going_on, actor, now)
    for person, theirs in waiting.items():
        _tell_reporter(db, person, theirs, now)


def closed(db: Session, problem: Problem, why: str, *, actor: Actor, now: datetime) -> None:
    """Let what is on hold for the problem go on, and tell whoever works on it: no fix comes any more.

    `why` is the reason for closing it without one; of a restricted problem nobody reads it.
    """
    going_on = _on_hold_for(db, problem, _held(db, problem))
    working: dict[int, list[Incident]] = defaultdict(list)
    leads: dict[int | None, set[int]] = {}
    words = "" if problem.restricted else why
    for incident in going_on:
        without = " without a fix" if problem.fixed_at is None else ""
        said = f"closed problem {problem.number}{without}, which it waited for"
        timeline.add(db, incident, actor, now, "relate", said, detail=words, versioned=False)
        incidents.wait_is_over(db, incident, "The problem that it waited for is closed.", now=now)
        for person in _who(db, incident, leads):
            working[person].append(incident)
    ids = {incident.id for incident in going_on}
    _tell_workers(db, problem, CLOSED, "Closed", words, "", working, ids, actor, now)


def _held(db: Session, problem: Problem) -> Sequence[Incident]:
    """Its incidents that are not closed, locked, the oldest first."""
    ids = select(IncidentLink.incident_id).where(IncidentLink.problem_id == problem.id)
    chosen = select(Incident).where(Incident.id.in_(ids), Incident.state.in_(sorted(UNCLOSED)))
    linked = db.scalars(chosen.order_by(Incident.id).with_for_update().execution_options(populate_existing=True)).all()
    chains.hold(db, linked)
    return linked


def _on_hold_for(db: Session, problem: Problem, linked: Sequence[Incident]) -> list[Incident]:
    """Those that wait for a problem and have no other one that is still to be solved."""
    found = [each for each in linked if each.state == "on_hold" and each.hold_reason == "problem"]
    others = (
        select(IncidentLink.incident_id)
        .join(Problem, Problem.id == IncidentLink.problem_id)
        .where(IncidentLink.incident_id.in_([each.id for each in found]))
        .where(Problem.id != problem.id, Problem.state.in_(sorted(UNSOLVED)))
    )
    wait = set(db.scalars(others)) if found else set()
    return [each for each in found if each.id not in wait]


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
    db: Session,
    problem: Problem,
    kind: str,
    happened: str,
    words: str,
    still: str,
    working: dict[int, list[Incident]],
    going_on: Collection[int],
    actor: Actor,
    now: datetime,
) -> None:
    """One notice to each about all of theirs: those that go on now, and after `still` the others."""
    same: dict[tuple[int, ...], list[int]] = defaultdict(list)
    of = {incident.id: incident for theirs in working.values() for incident in theirs}
    for person, theirs in working.items():
        if person != actor.id:
            same[tuple(incident.id for incident in theirs)].append(person)
    subject = f"{happened}: problem {problem.number}"
    if not problem.restricted:
        subject += f": {problem.title}"
    for ids, them in same.items():
        parts = [words]
        for said, numbers in (
            ("Not on hold for it any more", [of[each].number for each in ids if each in going_on]),
            (still, [of[each].number for each in ids if each not in going_on]),
        ):
            if numbers:
                parts.append(f"{said}: {', '.join(numbers)}")
        only = of[ids[0]] if len(ids) == 1 else None
        notices.tell(db, them, kind, subject, "\n\n".join(part for part in parts if part), incident=only, now=now)


def _tell_reporter(db: Session, person: int, theirs: list[Incident], now: datetime) -> None:
    """One notice about all that they reported, with the words that are for everybody."""
    first = theirs[0]
    more = f" and {len(theirs) - 1} more" if len(theirs) > 1 else ""
    subject = f"The cause is fixed: {first.number}: {first.title}{more}"
    body = "What caused it is fixed for good. If it still happens, write under My reports."
    if more:
        body += "\n\n" + "\n".join(f"{incident.number}: {incident.title}" for incident in theirs)
    notices.tell(db, [person], CAUSE_FIXED, subject, body, incident=first, now=now)
