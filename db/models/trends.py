"""What people write on the time axis of trends."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Id, Instant


class TrendNote(Base):
    """Something that happened on a day and may explain what numbers do: a new release, a holiday."""

    __tablename__ = "trend_note"
    __table_args__ = (Index("ix_trend_note_day", "day"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    day: Mapped[str] = mapped_column(String(10))
    """such as 2026-03-01, on everybody's own clock"""
    text: Mapped[str] = mapped_column(String(60))
    author_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime] = mapped_column(Instant)
