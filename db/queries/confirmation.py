"""What waits for the reporter's word that it is fixed, as conditions for lists, and what they said when it was not."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from db.models import Incident, Person, Team, TimelineEntry
from rules import access
from rules.access import Actor, Record
from rules.verification import Patience

_RECOVERED = (Incident.state == "recovered", Incident.denied_at.is_(None))


_GONE = select(Person.id).where(Person.disabled_at.is_not(None))


def _silent(patience: Patience, now: datetime) -> ColumnElement[bool]:
    """No answer for long enough; imported histories were never reminded."""
    latest = now - timedelta(days=patience.close_days)
    return and_(
        Incident.verification.is_(None),
        or_(Incident.reminded_at <= latest, and_(Incident.imported, Incident.recovered_at <= latest)),
    )


def _to_ask() -> ColumnElement[bool]:
    """Whoever reported it has no account, and nobody has tried to reach them yet."""
    reachable = or_(Incident.tracking_hash.is_(None), Incident.caller_contact != "")
    return and_(
        Incident.verification.is_(None),
        or_(Incident.reporter_id.is_(None), Incident.reporter_id.in_(_GONE)),
        Incident.reminded_at.is_(None),
        Incident.imported.is_(False),
        reachable,
    )


def answered() -> list[ColumnElement[bool]]:
    """Recovered with an answer."""
    return [*_RECOVERED, Incident.verification.is_not(None)]


def unanswered(patience: Patience, now: datetime) -> list[ColumnElement[bool]]:
    """Recovered, and silence is enough to close."""
    return [*_RECOVERED, _silent(patience, now)]


def closable(patience: Patience, now: datetime) -> list[ColumnElement[bool]]:
    """Recovered, and may be closed now."""
    return [*_RECOVERED, or_(Incident.verification.is_not(None), _silent(patience, now))]


def to_ask() -> list[ColumnElement[bool]]:
    """Recovered, to be asked by a person: the app cannot ask who has no account."""
    return [*_RECOVERED, _to_ask()]


def waiting(patience: Patience, now: datetime) -> list[ColumnElement[bool]]:
    """Recovered, asked, and still time to answer."""
    latest = now - timedelta(days=patience.close_days)
    in_time = or_(
        Incident.reminded_at > latest,
        and_(Incident.reminded_at.is_(None), or_(Incident.imported.is_(False), Incident.recovered_at > latest)),
    )
    return [*_RECOVERED, Incident.verification.is_(None), ~_to_ask(), in_time]


def for_closer(db: Session, actor: Actor) -> list[ColumnElement[bool]] | None:
    """What narrows these lists to what the actor may close: nothing for the desk, their devops teams' own for the
    responders of those. None for who closes nothing.
    """
    if access.may(actor, "close"):
        return []
    if not actor.team_ids:
        return None
    devops = select(Team.id).where(Team.id.in_(sorted(actor.team_ids)), Team.way == "devops").order_by(Team.id)
    ids = [id_ for id_ in db.scalars(devops) if access.may(actor, "close", Record(team_id=id_, team_way="devops"))]
    return [Incident.team_id.in_(ids)] if ids else None


def denied_words(db: Session, incident: Incident) -> str:
    """What the reporter wrote when they said that it is not fixed; '' when they did not or it was resolved since."""
    if incident.denied_at is None:
        return ""
    statement = (
        select(TimelineEntry.detail)
        .where(
            TimelineEntry.incident_id == incident.id,
            TimelineEntry.at == incident.denied_at,
            TimelineEntry.kind.in_(("reject", "reopen")),
        )
        .order_by(TimelineEntry.id.desc())
        .limit(1)
    )
    return db.scalar(statement) or ""
