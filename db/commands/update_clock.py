"""The clock of updates: when the next is promised, and who is reminded when it does not come."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.commands import notices, timeline, timers
from db.commands.rooms import room_of
from db.models import Incident, Person, Room, Timer, Update
from db.queries import updates as queries
from db.queries.responsible import responsible
from db.queries.settings import policies
from rules import updates
from rules.access import SYSTEM

OVER = frozenset({"recovered", "closed", "cancelled"})
"""states in which no further word is owed"""
NO_COMMANDER_AFTER, NO_COMMANDER_AGAIN = timedelta(minutes=2), timedelta(minutes=10)
CHASE = "chase"
"""kind of the notices and entries"""


def follow(db: Session, incident: Incident, before: Mapping[str, Any], now: datetime) -> None:
    """Begin and end what the change makes begin and end; `before` holds the values it replaced."""
    was_over = before.get("state", incident.state) in OVER
    over = incident.state in OVER
    if "major" in before and before["major"] != incident.major:
        _major(db, incident, now)
    if over or not _begins(incident, before, was_over=was_over):
        return
    soon = updates.first_after(policies(db).updates.cadence, incident.priority, major=incident.major)
    if soon is not None:
        room = db.get(Room, incident.id)
        if room is None or room.update_due_at is None:
            promise(db, incident, now + soon)
    if incident.major and was_over and queries.holder(db, incident.id, "commander") is None:
        timers.put(db, incident.id, timers.COMMANDER, now + NO_COMMANDER_AFTER)


def _begins(incident: Incident, before: Mapping[str, Any], *, was_over: bool) -> bool:
    """True when the response begins with this change, or becomes one that others wait to hear from."""
    if incident.major:
        return "major" in before or was_over
    if incident.acknowledged_at is None:
        return False
    return "acknowledged_at" in before or "priority" in before or was_over


def _major(db: Session, incident: Incident, now: datetime) -> None:
    room = room_of(db, incident)
    room.declared_at = now if incident.major else None
    if incident.major and incident.state not in OVER:
        if queries.holder(db, incident.id, "commander") is None:
            timers.put(db, incident.id, timers.COMMANDER, now + NO_COMMANDER_AFTER)
        return
    timers.drop(db, incident.id, timers.COMMANDER)
    if not queries.number_published(db, incident.id):
        keep_no_promise(db, incident)  # nobody was promised anything


def promise(db: Session, incident: Incident, at: datetime) -> None:
    """The next update is due then, and not before."""
    room_of(db, incident).update_due_at = at
    timers.put(db, incident.id, timers.UPDATE, at)


def take_up(db: Session, incident: Incident) -> None:
    """Owe the next update when the last one promised it: that the incident was over was taken back."""
    newest = (
        select(Update.next_at)
        .where(Update.incident_id == incident.id, Update.state == "published")
        .order_by(Update.published_at.desc(), Update.id.desc())
        .limit(1)
    )
    for next_at in db.scalars(newest):  # none: what is owed first follows from the priority
        if next_at is not None:
            promise(db, incident, next_at)
        else:
            keep_no_promise(db, incident)


def end(db: Session, incident: Incident) -> None:
    """No further update is owed, and nobody need lead."""
    keep_no_promise(db, incident)
    if incident.major:
        timers.drop(db, incident.id, timers.COMMANDER)


def keep_no_promise(db: Session, incident: Incident) -> None:
    """No further update is owed."""
    room = db.get(Room, incident.id)
    if room is not None and room.update_due_at is not None:
        room.update_due_at = None
        timers.drop(db, incident.id, timers.UPDATE)


def fire(db: Session, timer: Timer, incident: Incident, now: datetime) -> None:
    """An update is overdue, or a major incident has no commander: remind whoever it is up to, and do so again later."""
    timer.fired_at = now
    if timer.kind == timers.COMMANDER:
        _no_commander(db, incident, now)
        return
    room = db.get(Room, incident.id)
    if room is None or room.update_due_at is None or incident.state in OVER:
        return
    held = queries.held(db, incident.id)
    writes = queries.open_to(db, incident, [each for each in held if each.role == "communications"])
    leads = queries.open_to(db, incident, [each for each in held if each.role == "commander"])
    answers = responsible(db, incident)
    first = timer.due_at <= room.update_due_at
    people = set(writes or leads or answers) if first else {*(leads or answers), *writes}
    text = "an update is due" if first else "the update is still owed"
    late_by = now - room.update_due_at
    if first or late_by < updates.CHASED_AFTER + updates.AGAIN_AFTER:
        told = f"{text}: told {_names(db, people)}"
        timeline.add(db, incident, SYSTEM, timer.due_at, CHASE, told, versioned=False, recorded_at=now)
    minutes = int(late_by / timedelta(minutes=1))
    late = f" {minutes} min late" if minutes else ""
    subject = f"{incident.number}: {text}{late}: {incident.title}"
    body = "Write it in the room. People wait for it, also when there is nothing new."
    notices.tell(db, people, CHASE, subject, body, incident=incident, now=now)
    timers.put(db, incident.id, timers.UPDATE, now + (updates.CHASED_AFTER if first else updates.AGAIN_AFTER))


def _no_commander(db: Session, incident: Incident, now: datetime) -> None:
    if not incident.major or incident.state in OVER or queries.holder(db, incident.id, "commander") is not None:
        return
    subject = f"{incident.number}: nobody leads the response: {incident.title}"
    body = "Take command in the room, or ask somebody to."
    notices.tell(db, responsible(db, incident), CHASE, subject, body, incident=incident, now=now)
    room = room_of(db, incident)
    if room.declared_at is not None and now - room.declared_at < NO_COMMANDER_AGAIN:
        text = f"a major incident without a commander: told {_names(db, responsible(db, incident))}"
        timeline.add(db, incident, SYSTEM, now, CHASE, text, versioned=False)
    timers.put(db, incident.id, timers.COMMANDER, now + NO_COMMANDER_AGAIN)


def _names(db: Session, people: Iterable[int]) -> str:
    return told_names(list(db.scalars(select(Person.name).where(Person.id.in_(sorted(people))).order_by(Person.name))))


def told_names(names: list[str], most: int = 10) -> str:
    """'Ana, Bo and 12 others'; 'nobody'."""
    if not names:
        return "nobody"
    shown, more = names[:most], len(names) - most
    if more == 1:
        shown, more = names, 0
    last = f"{more} others" if more > 0 else shown.pop() if len(shown) > 1 else ""
    return f"{', '.join(shown)} and {last}" if last else shown[0]
