"""What a link of a page would do, and whether it still can."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from db.models import Incident, Page, PageLink, Person, TimelineEntry
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
ASKS = " asks for you"
"""why somebody is paged by hand, after the name of who does it"""


@dataclass(frozen=True)
class Asked:
    """By whom the person was paged by hand, for what is in other hands or waits."""

    by: tuple[tuple[int, str], ...]
    """(id, name) of each who still may read it, but the person"""
    keeper: str
    """who has it; empty when nobody has, or the person"""


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
    asked: Asked | None = None
    """what it answers otherwise; None when that was no page by hand"""


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
    by_hand = link.action == "acknowledge" and not confirms and link.notice_id is not None
    asked = asked_by_hand(db, incident, link.person_id, link.notice_id or 0) if by_hand else None
    problem = _problem(link, incident, now, confirms or asked is not None)
    return Shown(link.id, link.action, actor, incident.number, incident.title, incident.state, problem, confirms, asked)


def may_confirm(incident: Incident, person_id: int) -> bool:
    """Whether the person has the incident, or nobody has, while it counts as being worked on."""
    return incident.state == "in_progress" and incident.assignee_id in (None, person_id)


def asked_by_hand(db: Session, incident: Incident, person_id: int, notice_id: int) -> Asked | None:
    """Who asked the person by what this notice tells; None when nobody did, or when the incident wants another answer.

    Such a page and its entry on the timeline are of one moment and name the same person.
    """
    if incident.state not in ("in_progress", "on_hold"):
        return None
    statement = (
        select(TimelineEntry.actor_id)
        .join(Page, and_(Page.incident_id == TimelineEntry.incident_id, Page.at == TimelineEntry.at))
        .where(
            Page.incident_id == incident.id,
            Page.person_id == person_id,
            Page.notice_id == notice_id,
            Page.step.is_(None),
            Page.why.startswith(TimelineEntry.actor_name + ASKS),
            TimelineEntry.kind == "page",
            TimelineEntry.actor_id.is_not(None),
        )
        .distinct()
        .order_by(TimelineEntry.actor_id)
    )
    askers = db.scalars(statement).all()
    if not askers:
        return None
    record = record_of(db, incident)
    others = [people.acting(db, asker) for asker in askers if asker is not None and asker != person_id]
    by = tuple((other.id, other.name) for other in others if other is not None and access.may(other, "read", record))
    keeper = db.get(Person, incident.assignee_id) if incident.assignee_id not in (None, person_id) else None
    return Asked(by, keeper.name if keeper is not None else "")


def _problem(link: PageLink, incident: Incident, now: datetime, answers: bool) -> str:
    if link.used_at is not None:
        return USED
    if link.expires_at <= now:
        return OLD
    if link.action not in states.possible(incident.state) and not answers:
        return f"{incident.number} is {states.LABELS[incident.state].lower()} already. Nothing is left to do here."
    return ""


def leaver(db: Session, token: str) -> str | None:
    """The name of whose notices the token ends; None when it is none."""
    person_id = page_links.leaves(settings().secret(), token)
    return db.scalar(select(Person.name).where(Person.id == person_id)) if person_id is not None else None
