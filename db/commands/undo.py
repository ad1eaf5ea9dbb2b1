"""Taking back the newest change of an incident, by whoever made it, while it is fresh."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.commands import incidents, merging, publication, ranking, telling, update_clock, wording
from db.models import Incident, TimelineEntry
from db.queries.access import record_of
from rules import access
from rules.access import Actor, Forbidden
from rules.errors import RuleError
from rules.states import UNDO_WINDOW, UNDOABLE


def undo(db: Session, incident_id: int, version: int, *, actor: Actor, now: datetime) -> Incident:
    """Put back what the change that made `version` had changed; the timeline keeps both.

    Conflict when somebody changed it since; Forbidden when it is not the actor's; RuleError when it is too late or not
    one of rules.states.UNDOABLE.
    """
    merging.lock(db, incident_id)
    incident = incidents.for_change(db, incident_id, version, actor)
    made = db.scalars(
        select(TimelineEntry)
        .where(TimelineEntry.incident_id == incident_id, TimelineEntry.version == version)
        .order_by(TimelineEntry.id)
    ).all()
    if not made or any(entry.actor_id != actor.id for entry in made):
        raise Forbidden("Only the person who made the last change can take it back.")
    if now - made[0].recorded_at > UNDO_WINDOW:
        raise RuleError("It is too late to take this back. Change it by hand.")
    kinds = {entry.kind for entry in made}
    if not kinds <= UNDOABLE:
        raise RuleError("This cannot be taken back.")
    record = record_of(db, incident)
    for kind in kinds:
        access.check(actor, kind, record)
    was_over = incident.state in update_clock.OVER
    if "merge" in kinds:
        edits = {name: value for name, value in wording.before(made).items() if name in incidents.TRIAGE_FIELDS}
        incident = incidents.perform(db, incident_id, version, "unmerge", edits, actor=actor, now=now)
    elif "pin" in kinds:
        incident = ranking.put_back(db, incident, wording.before(made), actor, now)
    else:
        incident = incidents.put_back(db, incident, wording.before(made), actor, now)
    if was_over and incident.state not in update_clock.OVER:
        update_clock.take_up(db, incident)
        telling.not_cancelled(db, incident, made[0].recorded_at, now)
        publication.goes_on(db, incident, made[0].recorded_at, actor=actor, now=now)
    return incident
