"""Acknowledging and resolving by a link of a page: for the person who got it, once, until it expires.

Who is asked again for what they have acknowledges that they still have it; who is paged by hand for what another has,
that they answer.
"""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from db.models import Incident, Notice, PageLink, Person
from db.queries import page_links as queries
from db.queries.sessions import hashed
from db.settings import settings
from rules import page_links
from rules.errors import RuleError

LASTS = timedelta(hours=24)


def make(db: Session, notice: Notice, incident: Incident, *, now: datetime) -> dict[str, str]:
    """Action -> seed of a new link; none where it is not known at which address people reach the app.

    Only the seed is kept with a message: the token needs our own key too, and here only its hash is kept.
    """
    seeds: dict[str, str] = {}
    if not settings().base_url:
        return seeds
    for action in page_links.ACTIONS:
        seeds[action] = secrets.token_urlsafe(12)
        db.add(
            PageLink(
                token_hash=hashed(page_links.token(settings().secret(), seeds[action])),
                action=action,
                person_id=notice.person_id,
                incident_id=incident.id,
                notice_id=notice.id,
                created_at=now,
                expires_at=now + LASTS,
            )
        )
    return seeds


def use(db: Session, token: str, given: Mapping[str, Any], *, now: datetime) -> queries.Shown:
    """Do what the link says, as the person it was sent to, with their access as it is now. It works once.

    RuleError when it is used, too old or unknown, or when the incident is past it.
    """
    from db.commands import calling, incidents, repaging  # they page, so they know the outbox, which makes links

    shown = queries.shown(db, token, now, lock=True)
    if shown is None or shown.problem:
        raise RuleError(shown.problem if shown else queries.UNKNOWN)
    link = db.get_one(PageLink, shown.link_id)
    if shown.confirms:
        repaging.confirm(db, link.incident_id, actor=shown.actor, now=now)
    elif shown.asked is not None and link.notice_id is not None:
        calling.answer(db, link.incident_id, link.notice_id, actor=shown.actor, now=now)
    else:
        incidents.perform(db, link.incident_id, None, link.action, given, actor=shown.actor, now=now)
    link.used_at = now
    return shown


def leave(db: Session, token: str) -> str:
    """End notices by other ways than the app for whom the token is of; their name. Pages go on. Twice is once."""
    person_id = page_links.leaves(settings().secret(), token)
    person = db.get(Person, person_id, with_for_update=True) if person_id is not None else None
    if person is None:
        raise RuleError(queries.UNKNOWN)
    person.preferences = {**(person.preferences or {}), "notices": False}
    return person.name
