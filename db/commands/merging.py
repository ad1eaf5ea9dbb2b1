"""Two incidents that are one: merging keeps the texts, files and followers of both, and can be undone whole."""

from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, bindparam, select, union_all
from sqlalchemy.orm import Session, aliased

from db.commands import timeline, wording
from db.models import Follower, Incident, TimelineEntry
from db.queries.access import record_of
from rules import access
from rules.access import Actor
from rules.errors import RuleError

_FIELD = "duplicate_of_id"


_each, _merged = aliased(Incident), aliased(Incident)
_IDS: BindParameter[int] = bindparam("ids", expanding=True)
FAMILY = (
    select(Incident)
    .where(
        Incident.id.in_(
            union_all(
                select(_each.id).where(_each.id.in_(_IDS)),
                select(_each.id).where(_each.parent_id.in_(_IDS)),
                select(_each.id).join(_merged, _merged.id == _each.parent_id).where(_merged.duplicate_of_id.in_(_IDS)),
            )
        )
    )
    .order_by(Incident.id)
    .with_for_update()
    .execution_options(populate_existing=True)
)
"""Incidents with all that reads what happens to them: their parts, and those of what was merged into them. Whoever
writes on several timelines locks them in this order, the oldest first, so that nobody waits in a circle."""


def lock(db: Session, incident_id: int, *others: object) -> None:
    """Hold the incident, `others`, what it is part of or merged into, and the families of all these."""
    if db.get_bind().dialect.name == "sqlite":
        return  # one transaction writes at a time
    own = db.execute(select(Incident.duplicate_of_id, Incident.parent_id).where(Incident.id == incident_id)).first()
    ids = {incident_id, *(other for other in (*others, *(own or ())) if isinstance(other, int))}
    db.execute(FAMILY.with_only_columns(Incident.id), {"ids": sorted(ids)}).all()


def join(db: Session, incident: Incident, survivor_id: object, actor: Actor, now: datetime) -> None:
    """Check the incident that goes on, and let everybody who follows this one follow that one."""
    survivor = db.get(Incident, survivor_id) if isinstance(survivor_id, int) else None
    if survivor is None or not access.may(actor, "read", record_of(db, survivor)):
        raise RuleError("Choose the incident it repeats: there is none with this number.", field=_FIELD)
    if survivor.duplicate_of_id is not None:
        raise RuleError(f"{survivor.number} was itself merged into another. Choose the one that goes on.", field=_FIELD)
    if survivor.state == "cancelled":
        raise RuleError(f"{survivor.number} is cancelled. Choose the one that goes on.", field=_FIELD)
    if survivor.state == "closed":
        raise RuleError(f"{survivor.number} is closed. Reopen it first, or leave this one to itself.", field=_FIELD)
    if survivor.restricted != incident.restricted:
        raise RuleError(
            f"Only one of {incident.number} and {survivor.number} is restricted: who follows one could not see the "
            "other. Make both alike first.",
            field=_FIELD,
        )
    moving = set(db.scalars(select(Follower.person_id).where(Follower.incident_id == incident.id)))
    if incident.reporter_id is not None:
        moving.add(incident.reporter_id)  # what was imported has no followers
    present = set(db.scalars(select(Follower.person_id).where(Follower.incident_id == survivor.id)))
    for person_id in sorted(moving - present):
        db.add(Follower(incident_id=survivor.id, person_id=person_id, since=now, via_id=incident.id))
    told = f"merged {wording.named(incident)} into this one"
    timeline.add(db, survivor, actor, now, "merged", told, versioned=False)


def part(db: Session, incident: Incident, actor: Actor, now: datetime) -> dict[str, Any]:
    """Take the followers back from the incident it was merged into; the values it had before.

    Empty for one that came merged with an import.
    """
    survivor = db.get_one(Incident, incident.duplicate_of_id)
    _let_go(db, survivor, incident, None)
    told = f"took {wording.named(incident)} out of this one again"
    timeline.add(db, survivor, actor, now, "merged", told, versioned=False)
    merged = db.scalars(
        select(TimelineEntry)
        .where(TimelineEntry.incident_id == incident.id, TimelineEntry.kind == "merge")
        .order_by(TimelineEntry.id.desc())
        .limit(1)
    ).first()
    return wording.before([merged]) if merged is not None else {}


def _let_go(db: Session, survivor: Incident, apart: Incident, only: set[int] | None) -> None:
    """End the following that came with `apart`, of `only` these people; also where the survivor itself was merged into.

    Whoever follows another one that is merged into it stays for that one.
    """
    came = db.scalars(select(Follower).where(Follower.incident_id == survivor.id, Follower.via_id == apart.id)).all()
    leaving = {row.person_id: row for row in came if only is None or row.person_id in only}
    if not leaving:
        return
    others = db.execute(
        select(Follower.person_id, Follower.incident_id)
        .join(Incident, Incident.id == Follower.incident_id)
        .where(
            Incident.duplicate_of_id == survivor.id,
            Incident.id != apart.id,
            Follower.person_id.in_(sorted(leaving)),
        )
        .order_by(Follower.incident_id.desc())
    )
    for person_id, stays_for in {person: other for person, other in others}.items():
        leaving.pop(person_id).via_id = stays_for
    for row in leaving.values():
        db.delete(row)
    db.flush()
    if survivor.duplicate_of_id is not None and leaving:
        _let_go(db, db.get_one(Incident, survivor.duplicate_of_id), survivor, set(leaving))
