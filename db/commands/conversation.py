"""What is said about an incident: comments and notes, files, and who follows it."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.commands import checks, files, incidents, parts, telling, timeline
from db.models import Follower, Incident, TimelineEntry
from db.queries.access import record_of
from rules import access, moments, text
from rules.access import Actor
from rules.errors import RuleError
from rules.timeline_kinds import HAPPENED


def comment(db: Session, incident_id: int, words: str, *, public: bool, actor: Actor, now: datetime) -> TimelineEntry:
    """Write on the incident. A public comment is read by the reporter too; a note only by those who work on it.

    A reporter's comment ends 'waiting for the reporter'.
    """
    incident = incidents.for_change(db, incident_id, None, actor)
    record = record_of(db, incident)
    access.check(actor, "comment" if public else "note", record)
    words = text.block(words, "comment", checks.TEXT_LIMIT, required="Write something first.")
    entry = timeline.add(
        db,
        incident,
        actor,
        now,
        "comment" if public else "note",
        "wrote" if public else "noted",
        detail=words,
        public=public,
        versioned=False,
    )
    if access.may(actor, "note", record):
        parts.tell(db, entry, incident, actor, now)
    by_reporter = access.is_reporter(actor, record)
    waiting = incident.state == "on_hold" and incident.hold_reason == "reporter"
    if public and waiting and not by_reporter and access.may(actor, "note", record):
        telling.question(db, incident, entry.detail, actor, now)
    if public and waiting and by_reporter:
        incidents.wait_is_over(db, incident, now=now)
    return entry


def happened(
    db: Session, incident_id: int, words: str, at: datetime | None, *, actor: Actor, now: datetime
) -> TimelineEntry:
    """Write down what happened at a time of its own; that it was written down `now` is kept too.

    For those who work on the incident. The same words at the same time are written once. RuleError with `fields`.
    """
    incident = incidents.for_change(db, incident_id, None, actor)
    access.check(actor, "note", record_of(db, incident))
    wrong: dict[str, str] = {}
    try:
        at = moments.happened(at, {name: getattr(incident, name) for name in moments.MOMENTS}, now)
    except RuleError as error:
        wrong |= error.fields
    try:
        words = text.block(words, "words", checks.TEXT_LIMIT, required="Say what happened.")
    except RuleError as error:
        wrong |= error.fields
    if wrong or at is None:
        raise RuleError(" ".join(wrong.values()), fields=wrong)
    same = select(TimelineEntry).where(
        TimelineEntry.incident_id == incident.id,
        TimelineEntry.at == at,
        TimelineEntry.kind == HAPPENED,
        TimelineEntry.detail == words,
    )
    already = db.scalars(same.limit(1)).first()
    if already is not None:
        return already
    return timeline.add(db, incident, actor, at, HAPPENED, "wrote down", detail=words, versioned=False, recorded_at=now)


def attach(db: Session, incident_id: int, upload: files.Upload, *, actor: Actor, now: datetime) -> None:
    """Add a file to an incident. RuleError when its size or content is not taken."""
    incident = incidents.for_change(db, incident_id, None, actor)
    access.check(actor, "attach", record_of(db, incident))
    files.attach(db, incident, upload, actor=actor, now=now)


def follow(db: Session, incident_id: int, *, actor: Actor, now: datetime) -> None:
    """Follow an incident: its public news appear under 'My reports'. Following twice changes nothing."""
    incident = db.get(Incident, incident_id)
    if incident is None or incident.restricted:
        raise access.NotFound("There is no such incident, or it is not open to you.")
    access.check(actor, "follow")
    follower = db.get(Follower, (incident_id, actor.id))
    if follower is not None:
        follower.via_id = None
    else:
        db.add(Follower(incident_id=incident_id, person_id=actor.id, since=now))
        timeline.add(db, incident, actor, now, "follow", "has the same problem and follows it", versioned=False)


def unfollow(db: Session, incident_id: int, *, actor: Actor, now: datetime) -> None:
    """Stop following; one named on a restricted incident stays named. Who does not follow changes nothing."""
    found = db.get(Follower, (incident_id, actor.id))
    if found is not None and not found.named:
        db.delete(found)
        incident = db.get_one(Incident, incident_id)
        timeline.add(db, incident, actor, now, "follow", "follows it no longer", versioned=False)
