"""People, what they may do, and how they sign in."""

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Id, Instant, Json


class Person(Base):
    """Somebody who reports, works or manages. One without an e-mail address came with an import and cannot sign in."""

    __tablename__ = "person"
    __table_args__ = (
        Index("uq_person_email", text("lower(email)"), unique=True),
        Index("ix_person_name", "name"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str | None] = mapped_column(String(254))
    password_hash: Mapped[str | None] = mapped_column(String(255))
    password_changed_at: Mapped[datetime | None] = mapped_column(Instant)
    zone: Mapped[str] = mapped_column(String(64), default="UTC")
    created_at: Mapped[datetime] = mapped_column(Instant)
    disabled_at: Mapped[datetime | None] = mapped_column(Instant)
    imported: Mapped[bool] = mapped_column(Boolean, default=False)
    sample: Mapped[bool] = mapped_column(Boolean, default=False)
    """Part of the sample data; may be signed in as without a password while sample data is shown."""
    version: Mapped[int] = mapped_column(default=1)
    preferences: Mapped[dict[str, Any] | None] = mapped_column(Json)
    """How they like to work: {"keys": false} switches one-key commands off."""


class PersonRole(Base):
    __tablename__ = "person_role"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str] = mapped_column(String(20), primary_key=True)


class SavedView(Base):
    """A view of a list, kept under a name: the part of the address after '?'."""

    __tablename__ = "saved_view"
    __table_args__ = (Index("uq_saved_view_owner_name", "owner_id", "page", "name", unique=True),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    page: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(80))
    address: Mapped[str] = mapped_column(String(1000))
    shared: Mapped[bool] = mapped_column(Boolean, default=False)
    """Offered to everybody who may open the list."""
    created_at: Mapped[datetime] = mapped_column(Instant)


class TeamMember(Base):
    __tablename__ = "team_member"
    __table_args__ = (Index("ix_team_member_person_id", "person_id"),)

    team_id: Mapped[int] = mapped_column(ForeignKey("team.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), primary_key=True)
    lead: Mapped[bool] = mapped_column(Boolean, default=False)


class SignInSession(Base):
    """One signed-in browser. The cookie holds the token; only its hash is kept."""

    __tablename__ = "session"
    __table_args__ = (Index("ix_session_person_id", "person_id"), Index("ix_session_expires_at", "expires_at"))

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(Instant)
    last_seen_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    """The absolute limit; the idle limit counts from last_seen_at."""
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    user_agent: Mapped[str] = mapped_column(String(300), default="")


class OneTimeLink(Base):
    """An invitation or a new password: a link that works once, until it expires."""

    __tablename__ = "one_time_link"
    __table_args__ = (
        CheckConstraint("purpose in ('invite', 'password')", name="purpose"),
        Index("ix_one_time_link_person_id", "person_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    purpose: Mapped[str] = mapped_column(String(20))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    used_at: Mapped[datetime | None] = mapped_column(Instant)


class Throttle(Base):
    """Failed sign-ins per account and per address; never a permanent lock. The key is a keyed hash."""

    __tablename__ = "throttle"

    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    last_failure_at: Mapped[datetime] = mapped_column(Instant)
    blocked_until: Mapped[datetime | None] = mapped_column(Instant)
