"""Problems: the cause behind several incidents, everything that happened to one, and how often it helped reporters."""

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Id, Instant, Json


class Problem(Base):
    """What its incidents have in common. They are linked with it by IncidentLink."""

    __tablename__ = "problem"
    __table_args__ = (
        CheckConstraint("state in ('open', 'investigating', 'known_error', 'fixed', 'closed')", name="state"),
        Index("ix_problem_state", "state", "changed_at", "id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    number: Mapped[str] = mapped_column(String(40), unique=True)
    version: Mapped[int] = mapped_column()
    state: Mapped[str] = mapped_column(String(15))
    title: Mapped[str] = mapped_column(String(200))
    """What repeats, as people notice it: reporters read it too, once it is a known error."""
    service_id: Mapped[int | None] = mapped_column(ForeignKey("service.id"))
    category_pair_id: Mapped[int | None] = mapped_column(ForeignKey("category_pair.id"))
    restricted: Mapped[bool] = mapped_column(Boolean)
    """Seen only by its owner, by who opened it and by the team of its service."""
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    cause: Mapped[str] = mapped_column(Text)
    workaround: Mapped[str] = mapped_column(Text)
    """For those who work on its incidents."""
    public_words: Mapped[str] = mapped_column(Text)
    """The workaround as reporters read it; empty: they are told nothing."""
    fix: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[datetime] = mapped_column(Instant)
    opened_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    changed_at: Mapped[datetime] = mapped_column(Instant)
    fixed_at: Mapped[datetime | None] = mapped_column(Instant)
    closed_at: Mapped[datetime | None] = mapped_column(Instant)
    form_token: Mapped[str | None] = mapped_column(String(64), unique=True)
    """Of the form that opened it: pressed twice, it opens one."""


class ProblemEntry(Base):
    """One thing that happened to a problem. Append-only: the database refuses changes."""

    __tablename__ = "problem_entry"
    __table_args__ = (Index("ix_problem_entry_problem_id", "problem_id", "id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    problem_id: Mapped[int] = mapped_column(ForeignKey("problem.id"))
    at: Mapped[datetime] = mapped_column(Instant)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    actor_name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(15))
    """opened, changed, link, unlink, or the name of a move (rules.problems)."""
    text: Mapped[str] = mapped_column(Text)
    """What happened, without its subject: 'called it a known error'."""
    detail: Mapped[str] = mapped_column(Text)
    changes: Mapped[dict[str, Any] | None] = mapped_column(Json)
    """field -> [before, after]"""
    version: Mapped[int] = mapped_column()
    """The problem's version after it; what links leave as it is."""


class DismissedRepeat(Base):
    """Incidents of a service and category that somebody said are no problem. More of them bring it back."""

    __tablename__ = "dismissed_repeat"

    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"), primary_key=True)
    category_pair_id: Mapped[int] = mapped_column(ForeignKey("category_pair.id"), primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(Instant)
    by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))


class Deflection(Base):
    """Somebody whom the words of a known error helped, so that they sent no report."""

    __tablename__ = "deflection"
    __table_args__ = (Index("ix_deflection_problem_id", "problem_id", "at"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    problem_id: Mapped[int] = mapped_column(ForeignKey("problem.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    """None for somebody without an account."""
    at: Mapped[datetime] = mapped_column(Instant)
    token: Mapped[str] = mapped_column(String(64), unique=True)
    """Of the form that was not sent: pressed twice, it counts once."""
