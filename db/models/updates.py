"""Who leads the response to an incident, and what stakeholders were told of it."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Id, Instant, Json


class IncidentRole(Base):
    """One person's part in the response, for as long as they have it."""

    __tablename__ = "incident_role"
    __table_args__ = (
        CheckConstraint("role in ('commander', 'communications', 'scribe', 'expert')", name="role"),
        Index("ix_incident_role_incident_id", "incident_id"),
        # One commander at a time, one for communications, one scribe; any number of experts, each once.
        Index(
            "uq_incident_role_held",
            "incident_id",
            "role",
            unique=True,
            sqlite_where=text("ended_at is null and role <> 'expert'"),
            postgresql_where=text("ended_at is null and role <> 'expert'"),
        ),
        Index(
            "uq_incident_role_person",
            "incident_id",
            "role",
            "person_id",
            unique=True,
            sqlite_where=text("ended_at is null"),
            postgresql_where=text("ended_at is null"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"))
    role: Mapped[str] = mapped_column(String(20))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    subject: Mapped[str] = mapped_column(String(120), default="", server_default="")
    """What an expert is asked about."""
    began_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    given_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class Update(Base):
    """A written message to stakeholders. Once published it stays as it was: a correction is a new one."""

    __tablename__ = "incident_update"
    __table_args__ = (
        CheckConstraint("audience in ('internal', 'external', 'both')", name="audience"),
        CheckConstraint("stage in ('investigating', 'identified', 'monitoring', 'resolved')", name="stage"),
        CheckConstraint("state in ('waiting', 'published', 'declined')", name="state"),
        Index("ix_incident_update_incident_id", "incident_id", "id"),
        Index(
            "uq_incident_update_form_token",
            "form_token",
            unique=True,
            sqlite_where=text("form_token is not null"),
            postgresql_where=text("form_token is not null"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"))
    audience: Mapped[str] = mapped_column(String(10))
    stage: Mapped[str] = mapped_column(String(15))
    text: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(String(200), default="", server_default="")
    """What the incident is called in public, when the public is told."""
    components: Mapped[dict[str, str] | None] = mapped_column(Json)
    """Of the status page, when the public is told: component id -> its state from then on."""
    next_at: Mapped[datetime | None] = mapped_column(Instant)
    """When the next update is promised."""
    state: Mapped[str] = mapped_column(String(10))
    """Waiting for the commander's word, published, or declined by the commander."""
    written_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    written_at: Mapped[datetime] = mapped_column(Instant)
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
    declined_why: Mapped[str] = mapped_column(Text, default="", server_default="")
    published_at: Mapped[datetime | None] = mapped_column(Instant)
    corrects_id: Mapped[int | None] = mapped_column(ForeignKey("incident_update.id"))
    form_token: Mapped[str | None] = mapped_column(String(64))


class ServiceSubscriber(Base):
    """Somebody with an account who wants to read the internal updates about a service."""

    __tablename__ = "service_subscriber"
    __table_args__ = (Index("ix_service_subscriber_person_id", "person_id"),)

    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), primary_key=True)
    since: Mapped[datetime] = mapped_column(Instant)
