"""What is to be done later, what leaves, what is set, and who changed what."""

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Id, Instant, Json

WAITING = "sent_at is null and given_up_at is null and cancelled_at is null"
"""of a message that is still to be sent"""


class Timer(Base):
    """Something that falls due for an incident; written in the transaction that causes it."""

    __tablename__ = "timer"
    __table_args__ = (
        Index("uq_timer_incident_kind", "incident_id", "kind", unique=True),
        Index(
            "ix_timer_due_at",
            "due_at",
            sqlite_where=text("fired_at is null"),
            postgresql_where=text("fired_at is null"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"))
    kind: Mapped[str] = mapped_column(String(40))
    due_at: Mapped[datetime] = mapped_column(Instant)
    fired_at: Mapped[datetime | None] = mapped_column(Instant)


class OutboxMessage(Base):
    """Something that leaves: leased, sent, then recorded. The key lets a receiver drop a repeat."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index(
            "ix_outbox_waiting",
            "target",
            "next_attempt_at",
            sqlite_where=text(WAITING),
            postgresql_where=text(WAITING),
        ),
        Index(
            "ix_outbox_given_up",
            "given_up_at",
            sqlite_where=text("given_up_at is not null"),
            postgresql_where=text("given_up_at is not null"),
        ),
        Index("ix_outbox_incident_id", "incident_id"),
        Index("ix_outbox_notice_id", "notice_id"),
        Index("ix_outbox_person_id", "person_id"),
        Index("ix_outbox_method_id", "method_id"),
        Index("ix_outbox_team_channel_id", "team_channel_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    channel: Mapped[str] = mapped_column(String(20))
    target: Mapped[str] = mapped_column(String(200), default="", server_default="")
    """What it waits for: one server or host; see rules.channels.target."""
    kind: Mapped[str] = mapped_column(String(40))
    urgent: Mapped[bool] = mapped_column(Boolean, default=False, server_default=text("false"))
    """A page: it goes before everything else, and stops once somebody has answered."""
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    method_id: Mapped[int | None] = mapped_column(ForeignKey("contact_method.id"))
    """None: the address of the person's account."""
    team_channel_id: Mapped[int | None] = mapped_column(ForeignKey("team_channel.id"))
    address: Mapped[str] = mapped_column(String(500), default="")
    notice_id: Mapped[int | None] = mapped_column(ForeignKey("notice.id"))
    incident_id: Mapped[int | None] = mapped_column(ForeignKey("incident.id"))
    payload: Mapped[dict[str, Any]] = mapped_column(Json)
    created_at: Mapped[datetime] = mapped_column(Instant)
    wanted_at: Mapped[datetime] = mapped_column(Instant, server_default="0")
    """When it was to go at first."""
    next_attempt_at: Mapped[datetime] = mapped_column(Instant)
    last_attempt_at: Mapped[datetime | None] = mapped_column(Instant)
    leased_until: Mapped[datetime | None] = mapped_column(Instant)
    attempts: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None] = mapped_column(Instant)
    given_up_at: Mapped[datetime | None] = mapped_column(Instant)
    cancelled_at: Mapped[datetime | None] = mapped_column(Instant)
    cancelled_why: Mapped[str] = mapped_column(String(200), default="", server_default="")
    last_error: Mapped[str] = mapped_column(Text, default="")


class Notice(Base):
    """What one person is told: always to be read in the app, and sent as they wish by messages of the outbox."""

    __tablename__ = "notice"
    __table_args__ = (
        Index("ix_notice_person_id", "person_id", "created_at"),
        Index(
            "ix_notice_unread",
            "person_id",
            sqlite_where=text("read_at is null"),
            postgresql_where=text("read_at is null"),
        ),
        Index("ix_notice_incident_id", "incident_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    incident_id: Mapped[int | None] = mapped_column(ForeignKey("incident.id"))
    kind: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(Instant)
    read_at: Mapped[datetime | None] = mapped_column(Instant)


class Setting(Base):
    """What administrators decide; what is absent has the default of db.queries.settings."""

    __tablename__ = "setting"

    key: Mapped[str] = mapped_column(String(60), primary_key=True)
    value: Mapped[Any] = mapped_column(Json)
    changed_at: Mapped[datetime] = mapped_column(Instant)
    changed_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class AuditEntry(Base):
    """A change of people, access, settings or data as a whole. Append-only: the database refuses changes."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index("ix_audit_entry_at", "at"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    actor_name: Mapped[str] = mapped_column(String(200))
    action: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(String(200))
    before: Mapped[dict[str, Any] | None] = mapped_column(Json)
    after: Mapped[dict[str, Any] | None] = mapped_column(Json)
    hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    """Of this entry and the hash of the one before it; see rules.chain."""


class WorkerHeartbeat(Base):
    """When each worker last took a turn, so that it is seen when none does."""

    __tablename__ = "worker_heartbeat"

    name: Mapped[str] = mapped_column(String(120), primary_key=True)
    """host and process"""
    at: Mapped[datetime] = mapped_column(Instant)


class ChainHead(Base):
    """The newest hash of a chain and how many entries it has: the end cannot be cut off unseen."""

    __tablename__ = "chain_head"

    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    entries: Mapped[int] = mapped_column()


class ImportRun(Base):
    """One import of a file: how far it got, what was taken, changed and refused."""

    __tablename__ = "import_run"
    __table_args__ = (Index("ix_import_run_sha256", "sha256"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    file_name: Mapped[str] = mapped_column(String(300))
    sha256: Mapped[str] = mapped_column(String(64))
    format: Mapped[str] = mapped_column(String(20))
    zone: Mapped[str] = mapped_column(String(64))
    started_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    started_at: Mapped[datetime] = mapped_column(Instant)
    finished_at: Mapped[datetime | None] = mapped_column(Instant)
    rows: Mapped[int] = mapped_column(default=0)
    created: Mapped[int] = mapped_column(default=0)
    changed: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    report: Mapped[dict[str, Any] | None] = mapped_column(Json)
