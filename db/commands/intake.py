"""Taking messages of monitoring tools: several in one transaction, each by the right that it came with."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from db.commands import alerts, notices
from db.models import Integration, IntegrationToken, Notice, Person, PersonRole, SeenMessage
from rules.access import TABLE, Forbidden
from rules.errors import RuleError
from rules.signals import Signal

USED_EVERY = timedelta(minutes=1)
"""How exactly the last use of a token is known."""


class Unknown(RuleError):
    """The token is not taken (any more)."""


class Repeated(RuleError):
    """The signed message was taken before."""


@dataclass(frozen=True)
class Message:
    """The signals of one request."""

    integration_id: int
    token_id: int
    signals: Sequence[Signal]
    message_id: str | None = None
    """of a signed message, which is taken once"""
    confirm: str = ""
    """where an administrator confirms that it may be sent here"""


Result = Counter[str] | RuleError


def take(db: Session, messages: Sequence[Message], now: datetime) -> list[Result]:
    """Take all of them; for each, how many signals had which outcome, or why it is refused.

    The right to send is asked here once more: a token that was ended while the message waited is not taken. A message
    without signals is a call.
    """
    found = alerts.locked(db, {message.integration_id for message in messages})
    tokens = {
        token.id: token
        for token in db.scalars(
            select(IntegrationToken).where(IntegrationToken.id.in_({message.token_id for message in messages}))
        )
    }
    refused: list[RuleError | None] = []
    for message in messages:
        integration = found.get(message.integration_id)
        refused.append(_refusal(db, message, integration, tokens.get(message.token_id), now))
    results: list[Result] = []
    for integration_id, integration in found.items():
        accepted = [
            message
            for message, refusal in zip(messages, refused, strict=True)
            if refusal is None and message.integration_id == integration_id
        ]
        if accepted:
            alerts.receive(db, integration, [signal for message in accepted for signal in message.signals], now)
            for address in {message.confirm for message in accepted if message.confirm}:
                _ask_to_confirm(db, integration, address, now)
    _mark_used(db, [token for token in tokens.values() if token.revoked_at is None], now)
    for message, refusal in zip(messages, refused, strict=True):
        results.append(refusal if refusal is not None else Counter(signal.status for signal in message.signals))
    return results


def _refusal(
    db: Session, message: Message, integration: Integration | None, token: IntegrationToken | None, now: datetime
) -> RuleError | None:
    if integration is None or token is None or token.revoked_at is not None:
        return Unknown("This token is not taken any more. Ask an administrator for the present one.")
    if integration.archived_at is not None:
        return Forbidden(f"The integration {integration.name} is archived. Ask an administrator to bring it back.")
    if message.message_id is None:
        return None
    if db.get(SeenMessage, (integration.id, message.message_id)) is not None:
        return Repeated("This message was taken already: its webhook-id is known. Give every message an id of its own.")
    db.add(SeenMessage(integration_id=integration.id, message_id=message.message_id, at=now))
    db.flush()
    return None


def _mark_used(db: Session, tokens: Sequence[IntegrationToken], now: datetime) -> None:
    stale = [token.id for token in tokens if token.last_used_at is None or now - token.last_used_at >= USED_EVERY]
    if stale:
        statement = update(IntegrationToken).where(IntegrationToken.id.in_(stale)).values(last_used_at=now)
        db.execute(statement.execution_options(synchronize_session=False))


def _ask_to_confirm(db: Session, integration: Integration, address: str, now: datetime) -> None:
    """Show the address to administrators; nobody calls it for them. Again only when all of them have read it."""
    subject = f"{integration.name}: confirm the subscription"
    asked = select(Notice.id).where(Notice.subject == subject, Notice.read_at.is_(None), Notice.kind == "integration")
    if db.execute(asked.limit(1)).first() is not None:
        return
    admins = select(PersonRole.person_id).where(PersonRole.role.in_(sorted(TABLE["integrations"])))
    people = db.scalars(select(Person.id).where(Person.id.in_(admins))).all()
    body = f"Amazon SNS asks whether it may send here. If you set this up, open this address:\n\n{address}"
    notices.tell(db, people, "integration", subject, body, now=now)
