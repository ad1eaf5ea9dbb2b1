"""Who is told by e-mail of what is published, and what one of them has chosen."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from db.models import Component, Subscriber, SubscriberComponent
from db.queries import reach
from db.settings import settings
from rules import page_links

CONFIRM_LASTS = timedelta(days=3)
_BATCH = 1000


@dataclass(frozen=True)
class Chosen:
    """One subscriber, as whoever holds the link may see it."""

    id: int
    email: str
    everything: bool
    component_ids: frozenset[int]
    confirmed: bool


def offered() -> bool:
    """Whether anybody can subscribe: there is a mail server, and it is known where the links in mails lead."""
    return reach.mail_works() and bool(settings().base_url)


def concerned(component_ids: Collection[int]) -> ColumnElement[bool]:
    """Confirmed subscribers of everything, or of one of these components."""
    chosen = select(SubscriberComponent.subscriber_id).where(SubscriberComponent.component_id.in_(component_ids))
    return Subscriber.confirmed_at.is_not(None) & or_(Subscriber.everything, Subscriber.id.in_(chosen))


def addresses(db: Session, component_ids: Collection[int]) -> Iterator[tuple[str, str]]:
    """(address, leave path) of everyone concerned, each once: one query."""
    statement = select(Subscriber.id, Subscriber.email, Subscriber.seed).where(concerned(component_ids))
    for subscriber_id, email, seed in db.execute(statement.order_by(Subscriber.id)).yield_per(_BATCH):
        yield email, path("choose", subscriber_id, seed)


def everybody(db: Session) -> dict[str, str]:
    """Address -> leave path of all who have confirmed, whatever they want to be told of."""
    statement = select(Subscriber.id, Subscriber.email, Subscriber.seed).where(Subscriber.confirmed_at.is_not(None))
    return {email: path("choose", id_, seed) for id_, email, seed in db.execute(statement.order_by(Subscriber.id))}


def count(db: Session) -> int:
    """How many have confirmed."""
    return db.execute(select(func.count(Subscriber.id)).where(Subscriber.confirmed_at.is_not(None))).scalar_one()


def path(purpose: str, subscriber_id: int, seed: str) -> str:
    """The address of a subscriber's link, without the host."""
    place = "confirm" if purpose == "confirm" else "subscription"
    return f"/status/{place}/{page_links.subscriber_token(settings().secret(), purpose, subscriber_id, seed)}"


def found(db: Session, purpose: str, token: str, *, lock: bool = False) -> Subscriber | None:
    """Whose link it is; None when it is nobody's any more."""
    claimed = page_links.subscriber_of(token)
    if claimed is None:
        return None
    row = db.get(Subscriber, claimed, with_for_update=lock)
    if row is None:
        return None
    genuine = page_links.subscriber_token(settings().secret(), purpose, row.id, row.seed)
    return row if page_links.same(genuine, token) else None


def chosen(db: Session, purpose: str, token: str, now: datetime) -> Chosen | None:
    """What the holder of the link has chosen. None when it is nobody's, or was to confirm and is too old."""
    row = found(db, purpose, token)
    if row is None or (purpose == "confirm" and row.confirmed_at is None and row.asked_at + CONFIRM_LASTS <= now):
        return None
    ids = select(SubscriberComponent.component_id).where(SubscriberComponent.subscriber_id == row.id)
    return Chosen(row.id, row.email, row.everything, frozenset(db.scalars(ids)), row.confirmed_at is not None)


def choosable(db: Session) -> list[tuple[int, str, str]]:
    """(id, group, name) of the components on the page, in its order."""
    statement = select(Component.id, Component.group_name, Component.name).where(Component.archived_at.is_(None))
    return [(id_, group, name) for id_, group, name in db.execute(statement.order_by(Component.position, Component.id))]
