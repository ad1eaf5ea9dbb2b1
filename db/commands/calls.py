"""The call of an incident's room: one at a time, for all who work on it."""

import secrets
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from db.commands import chat, timeline
from db.commands.rooms import room_of
from rules import calls, text, web_address
from rules.access import Actor
from rules.errors import RuleError


def start(
    db: Session, incident_id: int, template: str, pasted: str | None = None, *, actor: Actor, now: datetime
) -> str:
    """The link of the room's call: made from `template`, or the `pasted` one. RuleError('url').

    Of two who start at once both get the first one's; a pasted link takes its place.
    """
    incident = chat.opened(db, incident_id, actor)
    room = room_of(db, incident)
    if pasted is not None:
        url = web_address.checked(text.line(pasted, "url", web_address.LIMIT, required="Paste the link of the call."))
    elif room.call_url:
        return room.call_url
    else:
        url = calls.link(template, incident.number, secrets.token_hex(16))
    if url == room.call_url:
        return url
    if len(url) > web_address.LIMIT:
        raise RuleError(f"The link is longer than {web_address.LIMIT} characters.", field="url")
    told = "changed the call" if room.call_url else "started a call"
    room.call_url, room.call_at, room.called_by_id = url, now, actor.id
    timeline.add(db, incident, actor, now, "call", f"{told} ({urlsplit(url).hostname})", versioned=False)
    return url


def end(db: Session, incident_id: int, *, actor: Actor, now: datetime) -> None:
    """Take the link away. What has ended stays so."""
    incident = chat.opened(db, incident_id, actor)
    room = room_of(db, incident)
    if not room.call_url:
        return
    room.call_url, room.call_at, room.called_by_id = "", None, None
    timeline.add(db, incident, actor, now, "call", "ended the call", versioned=False)
