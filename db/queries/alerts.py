"""Alerts as those who work on incidents see them, and what falls due for them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, exists, func, literal, or_, select, union_all
from sqlalchemy.orm import Session, aliased

from db.models import QUEUE_ON_HOLD, Alert, Incident, Integration, ReceivedSignal
from db.queries.access import visible
from rules import access, storm
from rules.access import Actor, NotFound

OWN = "incident-desk:"
"""What the keys of alerts begin with that come from the app itself."""
SILENT, TEST = f"{OWN}silent", f"{OWN}test"
CALM = timedelta(minutes=5)
"""How long what comes and goes must have been resolved before its incident is."""
_CALM_UNTIL = timedelta(hours=1)
TEST_LASTS = timedelta(minutes=2)
PAGE_SIZE = 25
MANY = 1001
"""counted no further"""
SIGNALS_SHOWN = 50
_AT_ONCE = 100
STATES = {"firing": "Firing", "acknowledged": "Acknowledged", "resolved": "Resolved"}


@dataclass(frozen=True)
class AlertRow:
    id: int
    title: str
    status: str
    """key of STATES"""
    severity: str
    source: str
    link: str
    links: tuple[tuple[str, str], ...]
    """(what it shows, address)"""
    started_at: datetime | None
    first_at: datetime
    last_at: datetime
    signals: int
    live: bool
    integration: str
    number: str | None
    """of its incident; None in maintenance"""


@dataclass(frozen=True)
class OfIncident:
    """The alerts of one incident: the newest, and how many there are and still fire."""

    rows: list[AlertRow]
    total: int
    firing: int


@dataclass(frozen=True)
class SignalRow:
    received_at: datetime
    status: str
    title: str
    severity: str
    outcome: str


_COLUMNS = (
    Alert.id,
    Alert.title,
    Alert.status,
    Alert.severity,
    Alert.source,
    Alert.link,
    Alert.details,
    Alert.started_at,
    Alert.first_at,
    Alert.last_at,
    Alert.signals,
    Alert.ended_at,
    Integration.name,
    Incident.number,
)


def _rows(found: Iterable[Any]) -> list[AlertRow]:
    return [_row(*row) for row in found]


def _row(*found: Any) -> AlertRow:
    first, details, times, ended_at, rest = found[:6], found[6], found[7:11], found[11], found[12:]
    return AlertRow(*(*first, _links(details), *times, ended_at is None, *rest))


def _links(details: dict[str, Any] | None) -> tuple[tuple[str, str], ...]:
    return tuple((str(label), str(address)) for label, address in (details or {}).get("links", ()))


def _statement(*columns: Any) -> Select[Any]:
    return (
        select(*columns)
        .select_from(Alert)
        .join(Integration, Integration.id == Alert.integration_id)
        .outerjoin(Incident, Incident.id == Alert.incident_id)
    )


def listed(
    db: Session,
    actor: Actor,
    *,
    integration_id: int | None = None,
    state: str | None = None,
    page: int = 1,
) -> tuple[list[AlertRow], int]:
    """One page of alerts, the newest first, and how many there are, counted up to MANY.

    `state`: key of STATES, among those that live.
    """
    access.check(actor, "alerts")
    conditions = [or_(Alert.incident_id.is_(None), visible(actor))]
    if integration_id is not None:
        conditions.append(Alert.integration_id == integration_id)
    if state is not None:
        conditions += [Alert.status == state, Alert.ended_at.is_(None)]
    some = _statement(Alert.id).where(*conditions).limit(MANY).subquery()
    total = db.execute(select(func.count()).select_from(some)).scalar_one()
    wanted = _statement(*_COLUMNS).where(*conditions).order_by(Alert.id.desc())
    return _rows(db.execute(wanted.limit(PAGE_SIZE).offset((max(page, 1) - 1) * PAGE_SIZE))), total


def integrations(db: Session, actor: Actor) -> dict[int, str]:
    """Id -> name of all integrations, to choose from."""
    access.check(actor, "alerts")
    rows = db.execute(select(Integration.id, Integration.name).order_by(func.lower(Integration.name)))
    return {integration_id: name for integration_id, name in rows}


def one(db: Session, actor: Actor, alert_id: int) -> tuple[AlertRow, list[SignalRow]]:
    """An alert with the newest of its signals. NotFound when there is none, or it is not open to the actor."""
    access.check(actor, "alerts")
    seen = or_(Alert.incident_id.is_(None), visible(actor))
    found = _rows(db.execute(_statement(*_COLUMNS).where(Alert.id == alert_id, seen)))
    if not found:
        raise NotFound("There is no such alert, or it is not open to you.")
    columns = (
        ReceivedSignal.received_at,
        ReceivedSignal.status,
        ReceivedSignal.title,
        ReceivedSignal.severity,
        ReceivedSignal.outcome,
    )
    statement = select(*columns).where(ReceivedSignal.alert_id == alert_id).order_by(ReceivedSignal.id.desc())
    return found[0], [SignalRow(*row) for row in db.execute(statement.limit(SIGNALS_SHOWN))]


def unknown(db: Session, actor: Actor, integration_id: int) -> list[SignalRow]:
    """The newest signals of an integration that ended no alert: what they resolve or acknowledge is not known."""
    access.check(actor, "alerts")
    columns = (
        ReceivedSignal.received_at,
        ReceivedSignal.status,
        ReceivedSignal.title,
        ReceivedSignal.severity,
        ReceivedSignal.outcome,
    )
    newest = (
        select(ReceivedSignal.id)
        .where(ReceivedSignal.integration_id == integration_id)
        .order_by(ReceivedSignal.received_at.desc())
        .limit(1000)
        .subquery()
    )
    statement = select(*columns).join(newest, newest.c.id == ReceivedSignal.id)
    statement = statement.where(ReceivedSignal.alert_id.is_(None)).order_by(ReceivedSignal.id.desc())
    return [SignalRow(*row) for row in db.execute(statement.limit(SIGNALS_SHOWN))]


def of_incident(db: Session, incident_id: int, limit: int = PAGE_SIZE) -> OfIncident:
    """The alerts of an incident that the caller may read, those of incidents merged into it included."""
    merged = select(Incident.id).where(Incident.duplicate_of_id == incident_id)
    mine = Alert.incident_id.in_(union_all(select(literal(incident_id, Incident.id.type)), merged))
    fires = and_(Alert.status != "resolved", Alert.ended_at.is_(None))
    total, firing = db.execute(select(func.count(), func.count().filter(fires)).select_from(Alert).where(mine)).one()
    if not total:
        return OfIncident([], 0, 0)
    wanted = _statement(*_COLUMNS).where(mine).order_by(Alert.status == "resolved", Alert.id.desc()).limit(limit)
    return OfIncident(_rows(db.execute(wanted)), total, firing)


def family(db: Session, incident_id: int) -> list[int]:
    """The incident and all that were merged into it, whose alerts are its alerts."""
    found, newest = [incident_id], [incident_id]
    while newest:
        merged = select(Incident.id).where(Incident.duplicate_of_id.in_(newest), Incident.id.not_in(found))
        newest = list(db.execute(merged).scalars())
        found += newest
    return found


def silent(db: Session, now: datetime) -> list[int]:
    """Ids of the integrations that should have called by now; for the worker."""
    due = select(Integration.id).where(
        Integration.heartbeat_due_at.is_not(None),
        Integration.heartbeat_due_at <= now,
        Integration.archived_at.is_(None),
    )
    return list(db.execute(due.order_by(Integration.heartbeat_due_at).limit(_AT_ONCE)).scalars())


def storms_over(db: Session, now: datetime) -> list[int]:
    """Ids of the integrations whose storm has been calm for long enough; for the worker."""
    quiet = now - timedelta(seconds=storm.QUIET_SECONDS)
    over = select(Integration.id).where(Integration.storm_since.is_not(None), Integration.storm_since <= quiet)
    return list(db.execute(over.limit(_AT_ONCE)).scalars())


def calm(db: Session, now: datetime) -> list[tuple[int, int]]:
    """(integration, incident) of open incidents whose alerts have all been resolved for CALM; for the worker.

    Only where the integration lets them resolve themselves.
    """
    other = aliased(Alert)
    fires = exists(
        select(other.id).where(other.incident_id == Incident.id, other.status != "resolved", other.ended_at.is_(None))
    )
    statement = (
        select(Alert.integration_id, Incident.id)
        .distinct()
        .select_from(Incident)
        .join(Alert, Alert.incident_id == Incident.id)
        .join(Integration, Integration.id == Alert.integration_id)
        .where(
            Incident.queue_group <= QUEUE_ON_HOLD,
            Incident.source == "alert",
            Alert.status == "resolved",
            Alert.ended_at.is_(None),
            Alert.last_at <= now - CALM,
            Alert.last_at > now - _CALM_UNTIL,
            Integration.auto_resolve,
            ~fires,
        )
        .limit(_AT_ONCE)
    )
    return [(integration_id, incident_id) for integration_id, incident_id in db.execute(statement)]


def old_tests(db: Session, now: datetime) -> list[int]:
    """Ids of test alerts that have been there long enough to be seen; for the worker."""
    statement = select(Alert.id).where(
        Alert.integration_id.in_(select(Integration.id)),
        Alert.dedup_key == TEST,
        Alert.ended_at.is_(None),
        Alert.first_at <= now - TEST_LASTS,
    )
    return list(db.execute(statement.limit(_AT_ONCE)).scalars())
