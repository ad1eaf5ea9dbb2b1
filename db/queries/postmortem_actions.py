"""Actions of postmortems: those of one, those that are overdue, and what one person has to do."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session, aliased

from db.models import Incident, Person, Postmortem, PostmortemAction
from db.queries.access import visible
from db.queries.settings import organisation
from rules import access, postmortem_export, postmortems
from rules.access import Actor
from rules.postmortems import DISCARDED

SHOWN = 10
_OWNER, _DOER, _WITNESS = aliased(Person), aliased(Person), aliased(Person)


@dataclass(frozen=True)
class Action:
    """One of them, with the incident that it follows from."""

    id: int
    version: int
    postmortem_id: int
    number: str
    text: str
    owner_id: int
    owner: str
    due_on: date
    overdue: bool
    done_at: datetime | None
    done_by: str
    verified_at: datetime | None
    verified_by: str
    effect: str
    dropped_why: str
    """empty while it is to be done"""

    @property
    def open(self) -> bool:
        """It is still to be done."""
        return self.done_at is None and not self.dropped_why

    def exported(self) -> postmortem_export.Action:
        """For the file and the page to print."""
        return postmortem_export.Action(
            self.text, self.owner, self.due_on, self.overdue, self.done_at, self.done_by, self.verified_at,
            self.verified_by, self.effect, self.dropped_why,
        )  # fmt: skip


@dataclass(frozen=True)
class Few:
    """The first of them, and how many there are."""

    actions: tuple[Action, ...] = ()
    total: int = 0


def open_to(actor: Actor) -> ColumnElement[bool]:
    """Incidents whose postmortem `actor` may read: all but those restricted ones that are not open to them."""
    return or_(Incident.restricted.is_(False), visible(actor))


def to_be_done() -> list[ColumnElement[bool]]:
    """Actions that somebody still has to do, of postmortems that count."""
    return [
        PostmortemAction.done_at.is_(None),
        PostmortemAction.dropped_at.is_(None),
        Postmortem.state != DISCARDED,
    ]


def zone(db: Session) -> ZoneInfo:
    """The organisation's: its days decide what is overdue."""
    return ZoneInfo(organisation(db).zone)


def of(db: Session, postmortem_id: int, today: date) -> tuple[Action, ...]:
    """Those of one postmortem: to be done first, by their day; then done, then dropped. Access is the caller's."""
    found = [
        _action(today, *row) for row in db.execute(_listed().where(PostmortemAction.postmortem_id == postmortem_id))
    ]
    return tuple(sorted(found, key=lambda one: (bool(one.dropped_why), one.done_at is not None, one.due_on, one.id)))


def overdue(db: Session, actor: Actor, now: datetime, limit: int = SHOWN) -> Few:
    """Actions whose day is over, the oldest first."""
    access.check(actor, "postmortems")
    today = postmortems.today(now, zone(db))
    late = [*to_be_done(), PostmortemAction.due_on < today.isoformat(), open_to(actor)]
    shown = _listed().where(*late).order_by(PostmortemAction.due_on, PostmortemAction.id).limit(limit)
    found = tuple(_action(today, *row) for row in db.execute(shown))
    if len(found) < limit:
        return Few(found, len(found))
    counted = (
        select(func.count())
        .select_from(PostmortemAction)
        .join(Postmortem, Postmortem.id == PostmortemAction.postmortem_id)
        .join(Incident, Incident.id == Postmortem.incident_id)
    )
    return Few(found, db.execute(counted.where(*late)).scalar_one())


def mine(db: Session, actor: Actor, now: datetime, limit: int) -> tuple[Action, ...]:
    """What `actor` has to do, by its day: one more than `limit` where there are more."""
    access.check(actor, "postmortems")
    shown = _listed().where(PostmortemAction.owner_id == actor.id, *to_be_done(), open_to(actor))
    rows = db.execute(shown.order_by(PostmortemAction.due_on, PostmortemAction.id).limit(limit + 1)).all()
    if not rows:
        return ()
    today = postmortems.today(now, zone(db))
    return tuple(_action(today, *row) for row in rows)


def _listed() -> Select[*tuple[Any, ...]]:
    return (
        select(
            PostmortemAction.id,
            PostmortemAction.version,
            PostmortemAction.postmortem_id,
            Incident.number,
            PostmortemAction.text,
            PostmortemAction.owner_id,
            _OWNER.name,
            PostmortemAction.due_on,
            PostmortemAction.done_at,
            _DOER.name,
            PostmortemAction.verified_at,
            _WITNESS.name,
            PostmortemAction.effect,
            PostmortemAction.dropped_why,
        )
        .join(Postmortem, Postmortem.id == PostmortemAction.postmortem_id)
        .join(Incident, Incident.id == Postmortem.incident_id)
        .join(_OWNER, _OWNER.id == PostmortemAction.owner_id)
        .outerjoin(_DOER, _DOER.id == PostmortemAction.done_by_id)
        .outerjoin(_WITNESS, _WITNESS.id == PostmortemAction.verified_by_id)
    )


def _action(
    today: date, id_: int, version: int, postmortem_id: int, number: str, text: str, owner_id: int, owner: str,
    due: str, done_at: datetime | None, done_by: str | None, verified_at: datetime | None, verified_by: str | None,
    effect: str, dropped_why: str,
) -> Action:  # fmt: skip
    due_on = date.fromisoformat(due)
    late = due_on < today and done_at is None and not dropped_why
    return Action(
        id_, version, postmortem_id, number, text, owner_id, owner, due_on, late, done_at, done_by or "", verified_at,
        verified_by or "", effect, dropped_why,
    )  # fmt: skip
