"""Moments corrected afterwards, with a reason: clocks, rank and measures follow."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from db.commands import checks, incidents
from db.models import Incident
from db.queries.access import record_of
from rules import access, moments, text
from rules.access import Actor
from rules.errors import RuleError


def correct(
    db: Session,
    incident_id: int,
    version: int | None,
    given: Mapping[str, datetime | None],
    reason: str,
    *,
    actor: Actor,
    now: datetime,
) -> Incident:
    """Put other moments (rules.moments.MOMENTS) in the place of those of the incident; the timeline keeps both.

    Conflict, Forbidden, NotFound, or RuleError with `fields`.
    """
    incident = incidents.for_change(db, incident_id, version, actor)
    access.check(actor, "correct", record_of(db, incident))
    wrong: dict[str, str] = {}
    changes: dict[str, datetime | None] = {}
    try:
        changes = moments.correct({name: getattr(incident, name) for name in moments.MOMENTS}, given, now)
    except RuleError as error:
        wrong |= error.fields
    try:
        reason = text.block(reason, "reason", checks.TEXT_LIMIT, required="Say why it is corrected.")
    except RuleError as error:
        wrong["reason"] = error.sentence
    if wrong:
        raise RuleError(" ".join(wrong.values()), fields=wrong)
    if not changes:
        return incident
    return incidents.amend(db, incident, "correct", dict(changes), {"reason": reason}, actor=actor, now=now)
