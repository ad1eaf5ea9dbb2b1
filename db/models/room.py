"""The room of an incident: what is said in it, and who is there."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Id, Instant


class Room(Base):
    """What changes with every message; apart from the incident, so that nobody's form is disturbed by talk."""

    __tablename__ = "room"

    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"), primary_key=True)
    turn: Mapped[int] = mapped_column(default=0)
    """Counts every message, edit and retraction."""
    call_url: Mapped[str] = mapped_column(String(500), default="", server_default="")
    """Of the call that runs; empty while none does."""
    call_at: Mapped[datetime | None] = mapped_column(Instant)
    called_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    declared_at: Mapped[datetime | None] = mapped_column(Instant)
    """Since when it is a major incident; none while it is not."""
    update_due_at: Mapped[datetime | None] = mapped_column(Instant)
    """When the next update to stakeholders was promised for."""


class Message(Base):
    """One thing said in a room."""

    __tablename__ = "message"
    __table_args__ = (
        Index("ix_message_incident_id", "incident_id", "id"),
        Index("ix_message_turn", "incident_id", "turn"),
        Index(
            "uq_message_form_token",
            "form_token",
            unique=True,
            sqlite_where=text("form_token is not null"),
            postgresql_where=text("form_token is not null"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime] = mapped_column(Instant)
    text: Mapped[str] = mapped_column(Text)
    reply_to_id: Mapped[int | None] = mapped_column(ForeignKey("message.id"))
    attachment_id: Mapped[int | None] = mapped_column(ForeignKey("attachment.id"))
    turn: Mapped[int] = mapped_column()
    """The room's turn at its last change: whoever has seen that turn has seen it."""
    edited_at: Mapped[datetime | None] = mapped_column(Instant)
    retracted_at: Mapped[datetime | None] = mapped_column(Instant)
    pinned_at: Mapped[datetime | None] = mapped_column(Instant)
    """When it was written on the timeline too."""
    task_id: Mapped[int | None] = mapped_column(ForeignKey("task.id", ondelete="SET NULL"))
    """The step that was made of it."""
    form_token: Mapped[str | None] = mapped_column(String(64))


class MessageVersion(Base):
    """What a message said before it was edited or taken back."""

    __tablename__ = "message_version"
    __table_args__ = (Index("ix_message_version_message_id", "message_id", "id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"))
    text: Mapped[str] = mapped_column(Text)
    until: Mapped[datetime] = mapped_column(Instant)


class Presence(Base):
    """Somebody has a room open. Told anew while it lasts, so that a process that died leaves nobody behind."""

    __tablename__ = "presence"
    __table_args__ = (Index("ix_presence_place", "place"),)

    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    place: Mapped[str] = mapped_column(String(120), primary_key=True)
    """The process that serves them."""
    seen_at: Mapped[datetime] = mapped_column(Instant)
