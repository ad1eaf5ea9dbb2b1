"""Asking somebody to answer an incident that nobody looks at yet."""

from datetime import datetime

from sqlalchemy.orm import Session

from db.models import Incident


def begin(db: Session, incident: Incident, now: datetime, policy_id: int | None = None) -> None:
    """Begin to page for `incident`, in the transaction that opened or reopened it.

    By the escalation policy `policy_id` (the integration's own), else that of the service, else that of the team.
    Where none of them has one, nobody is paged.
    """
