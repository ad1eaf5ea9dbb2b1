"""The record of changes to people, access, settings and data as a whole. Incidents have their timeline."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from db.models import AuditEntry
from rules.access import SYSTEM, Actor


def record(
    db: Session,
    actor: Actor,
    now: datetime,
    action: str,
    subject: str,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Add one entry: who did what to whom, with the values before and after. Never put a secret in it."""
    db.add(
        AuditEntry(
            at=now,
            actor_id=None if actor is SYSTEM else actor.id,
            actor_name=actor.name,
            action=action,
            subject=subject[:200],
            before=before,
            after=after,
        )
    )
