"""What was sent to whom, and how it went."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from db.models import Incident, OutboxMessage, Person, Team, TeamChannel
from db.queries.access import visible
from rules import access, channels
from rules.access import Actor

PAGE_SIZE = 50
STATES = {"given_up": "Given up", "waiting": "Waiting", "sent": "Sent", "cancelled": "Not needed"}
_WAITING = and_(
    OutboxMessage.sent_at.is_(None), OutboxMessage.given_up_at.is_(None), OutboxMessage.cancelled_at.is_(None)
)
_CONDITIONS: dict[str, ColumnElement[bool]] = {
    "given_up": and_(OutboxMessage.given_up_at.is_not(None), OutboxMessage.sent_at.is_(None)),
    "waiting": _WAITING,
    "sent": OutboxMessage.sent_at.is_not(None),
    "cancelled": and_(OutboxMessage.cancelled_at.is_not(None), OutboxMessage.sent_at.is_(None)),
}


@dataclass(frozen=True)
class Delivery:
    id: int
    state: str
    channel: str
    shown: str
    """the address, without its secret"""
    who: str
    subject: str
    number: str | None
    urgent: bool
    created_at: datetime
    next_attempt_at: datetime
    ended_at: datetime | None
    """when it was sent, given up or dropped"""
    attempts: int
    why: str
    """the last error, or why it was not needed any more"""


def log(
    db: Session, actor: Actor, *, state: str | None = None, channel: str | None = None, page: int = 1
) -> tuple[list[Delivery], int]:
    """One page of the messages, newest first, and how many match. A lead sees those of the incidents they may read."""
    access.check(actor, "deliveries")
    conditions: list[ColumnElement[bool]] = []
    if state is not None:
        conditions.append(_CONDITIONS[state])
    if channel is not None:
        conditions.append(OutboxMessage.channel == channel)
    if not actor.has("admin"):
        conditions += [OutboxMessage.incident_id.is_not(None), visible(actor)]
    joined = OutboxMessage.__table__.outerjoin(Incident.__table__, Incident.id == OutboxMessage.incident_id)
    total = db.execute(select(func.count(OutboxMessage.id)).select_from(joined).where(*conditions)).scalar_one()
    statement = (
        select(OutboxMessage, Person.name, Team.name, Incident.number)
        .outerjoin(Incident, Incident.id == OutboxMessage.incident_id)
        .outerjoin(Person, Person.id == OutboxMessage.person_id)
        .outerjoin(TeamChannel, TeamChannel.id == OutboxMessage.team_channel_id)
        .outerjoin(Team, Team.id == TeamChannel.team_id)
        .where(*conditions)
        .order_by(OutboxMessage.id.desc())
        .limit(PAGE_SIZE)
        .offset((max(page, 1) - 1) * PAGE_SIZE)
    )
    rows = db.execute(statement).all()
    hidden = _hides(db, actor, [row[0].incident_id for row in rows])
    return [_delivery(row, person, team, number, hidden) for row, person, team, number in rows], total


def _hides(db: Session, actor: Actor, incident_ids: list[int | None]) -> set[int]:
    """Those of the incidents that `actor` may not read: an administrator sees that something left, not what it says."""
    ids = {incident_id for incident_id in incident_ids if incident_id is not None}
    if not ids:
        return set()
    return ids - set(db.scalars(select(Incident.id).where(Incident.id.in_(ids), visible(actor))))


def _delivery(
    row: OutboxMessage, person: str | None, team: str | None, number: str | None, hidden: set[int]
) -> Delivery:
    if row.sent_at is not None:
        state, ended_at, why = "sent", row.sent_at, ""
    elif row.cancelled_at is not None:
        state, ended_at, why = "cancelled", row.cancelled_at, row.cancelled_why
    elif row.given_up_at is not None:
        state, ended_at, why = "given_up", row.given_up_at, row.last_error
    else:
        state, ended_at, why = "waiting", None, row.last_error
    shown = channels.masked(row.channel, row.address)
    closed = row.incident_id in hidden
    return Delivery(
        id=row.id,
        state=state,
        channel=row.channel,
        shown=shown,
        who=person or team or shown,
        subject="A message about an incident" if closed else row.payload["subject"],
        number=None if closed else number,
        urgent=row.urgent,
        created_at=row.created_at,
        next_attempt_at=row.next_attempt_at,
        ended_at=ended_at,
        attempts=row.attempts,
        why=why,
    )


@dataclass(frozen=True)
class Standing:
    """How the outbox stands, for those who watch it."""

    waiting: int
    """due and not sent yet"""
    oldest: timedelta
    """how long the one that is due longest has been"""
    given_up: int
    """in the last 24 hours"""


def standing(db: Session, now: datetime) -> Standing:
    """Counted by the indexes of what waits and of what was given up."""
    waiting, oldest = db.execute(
        select(func.count(), func.min(OutboxMessage.wanted_at)).where(
            _WAITING, or_(OutboxMessage.next_attempt_at <= now, OutboxMessage.attempts > 0)
        )
    ).one()
    given_up = db.execute(
        select(func.count()).where(OutboxMessage.given_up_at > now - timedelta(days=1), OutboxMessage.sent_at.is_(None))
    ).scalar_one()
    return Standing(waiting, max(now - oldest, timedelta()) if oldest is not None else timedelta(), given_up)
