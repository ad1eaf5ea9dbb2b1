"""The room of an incident: what was said in it, who is there, and what tells that something has changed."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, select
from sqlalchemy.orm import Session, aliased

from db.models import (
    Attachment,
    Incident,
    Instant,
    Message,
    Person,
    PersonRole,
    Presence,
    Room,
    Team,
    TeamChannel,
    TeamMember,
)
from db.queries import incidents
from db.queries.access import record_of
from rules import access, channels
from rules.access import Actor
from rules.text import line, looked_for

PAGE = 50
QUOTED = 120
"""characters shown of a message that is replied to"""
GONE_AFTER = timedelta(seconds=70)
"""Somebody whose process has not spoken for so long is not there any more."""
MOST_FOUND = 50
PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""what every browser shows"""


@dataclass(frozen=True)
class Said:
    """One message as it is shown. One that was taken back has no words."""

    id: int
    turn: int
    at: datetime
    author_id: int
    author: str
    text: str
    edited_at: datetime | None
    retracted: bool
    pinned: bool
    task: bool
    reply_to: int | None
    reply_author: str
    reply_text: str
    file_id: int | None
    file_name: str
    picture: bool


@dataclass(frozen=True)
class Mark:
    """What tells whether an incident, or the talk in its room, has changed since."""

    incident: str
    turn: int
    here: tuple[str, ...]
    """the names of those who have it open"""


@dataclass(frozen=True)
class Talk:
    """What a page needs to draw the room's talk, which then asks for the messages itself."""

    mark: str
    people: list[str]
    """who may be named in it"""
    call: "Call | None"
    mirrored: str
    """to whom it goes too, and by which ways: 'Network by Slack'; empty while it stays here"""


@dataclass(frozen=True)
class Call:
    """The call that runs."""

    url: str
    by: str
    at: datetime


_REPLY, _REPLIER = aliased(Message), aliased(Person)
_SAID = (
    select(
        Message.id,
        Message.turn,
        Message.at,
        Message.author_id,
        Person.name,
        Message.text,
        Message.edited_at,
        Message.retracted_at,
        Message.pinned_at,
        Message.task_id,
        Message.reply_to_id,
        _REPLIER.name.label("reply_author"),
        func.substr(_REPLY.text, 1, QUOTED).label("reply_text"),
        _REPLY.retracted_at.label("reply_retracted_at"),
        Message.attachment_id,
        Attachment.name.label("file_name"),
        Attachment.media_type,
    )
    .join(Person, Person.id == Message.author_id)
    .outerjoin(_REPLY, _REPLY.id == Message.reply_to_id)
    .outerjoin(_REPLIER, _REPLIER.id == _REPLY.author_id)
    .outerjoin(Attachment, Attachment.id == Message.attachment_id)
    .where(Message.incident_id == bindparam("incident_id"))
)


def opened(db: Session, actor: Actor, number: str) -> Incident:
    """The incident whose room `actor` may be in. NotFound when it is not open to them as to one who works on it."""
    incident = db.scalars(select(Incident).where(Incident.number == looked_for(number))).one_or_none()
    absent = access.NotFound("There is no such incident, or it is not open to you.")
    if incident is None or not incidents.works_on(actor):
        raise absent
    access.check(actor, "read", record_of(db, incident))
    return incident


def newest(db: Session, incident_id: int, before: int | None = None, limit: int = PAGE) -> tuple[list[Said], bool]:
    """The last messages (before the one with the id `before`), oldest first, and whether there are earlier ones.

    Access is the caller's to check.
    """
    chosen = _SAID if before is None else _SAID.where(Message.id < before)
    rows = db.execute(chosen.order_by(Message.id.desc()).limit(limit + 1), {"incident_id": incident_id}).all()
    return [_said(row) for row in reversed(rows[:limit])], len(rows) > limit


def since(db: Session, incident_id: int, turn: int) -> list[Said] | None:
    """What was said or changed after `turn`, by id; None when that is more than a page. Access is the caller's."""
    changed = _SAID.where(Message.turn > turn).order_by(Message.id).limit(PAGE + 1)
    rows = db.execute(changed, {"incident_id": incident_id}).all()
    return [_said(row) for row in rows] if len(rows) <= PAGE else None


def found(db: Session, incident_id: int, words: str) -> list[Said]:
    """The newest messages that hold every one of the words, newest first. Access is the caller's to check."""
    asked = line(words, "words", 200).split()
    if not asked:
        return []
    held: list[ColumnElement[bool]] = [Message.text.icontains(word, autoescape=True) for word in asked]
    chosen = _SAID.where(Message.retracted_at.is_(None), *held).order_by(Message.id.desc()).limit(MOST_FOUND)
    return [_said(row) for row in db.execute(chosen, {"incident_id": incident_id})]


def _said(row: Any) -> Said:
    gone = row.retracted_at is not None
    return Said(
        id=row.id,
        turn=row.turn,
        at=row.at,
        author_id=row.author_id,
        author=row.name,
        text="" if gone else row.text,
        edited_at=row.edited_at,
        retracted=gone,
        pinned=row.pinned_at is not None,
        task=row.task_id is not None,
        reply_to=row.reply_to_id,
        reply_author=row.reply_author or "",
        reply_text="" if row.reply_retracted_at is not None else row.reply_text or "",
        file_id=None if gone else row.attachment_id,
        file_name=row.file_name or "",
        picture=row.media_type in PICTURES,
    )


_MARKS = (
    select(Incident.id, Incident.version, Incident.chain, func.coalesce(Room.turn, 0))
    .outerjoin(Room, Room.incident_id == Incident.id)
    .where(Incident.id.in_(bindparam("ids", expanding=True)))
)
_HERE = (
    select(Presence.incident_id, Person.name)
    .join(Person, Person.id == Presence.person_id)
    .where(
        Presence.incident_id.in_(bindparam("ids", expanding=True)), Presence.seen_at > bindparam("after", type_=Instant)
    )
    .distinct()
    .order_by(Person.name)
)


def marks(db: Session, ids: Collection[int], now: datetime) -> Mapping[int, Mark]:
    """Incident id -> its mark. For the process itself: access is the caller's to check."""
    here: dict[int, list[str]] = {}
    for incident_id, name in db.execute(_HERE, {"ids": list(ids), "after": now - GONE_AFTER}):
        here.setdefault(incident_id, []).append(name)
    return {
        row[0]: Mark(f"{row[1]}.{(row[2] or b'')[:8].hex()}", row[3], tuple(here.get(row[0], ())))
        for row in db.execute(_MARKS, {"ids": list(ids)})
    }


_CALL = (
    select(Room.call_url, Person.name, Room.call_at)
    .join(Person, Person.id == Room.called_by_id)
    .where(Room.incident_id == bindparam("incident_id"), Room.call_url != "")
)
_MIRRORS = (
    select(Team.name, TeamChannel.channel)
    .select_from(TeamChannel)
    .join(Team, Team.id == TeamChannel.team_id)
    .where(TeamChannel.team_id == bindparam("team_id"), TeamChannel.mirror, TeamChannel.broken_at.is_(None))
    .distinct()
    .order_by(TeamChannel.channel)
)


def talk(db: Session, actor: Actor, detail: incidents.Detail, now: datetime) -> Talk:
    """For the page of an incident that `actor` works on."""
    access.check(actor, "read", detail.record)
    mark = marks(db, [detail.line.id], now)[detail.line.id]
    running = db.execute(_CALL, {"incident_id": detail.line.id}).one_or_none()
    call = Call(running.call_url, running.name, running.call_at or now) if running else None
    return Talk(mark.incident, list(nameable(db, detail.record).values()), call, _mirrored(db, detail.record))


def _mirrored(db: Session, record: access.Record) -> str:
    if record.restricted or record.team_id is None:
        return ""
    found = db.execute(_MIRRORS, {"team_id": record.team_id}).all()
    return f"{found[0][0]} by {' and '.join(channels.WORDS[way] for _, way in found)}" if found else ""


def nameable(db: Session, record: access.Record, *, to: str = "read") -> dict[int, str]:
    """Id -> name of those who work on incidents and may do `to` with this one, in order of name.

    Whom a message may name: everybody who may read it. Access is the caller's to check.
    """
    people = (
        select(Person.id, Person.name, func.aggregate_strings(PersonRole.role, " "))
        .join(PersonRole, PersonRole.person_id == Person.id)
        .where(Person.disabled_at.is_(None), PersonRole.role.in_(sorted(incidents.WORKING)))
        .group_by(Person.id, Person.name)
        .order_by(Person.name)
    )
    team = frozenset[int]() if record.team_id is None else frozenset({record.team_id})
    members = set(db.scalars(select(TeamMember.person_id).where(TeamMember.team_id.in_(team))))
    named = {}
    for person_id, name, roles in db.execute(people):
        actor = Actor(person_id, name, frozenset(roles.split()), team if person_id in members else frozenset())
        if incidents.works_on(actor) and access.may(actor, to, record):
            named[person_id] = name
    return named
