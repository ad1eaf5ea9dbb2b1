"""Who answers when, and who is asked next when nobody does."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Id, Instant, Json


class Schedule(Base):
    """An on-call schedule. Its turns are in its versions, so that editing it never rewrites the past."""

    __tablename__ = "schedule"
    __table_args__ = (
        Index(
            "ix_schedule_handoff_at",
            "handoff_at",
            sqlite_where=text("handoff_at is not null"),
            postgresql_where=text("handoff_at is not null"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id"))
    zone: Mapped[str] = mapped_column(String(64))
    handoff_at: Mapped[datetime | None] = mapped_column(Instant)
    """The next moment at which somebody's turn begins or ends, for which people are told."""
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(Instant)
    archived_at: Mapped[datetime | None] = mapped_column(Instant)


class ScheduleVersion(Base):
    """How the schedule turns from a moment on, until the next version's moment."""

    __tablename__ = "schedule_version"
    __table_args__ = (Index("uq_schedule_version_from", "schedule_id", "from_at", unique=True),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedule.id"))
    from_at: Mapped[datetime] = mapped_column(Instant)
    definition: Mapped[dict[str, Any]] = mapped_column(Json)
    """{"zone", "layers"} of rules.oncall; members are ids of people as text"""
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime] = mapped_column(Instant)


class ScheduleOverride(Base):
    """Somebody else for a while: added, taken out, or standing in for another only while they would be on call."""

    __tablename__ = "schedule_override"
    __table_args__ = (
        CheckConstraint("added_id is not null or removed_id is not null", name="people"),
        Index("ix_schedule_override_ends_at", "schedule_id", "ends_at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedule.id"))
    starts_at: Mapped[datetime] = mapped_column(Instant)
    ends_at: Mapped[datetime] = mapped_column(Instant)
    removed_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    added_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    """Both: `added` stands in for `removed` while that one would be on call."""
    reason: Mapped[str] = mapped_column(String(200), default="")
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime] = mapped_column(Instant)
    cancelled_at: Mapped[datetime | None] = mapped_column(Instant)
    """From then on it no longer counts; what it did before stays as it was."""


class Swap(Base):
    """A turn that somebody asks another to take; taken, it makes an override."""

    __tablename__ = "swap"
    __table_args__ = (
        CheckConstraint("state in ('asked', 'accepted', 'declined', 'withdrawn')", name="state"),
        Index("ix_swap_to_id", "to_id", "state"),
        Index("ix_swap_from_id", "from_id", "state"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedule.id"))
    from_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    to_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    starts_at: Mapped[datetime] = mapped_column(Instant)
    ends_at: Mapped[datetime] = mapped_column(Instant)
    words: Mapped[str] = mapped_column(String(500), default="")
    state: Mapped[str] = mapped_column(String(12), default="asked")
    asked_at: Mapped[datetime] = mapped_column(Instant)
    answered_at: Mapped[datetime | None] = mapped_column(Instant)
    override_id: Mapped[int | None] = mapped_column(ForeignKey("schedule_override.id"))


class CalendarFeed(Base):
    """The private address of one's own shifts; making a new one ends the old."""

    __tablename__ = "calendar_feed"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    created_at: Mapped[datetime] = mapped_column(Instant)


class EscalationPolicy(Base):
    """Who is asked, and who next when nobody answers."""

    __tablename__ = "escalation_policy"
    __table_args__ = (CheckConstraint("repeats between 0 and 5", name="repeats"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    steps: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    """[{"delay": seconds until the next, "targets": [{"kind": "schedule"|"person"|"team", "id"}]}]"""
    repeats: Mapped[int] = mapped_column(default=0)
    """How often it begins anew after its last step."""
    acknowledge_seconds: Mapped[int | None] = mapped_column()
    """What was acknowledged, fires on and is left alone pages again after this; None: see rules.escalation."""
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(Instant)
    archived_at: Mapped[datetime | None] = mapped_column(Instant)


class Escalation(Base):
    """The running or last escalation of an incident: a copy of its policy as it was when it began, and how far it is.

    Its next step is the incident's timer 'escalation'.
    """

    __tablename__ = "escalation"
    __table_args__ = (
        Index(
            "ix_escalation_maintenance",
            "incident_id",
            sqlite_where=text("ended_by = 'maintenance'"),
            postgresql_where=text("ended_by = 'maintenance'"),
        ),
    )

    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"), primary_key=True)
    policy_id: Mapped[int] = mapped_column(ForeignKey("escalation_policy.id"))
    policy: Mapped[dict[str, Any]] = mapped_column(Json)
    """{"name", "steps", "repeats", "acknowledge_seconds"} as they were"""
    position: Mapped[int] = mapped_column(default=0)
    """Steps fired so far, through all repeats."""
    pages: Mapped[int] = mapped_column(default=0)
    began_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_by: Mapped[str] = mapped_column(String(20), default="")
    """acknowledged, held, resolved, exhausted, handed_over; maintenance: it begins anew when that is over"""


class Page(Base):
    """Somebody who was asked to answer, and when: what on-call load is counted from."""

    __tablename__ = "page"
    __table_args__ = (
        Index("ix_page_person_id", "person_id", "at"),
        Index("ix_page_incident_id", "incident_id", "person_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(Instant)
    step: Mapped[int | None] = mapped_column()
    """Which step of the policy, from 0; None for a page by hand or again after an acknowledgement."""
    why: Mapped[str] = mapped_column(String(200), default="")
    """'schedule Network, first line'"""
    channels: Mapped[int] = mapped_column(default=0)
    """How many ways to reach them there were; 0: it reached nobody."""
    notice_id: Mapped[int | None] = mapped_column(ForeignKey("notice.id"))
