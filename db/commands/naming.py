"""Who may see a restricted incident besides its reporter and its team: people named on it."""

from datetime import datetime

from sqlalchemy.orm import Session

from db.commands import incidents, timeline
from db.models import Follower, Incident, Person
from db.queries.access import record_of
from rules import access
from rules.access import Actor
from rules.errors import RuleError


def name(db: Session, incident_id: int, person_id: int | None, *, actor: Actor, now: datetime) -> None:
    """Let a person see a restricted incident and follow it. Naming somebody twice changes nothing."""
    incident = _restricted(db, incident_id, actor)
    person = db.get(Person, person_id) if person_id is not None else None
    if person is None or person.disabled_at is not None:
        raise RuleError("Choose a person from the list.", field="person_id")
    follower = db.get(Follower, (incident_id, person.id))
    if follower is not None and follower.named:
        return
    if follower is None:
        db.add(Follower(incident_id=incident_id, person_id=person.id, since=now, named=True))
    else:
        follower.named = True
    timeline.add(db, incident, actor, now, "named", f"named {person.name}, who may see it now", versioned=False)


def unname(db: Session, incident_id: int, person_id: int, *, actor: Actor, now: datetime) -> None:
    """Take a name off again. Its reporter and its team see the incident all the same."""
    incident = _restricted(db, incident_id, actor)
    follower = db.get(Follower, (incident_id, person_id))
    if follower is None or not follower.named:
        return
    if person_id == incident.reporter_id:
        follower.named = False
    else:
        db.delete(follower)
    person = db.get_one(Person, person_id)
    timeline.add(db, incident, actor, now, "named", f"took {person.name} off those who may see it", versioned=False)


def _restricted(db: Session, incident_id: int, actor: Actor) -> Incident:
    incident = incidents.for_change(db, incident_id, None, actor)
    access.check(actor, "prioritise", record_of(db, incident))
    if not incident.restricted:
        raise RuleError("It is not restricted: everybody who works on incidents sees it.")
    return incident
