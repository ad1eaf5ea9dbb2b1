"""Views of a list that people keep under a name, for themselves or for everybody."""

from datetime import datetime
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.commands import report_schedules
from db.models import SavedView
from rules import access, text
from rules.access import Actor, NotFound
from rules.errors import RuleError
from rules.report_words import others_have

NAME_LIMIT = 80
ADDRESS_LIMIT = 1000
MOST = 50
"""views of one person on one list"""
PAGES = ("triage", "trends")
"""Lists that can be kept; each is also the name of the right to open it."""


def save(db: Session, page: str, name: str, address: str, shared: bool, *, actor: Actor, now: datetime) -> SavedView:
    """Keep the view at `address` (the part after '?'); the same name again takes the place of what it meant."""
    _check(actor, page)
    name = text.line(name, "name", NAME_LIMIT, required="Give the view a name.")
    address = urlencode(parse_qsl(address.lstrip("?")))
    if len(address) > ADDRESS_LIMIT:
        raise RuleError("This view is too long to keep. Use fewer words in the search.", field="name")
    own = select(SavedView).where(SavedView.owner_id == actor.id, SavedView.page == page)
    view = db.scalars(own.where(SavedView.name == name)).one_or_none()
    if view is None:
        if (db.execute(select(func.count()).select_from(own.subquery())).scalar() or 0) >= MOST:
            raise RuleError(f"You keep {MOST} views already. Remove one first.", field="name")
        view = SavedView(owner_id=actor.id, page=page, name=name, created_at=now)
        db.add(view)
    elif view.shared and not shared and (others := report_schedules.had_by_others(db, view.id)):
        raise RuleError(
            f"{others_have(others)} '{name}' sent. Offer it as before, or take it back under Reports: that ends it.",
            field="name",
        )
    view.address, view.shared = address, bool(shared)
    db.flush()
    return view


def remove(db: Session, view_id: int, *, actor: Actor, now: datetime) -> None:
    """Forget one of the actor's own views; what sends it ends, and others who have it sent are told."""
    view = _own(db, view_id, actor)
    report_schedules.end_of_view(db, view, f"{actor.name} removed the view.", actor=actor, now=now)
    db.delete(view)


def offer(db: Session, view_id: int, shared: bool, *, actor: Actor, now: datetime) -> None:
    """Offer one of the actor's own views to everybody who may open its page, or no longer.

    What others have sent of it ends with that, and they are told.
    """
    view = _own(db, view_id, actor)
    access.check(actor, view.page)
    if view.shared and not shared:
        why = f"{actor.name} does not offer the view to others any more."
        report_schedules.end_of_view(db, view, why, actor=actor, now=now, but_own=True)
    view.shared = bool(shared)


def _own(db: Session, view_id: int, actor: Actor) -> SavedView:
    view = db.get(SavedView, view_id, with_for_update=True)  # nobody has it sent meanwhile
    if view is None or view.owner_id != actor.id:
        raise NotFound("There is no such view of yours.")
    return view


def _check(actor: Actor, page: str) -> None:
    if page not in PAGES:
        raise RuleError("This page has no views to keep.")
    access.check(actor, page)
