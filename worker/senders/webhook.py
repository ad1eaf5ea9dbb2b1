"""Generic webhooks: JSON, signed per Standard Webhooks (webhook-id, webhook-timestamp, webhook-signature)."""

import json
from datetime import datetime

from db.commands.deliveries import Message
from rules.webhook_signature import ID_HEADER, headers
from worker.senders import outgoing


def send(message: Message, now: datetime) -> None:
    """The id is the same for every repeat, so that a receiver can drop one."""
    body = json.dumps(content(message), ensure_ascii=False).encode()
    signed = {ID_HEADER: message.key}
    if message.secret:
        signed = headers([message.secret], message.key, int(now.timestamp()), body)
    outgoing.post(message.address, body, {"content-type": "application/json", **signed}, now=now)


def content(message: Message) -> dict[str, object]:
    """What a receiver reads."""
    incident = {"number": message.number, "title": message.title, "url": message.url} if message.number else None
    return {
        "type": f"incident.{message.kind}" if incident else message.kind,
        "timestamp": message.created_at.isoformat(),
        "data": {
            "subject": message.subject,
            "body": message.body,
            "person": message.name or None,
            "incident": incident,
            "links": dict([*message.links, *([message.button] if message.button else [])]),
        },
    }
