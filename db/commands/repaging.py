"""Coming back to what was acknowledged, fires on and is left alone: first to who has it, then to all from the start."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.commands import calling, timeline, timers
from db.commands.timers import AGAIN
from db.models import Escalation, Incident, Page, TimelineEntry
from db.queries import escalation as queries
from rules.access import SYSTEM
from rules.durations import exact
from rules.escalation import Target, acknowledge_timeout

ASKED_AGAIN = "it fires on and nobody has touched it"
FIRED_AGAIN = "it has begun anew"


def watch(db: Session, incident: Incident, row: Escalation, now: datetime) -> None:
    """Come back to it when it is in somebody's hands and was paged for; else leave it."""
    timeout = _timeout(incident, row)
    if incident.state != "in_progress" or timeout is None:
        timers.drop(db, incident.id, AGAIN)
    else:
        timers.put_if_missing(db, incident.id, AGAIN, now + timeout)


def again(db: Session, incident: Incident, now: datetime) -> bool:
    """The time is over. True when nobody came back to it, and the policy is to begin anew; it is assigned then.

    Whatever a person does on the incident gives it more time. While nothing fires there is nobody to ask.
    """
    row = db.get(Escalation, incident.id)
    timeout = _timeout(incident, row) if row is not None else None
    if incident.state != "in_progress" or timeout is None:
        timers.drop(db, incident.id, AGAIN)
        return False
    touched = _touched_at(db, incident)
    if touched is not None and now < touched + timeout:
        timers.put(db, incident.id, AGAIN, touched + timeout)
        return False
    timers.put(db, incident.id, AGAIN, now + timeout)
    if not queries.is_firing(db, incident):
        return False
    if not _was_asked(db, incident, touched) and _ask_who_has_it(db, incident, ASKED_AGAIN, now):
        return False
    return _back_to_the_team(db, incident, timeout, now)


def remind(db: Session, incident: Incident, now: datetime) -> bool:
    """What somebody works on has begun anew: page them; True when that reached them."""
    row = db.get(Escalation, incident.id)
    if row is not None:
        watch(db, incident, row, now)
    return _ask_who_has_it(db, incident, FIRED_AGAIN, now)


def _timeout(incident: Incident, row: Escalation) -> timedelta | None:
    seconds = acknowledge_timeout(row.policy["acknowledge_seconds"], incident.priority)
    return timedelta(seconds=seconds) if seconds is not None else None


def _touched_at(db: Session, incident: Incident) -> datetime | None:
    """When a person last did anything on it."""
    statement = select(TimelineEntry.at).where(
        TimelineEntry.incident_id == incident.id, TimelineEntry.actor_id.is_not(None)
    )
    return db.scalar(statement.order_by(TimelineEntry.at.desc(), TimelineEntry.id.desc()).limit(1))


def _was_asked(db: Session, incident: Incident, since: datetime | None) -> bool:
    statement = select(Page.id).where(Page.incident_id == incident.id, Page.why == ASKED_AGAIN)
    if since is not None:
        statement = statement.where(Page.at > since)
    return db.execute(statement.limit(1)).first() is not None


def _ask_who_has_it(db: Session, incident: Incident, why: str, now: datetime) -> bool:
    if incident.assignee_id is None:
        return False
    return bool(calling.ask(db, incident, [Target("person", incident.assignee_id)], why=why, now=now).reached)


def _back_to_the_team(db: Session, incident: Incident, timeout: timedelta, now: datetime) -> bool:
    """Nobody has it any more, so that somebody can take it; False when no team is there to take it."""
    from db.commands import incidents  # it keeps escalations in step, so it knows this module

    if incident.team_id is None:
        return False
    told = f"took it back to the team: untouched for {exact(int(timeout.total_seconds()))} since it was acknowledged"
    timeline.add(db, incident, SYSTEM, now, "page", told, versioned=False)
    given = {"team_id": incident.team_id}
    incidents.perform(db, incident.id, None, "assign", given, actor=SYSTEM, now=now)
    return True
