"""An incident and everything that happened to it."""

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, CheckConstraint, Computed, ForeignKey, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Id, Instant, Json

QUEUE_ACTIVE, QUEUE_ON_HOLD, QUEUE_AWAITING, QUEUE_DONE = 0, 1, 2, 3
"""queue_group: new, assigned and in progress; on hold; resolved and recovered; closed and cancelled."""
QUEUE_GROUP = {
    "new": QUEUE_ACTIVE,
    "assigned": QUEUE_ACTIVE,
    "in_progress": QUEUE_ACTIVE,
    "on_hold": QUEUE_ON_HOLD,
    "resolved": QUEUE_AWAITING,
    "recovered": QUEUE_AWAITING,
    "closed": QUEUE_DONE,
    "cancelled": QUEUE_DONE,
}


LEFT_THE_BACKLOG = (
    "case when coalesce(resolved_at, closed_at, cancelled_at) < reported_at then reported_at "
    "else coalesce(resolved_at, closed_at, cancelled_at) end"
)


class Incident(Base):
    __tablename__ = "incident"
    __table_args__ = (
        CheckConstraint(
            "state in ('new','assigned','in_progress','on_hold','resolved','recovered','closed','cancelled')",
            name="state",
        ),
        CheckConstraint("impact is null or impact in (1, 2, 3)", name="impact"),
        CheckConstraint("urgency is null or urgency in (1, 2, 3)", name="urgency"),
        CheckConstraint("priority is null or priority between 1 and 5", name="priority"),
        # The order of the queue, and behind it what filters and access ask: any filter is answered from it alone.
        Index(
            "ix_incident_queue",
            "queue_group",
            "rank_at",
            "reported_at",
            "id",
            "team_id",
            "assignee_id",
            "service_id",
            "priority",
            "category_pair_id",
            "state",
            "resolution_due_at",
            "restricted",
            "reporter_id",
        ),
        Index("ix_incident_team_queue", "team_id", "queue_group", "rank_at", "state"),
        Index("ix_incident_assignee_queue", "assignee_id", "queue_group", "rank_at"),
        Index("ix_incident_state_rank", "state", "rank_at", "id"),
        Index("ix_incident_priority_queue", "priority", "queue_group", "rank_at"),
        Index("ix_incident_service_queue", "service_id", "queue_group", "rank_at"),
        Index("ix_incident_category_queue", "category_pair_id", "queue_group", "rank_at"),
        Index(
            "ix_incident_unassigned",
            "team_id",
            "queue_group",
            "rank_at",
            "reported_at",
            "id",
            sqlite_where=text("assignee_id is null"),
            postgresql_where=text("assignee_id is null"),
        ),
        Index("ix_incident_reporter", "reporter_id", "reported_at"),
        # What measures ask of the incidents of a period is answered from these two alone.
        Index(
            "ix_incident_reported_at",
            "reported_at",
            "resolved_at",
            "state",
            "duplicate_of_id",
            "resolution_due_at",
            "priority",
            "category_pair_id",
            "restricted",
        ),
        Index(
            "ix_incident_resolved_at",
            "resolved_at",
            "reported_at",
            "state",
            "duplicate_of_id",
            "reopen_count",
            "restricted",
        ),
        Index("ix_incident_closed_at", "closed_at"),
        Index("ix_incident_done_at", "done_at", "reported_at"),
        Index("ix_incident_changed_at", "changed_at", "id"),
        Index("ix_incident_late", "queue_group", "resolution_due_at"),
        Index(
            "uq_incident_form_token",
            "form_token",
            unique=True,
            sqlite_where=text("form_token is not null"),
            postgresql_where=text("form_token is not null"),
        ),
        Index(
            "ix_incident_restricted",
            "queue_group",
            sqlite_where=text("restricted = 1"),
            postgresql_where=text("restricted"),
        ),
        Index(
            "ix_incident_denied",
            "denied_at",
            sqlite_where=text("denied_at is not null"),
            postgresql_where=text("denied_at is not null"),
        ),
        Index(
            "uq_incident_tracking_hash",
            "tracking_hash",
            unique=True,
            sqlite_where=text("tracking_hash is not null"),
            postgresql_where=text("tracking_hash is not null"),
        ),
        # Few have one; a planner without statistics would take them for a good way to find all the others.
        Index(
            "ix_incident_duplicate_of_id",
            "duplicate_of_id",
            sqlite_where=text("duplicate_of_id is not null"),
            postgresql_where=text("duplicate_of_id is not null"),
        ),
        Index(
            "ix_incident_parent_id",
            "parent_id",
            sqlite_where=text("parent_id is not null"),
            postgresql_where=text("parent_id is not null"),
        ),
        # What repeats: how many of each service and category came since a day, from this alone.
        Index(
            "ix_incident_repeats",
            "service_id",
            "category_pair_id",
            "reported_at",
            "state",
            "duplicate_of_id",
            "restricted",
            sqlite_where=text("service_id is not null and category_pair_id is not null"),
            postgresql_where=text("service_id is not null and category_pair_id is not null"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    number: Mapped[str] = mapped_column(String(40), unique=True)
    version: Mapped[int] = mapped_column(default=1)
    state: Mapped[str] = mapped_column(String(12), default="new")
    queue_group: Mapped[int] = mapped_column(default=QUEUE_ACTIVE)

    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text, default="")
    affected: Mapped[str] = mapped_column(String(200), default="")
    """What or where is affected, in the reporter's words, when no service of the list fits."""
    service_id: Mapped[int | None] = mapped_column(ForeignKey("service.id"))
    category_pair_id: Mapped[int | None] = mapped_column(ForeignKey("category_pair.id"))
    scope: Mapped[str | None] = mapped_column(String(12))
    effect: Mapped[str | None] = mapped_column(String(12))
    people_affected: Mapped[int | None] = mapped_column()
    impact: Mapped[int | None] = mapped_column()
    urgency: Mapped[int | None] = mapped_column()
    priority: Mapped[int | None] = mapped_column()
    major: Mapped[bool] = mapped_column(Boolean, default=False)
    security: Mapped[bool] = mapped_column(Boolean, default=False)
    compliance: Mapped[bool] = mapped_column(Boolean, default=False)
    financial: Mapped[bool] = mapped_column(Boolean, default=False)
    restricted: Mapped[bool] = mapped_column(Boolean, default=False)

    source: Mapped[str] = mapped_column(String(20), default="form")
    reporter_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    logged_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    """Who typed it, when the desk reported for a caller."""
    caller_name: Mapped[str] = mapped_column(String(200), default="")
    caller_contact: Mapped[str] = mapped_column(String(200), default="")
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id"))
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    duplicate_of_id: Mapped[int | None] = mapped_column(ForeignKey("incident.id"))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("incident.id"))

    hold_reason: Mapped[str | None] = mapped_column(String(20))
    hold_until: Mapped[datetime | None] = mapped_column(Instant)
    resolution_code: Mapped[str | None] = mapped_column(String(40))
    resolution_note: Mapped[str | None] = mapped_column(Text)
    verification: Mapped[str | None] = mapped_column(String(20))
    verification_note: Mapped[str | None] = mapped_column(Text)
    denied_at: Mapped[datetime | None] = mapped_column(Instant)
    """When the reporter last said 'not fixed'; cleared by the next resolution."""

    started_at: Mapped[datetime | None] = mapped_column(Instant)
    detected_at: Mapped[datetime | None] = mapped_column(Instant)
    reported_at: Mapped[datetime] = mapped_column(Instant)
    acknowledged_at: Mapped[datetime | None] = mapped_column(Instant)
    resolved_at: Mapped[datetime | None] = mapped_column(Instant)
    recovered_at: Mapped[datetime | None] = mapped_column(Instant)
    verified_at: Mapped[datetime | None] = mapped_column(Instant)
    closed_at: Mapped[datetime | None] = mapped_column(Instant)
    cancelled_at: Mapped[datetime | None] = mapped_column(Instant)
    done_at: Mapped[datetime | None] = mapped_column(Instant, Computed(LEFT_THE_BACKLOG, persisted=True))
    """When it left the backlog: resolved, else closed, else cancelled; never before it was reported."""
    changed_at: Mapped[datetime] = mapped_column(Instant)

    response_due_at: Mapped[datetime | None] = mapped_column(Instant)
    response_warn_at: Mapped[datetime | None] = mapped_column(Instant)
    """75 % of the response target."""
    resolution_due_at: Mapped[datetime | None] = mapped_column(Instant)
    resolution_warn_at: Mapped[datetime | None] = mapped_column(Instant)
    """75 % of the resolution target."""
    first_resolution_due_at: Mapped[datetime | None] = mapped_column(Instant)
    """The due time as first promised."""
    rank_at: Mapped[datetime] = mapped_column(Instant)
    pin_seconds: Mapped[int] = mapped_column(default=0)
    """A lead's pin: so much ahead (positive) or back (negative) until pin_until."""
    pin_reason: Mapped[str] = mapped_column(String(200), default="")
    pin_until: Mapped[datetime | None] = mapped_column(Instant)
    pinned_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    reopen_count: Mapped[int] = mapped_column(default=0)
    handovers: Mapped[int] = mapped_column(default=0)
    """Changes from one known team to another."""
    ping_pong: Mapped[bool] = mapped_column(Boolean, default=False)
    """Came back to a team that had it before."""
    escalations: Mapped[int] = mapped_column(default=0)
    vendor_contact: Mapped[str] = mapped_column(String(200), default="")
    vendor_reference: Mapped[str] = mapped_column(String(100), default="")
    """The vendor's own number for it."""
    template_id: Mapped[int | None] = mapped_column(ForeignKey("template.id"))
    answers: Mapped[list[dict[str, str]] | None] = mapped_column(Json)
    """What the template asked: [{"question", "answer"}], both as they were read."""
    reminded_at: Mapped[datetime | None] = mapped_column(Instant)
    """When the reporter was last reminded to say whether it is fixed."""
    tracking_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    """Of the link that follows a report without an account."""
    imported: Mapped[bool] = mapped_column(Boolean, default=False)
    form_token: Mapped[str | None] = mapped_column(String(64))
    chain: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    """The hash of its newest timeline entry."""


class TimelineEntry(Base):
    """One thing that happened. Append-only: the database refuses changes."""

    __tablename__ = "timeline_entry"
    __table_args__ = (
        Index("ix_timeline_entry_incident", "incident_id", "at", "id"),
        Index("ix_timeline_entry_to_team", "incident_id", "to_team_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"))
    at: Mapped[datetime] = mapped_column(Instant)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    actor_name: Mapped[str] = mapped_column(String(200), default="")
    kind: Mapped[str] = mapped_column(String(30))
    """The name of a lifecycle action, or: report, detected, alert, calm, change, prioritise, note, comment, update,
    follow, named, merged, asked, relate, correct, pin, undo, task, file, sla, ola, inform, handover, vendor, hold_over,
    call, declare, stand_down, role, chase, sent, happened, hypothesis, runbook, postmortem, import."""
    text: Mapped[str] = mapped_column(Text)
    """What happened, without its subject: 'resolved it: cable replaced'."""
    detail: Mapped[str] = mapped_column(Text, default="")
    """Words that were written with it, shown as a quotation."""
    changes: Mapped[dict[str, Any] | None] = mapped_column(Json)
    """field -> [before, after]"""
    from_state: Mapped[str | None] = mapped_column(String(12))
    to_state: Mapped[str | None] = mapped_column(String(12))
    from_team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id"))
    to_team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id"))
    version: Mapped[int | None] = mapped_column()
    """The incident's version after this change; tells what happened since somebody last looked."""
    public: Mapped[bool] = mapped_column(Boolean, default=False)
    """Shown to the reporter and followers."""
    imported: Mapped[bool] = mapped_column(Boolean, default=False)
    hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    """Of this entry and the hash of the one before it on the same incident; see rules.chain."""


class Assignment(Base):
    """The time an incident spent with one team, and the clock of that team's own promise (OLA)."""

    __tablename__ = "assignment"
    __table_args__ = (
        Index("ix_assignment_incident_id", "incident_id", "began_at"),
        Index(
            "ix_assignment_running",
            "team_id",
            "due_at",
            sqlite_where=text("ended_at is null"),
            postgresql_where=text("ended_at is null"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"))
    team_id: Mapped[int] = mapped_column(ForeignKey("team.id"))
    tier: Mapped[str] = mapped_column(String(10))
    """The team's tier when it received the incident."""
    began_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    due_at: Mapped[datetime | None] = mapped_column(Instant)
    warn_at: Mapped[datetime | None] = mapped_column(Instant)
    """75 % of the team's time."""
    warned_at: Mapped[datetime | None] = mapped_column(Instant)
    breached_at: Mapped[datetime | None] = mapped_column(Instant)
    """The warn_at and due_at that were told last: each is told once, also when the team gets it back by an undo."""
    summary: Mapped[str] = mapped_column(Text, default="")
    """What the team was handed over with; nobody starts work before it is read."""
    handed_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    read_at: Mapped[datetime | None] = mapped_column(Instant)
    read_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class Task(Base):
    """One step to do on an incident."""

    __tablename__ = "task"
    __table_args__ = (Index("ix_task_incident_id", "incident_id", "position"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"))
    position: Mapped[int] = mapped_column(default=0)
    text: Mapped[str] = mapped_column(String(300))
    done_at: Mapped[datetime | None] = mapped_column(Instant)
    done_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class Pause(Base):
    """A span in which the resolution clock stood still."""

    __tablename__ = "pause"
    __table_args__ = (Index("ix_pause_incident_id", "incident_id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"))
    began_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    reason: Mapped[str] = mapped_column(String(20))


class Follower(Base):
    __tablename__ = "follower"
    __table_args__ = (Index("ix_follower_person_id", "person_id"),)

    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    since: Mapped[datetime] = mapped_column(Instant)
    named: Mapped[bool] = mapped_column(Boolean, default=False)
    """Named by others on a restricted incident, rather than following by choice."""
    via_id: Mapped[int | None] = mapped_column(ForeignKey("incident.id"))
    """The merged incident that this person followed, and left when the merge is undone."""


class Attachment(Base):
    """A file kept in the database, so that one backup holds everything."""

    __tablename__ = "attachment"
    __table_args__ = (Index("ix_attachment_incident_id", "incident_id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"))
    name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int] = mapped_column()
    sha256: Mapped[str] = mapped_column(String(64))
    added_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    added_at: Mapped[datetime] = mapped_column(Instant)
    internal: Mapped[bool] = mapped_column(Boolean, default=False, server_default=text("false"))
    """Shown in the room, and open only to those who work on the incident."""


class AttachmentContent(Base):
    __tablename__ = "attachment_content"

    attachment_id: Mapped[int] = mapped_column(ForeignKey("attachment.id", ondelete="CASCADE"), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
