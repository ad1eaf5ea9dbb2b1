"""Removing what has served its purpose: ended sessions, old failures to sign in, old links, old signals."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, delete, func, or_, select
from sqlalchemy.orm import Session

from db.models import Integration, OneTimeLink, PageLink, ReceivedSignal, SeenMessage, SignInSession, Throttle

KEEP_FAILURES = timedelta(days=1)
KEEP_LINKS = timedelta(days=30)
KEEP_SIGNALS = timedelta(days=90)
"""Alerts and their counts stay; only what each message said goes."""
KEEP_MESSAGES = timedelta(hours=1)
"""An older one is refused by its time of signing."""


def tidy(db: Session, now: datetime) -> int:
    """Delete expired sessions, throttle rows without a failure for a day, links used or expired 30 days ago, and
    signals of 90 days ago.

    Gives the number of rows deleted.
    """
    free = or_(Throttle.blocked_until.is_(None), Throttle.blocked_until <= now)
    done_with = func.coalesce(OneTimeLink.used_at, OneTimeLink.expires_at)
    by_sender = ReceivedSignal.integration_id.in_(select(Integration.id))  # an index begins with it
    spent: tuple[tuple[Any, tuple[ColumnElement[bool], ...]], ...] = (
        (SignInSession, (SignInSession.expires_at <= now,)),
        (Throttle, (Throttle.last_failure_at < now - KEEP_FAILURES, free)),
        (OneTimeLink, (done_with < now - KEEP_LINKS,)),
        (PageLink, (PageLink.expires_at < now - KEEP_LINKS,)),
        (ReceivedSignal, (by_sender, ReceivedSignal.received_at < now - KEEP_SIGNALS)),
        (SeenMessage, (SeenMessage.at < now - KEEP_MESSAGES,)),
    )
    removed = 0
    for model, conditions in spent:
        result = db.execute(delete(model).where(*conditions).execution_options(synchronize_session=False))
        removed += result.rowcount if isinstance(result, CursorResult) else 0
    return removed
