"""Subscribers of the status page: asked for by anybody, true only once the address itself has said yes.

Whether an address is known is told to nobody but to the address: every answer on the page is the same.
"""

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db.commands import outbox, publication, throttle
from db.models import Component, OutboxMessage, StatusPage, Subscriber, SubscriberComponent
from db.models.work import WAITING
from db.queries import subscribers
from db.queries.settings import organisation
from db.queries.subscribers import CONFIRM_LASTS
from rules import text as texts
from rules.access import NotFound
from rules.errors import RuleError

WINDOW = timedelta(hours=1)
MOST_OF_A_LINE, MOST_OF_ALL, MOST_TO_ONE = 10, 300, 3
"""questions in WINDOW from one line, from everywhere, and to one address"""
UNKNOWN = "This link is too old, not complete or not ours. Subscribe again on the status page."
NOTHING_CHOSEN = "Choose at least one component, or all of them."


def subscribe(db: Session, email: str, component_ids: Collection[int] | None, *, address: str, now: datetime) -> None:
    """Ask the address whether it wants to be told of these components (None: of all). `address`: where this comes from.

    One that has said yes keeps its choice, and is sent its link. RuleError with `fields`; throttle.Throttled.
    """
    if not subscribers.offered() or not db.scalar(select(StatusPage.published)):
        raise NotFound("There is nothing to subscribe to here.")
    email = texts.email(email)
    ids = _usable(db, component_ids)
    counted = (
        (throttle.line_of(address), MOST_OF_A_LINE),
        (f"to {email}", MOST_TO_ONE),
        ("everybody", MOST_OF_ALL),
    )
    for who, most in counted:
        throttle.count(db, throttle.key("subscribe", who), most, WINDOW, "subscriptions", now)
    row = _row(db, email, now)
    if row.confirmed_at is None:
        row.everything, row.asked_at = ids is None, now
        _choose(db, row, ids)
    _ask(db, row, now)


def _row(db: Session, email: str, now: datetime) -> Subscriber:
    """The row of the address, locked; a new one if there is none."""
    statement = select(Subscriber).where(Subscriber.email == email).with_for_update()
    row = db.scalars(statement).one_or_none()
    if row is not None:
        return row
    row = Subscriber(email=email, seed=secrets.token_urlsafe(16), created_at=now, asked_at=now)
    try:
        with db.begin_nested():
            db.add(row)
    except IntegrityError:  # the same form arrived twice at once
        return db.scalars(statement).one()
    return row


def _ask(db: Session, row: Subscriber, now: datetime) -> None:
    name = db.scalar(select(StatusPage.name)) or organisation(db).name or "our services"
    if row.confirmed_at is not None:
        button = "Change what you are told", subscribers.path("choose", row.id, row.seed)
        subject = f"You are subscribed to the status of {name}"
        body = "Somebody asked for it again, perhaps you. Nothing changes unless you change it."
    else:
        button = "Confirm", subscribers.path("confirm", row.id, row.seed)
        subject = f"Confirm your subscription to the status of {name}"
        body = (
            "Open the page below and press its button, and you are told of incidents and maintenance. "
            f"The link works for {CONFIRM_LASTS.days} days.\n\n"
            "If you did not ask for this, do nothing: you get no more mails."
        )
    outbox.mail(db, row.email, publication.KIND, subject, body, button=button, now=now)


def confirm(db: Session, token: str, *, now: datetime) -> Subscriber:
    """The address says yes; twice is once. RuleError when the link is nobody's or too old."""
    row = subscribers.found(db, "confirm", token, lock=True)
    if row is None or (row.confirmed_at is None and row.asked_at + CONFIRM_LASTS <= now):
        raise RuleError(UNKNOWN)
    row.confirmed_at = row.confirmed_at or now
    return row


def choose(db: Session, token: str, component_ids: Collection[int] | None) -> None:
    """Let the holder of the link be told of these components, or of all (None)."""
    row = subscribers.found(db, "choose", token, lock=True)
    if row is None:
        raise RuleError(UNKNOWN)
    ids = _usable(db, component_ids)
    row.everything = ids is None
    _choose(db, row, ids)


def leave(db: Session, token: str, *, now: datetime) -> None:
    """Forget the holder of the link, with what still waits to be sent to them. Twice is once."""
    row = subscribers.found(db, "choose", token, lock=True)
    if row is None:
        return
    waiting = update(OutboxMessage).where(
        OutboxMessage.target == "email", text(WAITING), OutboxMessage.address == row.email
    )
    stopped = {"cancelled_at": now, "cancelled_why": "They get no more of these."}
    own = waiting.where(OutboxMessage.kind == publication.KIND).values(stopped)
    db.execute(own.execution_options(synchronize_session=False))
    db.execute(delete(SubscriberComponent).where(SubscriberComponent.subscriber_id == row.id))
    db.delete(row)
    db.flush()


def _usable(db: Session, component_ids: Collection[int] | None) -> set[int] | None:
    if component_ids is None:
        return None
    known = set(db.scalars(select(Component.id).where(Component.archived_at.is_(None))))
    chosen = set(component_ids) & known
    if not chosen:
        raise RuleError(NOTHING_CHOSEN, field="components")
    return chosen


def _choose(db: Session, row: Subscriber, ids: Collection[int] | None) -> None:
    db.flush()
    db.execute(delete(SubscriberComponent).where(SubscriberComponent.subscriber_id == row.id))
    db.add_all(SubscriberComponent(subscriber_id=row.id, component_id=each) for each in sorted(ids or ()))
    db.flush()
