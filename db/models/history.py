"""What suggestions are looked up in: the words of past incidents, kept so that a question reads only a few rows."""

from datetime import datetime

from sqlalchemy import Float, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Id, Instant


class HistoryIndex(Base):
    """One index over past incidents; the newest finished one is asked. Numbers in bytes are little-endian."""

    __tablename__ = "history_index"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    began_at: Mapped[datetime] = mapped_column(Instant)
    finished_at: Mapped[datetime | None] = mapped_column(Instant)
    newest_id: Mapped[int] = mapped_column(Id)
    """The newest incident that was there when it was made."""
    categorised: Mapped[int] = mapped_column(default=0)
    incidents: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    """Ids, 8 bytes each; a place in this list is what words point to."""
    lengths: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    """The length of each incident's weighted words, 4 bytes (float) each."""


class HistoryWord(Base):
    """A word of an index: what it tells, and where it stands how often."""

    __tablename__ = "history_word"

    index_id: Mapped[int] = mapped_column(ForeignKey("history_index.id", ondelete="CASCADE"), primary_key=True)
    word: Mapped[str] = mapped_column(String(40), primary_key=True)
    weight: Mapped[float] = mapped_column(Float)
    places: Mapped[bytes] = mapped_column(LargeBinary)
    """4 bytes each, in order."""
    times: Mapped[bytes] = mapped_column(LargeBinary)
    """1 byte each, 255 for more."""
