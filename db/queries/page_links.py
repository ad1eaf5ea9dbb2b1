"""What a link of a page would do, and whether it still can."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import Incident, PageLink, Person
from db.queries import people
from db.queries.access import record_of
from db.queries.sessions import hashed
from db.settings import settings
from rules import access, page_links, states
from rules.access import Actor

UNKNOWN = "This link is not complete or not ours. Open the incident in the app."
USED = "This link has been used. Open the incident in the app for more."
OLD = "This link is too old. Open the incident in the app."
NO_ACCESS = "This is not open to you any more. Ask an administrator."


@dataclass(frozen=True)
class Shown:
    link_id: int
    action: str
    actor: Actor
    """the person it was sent to"""
    number: str
    title: str
    state: str
    problem: str
    """why it cannot be used; empty when it can"""
    confirms: bool
    """whether it says of an incident that is being worked on that the person has it"""


def shown(db: Session, token: str, now: datetime, *, lock: bool = False) -> Shown | None:
    """What the link of this token leads to; None when there is none, or its person may not read it any more."""
    statement = select(PageLink).where(PageLink.token_hash == hashed(token))
    link = db.scalars(statement.with_for_update() if lock else statement).one_or_none()
    if link is None:
        return None
    actor = people.acting(db, link.person_id)
    incident = db.get_one(Incident, link.incident_id)
    if actor is None or not access.may(actor, "read", record_of(db, incident)):
        return None
    confirms = link.action == "acknowledge" and may_confirm(incident, link.person_id)
    problem = _problem(link, incident, now, confirms)
    return Shown(link.id, link.action, actor, incident.number, incident.title, incident.state, problem, confirms)


def may_confirm(incident: Incident, person_id: int) -> bool:
    """Whether the person has the incident, or nobody has, while it counts as being worked on."""
    return incident.state == "in_progress" and incident.assignee_id in (None, person_id)


def _problem(link: PageLink, incident: Incident, now: datetime, confirms: bool) -> str:
    if link.used_at is not None:
        return USED
    if link.expires_at <= now:
        return OLD
    if link.action not in states.possible(incident.state) and not confirms:
        return f"{incident.number} is {states.LABELS[incident.state].lower()} already. Nothing is left to do here."
    return ""


def leaver(db: Session, token: str) -> str | None:
    """The name of whose notices the token ends; None when it is none."""
    person_id = page_links.leaves(settings().secret(), token)
    return db.scalar(select(Person.name).where(Person.id == person_id)) if person_id is not None else None
