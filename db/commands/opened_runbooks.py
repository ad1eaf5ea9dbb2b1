"""Runbooks opened on an incident: the version opened stays, and its steps are ticked by whoever works on it."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.commands import incidents, timeline
from db.models import Incident, OpenedRunbook, Runbook, RunbookStep, RunbookVersion
from db.queries.access import record_of
from rules import access
from rules import runbooks as rules
from rules.access import Actor, NotFound
from rules.errors import RuleError

KIND = "runbook"
MOST = 20


def open_newest(db: Session, incident_id: int, runbook_id: int, *, actor: Actor, now: datetime) -> int:
    """Open a runbook as it is now; the id of what was opened. A version is opened once."""
    incident = _opened(db, incident_id, actor)
    runbook = db.get(Runbook, runbook_id, populate_existing=True)
    if runbook is None or runbook.archived_at is not None:
        raise NotFound("This runbook was archived meanwhile.")
    present = list(db.scalars(select(OpenedRunbook).where(OpenedRunbook.incident_id == incident.id)))
    same = next((one for one in present if (one.runbook_id, one.version) == (runbook.id, runbook.version)), None)
    if same is not None:
        return same.id
    if len(present) >= MOST:
        raise RuleError(f"At most {MOST} runbooks can be open on an incident.")
    made = OpenedRunbook(
        incident_id=incident.id,
        runbook_id=runbook.id,
        version=runbook.version,
        opened_at=now,
        opened_by_id=actor.id,
    )
    db.add(made)
    db.flush()
    _tell(db, incident, f"opened the runbook '{runbook.name}', version {runbook.version}", actor, now)
    return made.id


def tick(
    db: Session, incident_id: int, opened_id: int, position: int, done: bool, *, actor: Actor, now: datetime
) -> None:
    """Mark a step done, or to be done again. What it is already it stays, with who did it first."""
    incident = _opened(db, incident_id, actor)
    opened = db.get(OpenedRunbook, opened_id)
    if opened is None or opened.incident_id != incident.id:
        raise NotFound("There is no such runbook on this incident.")
    version = db.get_one(RunbookVersion, (opened.runbook_id, opened.version))
    steps = rules.steps(version.text)
    if not 0 <= position < len(steps):
        raise NotFound("There is no such step in this runbook.")
    kept = db.get(RunbookStep, (opened.id, position), populate_existing=True)
    if (kept is not None) == done:
        return
    if kept is not None:
        db.delete(kept)
    else:
        db.add(RunbookStep(opened_id=opened.id, position=position, done_at=now, done_by_id=actor.id))
    step = f"'{steps[position]}' of the runbook '{version.name}'"
    _tell(db, incident, f"did {step}" if done else f"put back {step}: still to do", actor, now)


def _opened(db: Session, incident_id: int, actor: Actor) -> Incident:
    """The incident, locked: those who tick take turns."""
    incident = incidents.for_change(db, incident_id, None, actor)
    access.check(actor, "note", record_of(db, incident))
    return incident


def _tell(db: Session, incident: Incident, told: str, actor: Actor, now: datetime) -> None:
    timeline.add(db, incident, actor, now, KIND, told, versioned=False)
