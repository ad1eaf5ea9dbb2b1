"""What is said in an incident's room: by those who work on it, to each other."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.commands import files, incidents, mirror, notices, tasks, timeline
from db.commands.rooms import room_of
from db.models import Incident, Message, MessageVersion, Person
from db.queries import rooms
from db.queries.access import record_of
from rules import access, chat
from rules.access import Actor
from rules.errors import RuleError
from rules.templates import STEP_LIMIT

EDIT_TAKES = "Only who wrote it may change it."


def say(
    db: Session,
    incident_id: int,
    words: str,
    *,
    actor: Actor,
    now: datetime,
    token: str | None = None,
    reply_to: int | None = None,
    upload: files.Upload | None = None,
) -> Message:
    """Say something in the room; whoever is named with an '@' is told. A picture or file may stand without words.

    The same `token` twice is one message.
    """
    incident = opened(db, incident_id, actor)
    if token:
        already = db.scalars(select(Message).where(Message.form_token == token)).one_or_none()
        if already is not None:
            return already
    kept = files.attach(db, incident, upload, actor=actor, now=now, internal=True) if upload is not None else None
    words = chat.words(words) if words.strip() or kept is None else ""
    if reply_to is not None:
        _message(db, incident, reply_to)
    message = Message(
        incident_id=incident.id,
        author_id=actor.id,
        at=now,
        text=words,
        reply_to_id=reply_to,
        attachment_id=kept.id if kept else None,
        turn=_turn(db, incident),
        form_token=token,
    )
    db.add(message)
    _mention(db, incident, "", words, actor, now)
    db.flush()
    mirror.said(db, incident, message, actor.name, now)
    return message


def edit(db: Session, incident_id: int, message_id: int, words: str, *, actor: Actor, now: datetime) -> None:
    """Put other words in the place of one's own; the former ones are kept. Whoever is named anew is told."""
    incident = opened(db, incident_id, actor)
    message = _own(db, incident, message_id, actor)
    words = chat.words(words)
    if words == message.text:
        return
    db.add(MessageVersion(message_id=message.id, text=message.text, until=now))
    _mention(db, incident, message.text, words, actor, now)
    message.text, message.edited_at, message.turn = words, now, _turn(db, incident)
    mirror.corrected(db, incident, message, actor.name, now)


def retract(db: Session, incident_id: int, message_id: int, *, actor: Actor, now: datetime) -> None:
    """Take one's own message back: that it was there is seen, what it said is not. What is taken back stays so."""
    incident = opened(db, incident_id, actor)
    message = _message(db, incident, message_id)
    if message.retracted_at is not None:
        return
    if message.author_id != actor.id:
        raise access.Forbidden("Only who wrote it may take it back.")
    db.add(MessageVersion(message_id=message.id, text=message.text, until=now))
    message.text, message.retracted_at, message.turn = "", now, _turn(db, incident)
    mirror.taken_back(db, incident, message.id, now)


def pin(db: Session, incident_id: int, message_id: int, *, actor: Actor, now: datetime) -> None:
    """Write a message on the timeline too, at the time when it was said. Once is enough."""
    incident = opened(db, incident_id, actor)
    message = _standing(db, incident, message_id)
    if message.pinned_at is not None:
        return
    author = db.get_one(Person, message.author_id)
    said = "pinned what they said" if author.id == actor.id else f"pinned what {author.name} said"
    timeline.add(db, incident, actor, message.at, "note", said, detail=message.text, versioned=False, recorded_at=now)
    message.pinned_at, message.turn = now, _turn(db, incident)


def make_task(db: Session, incident_id: int, message_id: int, *, actor: Actor, now: datetime) -> None:
    """Put what a message says on the checklist. Once is enough."""
    incident = opened(db, incident_id, actor)
    message = _standing(db, incident, message_id)
    if message.task_id is not None:
        return
    step = " ".join(message.text.split())
    if len(step) > STEP_LIMIT:
        step = step[: STEP_LIMIT - 1].rstrip() + "…"
    message.task_id = tasks.add(db, incident.id, step, actor=actor, now=now)
    message.turn = _turn(db, incident)


def opened(db: Session, incident_id: int, actor: Actor) -> Incident:
    """The incident, locked: those who speak take turns."""
    incident = incidents.for_change(db, incident_id, None, actor)
    access.check(actor, "note", record_of(db, incident))
    return incident


def _turn(db: Session, incident: Incident) -> int:
    room = room_of(db, incident)
    room.turn += 1
    return room.turn


def _message(db: Session, incident: Incident, message_id: int) -> Message:
    message = db.get(Message, message_id)
    if message is None or message.incident_id != incident.id:
        raise access.NotFound("There is no such message in this room.")
    return message


def _standing(db: Session, incident: Incident, message_id: int) -> Message:
    message = _message(db, incident, message_id)
    if message.retracted_at is not None:
        raise RuleError("It was taken back meanwhile.")
    if not message.text:
        raise RuleError("It has no words.")
    return message


def _own(db: Session, incident: Incident, message_id: int, actor: Actor) -> Message:
    message = _message(db, incident, message_id)
    if message.author_id != actor.id:
        raise access.Forbidden(EDIT_TAKES)
    if message.retracted_at is not None:
        raise RuleError("It was taken back, so it stays empty.")
    return message


def _mention(db: Session, incident: Incident, before: str, words: str, actor: Actor, now: datetime) -> None:
    """Tell whoever is named in `words` and was not `before`."""
    if "@" not in words:
        return
    people = rooms.nameable(db, record_of(db, incident))
    named = chat.mentioned(words, people) - chat.mentioned(before, people) - {actor.id}
    subject = f"{incident.number}: {actor.name} named you in the room"
    notices.tell(db, named, "mention", subject, words, incident=incident, now=now)
