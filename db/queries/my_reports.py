"""What a person reported or follows, in words for people who are not technical."""

from dataclasses import replace

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from db.models import Follower, Incident
from db.queries import timeline
from db.queries.access import visible
from db.queries.incidents import Detail
from db.queries.lines import Line, lines
from db.queries.timeline import Entry
from rules import access
from rules.access import Actor

_QUOTED = frozenset({"comment", "update", "resolve", "reject", "reopen", "cancel", "report"})
"""kinds whose words the reporter reads"""


def mine(db: Session, actor: Actor, *, finished: bool, limit: int = 25, offset: int = 0) -> tuple[list[Line], int]:
    """What the actor reported or follows, unfinished (what waits for them first, then newest) or finished; how many."""
    theirs = select(Incident.id).where(Incident.reporter_id == actor.id)
    followed = select(Follower.incident_id).where(Follower.person_id == actor.id)
    conditions = [
        Incident.id.in_(theirs.union(followed)),
        Incident.state.in_(("closed", "cancelled")) if finished else Incident.state.not_in(("closed", "cancelled")),
        visible(actor),
    ]
    my_turn = and_(
        Incident.reporter_id == actor.id,
        or_(
            and_(Incident.state == "recovered", Incident.verification.is_(None)),
            and_(Incident.state == "on_hold", Incident.hold_reason == "reporter"),
        ),
    )
    order = (my_turn.desc(), Incident.reported_at.desc(), Incident.id.desc())
    total = db.execute(select(func.count()).select_from(Incident).where(*conditions)).scalar_one()
    chosen = select(Incident.id).where(*conditions).order_by(*order).limit(limit).offset(offset)
    return lines(db, chosen), total


def waiting_for_me(db: Session, actor: Actor, limit: int = 5) -> list[Line]:
    """What the actor reported that is fixed and waits for their answer, oldest first."""
    chosen = (
        select(Incident.id)
        .where(
            Incident.reporter_id == actor.id,
            Incident.state == "recovered",
            Incident.verification.is_(None),
        )
        .order_by(Incident.recovered_at, Incident.id)
        .limit(limit)
    )
    return lines(db, chosen)


def news(db: Session, incident_ids: list[int]) -> dict[int, Entry]:
    """Incident id -> the newest that the reporter may read, told without priorities."""
    return {number: told(entry) for number, entry in timeline.latest_public(db, incident_ids).items()}


def story(db: Session, actor: Actor, detail: Detail, limit: int = timeline.PAGE) -> tuple[list[Entry], int]:
    """What happened, for the reporter, newest first, and how many entries there are.

    Only public entries, whoever reads; a handover's words and what was set in triage stay among those who work on it.
    """
    access.check(actor, "read", detail.record)
    entries, total = timeline.newest(db, detail.line.id, public_only=True, limit=limit)
    return [told(entry) for entry in entries], total


def told(entry: Entry) -> Entry:
    """A public entry as those read it who do not work on the incident."""
    return replace(entry, detail=entry.detail if entry.kind in _QUOTED else "", changes=None)
