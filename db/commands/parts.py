"""What happens to a larger incident is told on its parts, and to the people who wait for them."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Integer, literal, or_, select, union_all
from sqlalchemy.orm import Session

from db.commands import notices, timeline, wording
from db.models import Follower, Incident, TimelineEntry
from rules.access import Actor

_TOLD = {
    "comment": "wrote on",
    "update": "sent an update on",
    "resolve": "resolved",
    "recover": "found restored",
    "reject": "reopened",
    "reopen": "reopened",
}
"""kind of an entry -> what is read on the parts of its incident"""
_FIXED = frozenset({"resolved", "recovered", "closed"})


def tell(db: Session, entry: TimelineEntry, parent: Incident, actor: Actor, now: datetime) -> None:
    """Tell `entry`, when it is one that matters to them, to those who reported or follow what is part of `parent`.

    What is part of an incident that was merged into `parent` counts too. Nothing of a restricted incident reaches one
    that is not. A reporter's own words stay with their incident.
    """
    verb = _TOLD.get(entry.kind)
    if verb is None or not entry.public or (verb == "reopened" and entry.from_state not in _FIXED):
        return
    merged = select(Incident.id).where(Incident.duplicate_of_id == parent.id)
    larger = union_all(select(literal(parent.id, Integer)), merged)
    below = select(Incident).where(Incident.parent_id.in_(larger), Incident.state != "cancelled")
    if parent.restricted:
        below = below.where(Incident.restricted)
    parts = db.scalars(below.order_by(Incident.id)).all()
    words = "" if parent.reporter_id == actor.id else entry.detail
    told = f"{verb} {wording.named(parent)}, which this is part of"
    waiting = _waiting(db, parts)
    for part in parts:
        timeline.add(db, part, actor, now, "update", told, detail=words, public=True, versioned=False)
        people = waiting[part.id] - {actor.id}
        subject = f"{part.number}: {actor.name} {told}"
        notices.tell(db, people, "update", subject, words, incident=part, now=now)


def _waiting(db: Session, parts: Sequence[Incident]) -> defaultdict[int, set[int]]:
    """Incident id -> its reporter and whoever follows it and may see it."""
    waiting: defaultdict[int, set[int]] = defaultdict(set)
    for part in parts:
        if part.reporter_id is not None:
            waiting[part.id].add(part.reporter_id)
    if parts:
        follows = (
            select(Follower.incident_id, Follower.person_id)
            .join(Incident, Incident.id == Follower.incident_id)
            .where(Incident.id.in_([part.id for part in parts]), or_(~Incident.restricted, Follower.named))
        )
        for incident_id, person_id in db.execute(follows):
            waiting[incident_id].add(person_id)
    return waiting
