"""What is said in a room, written into those channels of its team that are to read it.

Talk waits in a lane of its own (rules.channels.aside), so that neither pages nor the team's news wait for it. While a
channel takes nothing, what is said meanwhile becomes one message, in the order in which it was said.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from db.commands import outbox
from db.models import Attachment, Incident, Message, OutboxMessage, TeamChannel
from db.models.work import WAITING
from rules import channels, chat

LONGEST = 2800
"""characters of what was said together; a chat shows no more in one piece. Longer words of one person go alone."""
Line = tuple[int, str, bool]
"""id of the message, what is written of it, whether that corrects what was written before"""


def said(db: Session, incident: Incident, message: Message, author: str, now: datetime) -> None:
    """Write it into the channels; a restricted incident has none."""
    _write(db, incident, message, author, now, corrected=False)


def corrected(db: Session, incident: Incident, message: Message, author: str, now: datetime) -> None:
    """Write what it says now. Where the former words have not left yet, these take their place."""
    _write(db, incident, message, author, now, corrected=True)


def _write(db: Session, incident: Incident, message: Message, author: str, now: datetime, *, corrected: bool) -> None:
    found = _channels(db, incident)
    if not found:
        return
    file = db.get_one(Attachment, message.attachment_id).name if message.attachment_id is not None else ""
    waiting = _waiting(db, incident)
    for channel in found:
        own = [row for row in waiting if row.team_channel_id == channel.id]
        if corrected and _in_place(own, message, author, file):
            continue
        line = (message.id, chat.mirrored(author, message.text, file, corrected=corrected), corrected)
        if own and _joins(own[-1], line):
            continue
        row = outbox.put(
            db,
            outbox.To(channel.channel, channel.address, team_channel_id=channel.id),
            outbox.Words(channels.ROOM, f"{incident.number}: {incident.title}", line[1], {"said": [line]}),
            now=now,
            at=max(now, *(earlier.next_attempt_at for earlier in own)) if own else now,
            incident_id=incident.id,
        )
        row.target = channels.aside(row.target)


def taken_back(db: Session, incident: Incident, message_id: int, now: datetime) -> None:
    """Leave out of what still waits what its author took back; what has left stays where it is."""
    for row in _waiting(db, incident):
        lines = [entry for entry in row.payload["said"] if entry[0] != message_id]
        if not lines:
            row.cancelled_at, row.cancelled_why = now, "It was taken back."
        elif len(lines) < len(row.payload["said"]):
            _put(row, lines)


def keep_order(db: Session, row: OutboxMessage) -> None:
    """Let what was said later in the same room not leave before this, which is tried again later."""
    later = update(OutboxMessage).where(
        OutboxMessage.incident_id == row.incident_id,
        OutboxMessage.team_channel_id == row.team_channel_id,
        OutboxMessage.kind == channels.ROOM,
        OutboxMessage.id > row.id,
        OutboxMessage.next_attempt_at < row.next_attempt_at,
        text(WAITING),
    )
    values = {"next_attempt_at": row.next_attempt_at}
    db.execute(later.values(values).execution_options(synchronize_session=False))


def _channels(db: Session, incident: Incident) -> Sequence[TeamChannel]:
    if incident.restricted or incident.team_id is None:
        return ()
    wanted = TeamChannel.team_id == incident.team_id, TeamChannel.mirror, TeamChannel.broken_at.is_(None)
    return db.scalars(select(TeamChannel).where(*wanted).order_by(TeamChannel.id)).all()


def _waiting(db: Session, incident: Incident) -> Sequence[OutboxMessage]:
    """Talk of the room that nobody is sending at this moment, in order."""
    statement = select(OutboxMessage).where(
        OutboxMessage.incident_id == incident.id, OutboxMessage.kind == channels.ROOM, text(WAITING)
    )
    return db.scalars(statement.order_by(OutboxMessage.id).with_for_update(skip_locked=True)).all()


def _in_place(rows: Sequence[OutboxMessage], message: Message, author: str, file: str) -> bool:
    """Whether the message's former words had not left yet, and were exchanged."""
    for row in rows:
        said: list[Line] = row.payload["said"]
        if row.attempts or all(id_ != message.id for id_, _, _ in said):
            continue
        anew = {late: chat.mirrored(author, message.text, file, corrected=late) for late in (False, True)}
        _put(row, [(id_, anew[late] if id_ == message.id else line, late) for id_, line, late in said])
        return True
    return False


def _joins(row: OutboxMessage, line: Line) -> bool:
    """Whether what waits takes this up. What was attempted may have arrived under its id, so it stays as it is."""
    if row.attempts or len(row.payload["body"]) + 1 + len(line[1]) > LONGEST:
        return False
    _put(row, [*row.payload["said"], line])
    return True


def _put(row: OutboxMessage, lines: Sequence[Line]) -> None:
    row.payload = row.payload | {"said": lines, "body": "\n".join(line for _, line, _ in lines)}
