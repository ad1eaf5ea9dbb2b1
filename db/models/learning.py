"""What was learned from incidents: postmortems in every version, and the actions that follow from them."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Id, Instant

TO_BE_DONE = "done_at is null and dropped_at is null"
"""of an action that somebody still has to do"""


class Postmortem(Base):
    """What was learned from one incident. Its words are in its versions."""

    __tablename__ = "postmortem"
    __table_args__ = (
        CheckConstraint("state in ('draft', 'review', 'published', 'discarded')", name="state"),
        Index("uq_postmortem_incident_id", "incident_id", unique=True),
        Index("ix_postmortem_state", "state", "made_at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"))
    state: Mapped[str] = mapped_column(String(10))
    version: Mapped[int] = mapped_column()
    """The newest of its words."""
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    """Who sees to it that it is written."""
    made_at: Mapped[datetime] = mapped_column(Instant)
    sent_at: Mapped[datetime | None] = mapped_column(Instant)
    """When it was last given to be reviewed."""
    sent_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    published_at: Mapped[datetime | None] = mapped_column(Instant)
    reviewer_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    """Who read and published it."""
    discarded_why: Mapped[str] = mapped_column(Text, default="")


class PostmortemVersion(Base):
    """What it said from one save to the next. Never changed."""

    __tablename__ = "postmortem_version"

    postmortem_id: Mapped[int] = mapped_column(ForeignKey("postmortem.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    saved_at: Mapped[datetime] = mapped_column(Instant)
    saved_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    """None: the app, from what it knew."""
    why: Mapped[str] = mapped_column(Text, default="")
    """What changed, of one that was published already."""
    title: Mapped[str] = mapped_column(String(200))
    summary: Mapped[str] = mapped_column(Text)
    impact: Mapped[str] = mapped_column(Text)
    timeline: Mapped[str] = mapped_column(Text)
    factors: Mapped[str] = mapped_column(Text)
    """One on each line."""
    went_well: Mapped[str] = mapped_column(Text)
    went_badly: Mapped[str] = mapped_column(Text)
    lucky: Mapped[str] = mapped_column(Text)
    no_action: Mapped[str] = mapped_column(Text)
    """Why nothing is to be done, where that is so."""


class PostmortemAction(Base):
    """Something that one person does by a day, so that it does not happen again, or is over sooner."""

    __tablename__ = "postmortem_action"
    __table_args__ = (
        CheckConstraint("verified_at is null or done_at is not null", name="verified"),
        CheckConstraint("dropped_at is null or done_at is null", name="dropped"),
        Index("ix_postmortem_action_postmortem_id", "postmortem_id"),
        Index(
            "ix_postmortem_action_due_on", "due_on", sqlite_where=text(TO_BE_DONE), postgresql_where=text(TO_BE_DONE)
        ),
        Index(
            "ix_postmortem_action_owner_id",
            "owner_id",
            "due_on",
            sqlite_where=text(TO_BE_DONE),
            postgresql_where=text(TO_BE_DONE),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    postmortem_id: Mapped[int] = mapped_column(ForeignKey("postmortem.id"))
    version: Mapped[int] = mapped_column()
    text: Mapped[str] = mapped_column(String(300))
    owner_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    due_on: Mapped[str] = mapped_column(String(10))
    """The last day on which it is not late, '2026-03-31', on the organisation's clock."""
    made_at: Mapped[datetime] = mapped_column(Instant)
    made_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    done_at: Mapped[datetime | None] = mapped_column(Instant)
    done_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    verified_at: Mapped[datetime | None] = mapped_column(Instant)
    verified_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    effect: Mapped[str] = mapped_column(Text, default="")
    """What was seen once it was done."""
    dropped_at: Mapped[datetime | None] = mapped_column(Instant)
    dropped_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    dropped_why: Mapped[str] = mapped_column(Text, default="")
    told_at: Mapped[datetime | None] = mapped_column(Instant)
    """When people were last told that it is overdue."""


class PublishedPostmortem(Base):
    """What the public reads of it, in words of its own."""

    __tablename__ = "published_postmortem"

    postmortem_id: Mapped[int] = mapped_column(ForeignKey("postmortem.id"), primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    words: Mapped[str] = mapped_column(Text)
    published_at: Mapped[datetime] = mapped_column(Instant)
    withdrawn_at: Mapped[datetime | None] = mapped_column(Instant)
    """Since when it is not on the status page any more."""
    version: Mapped[int] = mapped_column()
