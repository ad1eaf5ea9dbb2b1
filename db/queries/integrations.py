"""Integrations: who sends, how they are set up, and whose token a message carries."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.models import Alert, EscalationPolicy, Integration, IntegrationToken, Person, Service, Team
from rules import access
from rules.access import Actor, NotFound


@dataclass(frozen=True)
class Row:
    id: int
    name: str
    format: str
    service: str | None
    team: str | None
    last_signal_at: datetime | None
    storm: bool
    heartbeat_seconds: int | None
    heartbeat_at: datetime | None
    silent: bool
    """it has not called as it promised"""
    firing: int
    """alerts"""
    archived_at: datetime | None


@dataclass(frozen=True)
class TokenRow:
    id: int
    ending: str
    created_at: datetime
    created_by: str | None
    last_used_at: datetime | None


@dataclass(frozen=True)
class Detail:
    row: Row
    version: int
    values: dict[str, Any]
    """what its form shows, by field"""
    tokens: list[TokenRow]
    """those that live"""
    old_secret_until: datetime | None


@dataclass(frozen=True)
class Sender:
    """Whose token it is, and what their messages must be like."""

    id: int
    name: str
    format: str
    signed: bool
    secret_turn: int
    old_secret_until: datetime | None
    archived: bool
    token_id: int


_FIRING = (
    select(func.count())
    .where(Alert.integration_id == Integration.id, Alert.ended_at.is_(None), Alert.status != "resolved")
    .correlate(Integration)
    .scalar_subquery()
)


def rows(db: Session, actor: Actor, *, archived: bool = False) -> list[Row]:
    """All integrations, or all archived ones, by name."""
    access.check(actor, "integrations")
    gone = Integration.archived_at.is_not(None) if archived else Integration.archived_at.is_(None)
    statement = _statement().where(gone).order_by(func.lower(Integration.name))
    return [_row(*found) for found in db.execute(statement)]


def one(db: Session, actor: Actor, integration_id: int) -> Detail:
    """One integration for its form. NotFound when there is none."""
    access.check(actor, "integrations")
    found = db.execute(_statement().where(Integration.id == integration_id)).one_or_none()
    if found is None:
        raise NotFound("There is no such integration any more.")
    integration: Integration = found[0]
    tokens = (
        select(
            IntegrationToken.id,
            IntegrationToken.ending,
            IntegrationToken.created_at,
            Person.name,
            IntegrationToken.last_used_at,
        )
        .outerjoin(Person, Person.id == IntegrationToken.created_by_id)
        .where(IntegrationToken.integration_id == integration_id, IntegrationToken.revoked_at.is_(None))
        .order_by(IntegrationToken.id)
    )
    fields = (
        "name format service_id team_id escalation_policy_id category_pair_id grouping severities auto_resolve signed "
        "storm_limit heartbeat_seconds"
    )
    return Detail(
        _row(*found),
        integration.version,
        {name: getattr(integration, name) for name in fields.split()},
        [TokenRow(*row) for row in db.execute(tokens)],
        integration.old_secret_until,
    )


def policies(db: Session) -> dict[int, str]:
    """Id -> name of the escalation policies in use, by name."""
    statement = select(EscalationPolicy.id, EscalationPolicy.name).where(EscalationPolicy.archived_at.is_(None))
    return {policy_id: name for policy_id, name in db.execute(statement.order_by(func.lower(EscalationPolicy.name)))}


def by_token(db: Session, token_hash: bytes) -> Sender | None:
    """Whose token has this hash; None when nobody has it, or not any more."""
    statement = (
        select(
            Integration.id,
            Integration.name,
            Integration.format,
            Integration.signed,
            Integration.secret_turn,
            Integration.old_secret_until,
            Integration.archived_at,
            IntegrationToken.id,
        )
        .join(IntegrationToken, IntegrationToken.integration_id == Integration.id)
        .where(IntegrationToken.token_hash == token_hash, IntegrationToken.revoked_at.is_(None))
    )
    found = db.execute(statement).one_or_none()
    return Sender(*found[:6], found[6] is not None, found[7]) if found is not None else None


def _statement() -> Any:
    return (
        select(Integration, Service.name, Team.name, _FIRING)
        .outerjoin(Service, Service.id == Integration.service_id)
        .outerjoin(Team, Team.id == func.coalesce(Integration.team_id, Service.team_id))
    )


def _row(found: Integration, service: str | None, team: str | None, firing: int) -> Row:
    silent = found.heartbeat_seconds is not None and found.heartbeat_due_at is None and found.archived_at is None
    return Row(
        found.id,
        found.name,
        found.format,
        service,
        team,
        found.last_signal_at,
        found.storm_since is not None,
        found.heartbeat_seconds,
        found.heartbeat_at,
        silent,
        firing,
        found.archived_at,
    )
