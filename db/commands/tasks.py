"""The checklist of an incident: steps are added, ticked and taken back by whoever works on it.

Each step is a row of its own, so that two people who tick at once both count.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.commands import incidents, timeline
from db.models import Incident, Task
from db.queries import templates
from db.queries.access import record_of
from rules import access, text
from rules.access import Actor, NotFound
from rules.errors import RuleError
from rules.templates import STEP_LIMIT

MOST_TASKS = 100


def tick(db: Session, incident_id: int, task_id: int, done: bool, *, actor: Actor, now: datetime) -> None:
    """Mark a step done, or to be done again. What it is already it stays, with who did it first."""
    incident = _opened(db, incident_id, actor)
    task = _of(db, incident, task_id)
    if (task.done_at is not None) == done:
        return
    task.done_at, task.done_by_id = (now, actor.id) if done else (None, None)
    told = f"did '{task.text}'" if done else f"put back '{task.text}': still to do"
    _tell(db, incident, told, actor, now)


def add(db: Session, incident_id: int, step: str, *, actor: Actor, now: datetime) -> int:
    """Add a step at the end; gives its id. One that is there and to be done is not added twice. RuleError('step')."""
    incident = _opened(db, incident_id, actor)
    step = text.line(step, "step", STEP_LIMIT, required="Write the step.")
    present = next((task for task in _all(db, incident) if task.text == step and task.done_at is None), None)
    if present is not None:
        return present.id
    [added] = _append(db, incident, [step])
    _tell(db, incident, f"added the step '{step}'", actor, now)
    return added.id


def remove(db: Session, incident_id: int, task_id: int, *, actor: Actor, now: datetime) -> None:
    """Take out a step that nobody did; the timeline keeps that it was there. One that is gone already stays gone."""
    incident = _opened(db, incident_id, actor)
    task = db.get(Task, task_id)
    if task is None or task.incident_id != incident.id:
        return
    if task.done_at is not None:
        raise RuleError("It is done already, so it stays on the list.")
    db.delete(task)
    _tell(db, incident, f"removed the step '{task.text}'", actor, now)


def add_checklist(db: Session, incident_id: int, *, actor: Actor, now: datetime) -> None:
    """Add the steps that go with the incident's category; those that are there already are not added twice."""
    incident = _opened(db, incident_id, actor)
    found = templates.of_category(db, incident.category_pair_id)
    if found is None:
        raise RuleError("No checklist goes with its category any more.")
    name, steps = found
    present = {task.text for task in _all(db, incident)}
    new = [step for step in steps if step not in present]
    if new:
        _append(db, incident, new)
        _tell(db, incident, f"added the checklist '{name}'", actor, now)


def _opened(db: Session, incident_id: int, actor: Actor) -> Incident:
    """The incident, locked: those who change its steps take turns."""
    incident = incidents.for_change(db, incident_id, None, actor)
    access.check(actor, "note", record_of(db, incident))
    return incident


def _of(db: Session, incident: Incident, task_id: int) -> Task:
    task = db.get(Task, task_id)
    if task is None or task.incident_id != incident.id:
        raise NotFound("This step was removed meanwhile.")
    return task


def _all(db: Session, incident: Incident) -> list[Task]:
    return list(db.scalars(select(Task).where(Task.incident_id == incident.id).order_by(Task.position, Task.id)))


def _append(db: Session, incident: Incident, steps: Sequence[str]) -> list[Task]:
    present = _all(db, incident)
    if len(present) + len(steps) > MOST_TASKS:
        raise RuleError(f"A checklist has at most {MOST_TASKS} steps. Remove what is not needed.", field="step")
    after = present[-1].position + 1 if present else 0
    added = [Task(incident_id=incident.id, position=after + at, text=step) for at, step in enumerate(steps)]
    db.add_all(added)
    db.flush()
    return added


def _tell(db: Session, incident: Incident, told: str, actor: Actor, now: datetime) -> None:
    timeline.add(db, incident, actor, now, "task", told, versioned=False)
