"""The status page: what it shows of us, what was published on it, and who is told by e-mail."""

from datetime import datetime

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Id, Instant


class StatusPage(Base):
    """How the page looks and whether it is there at all: one row, made with its first change."""

    __tablename__ = "status_page"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    published: Mapped[bool] = mapped_column(Boolean, default=False)
    """Until an administrator publishes it, nobody else sees it."""
    name: Mapped[str] = mapped_column(String(120), default="")
    """Empty: that of the organisation."""
    words: Mapped[str] = mapped_column(Text, default="")
    closing_words: Mapped[str] = mapped_column(Text, default="")
    """What is said of an incident that recovered without a last update."""
    logo: Mapped[bytes | None] = mapped_column(LargeBinary)
    logo_type: Mapped[str] = mapped_column(String(40), default="")
    logo_hash: Mapped[str] = mapped_column(String(64), default="")
    """Of its content: part of its address, so that browsers may keep it."""
    version: Mapped[int] = mapped_column(default=1)


class Component(Base):
    """What visitors of the status page know by name. Archived, it leaves the page; its history stays."""

    __tablename__ = "status_component"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    group_name: Mapped[str] = mapped_column(String(120), default="")
    name: Mapped[str] = mapped_column(String(120))
    description: Mapped[str] = mapped_column(String(200), default="")
    position: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(Instant)
    """Its history begins here: before that nothing is known."""
    archived_at: Mapped[datetime | None] = mapped_column(Instant)
    version: Mapped[int] = mapped_column(default=1)


class ComponentService(Base):
    """A service that a component stands for; several may, and one may stand behind several."""

    __tablename__ = "status_component_service"
    __table_args__ = (Index("ix_status_component_service_service_id", "service_id"),)

    component_id: Mapped[int] = mapped_column(ForeignKey("status_component.id"), primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"), primary_key=True)


class Publication(Base):
    """What the public knows of one incident, under an id of its own: the incident's number is not theirs to know."""

    __tablename__ = "publication"
    __table_args__ = (
        CheckConstraint("stage in ('investigating', 'identified', 'monitoring', 'resolved')", name="stage"),
        Index("uq_publication_incident_id", "incident_id", unique=True),
        Index("ix_publication_ended_at", "ended_at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"))
    title: Mapped[str] = mapped_column(String(200))
    stage: Mapped[str] = mapped_column(String(15))
    began_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    """None while it goes on; a later update opens it again."""


class PublicationClosing(Base):
    """It was said to be over because the incident was, without an update; with the words of that day."""

    __tablename__ = "publication_closing"
    __table_args__ = (Index("ix_publication_closing_publication_id", "publication_id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publication.id"))
    at: Mapped[datetime] = mapped_column(Instant)
    words: Mapped[str] = mapped_column(Text)


class ComponentSpan(Base):
    """How a component was, by one incident, for as long as that was published."""

    __tablename__ = "status_component_span"
    __table_args__ = (
        CheckConstraint("state in ('degraded', 'partial', 'major')", name="state"),
        Index("ix_status_component_span_component_id", "component_id", "began_at"),
        Index("ix_status_component_span_incident_id", "incident_id"),
        Index(
            "uq_status_component_span_now",
            "component_id",
            "incident_id",
            unique=True,
            sqlite_where=text("ended_at is null"),
            postgresql_where=text("ended_at is null"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    component_id: Mapped[int] = mapped_column(ForeignKey("status_component.id"))
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"))
    state: Mapped[str] = mapped_column(String(12))
    began_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)


class PublishedWindow(Base):
    """A maintenance window as the public knows it. Whether it is to come, runs or is over follows from its times."""

    __tablename__ = "published_window"

    window_id: Mapped[int] = mapped_column(ForeignKey("maintenance_window.id", ondelete="CASCADE"), primary_key=True)
    title: Mapped[str] = mapped_column(String(120))
    words: Mapped[str] = mapped_column(Text, default="")
    published_at: Mapped[datetime] = mapped_column(Instant)
    withdrawn_at: Mapped[datetime | None] = mapped_column(Instant)
    """Since when it is not on the page any more."""
    begun_at: Mapped[datetime | None] = mapped_column(Instant)
    """When subscribers were told that an occurrence has begun that they were not told the end of."""
    settled_at: Mapped[datetime | None] = mapped_column(Instant)
    """When the last of it was told: there is nothing more to tell of it."""


class Subscriber(Base):
    """An address that asked for mails. Nothing but the question is sent to it before it has answered.

    Its links are signed (rules.page_links), so nothing that stands here opens them.
    """

    __tablename__ = "subscriber"
    __table_args__ = (Index("ix_subscriber_confirmed_at", "confirmed_at"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    seed: Mapped[str] = mapped_column(String(32))
    """Part of what its links are signed with: who comes back after leaving gets others."""
    everything: Mapped[bool] = mapped_column(Boolean, default=True)
    """Of all components, those to come included; else of those of SubscriberComponent."""
    created_at: Mapped[datetime] = mapped_column(Instant)
    asked_at: Mapped[datetime] = mapped_column(Instant)
    """When the question was sent last; its link lasts for some days."""
    confirmed_at: Mapped[datetime | None] = mapped_column(Instant)


class SubscriberComponent(Base):
    """A component that a subscriber wants to hear of."""

    __tablename__ = "subscriber_component"
    __table_args__ = (Index("ix_subscriber_component_component_id", "component_id"),)

    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id", ondelete="CASCADE"), primary_key=True)
    component_id: Mapped[int] = mapped_column(ForeignKey("status_component.id"), primary_key=True)
