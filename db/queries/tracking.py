"""What the link of a report without an account shows: its own incident, as far as a reporter sees it."""

from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import Incident
from db.queries import incidents, my_reports
from db.queries.lines import Line, lines
from db.queries.sessions import hashed
from db.queries.timeline import Entry
from db.settings import settings
from rules.access import Actor, NotFound

NOBODY = Actor(-1, "Somebody without an account", anonymous=True)
"""Nobody is signed in and no link is held."""
_NOTHING = "This link leads nowhere. Copy the whole address, or report the problem again."


@dataclass(frozen=True)
class Tracked:
    """One report for whoever holds its link."""

    detail: incidents.Detail
    entries: list[Entry]
    """public ones, newest first"""
    files: list[incidents.FileRow]
    goes_on: Line | None
    """the incident into which it was merged"""


def holder(db: Session, token: str) -> Actor:
    """Whoever holds the link. NotFound when it leads nowhere, or ANONYMOUS_REPORTS is off."""
    found = None
    if settings().anonymous_reports and token:
        held = select(Incident.id, Incident.caller_name).where(Incident.tracking_hash == hashed(token))
        found = db.execute(held).one_or_none()
    if found is None:
        raise NotFound(_NOTHING)
    return replace(NOBODY, name=found.caller_name or NOBODY.name, opens=found.id)


def tracked(db: Session, actor: Actor) -> Tracked:
    """The report that the actor's link opens."""
    number = db.scalar(select(Incident.number).where(Incident.id == actor.opens))
    detail = incidents.by_number(db, actor, number or "")
    entries, _ = my_reports.story(db, actor, detail)
    return Tracked(detail, entries, incidents.files(db, actor, detail), _survivor(db, actor))


def _survivor(db: Session, actor: Actor) -> Line | None:
    """The incident that goes on. The link does not open it; a restricted one is not even named."""
    merged_into = select(Incident.duplicate_of_id).where(Incident.id == actor.opens).scalar_subquery()
    found = lines(db, select(Incident.id).where(Incident.id == merged_into, Incident.restricted.is_(False)))
    return found[0] if found else None
