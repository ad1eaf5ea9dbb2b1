"""The order of work, by hand: a lead's pin, and taking what is next."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.commands import clocks, incidents, timeline, wording
from db.models import QUEUE_ACTIVE, Incident
from db.queries import triage
from db.queries.access import record_of
from db.queries.lines import RANKED
from db.queries.settings import policies
from rules import access, text
from rules.access import Actor
from rules.errors import RuleError
from rules.priority import span
from rules.states import LABELS, OPEN

MOST_PIN = 2 * 365 * 86_400
"""seconds, in either direction"""
LONGEST_PIN = timedelta(days=90)
REASON_LIMIT = 200
_AT_ONCE = 50
"""people of one team who ask at the same moment"""
_PIN = ("pin_seconds", "pin_until", "pin_reason", "pinned_by_id")
_NO_PIN = (0, None, "", None)
_WAITING = ("assigned", "in_progress")
"""States from which 'next up' takes what nobody has."""


def pin(
    db: Session,
    incident_id: int,
    version: int | None,
    seconds: int,
    reason: str,
    until: datetime,
    *,
    actor: Actor,
    now: datetime,
) -> Incident:
    """Let an open incident rank `seconds` ahead (negative: back) until then. A new pin takes the place of the old one.

    Raises Conflict, Forbidden, NotFound or RuleError with `fields`.
    """
    incident = _pinnable(db, incident_id, version, actor)
    wrong: dict[str, str] = {}
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 < abs(seconds) <= MOST_PIN:
        wrong["seconds"] = "Choose how far to move it: up to two years ahead or back."
    if until <= now:
        wrong["until"] = "Choose a time in the future for the pin to end."
    elif until - now > LONGEST_PIN:
        wrong["until"] = "Choose a time within 90 days for the pin to end."
    try:
        reason = text.line(reason, "reason", REASON_LIMIT, required="Say why it is moved.")
    except RuleError as error:
        wrong["reason"] = error.sentence
    if wrong:
        raise RuleError(" ".join(wrong.values()), fields=wrong)
    told = f"pinned it {span(abs(seconds))} {'ahead' if seconds > 0 else 'back'}"
    return _moved(db, incident, told, (seconds, until, reason, actor.id), actor, now)


def unpin(db: Session, incident_id: int, version: int | None, *, actor: Actor, now: datetime) -> Incident:
    """Let the incident rank by its own merits again. One that is not pinned stays as it is."""
    incident = _pinnable(db, incident_id, version, actor)
    if not incident.pin_seconds:
        return incident
    return _moved(db, incident, "took the pin away", _NO_PIN, actor, now)


def put_back(db: Session, incident: Incident, before: Mapping[str, Any], actor: Actor, now: datetime) -> Incident:
    """Give it the pin that it had (the columns of _PIN); access and the right moment are the caller's to check."""
    pinned = tuple(before.get(name, getattr(incident, name)) for name in _PIN)
    told = "put the pin back as it was" if pinned[0] else "took the pin away"
    return _moved(db, incident, told, pinned, actor, now)


def to_the_top(db: Session, incident_id: int) -> int:
    """The seconds of a pin that brings the incident before every other active one, without its present pin."""
    incident = db.get_one(Incident, incident_id)
    first = db.execute(
        select(Incident.rank_at)
        .where(Incident.queue_group == QUEUE_ACTIVE, Incident.id != incident_id)
        .order_by(*RANKED)
        .limit(1)
    ).scalar()
    own = incident.rank_at + timedelta(seconds=incident.pin_seconds)
    return max(60, int((own - first).total_seconds()) + 60) if first is not None else 60


def next_up(db: Session, *, actor: Actor, now: datetime) -> Incident | None:
    """Assign to `actor` the first active incident of their teams that nobody has; None when there is none.

    Two people asking at once get two incidents: a row that another transaction holds is passed over.
    """
    access.check(actor, "next_up")
    # What came with an import and was never sorted is not given out: it could not be assigned.
    ready = (
        Incident.state.in_(_WAITING),
        Incident.category_pair_id.is_not(None),
        Incident.priority.is_not(None),
    )
    chosen = (
        select(Incident.id)
        .where(
            Incident.id.in_(triage.unassigned(actor, _AT_ONCE, *ready)),
            *ready,
            Incident.assignee_id.is_(None),
        )
        .order_by(*RANKED)
        .limit(1)
        .with_for_update(skip_locked=True, of=Incident)
    )
    incident_id = db.execute(chosen).scalar()
    if incident_id is None:
        return None
    return incidents.perform(db, incident_id, None, "assign", {"assignee_id": actor.id}, actor=actor, now=now)


def _pinnable(db: Session, incident_id: int, version: int | None, actor: Actor) -> Incident:
    incident = incidents.for_change(db, incident_id, version, actor)
    access.check(actor, "pin", record_of(db, incident))
    if incident.state not in OPEN:
        raise RuleError(f"It is {LABELS[incident.state].lower()}: only open incidents have a place in the queue.")
    return incident


def _moved(
    db: Session, incident: Incident, told: str, pinned: tuple[Any, ...], actor: Actor, now: datetime
) -> Incident:
    before = {name: getattr(incident, name) for name in _PIN}
    for name, value in zip(_PIN, pinned, strict=True):
        setattr(incident, name, value)
    incident.version += 1
    incident.changed_at = now
    clocks.rank(db, incident, policies(db), paused=clocks.paused(db, incident), now=now)
    changes = wording.as_json(before, {name: getattr(incident, name) for name in _PIN})
    timeline.add(db, incident, actor, now, "pin", told, detail=incident.pin_reason, changes=changes)
    db.flush()
    return incident
