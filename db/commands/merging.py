"""Two incidents that are one: merging keeps the texts, files and followers of both, and can be undone whole."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from db.commands import timeline, wording
from db.models import Follower, Incident, TimelineEntry
from db.queries.access import record_of
from rules import access
from rules.access import Actor
from rules.errors import RuleError

_FIELD = "duplicate_of_id"


def lock(db: Session, incident_id: int, survivor_id: object) -> None:
    """Hold both, the older one first: two people merging them into each other take turns."""
    both = [incident_id, *([survivor_id] if isinstance(survivor_id, int) else [])]
    db.execute(select(Incident.id).where(Incident.id.in_(both)).order_by(Incident.id).with_for_update()).all()


def join(db: Session, incident: Incident, survivor_id: int, actor: Actor, now: datetime) -> None:
    """Check the incident that goes on, and let everybody who follows this one follow that one."""
    survivor = db.get(Incident, survivor_id)
    if survivor is None or not access.may(actor, "read", record_of(db, survivor)):
        raise RuleError("Choose the incident it repeats: there is none with this number.", field=_FIELD)
    if survivor.duplicate_of_id is not None:
        raise RuleError(f"{survivor.number} was itself merged into another. Choose the one that goes on.", field=_FIELD)
    if survivor.state == "cancelled":
        raise RuleError(f"{survivor.number} is cancelled. Choose the one that goes on.", field=_FIELD)
    if survivor.restricted != incident.restricted:
        raise RuleError(
            f"Only one of {incident.number} and {survivor.number} is restricted: who follows one could not see the "
            "other. Make both alike first.",
            field=_FIELD,
        )
    present = select(Follower.person_id).where(Follower.incident_id == survivor_id)
    moving = select(Follower.person_id).where(Follower.incident_id == incident.id, Follower.person_id.not_in(present))
    for person_id in db.scalars(moving).all():
        db.add(Follower(incident_id=survivor_id, person_id=person_id, since=now, via_id=incident.id))
    timeline.add(db, survivor, actor, now, "merged", f"merged {incident.number} into this one", versioned=False)


def part(db: Session, incident: Incident, actor: Actor, now: datetime) -> dict[str, Any]:
    """Take the followers back from the incident it was merged into; the values it had before.

    Empty for one that came merged with an import.
    """
    survivor = db.get_one(Incident, incident.duplicate_of_id)
    db.execute(delete(Follower).where(Follower.incident_id == survivor.id, Follower.via_id == incident.id))
    timeline.add(db, survivor, actor, now, "merged", f"took {incident.number} out of this one again", versioned=False)
    merged = db.scalars(
        select(TimelineEntry)
        .where(TimelineEntry.incident_id == incident.id, TimelineEntry.kind == "merge")
        .order_by(TimelineEntry.id.desc())
        .limit(1)
    ).first()
    return wording.before([merged]) if merged is not None else {}
