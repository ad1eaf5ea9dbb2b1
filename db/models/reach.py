"""How people and teams are reached outside the app."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Id, Instant


class ContactMethod(Base):
    """One way to reach a person. Nothing but its test goes there before they have typed the code that it brought."""

    __tablename__ = "contact_method"
    __table_args__ = (
        CheckConstraint("channel in ('email', 'webhook', 'slack', 'teams', 'mattermost', 'apprise')", name="channel"),
        Index("uq_contact_method_address", "person_id", "channel", "address", unique=True),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    channel: Mapped[str] = mapped_column(String(20))
    address: Mapped[str] = mapped_column(String(500))
    label: Mapped[str] = mapped_column(String(80), default="")
    secret: Mapped[str] = mapped_column(String(100), default="")
    """What a webhook's messages are signed with."""
    position: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(Instant)
    code_sent_at: Mapped[datetime | None] = mapped_column(Instant)
    code_tries: Mapped[int] = mapped_column(default=0)
    verified_at: Mapped[datetime | None] = mapped_column(Instant)
    broken_at: Mapped[datetime | None] = mapped_column(Instant)
    """When it failed for good; a test that arrives mends it."""
    broken_why: Mapped[str] = mapped_column(Text, default="")


class NotificationRule(Base):
    """One step by which a person is told: this method, so long after the message was made."""

    __tablename__ = "notification_rule"
    __table_args__ = (
        CheckConstraint("urgency in ('high', 'other')", name="urgency"),
        Index("ix_notification_rule_person_id", "person_id", "urgency"),
        Index("ix_notification_rule_method_id", "method_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    urgency: Mapped[str] = mapped_column(String(10))
    method_id: Mapped[int] = mapped_column(ForeignKey("contact_method.id", ondelete="CASCADE"))
    delay: Mapped[int] = mapped_column(default=0)
    """Seconds."""
    position: Mapped[int] = mapped_column(default=0)


class TeamChannel(Base):
    """Where a team as a whole reads what concerns it."""

    __tablename__ = "team_channel"
    __table_args__ = (
        CheckConstraint("channel in ('slack', 'teams', 'mattermost', 'webhook')", name="channel"),
        Index("uq_team_channel_address", "team_id", "channel", "address", unique=True),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    team_id: Mapped[int] = mapped_column(ForeignKey("team.id", ondelete="CASCADE"))
    channel: Mapped[str] = mapped_column(String(20))
    address: Mapped[str] = mapped_column(String(500))
    secret: Mapped[str] = mapped_column(String(100), default="")
    mirror: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Reads what is said in the rooms of the team's incidents too."""
    created_at: Mapped[datetime] = mapped_column(Instant)
    broken_at: Mapped[datetime | None] = mapped_column(Instant)
    broken_why: Mapped[str] = mapped_column(Text, default="")


class PageLink(Base):
    """A link of a page that acts for the person who got it, once, until it expires. See rules.page_links."""

    __tablename__ = "page_link"
    __table_args__ = (
        CheckConstraint("action in ('acknowledge', 'resolve')", name="action"),
        Index("ix_page_link_expires_at", "expires_at"),
        Index("ix_page_link_notice_id", "notice_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    action: Mapped[str] = mapped_column(String(20))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"))
    notice_id: Mapped[int | None] = mapped_column(ForeignKey("notice.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    used_at: Mapped[datetime | None] = mapped_column(Instant)
