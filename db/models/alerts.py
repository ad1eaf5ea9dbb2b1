"""What monitoring says: where it comes from, what it said, and when nobody is to be woken for it."""

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Id, Instant, Json


class Integration(Base):
    """One sender of signals: its format, whom its alerts concern, and how they are read."""

    __tablename__ = "integration"
    __table_args__ = (
        Index(
            "ix_integration_heartbeat_due_at",
            "heartbeat_due_at",
            sqlite_where=text("heartbeat_due_at is not null"),
            postgresql_where=text("heartbeat_due_at is not null"),
        ),
        Index(
            "ix_integration_storm_since",
            "storm_since",
            sqlite_where=text("storm_since is not null"),
            postgresql_where=text("storm_since is not null"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    format: Mapped[str] = mapped_column(String(20))
    """key of rules.signals.FORMATS"""
    service_id: Mapped[int | None] = mapped_column(ForeignKey("service.id"))
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id"))
    """Who answers; without one, the team of the service."""
    escalation_policy_id: Mapped[int | None] = mapped_column(ForeignKey("escalation_policy.id"))
    """Without one, that of the service, then that of the team."""
    category_pair_id: Mapped[int | None] = mapped_column(ForeignKey("category_pair.id"))
    grouping: Mapped[str] = mapped_column(String(80), default="")
    """'' none; 'group' the sender's own group; else the name of a label whose value makes the group."""
    severities: Mapped[dict[str, int]] = mapped_column(Json, default=dict)
    """severity as sent -> priority 1..5; what is absent follows rules.signals."""
    auto_resolve: Mapped[bool] = mapped_column(Boolean, default=True)
    """Resolve the incident when all of its alerts are resolved."""
    signed: Mapped[bool] = mapped_column(Boolean, default=False)
    """Only messages signed per Standard Webhooks are taken."""
    secret_turn: Mapped[int] = mapped_column(default=0)
    """Which of the secrets that SECRET_KEY gives for it is the present one."""
    old_secret_until: Mapped[datetime | None] = mapped_column(Instant)
    """Until when the secret before it is taken too."""
    storm_limit: Mapped[int] = mapped_column(default=100)
    """New keys a minute past which one storm incident holds what more comes."""
    storm_since: Mapped[datetime | None] = mapped_column(Instant)
    """Since when it has not been past that limit again, in a storm that is not over; None: there is none."""
    storm_incident_id: Mapped[int | None] = mapped_column(ForeignKey("incident.id"))
    heartbeat_seconds: Mapped[int | None] = mapped_column()
    """It promises to call at least this often; silence makes an incident."""
    heartbeat_at: Mapped[datetime | None] = mapped_column(Instant)
    heartbeat_due_at: Mapped[datetime | None] = mapped_column(Instant)
    last_signal_at: Mapped[datetime | None] = mapped_column(Instant)
    created_at: Mapped[datetime] = mapped_column(Instant)
    archived_at: Mapped[datetime | None] = mapped_column(Instant)
    version: Mapped[int] = mapped_column(default=1)


class IntegrationToken(Base):
    """A key of an integration, shown once and kept as a hash. Two may live at a time, so that one can be changed."""

    __tablename__ = "integration_token"
    __table_args__ = (Index("ix_integration_token_integration_id", "integration_id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    integration_id: Mapped[int] = mapped_column(ForeignKey("integration.id", ondelete="CASCADE"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    ending: Mapped[str] = mapped_column(String(4))
    """Its last characters, to tell it from another."""
    created_at: Mapped[datetime] = mapped_column(Instant)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    last_used_at: Mapped[datetime | None] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)


class SeenMessage(Base):
    """The id of a signed message that was taken, so that it is refused when somebody sends it again."""

    __tablename__ = "seen_message"
    __table_args__ = (Index("ix_seen_message_at", "at"),)

    integration_id: Mapped[int] = mapped_column(ForeignKey("integration.id", ondelete="CASCADE"), primary_key=True)
    message_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)


class Alert(Base):
    """Signals of one integration with one deduplication key, from the first to the end of their incident."""

    __tablename__ = "alert"
    __table_args__ = (
        CheckConstraint("status in ('firing', 'acknowledged', 'resolved')", name="status"),
        Index(
            "uq_alert_live",
            "integration_id",
            "dedup_key",
            unique=True,
            sqlite_where=text("ended_at is null"),
            postgresql_where=text("ended_at is null"),
        ),
        Index("ix_alert_incident_id", "incident_id", "status"),
        Index("ix_alert_first_at", "integration_id", "first_at"),
        Index(
            "ix_alert_group",
            "integration_id",
            "group_key",
            sqlite_where=text("ended_at is null and group_key <> ''"),
            postgresql_where=text("ended_at is null and group_key <> ''"),
        ),
        Index(
            "ix_alert_held",
            "integration_id",
            sqlite_where=text("held_at is not null"),
            postgresql_where=text("held_at is not null"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    integration_id: Mapped[int] = mapped_column(ForeignKey("integration.id"))
    dedup_key: Mapped[str] = mapped_column(String(255))
    group_key: Mapped[str] = mapped_column(String(255), default="")
    incident_id: Mapped[int | None] = mapped_column(ForeignKey("incident.id"))
    """None while it fires within maintenance only."""
    status: Mapped[str] = mapped_column(String(12))
    title: Mapped[str] = mapped_column(String(200))
    severity: Mapped[str] = mapped_column(String(80), default="")
    source: Mapped[str] = mapped_column(String(200), default="")
    link: Mapped[str] = mapped_column(String(500), default="")
    details: Mapped[dict[str, Any] | None] = mapped_column(Json)
    started_at: Mapped[datetime | None] = mapped_column(Instant)
    """When it began, as the sender says."""
    first_at: Mapped[datetime] = mapped_column(Instant)
    last_at: Mapped[datetime] = mapped_column(Instant)
    signals: Mapped[int] = mapped_column(default=1)
    """How many came with this key."""
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    """When it no longer takes signals: the next one with its key begins another."""
    held_at: Mapped[datetime | None] = mapped_column(Instant)
    """Since when what it says is held back by maintenance, until that is over; None when it has been told."""


class ReceivedSignal(Base):
    """One message from monitoring, kept whatever became of it."""

    __tablename__ = "received_signal"
    __table_args__ = (
        Index("ix_received_signal_at", "integration_id", "received_at"),
        Index("ix_received_signal_alert_id", "alert_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    integration_id: Mapped[int] = mapped_column(ForeignKey("integration.id"))
    alert_id: Mapped[int | None] = mapped_column(ForeignKey("alert.id"))
    received_at: Mapped[datetime] = mapped_column(Instant)
    status: Mapped[str] = mapped_column(String(12))
    dedup_key: Mapped[str] = mapped_column(String(255))
    title: Mapped[str] = mapped_column(String(200))
    severity: Mapped[str] = mapped_column(String(80), default="")
    source: Mapped[str] = mapped_column(String(200), default="")
    outcome: Mapped[str] = mapped_column(String(20))
    """opened, joined, counted, reopened, acknowledged, resolved, unknown, maintenance, storm, noted"""


class MaintenanceWindow(Base):
    """Planned work: signals inside are kept, and page nobody. Always with an end."""

    __tablename__ = "maintenance_window"
    __table_args__ = (Index("ix_maintenance_window_ends_at", "ends_at"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    words: Mapped[str] = mapped_column(Text, default="")
    starts_at: Mapped[datetime] = mapped_column(Instant)
    ends_at: Mapped[datetime] = mapped_column(Instant)
    """The end of a single window; of a recurring one, when it recurs no more."""
    recurring: Mapped[list[dict[str, Any]] | None] = mapped_column(Json)
    """Time intervals (rules.maintenance) within [starts_at, ends_at); None: all of it."""
    applied_at: Mapped[datetime | None] = mapped_column(Instant)
    """When the last occurrence that has begun stopped what was running."""
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime] = mapped_column(Instant)
    cancelled_at: Mapped[datetime | None] = mapped_column(Instant)
    version: Mapped[int] = mapped_column(default=1)


class MaintainedService(Base):
    """A service that a maintenance window covers."""

    __tablename__ = "maintained_service"
    __table_args__ = (Index("ix_maintained_service_service_id", "service_id"),)

    window_id: Mapped[int] = mapped_column(ForeignKey("maintenance_window.id", ondelete="CASCADE"), primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"), primary_key=True)
