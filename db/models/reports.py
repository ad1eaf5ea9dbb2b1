"""Reports that people ordered, who reads them, and what each reader was sent."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Id, Instant

_DIGEST = text("view_id is null")


class ReportSchedule(Base):
    """A saved view of trends, or the weekly digest (no view), that is sent again and again."""

    __tablename__ = "report_schedule"
    __table_args__ = (
        CheckConstraint("every in ('week', 'month')", name="every"),
        CheckConstraint("(every = 'week') = (weekday is not null)", name="weekday"),
        Index("uq_report_schedule_view", "owner_id", "view_id", unique=True),
        Index(
            "uq_report_schedule_digest", "owner_id", unique=True, sqlite_where=_DIGEST, postgresql_where=_DIGEST
        ),
        Index("ix_report_schedule_view_id", "view_id"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    view_id: Mapped[int | None] = mapped_column(ForeignKey("saved_view.id", ondelete="CASCADE"))
    every: Mapped[str] = mapped_column(String(5))
    weekday: Mapped[int | None] = mapped_column()
    """From Monday 0; None for the first of every month."""
    hour: Mapped[int] = mapped_column()
    zone: Mapped[str] = mapped_column(String(64))
    """Whose clock the hour is on, and the days of the report."""
    created_at: Mapped[datetime] = mapped_column(Instant)


class ReportReader(Base):
    """Somebody who gets it, with the numbers that are open to them."""

    __tablename__ = "report_reader"
    __table_args__ = (
        Index("ix_report_reader_person_id", "person_id"),
        Index("ix_report_reader_next_at", "next_at"),
    )

    schedule_id: Mapped[int] = mapped_column(ForeignKey("report_schedule.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), primary_key=True)
    next_at: Mapped[datetime] = mapped_column(Instant)
    sent_at: Mapped[datetime | None] = mapped_column(Instant)


class ReportRun(Base):
    """What one reader was sent, as it was at that moment."""

    __tablename__ = "report_run"
    __table_args__ = (
        Index("ix_report_run_person_id", "person_id", "as_of"),
        Index("ix_report_run_notice_id", "notice_id"),
        Index("ix_report_run_as_of", "as_of"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    notice_id: Mapped[int | None] = mapped_column(ForeignKey("notice.id"))
    name: Mapped[str] = mapped_column(String(120))
    address: Mapped[str] = mapped_column(String(1000))
    """Of the view at the time, after '?'; empty for the weekly digest."""
    as_of: Mapped[datetime] = mapped_column(Instant)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    """See rules.report_kept."""
