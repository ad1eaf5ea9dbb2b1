"""Runbooks: what to do about an incident, step by step, in every version; and those opened on incidents."""

from datetime import datetime

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Id, Instant


class Runbook(Base):
    """For incidents of a service, of a category, of both together, or for any."""

    __tablename__ = "runbook"
    __table_args__ = (Index("ix_runbook_match", "service_id", "category_pair_id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    service_id: Mapped[int | None] = mapped_column(ForeignKey("service.id"))
    category_pair_id: Mapped[int | None] = mapped_column(ForeignKey("category_pair.id"))
    version: Mapped[int] = mapped_column()
    """The newest."""
    archived_at: Mapped[datetime | None] = mapped_column(Instant)


class RunbookVersion(Base):
    """What it said from one save to the next. Never changed."""

    __tablename__ = "runbook_version"

    runbook_id: Mapped[int] = mapped_column(ForeignKey("runbook.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    text: Mapped[str] = mapped_column(Text)
    """Markdown; lines such as '- [ ] Restart it' are steps."""
    saved_at: Mapped[datetime] = mapped_column(Instant)
    saved_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))


class OpenedRunbook(Base):
    """A version of a runbook, opened on an incident. It stays that version."""

    __tablename__ = "opened_runbook"
    __table_args__ = (
        ForeignKeyConstraint(
            ["runbook_id", "version"],
            ["runbook_version.runbook_id", "runbook_version.version"],
            name="fk_opened_runbook_version",
        ),
        Index("uq_opened_runbook_once", "incident_id", "runbook_id", "version", unique=True),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"))
    runbook_id: Mapped[int] = mapped_column(Id)
    version: Mapped[int] = mapped_column()
    opened_at: Mapped[datetime] = mapped_column(Instant)
    opened_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))


class RunbookStep(Base):
    """A step that was done. One that is put back is gone; the timeline keeps both."""

    __tablename__ = "runbook_step"

    opened_id: Mapped[int] = mapped_column(ForeignKey("opened_runbook.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    """Among the steps of the version, from 0."""
    done_at: Mapped[datetime] = mapped_column(Instant)
    done_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
