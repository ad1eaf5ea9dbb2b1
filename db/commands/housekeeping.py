"""Removing what has served its purpose: ended sessions, old failures to sign in, old one-time links."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, delete, func, or_
from sqlalchemy.orm import Session

from db.models import OneTimeLink, PageLink, SignInSession, Throttle

KEEP_FAILURES = timedelta(days=1)
KEEP_LINKS = timedelta(days=30)


def tidy(db: Session, now: datetime) -> int:
    """Delete expired sessions, throttle rows without a failure for a day, and links used or expired 30 days ago.

    Gives the number of rows deleted.
    """
    free = or_(Throttle.blocked_until.is_(None), Throttle.blocked_until <= now)
    done_with = func.coalesce(OneTimeLink.used_at, OneTimeLink.expires_at)
    spent: tuple[tuple[Any, tuple[ColumnElement[bool], ...]], ...] = (
        (SignInSession, (SignInSession.expires_at <= now,)),
        (Throttle, (Throttle.last_failure_at < now - KEEP_FAILURES, free)),
        (OneTimeLink, (done_with < now - KEEP_LINKS,)),
        (PageLink, (PageLink.expires_at < now - KEEP_LINKS,)),
    )
    removed = 0
    for model, conditions in spent:
        result = db.execute(delete(model).where(*conditions).execution_options(synchronize_session=False))
        removed += result.rowcount if isinstance(result, CursorResult) else 0
    return removed
