"""Sample data: a hospital and three months of its incidents, made through the commands, the same for the same seed."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from db.commands import asking, assignments, conversation, incidents, major, tasks, timers, updates
from db.demo import (
    monitoring,
    on_call,
    organisation,
    past,
    postmortems,
    present,
    problems,
    public,
    runbooks,
    templates,
)
from db.demo.story import Step
from db.models import Assignment, Incident, Notice, Setting, Task, Timer
from rules.states import OPEN
from rules.targets import Targets
from rules.verification import Patience

_BEFORE = timedelta(days=400)
"""how long before now the organisation began to use the app"""
_STILL_NEW = timedelta(hours=12)
"""notices older than this were read long ago"""


def fill(db: Session, now: datetime, seed: int = 7, *, past_incidents: int = past.INCIDENTS) -> None:
    """Add the sample organisation, its past and what is open right now. RuleError when there are people already."""
    organisation.refuse_people(db)
    for key, value in (
        ("organisation.name", organisation.NAME),
        ("organisation.zone", organisation.ZONE),
        ("organisation.desk_phone", organisation.DESK_PHONE),
        ("sample_data", True),
    ):
        db.merge(Setting(key=key, value=value, changed_at=now))
    org = organisation.build(db, now - _BEFORE)
    org.templates.update(templates.build(db, org, now - _BEFORE))
    runbooks.build(db, org, now - _BEFORE)
    rng, targets = Random(seed), Targets.default(organisation.ZONE)
    told = list(past.stories(org, rng, targets, now, past_incidents))
    told += present.stories(org, rng, targets, now, first=len(told))
    steps = [step for story in told for step in story.steps if step.at <= now]
    steps.sort(key=lambda step: step.at)
    _play(db, steps, now)
    on_call.add(db, org, now)
    monitoring.add(db, org, now)
    public.add(db, org, now, now - _BEFORE)
    problems.add(db, org, now)
    postmortems.add(db, org, now)
    told_long_ago = Notice.created_at < now - _STILL_NEW
    db.execute(update(Notice).where(told_long_ago).values(read_at=Notice.created_at))


def _play(db: Session, steps: list[Step], now: datetime) -> None:
    """Take every step in order of time, as if each were taken then, with what fell due in between."""
    made: dict[int, Incident] = {}
    stays: dict[int, Assignment | None] = {}
    for step in steps:
        known = made.get(step.story)
        if known is not None:
            _fire_due(db, known, stays, step.at)
        made_now = _take(db, step, made)
        if made_now is not None:
            made[step.story] = made_now
    db.flush()
    fallen = select(Timer).where(_unfired(now)).order_by(Timer.due_at, Timer.id)
    while due := db.scalars(fallen).all():  # a reminder sets the next timer
        for timer in due:
            timers.fire(db, timer, timer.due_at)
        db.flush()


def _take(db: Session, step: Step, made: Mapping[int, Incident]) -> Incident | None:
    actor, now, given = step.actor, step.at, dict(step.given)
    if step.verb == "report":
        return incidents.report(db, **given, actor=actor, now=now)
    number = made[step.story].id
    if step.verb == "follow":
        conversation.follow(db, number, actor=actor, now=now)
    elif step.verb in ("comment", "note"):
        conversation.comment(db, number, given["words"], public=step.verb == "comment", actor=actor, now=now)
    elif step.verb == "tick":
        to_do = select(Task.id).where(Task.incident_id == number, Task.done_at.is_(None)).order_by(Task.position)
        for task_id in db.scalars(to_do.limit(given["steps"])).all():
            tasks.tick(db, number, task_id, True, actor=actor, now=now)
    elif step.verb in runbooks.VERBS:
        runbooks.take(db, number, step.verb, given, actor, now)
    elif step.verb == "prioritise":
        incidents.prioritise(db, number, None, given, actor=actor, now=now)
    elif step.verb == "declare":
        major.declare(db, number, None, **given, actor=actor, now=now)
    elif step.verb == "role":
        major.give(db, number, **given, actor=actor, now=now)
    elif step.verb == "update":
        next_at = now + timedelta(minutes=given.pop("minutes"))
        updates.write(db, number, audience="internal", **given, next_at=next_at, actor=actor, now=now)
    else:
        if "duplicate_of" in given:
            given["duplicate_of_id"] = made[given.pop("duplicate_of")].id
        incidents.perform(db, number, None, step.verb, given, actor=actor, now=now)
    return None


def _fire_due(db: Session, incident: Incident, stays: dict[int, Assignment | None], at: datetime) -> None:
    answer = [incident.response_warn_at, incident.response_due_at] if incident.acknowledged_at is None else []
    due = [*answer, incident.resolution_warn_at, incident.resolution_due_at, incident.hold_until]
    due += asking.due(incident, Patience()).values()
    if incident.team_id is not None and incident.state in OPEN:
        stay = stays.get(incident.id)
        if stay is None or stay.ended_at is not None:
            stay = stays[incident.id] = assignments.running(db, incident.id)
        due += [stay.warn_at, stay.due_at] if stay is not None else []
    if any(moment is not None and moment <= at for moment in due):
        statement = select(Timer).where(Timer.incident_id == incident.id, _unfired(at)).order_by(Timer.due_at)
        for timer in db.scalars(statement).all():
            timers.fire(db, timer, timer.due_at)


def _unfired(until: datetime) -> Any:
    return Timer.fired_at.is_(None) & (Timer.due_at <= until)
