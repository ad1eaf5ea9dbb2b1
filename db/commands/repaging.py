"""Coming back to what was acknowledged, fires on and is left alone: first to who has it, then to all from the start."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.commands import calling, outbox, timeline, timers
from db.commands.timers import AGAIN
from db.models import Escalation, Incident, Page, TimelineEntry
from db.queries import escalation as queries
from db.queries import maintenance
from db.queries.access import record_of
from db.queries.page_links import may_confirm
from rules import access
from rules.access import SYSTEM, Actor
from rules.durations import exact
from rules.errors import RuleError
from rules.escalation import USUAL_TIMEOUT, Target, acknowledge_timeout

ASKED_AGAIN = "it fires on and nobody has touched it"
FIRED_AGAIN = "it has begun anew"
WORSE = "it has become worse"
_USUAL = timedelta(seconds=USUAL_TIMEOUT)


def watch(db: Session, incident: Incident, row: Escalation, now: datetime) -> None:
    """Come back to it when it is in somebody's hands and was paged for; else leave it."""
    timeout = _timeout(incident, row)
    if incident.state != "in_progress" or timeout is None:
        timers.drop(db, incident.id, AGAIN)
    else:
        timers.put_if_missing(db, incident.id, AGAIN, now + timeout)


def again(db: Session, incident: Incident, now: datetime) -> bool:
    """The time is over. True when nobody came back to it, and the policy is to begin anew; nobody has it then.

    Whatever a person does on the incident gives it more time. While nothing fires there is nobody to ask, nor while its
    service is in maintenance.
    """
    row = db.get(Escalation, incident.id)
    timeout = _timeout(incident, row) if row is not None else None
    touched = _touched_at(db, incident)
    asked = _was_asked(db, incident, touched)
    if timeout is None and asked:
        timeout = _USUAL
    if incident.state != "in_progress" or timeout is None:
        timers.drop(db, incident.id, AGAIN)
        return False
    if touched is not None and now < touched + timeout:
        timers.put(db, incident.id, AGAIN, touched + timeout)
        return False
    timers.put(db, incident.id, AGAIN, now + timeout)
    if not queries.is_firing(db, incident) or maintenance.covers(db, incident.service_id, now) is not None:
        return False
    if not asked and _ask_who_has_it(db, incident, ASKED_AGAIN, now):
        return False
    untouched = f"untouched for {exact(int(timeout.total_seconds()))} since it was acknowledged"
    give_back(db, incident, untouched, now)
    return True


def remind(db: Session, incident: Incident, now: datetime, why: str = FIRED_AGAIN) -> bool:
    """What somebody has has begun anew, or become worse: page them; True when that reached them.

    Unless they do something on it, the policy begins after the acknowledge timeout, whatever the priority.
    """
    row = db.get(Escalation, incident.id)
    reached = _ask_who_has_it(db, incident, why, now)
    if reached and incident.state == "in_progress":
        own = _timeout(incident, row) if row is not None else None
        timers.put(db, incident.id, AGAIN, now + (own or _USUAL))
    return reached


def confirm(db: Session, incident_id: int, *, actor: Actor, now: datetime) -> None:
    """Whoever has it says that they still do: the acknowledge timeout begins anew, and no page about it leaves.

    What nobody has is theirs from now on. RuleError when it is not being worked on, or is somebody else's.
    """
    from db.commands import incidents

    incident = incidents.for_change(db, incident_id, None, actor)
    access.check(actor, "acknowledge", record_of(db, incident))
    if not may_confirm(incident, actor.id):
        raise RuleError(f"{incident.number} is not yours any more. Open it in the app.")
    taken = {"assignee_id": [None, actor.id]} if incident.assignee_id is None else None
    incident.assignee_id = actor.id
    timeline.add(db, incident, actor, now, "page", "confirmed having it in hand", changes=taken, versioned=False)
    outbox.stop_pages(db, incident.id, now)
    row = db.get(Escalation, incident.id)
    timeout = _timeout(incident, row) if row is not None else None
    if timeout is None:
        timers.drop(db, incident.id, AGAIN)
    else:
        timers.put(db, incident.id, AGAIN, now + timeout)


def has_it_at_hand(db: Session, incident: Incident, now: datetime) -> bool:
    """Whether somebody has it and did something on it so recently that what begins anew is still theirs."""
    if incident.assignee_id is None or incident.acknowledged_at is None:
        return False
    row = db.get(Escalation, incident.id)
    timeout = min(_timeout(incident, row) or _USUAL, _USUAL) if row is not None else _USUAL
    touched = _touched_at(db, incident, incident.assignee_id)
    return touched is not None and now < touched + timeout


def _timeout(incident: Incident, row: Escalation) -> timedelta | None:
    seconds = acknowledge_timeout(row.policy["acknowledge_seconds"], incident.priority)
    return timedelta(seconds=seconds) if seconds is not None else None


def _touched_at(db: Session, incident: Incident, by: int | None = None) -> datetime | None:
    """When a person, or the one given, last did anything on it."""
    who = TimelineEntry.actor_id == by if by is not None else TimelineEntry.actor_id.is_not(None)
    statement = select(TimelineEntry.at).where(TimelineEntry.incident_id == incident.id, who)
    return db.scalar(statement.order_by(TimelineEntry.at.desc(), TimelineEntry.id.desc()).limit(1))


def _was_asked(db: Session, incident: Incident, since: datetime | None) -> bool:
    statement = select(Page.id).where(Page.incident_id == incident.id, Page.why.in_((ASKED_AGAIN, FIRED_AGAIN, WORSE)))
    if since is not None:
        statement = statement.where(Page.at > since)
    return db.execute(statement.limit(1)).first() is not None


def _ask_who_has_it(db: Session, incident: Incident, why: str, now: datetime) -> bool:
    if incident.assignee_id is None:
        return False
    return bool(calling.ask(db, incident, [Target("person", incident.assignee_id)], why=why, now=now).reached)


def give_back(db: Session, incident: Incident, why: str, now: datetime) -> None:
    """Nobody has it any more, so that somebody can take it: its team, or triage when it has none."""
    from db.commands import incidents  # it keeps escalations in step, so it knows this module

    whom = "to the team" if incident.team_id is not None else "to triage"
    timeline.add(db, incident, SYSTEM, now, "page", f"took it back {whom}: {why}", versioned=False)
    if incident.team_id is not None:
        incidents.perform(db, incident.id, None, "assign", {"team_id": incident.team_id}, actor=SYSTEM, now=now)
    else:
        incidents.amend(db, incident, "reject", {"state": "new", "assignee_id": None}, {}, actor=SYSTEM, now=now)
