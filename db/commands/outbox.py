"""What leaves: put into the outbox in the transaction of what it tells. The worker sends it; see worker.outbox.

A page asks somebody to answer; a notice tells somebody something. Both are read in the app at once, and leave by the
steps that the person chose. A waiting step is dropped when it has served: a page once somebody took the incident, a
notice once it was read.
"""

import hashlib
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, insert, or_, select, text, update
from sqlalchemy.orm import Session

from db.commands import page_links
from db.models import Incident, Notice, OutboxMessage, TeamChannel
from db.models.work import WAITING
from db.queries import reach
from rules import channels, paging

SUBJECT_LIMIT = 200
STOPS_PAGES = frozenset({"acknowledge", "hold", "resolve", "recover", "verify", "close", "cancel", "merge"})
"""actions by which somebody has answered"""
_WAITING = text(WAITING)
_AT_ONCE = 1000


@dataclass(frozen=True)
class Paged:
    """What became of a page."""

    channels: int
    """ways by which it leaves; 0: nothing but the app tells them, so the step is empty. For invented people the app
    counts as one: they have nothing else, and sample data shows how it goes when somebody is reached"""
    notice_id: int | None
    """None: they have no account"""


@dataclass(frozen=True)
class To:
    """Where one message goes."""

    channel: str
    address: str
    person_id: int | None = None
    method_id: int | None = None
    team_channel_id: int | None = None


@dataclass(frozen=True)
class Words:
    """What one message says. `more` is kept with it: {"links": {...}}, {"leave": path}."""

    kind: str
    subject: str
    body: str = ""
    more: dict[str, Any] = field(default_factory=dict)


def put(
    db: Session,
    to: To,
    words: Words,
    *,
    now: datetime,
    at: datetime | None = None,
    incident_id: int | None = None,
    notice_id: int | None = None,
    urgent: bool = False,
) -> OutboxMessage:
    """One message, to leave at `at` (now, if not given). Its key is the id that every repeat of it carries."""
    message = OutboxMessage(
        key=secrets.token_hex(16),
        channel=to.channel,
        target=channels.target(to.channel, to.address),
        kind=words.kind,
        urgent=urgent,
        person_id=to.person_id,
        method_id=to.method_id,
        team_channel_id=to.team_channel_id,
        address=to.address,
        notice_id=notice_id,
        incident_id=incident_id,
        payload={"subject": words.subject[:SUBJECT_LIMIT], "body": words.body, **words.more},
        created_at=now,
        wanted_at=at or now,
        next_attempt_at=at or now,
    )
    db.add(message)
    return message


def deliver(
    db: Session,
    notices: Collection[Notice],
    incident: Incident | None,
    *,
    now: datetime,
    button: tuple[str, str] | None = None,
    schedule_id: int | None = None,
) -> None:
    """Send the notices of one event on their way, by what each person chose for its urgency.

    Whoever wants none outside the app gets those of paging.ALWAYS all the same. `schedule_id`: of the report it brings.
    """
    by_person = {notice.person_id: notice for notice in notices}
    urgency = paging.urgency(incident.priority if incident is not None else None)
    more: dict[str, Any] = {"button": list(button)} if button else {}
    if schedule_id is not None:
        more["schedule"] = schedule_id
    for person in reach.reached(db, by_person, urgency):
        notice = by_person[person.person_id]
        if person.quiet and notice.kind not in paging.ALWAYS:
            continue
        for step in person.steps:
            put(
                db,
                To(step.channel, step.address, person.person_id, step.method_id),
                Words(notice.kind, notice.subject, notice.body, more),
                now=now,
                at=now + timedelta(seconds=step.delay),
                incident_id=notice.incident_id,
                notice_id=notice.id,
            )


def page(
    db: Session,
    person_id: int,
    incident: Incident,
    subject: str,
    body: str = "",
    *,
    now: datetime,
    night_ok: bool | None = None,
) -> Paged:
    """Ask one person to answer for the incident, by their steps for its priority, until someone does.

    Asked again while an earlier page still waits, it takes that one's place: one message for each way, never a heap.
    One that was attempted may have arrived, and a receiver drops what carries the same id: then another goes instead.
    P4 and P5 wait for the morning on the person's clock, unless `night_ok` says otherwise.
    """
    found = reach.reached(db, [person_id], paging.urgency(incident.priority))
    if not found:
        return Paged(0, None)
    [person] = found
    notice = _page_notice(db, person_id, incident, subject, body, now)
    wakes = paging.may_wake(incident.priority) if night_ok is None else night_ok
    begins = now if wakes else paging.after_the_night(now, person.zone)
    words = Words("page", subject, body, {"links": page_links.make(db, notice, incident, now=begins)})
    waiting = _waiting_pages(db, person_id, incident.id, now)
    for step in person.steps:
        at = begins + timedelta(seconds=step.delay)
        at = at if wakes else paging.after_the_night(at, person.zone)
        earlier = waiting.get((step.channel, step.address))
        if earlier is not None and earlier.last_attempt_at is not None:
            earlier.cancelled_at, earlier.cancelled_why = now, "A newer page took its place."
            earlier = None
        if earlier is None:
            to = To(step.channel, step.address, person_id, step.method_id)
            put(db, to, words, now=now, at=at, incident_id=incident.id, notice_id=notice.id, urgent=True)
            continue
        earlier.payload = {"subject": subject[:SUBJECT_LIMIT], "body": body, **words.more}
        earlier.notice_id, earlier.created_at = notice.id, now
        earlier.next_attempt_at = min(earlier.next_attempt_at, at)
    db.flush()
    return Paged(len(person.steps) or int(person.invented), notice.id)


def _page_notice(db: Session, person_id: int, incident: Incident, subject: str, body: str, now: datetime) -> Notice:
    """The page as it is read in the app: one for each incident as long as it is unread, with the newest words."""
    unread = select(Notice).where(
        Notice.person_id == person_id,
        Notice.incident_id == incident.id,
        Notice.kind == "page",
        Notice.read_at.is_(None),
    )
    notice = db.scalars(unread.order_by(Notice.id.desc()).limit(1)).one_or_none()
    if notice is None:
        notice = Notice(person_id=person_id, incident_id=incident.id, kind="page", created_at=now)
        db.add(notice)
    notice.subject, notice.body, notice.created_at = subject[:SUBJECT_LIMIT], body, now
    db.flush()
    return notice


def _waiting_pages(
    db: Session, person_id: int, incident_id: int, now: datetime
) -> dict[tuple[str, str], OutboxMessage]:
    """Pages to the person about the incident that nobody is sending at this moment, by way and address."""
    statement = (
        select(OutboxMessage)
        .where(
            OutboxMessage.incident_id == incident_id,
            OutboxMessage.person_id == person_id,
            OutboxMessage.urgent,
            or_(OutboxMessage.leased_until.is_(None), OutboxMessage.leased_until <= now),
            _WAITING,
        )
        .with_for_update(skip_locked=True)
    )
    return {(message.channel, message.address): message for message in db.scalars(statement)}


def stop_pages(
    db: Session, incident_id: int, now: datetime, why: str = "Somebody has answered.", *, person_id: int | None = None
) -> int:
    """Let the pages about the incident that still wait, or those to one person, not leave any more; how many."""
    waiting = and_(OutboxMessage.incident_id == incident_id, OutboxMessage.urgent, _WAITING)
    if person_id is not None:
        waiting = and_(waiting, OutboxMessage.person_id == person_id)
    result = db.execute(
        update(OutboxMessage)
        .where(waiting)
        .values(cancelled_at=now, cancelled_why=why)
        .execution_options(synchronize_session=False)
    )
    return int(getattr(result, "rowcount", 0))


def announce(
    db: Session, team_id: int, kind: str, subject: str, body: str = "", *, incident: Incident | None, now: datetime
) -> int:
    """Write into the channels of a team; how many it has that work.

    More about the same incident in the same moment joins the message that waits: its newest subject, all of its words.
    Of a restricted incident no words are kept: who reads the channel is not known.
    """
    if incident is not None and incident.restricted:
        subject, body = channels.sealed(incident.number), ""
    usable = select(TeamChannel).where(TeamChannel.team_id == team_id, TeamChannel.broken_at.is_(None))
    found = db.scalars(usable.order_by(TeamChannel.id)).all()
    same = _of_this_moment(db, incident, now) if found and incident is not None else {}
    for channel in found:
        waiting = same.get(channel.id)
        if waiting is not None:
            words = list(dict.fromkeys(part for part in (waiting.payload["body"], body) if part))
            waiting.kind = kind
            waiting.payload = waiting.payload | {"subject": subject[:SUBJECT_LIMIT], "body": "\n".join(words)}
            continue
        put(
            db,
            To(channel.channel, channel.address, team_channel_id=channel.id),
            Words(kind, subject, body),
            now=now,
            incident_id=incident.id if incident is not None else None,
        )
    db.flush()
    return len(found)


def _of_this_moment(db: Session, incident: Incident, now: datetime) -> dict[int | None, OutboxMessage]:
    """What was written about the incident at `now` and nobody has begun to send, by the team's channel."""
    statement = select(OutboxMessage).where(
        OutboxMessage.incident_id == incident.id,
        OutboxMessage.team_channel_id.is_not(None),
        OutboxMessage.kind != channels.ROOM,
        OutboxMessage.created_at == now,
        OutboxMessage.attempts == 0,
        _WAITING,
    )
    found = db.scalars(statement.with_for_update(skip_locked=True))
    return {message.team_channel_id: message for message in found}


def mail(
    db: Session,
    address: str,
    kind: str,
    subject: str,
    body: str = "",
    *,
    incident: Incident | None = None,
    leave: str | None = None,
    button: tuple[str, str] | None = None,
    now: datetime,
) -> bool:
    """Write to somebody without an account; False when there is no mail server.

    `leave` is the path by which they end such messages: GET shows a page, POST does it. `button`: word and path.
    """
    if not reach.mail_works():
        return False
    more: dict[str, Any] = {"leave": leave} if leave else {}
    if button:
        more["button"] = list(button)
    put(
        db,
        To("email", channels.checked("email", address)),
        Words(kind, subject, body, more),
        now=now,
        incident_id=incident.id if incident is not None else None,
    )
    return True


def mail_all(
    db: Session,
    to: Iterable[tuple[str, str]],
    kind: str,
    subject: str,
    body: str = "",
    *,
    button: tuple[str, str],
    about: str = "",
    now: datetime,
) -> int:
    """The same to many, each an address and its leave path, in a few statements; to how many it goes.

    `about` names what is said, as nothing else is named: by it `withdraw` finds the messages again.
    """
    if not reach.mail_works():
        return 0
    payload = {"subject": subject[:SUBJECT_LIMIT], "body": body, "button": list(button)}
    rows = [
        {
            "key": _key_of(about, address) if about else secrets.token_hex(16),
            "channel": "email",
            "target": channels.target("email", address),
            "kind": kind,
            "urgent": False,
            "address": channels.checked("email", address),
            "payload": payload | {"leave": leave},
            "created_at": now,
            "wanted_at": now,
            "next_attempt_at": now,
            "attempts": 0,
            "last_error": "",
        }
        for address, leave in to
    ]
    if rows:
        db.execute(insert(OutboxMessage), rows)
    return len(rows)


def withdraw(db: Session, about: str, addresses: Iterable[str], why: str, *, now: datetime) -> list[str]:
    """Let what `mail_all` wrote `about` something leave no more to these; to which of them it may have come already.

    One that was attempted may have arrived, and so may one that is on its way at this moment. One that was given up
    has not.
    """
    columns = OutboxMessage.id, OutboxMessage.address, OutboxMessage.sent_at, OutboxMessage.last_attempt_at
    wanted, came = list(addresses), list[str]()
    for start in range(0, len(wanted), _AT_ONCE):
        keys = [_key_of(about, address) for address in wanted[start : start + _AT_ONCE]]
        statement = select(*columns, OutboxMessage.given_up_at).where(
            OutboxMessage.key.in_(keys), OutboxMessage.cancelled_at.is_(None)
        )
        rows = db.execute(statement.order_by(OutboxMessage.id).with_for_update()).all()
        stopped = [row.id for row in rows if row.sent_at is None]
        db.execute(
            update(OutboxMessage)
            .where(OutboxMessage.id.in_(stopped))
            .values(cancelled_at=now, cancelled_why=why)
            .execution_options(synchronize_session=False)
        )
        came += [
            row.address
            for row in rows
            if row.sent_at is not None or (row.last_attempt_at is not None and row.given_up_at is None)
        ]
    return came


def _key_of(about: str, address: str) -> str:
    """The key of what is said about something to one address: found again without looking through all messages."""
    return hashlib.sha256(f"{about} to {address}".encode()).hexdigest()[:32]
