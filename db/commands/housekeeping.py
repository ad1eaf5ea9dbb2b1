"""Removing what has served its purpose: ended sessions, failures to sign in, links, old messages and signals."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, delete, func, or_, select
from sqlalchemy.orm import Session

from db.models import (
    Alert,
    Incident,
    Integration,
    OneTimeLink,
    OutboxMessage,
    PageLink,
    ReceivedSignal,
    ReportRun,
    SeenMessage,
    SignInSession,
    Subscriber,
    Throttle,
)
from rules.report_times import KEPT as KEEP_REPORTS
from rules.states import OPEN

KEEP_FAILURES = timedelta(days=1)
KEEP_LINKS = timedelta(days=30)
KEEP_SIGNALS = timedelta(days=90)
"""Alerts and their counts stay; only what each message said goes."""
KEEP_SENT = timedelta(days=90)
"""How long the delivery log reaches back; the timeline of an incident tells for ever who was paged and how it went."""
KEEP_UNCONFIRMED = timedelta(days=7)
"""Who has not said by then that the address is theirs is forgotten; the link has been too old for days."""
KEEP_MESSAGES = timedelta(hours=1)
"""An older one is refused by its time of signing."""
BATCH = 500
"""rows of one transaction, so that nobody waits for it"""


def tidy(db: Session, now: datetime) -> int:
    """Delete expired sessions, throttle rows without a failure for a day, links used or expired 30 days ago,
    subscribers who never confirmed, and reports as they were sent KEEP_REPORTS ago.

    Gives the number of rows deleted.
    """
    free = or_(Throttle.blocked_until.is_(None), Throttle.blocked_until <= now)
    done_with = func.coalesce(OneTimeLink.used_at, OneTimeLink.expires_at)
    spent: tuple[tuple[Any, tuple[ColumnElement[bool], ...]], ...] = (
        (SignInSession, (SignInSession.expires_at <= now,)),
        (Throttle, (Throttle.last_failure_at < now - KEEP_FAILURES, free)),
        (OneTimeLink, (done_with < now - KEEP_LINKS,)),
        (PageLink, (PageLink.expires_at < now - KEEP_LINKS,)),
        (SeenMessage, (SeenMessage.at < now - KEEP_MESSAGES,)),
        (ReportRun, (ReportRun.as_of < now - KEEP_REPORTS,)),
        (Subscriber, (Subscriber.confirmed_at.is_(None), Subscriber.asked_at < now - KEEP_UNCONFIRMED)),
    )
    removed = 0
    for model, conditions in spent:
        removed += _delete(db, model, *conditions)
    return removed


def forget_messages(db: Session, now: datetime, after: int = 0) -> tuple[int, int | None]:
    """Delete what left, was given up or dropped KEEP_SENT ago, of one BATCH of the outbox beyond the id `after`.

    Gives how many were deleted, and the id to go on after; None when nothing old is left. What belongs to an open
    incident stays.
    """
    seen = select(OutboxMessage.id, OutboxMessage.created_at).where(OutboxMessage.id > after)
    rows = db.execute(seen.order_by(OutboxMessage.id).limit(BATCH)).all()
    if not rows:
        return 0, None
    last = rows[-1]
    ended = func.coalesce(OutboxMessage.sent_at, OutboxMessage.given_up_at, OutboxMessage.cancelled_at)
    still_open = select(Incident.id).where(Incident.id == OutboxMessage.incident_id, Incident.state.in_(OPEN))
    removed = _delete(
        db,
        OutboxMessage,
        OutboxMessage.id > after,
        OutboxMessage.id <= last.id,
        ended < now - KEEP_SENT,
        ~still_open.exists(),
    )
    return removed, last.id if len(rows) == BATCH and last.created_at < now - KEEP_SENT else None


def forget_signals(db: Session, now: datetime) -> int:
    """Delete one BATCH of the signals of KEEP_SIGNALS ago; how many there were. Those of open incidents stay."""
    by_sender = ReceivedSignal.integration_id.in_(select(Integration.id))  # an index begins with it
    still_open = (
        select(Alert.id)
        .join(Incident, Incident.id == Alert.incident_id)
        .where(Alert.id == ReceivedSignal.alert_id, Incident.state.in_(OPEN))
    )
    old = select(ReceivedSignal.id).where(
        by_sender, ReceivedSignal.received_at < now - KEEP_SIGNALS, ~still_open.exists()
    )
    return _delete(db, ReceivedSignal, ReceivedSignal.id.in_(old.limit(BATCH)))


def _delete(db: Session, model: Any, *conditions: ColumnElement[bool]) -> int:
    result = db.execute(delete(model).where(*conditions).execution_options(synchronize_session=False))
    return result.rowcount if isinstance(result, CursorResult) else 0
