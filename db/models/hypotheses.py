"""What is suspected to be the cause of an incident, and what speaks for and against it."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Id, Instant


class Hypothesis(Base):
    """One suspected cause."""

    __tablename__ = "hypothesis"
    __table_args__ = (
        CheckConstraint("state in ('suspected', 'ruled_out', 'confirmed')", name="state"),
        Index("ix_hypothesis_incident_id", "incident_id", "id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"))
    text: Mapped[str] = mapped_column(String(300))
    state: Mapped[str] = mapped_column(String(10))
    author_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime] = mapped_column(Instant)
    changed_at: Mapped[datetime] = mapped_column(Instant)
    changed_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    """Who gave it its state."""
    version: Mapped[int] = mapped_column()
    """Counts its states: who decides on one says which they have seen."""


class HypothesisEvidence(Base):
    """What somebody found. Never changed: what turned out wrong is answered by more."""

    __tablename__ = "hypothesis_evidence"
    __table_args__ = (
        CheckConstraint("speaks in ('for', 'against', 'neither')", name="speaks"),
        CheckConstraint("led_to is null or led_to in ('suspected', 'ruled_out', 'confirmed')", name="led_to"),
        Index("ix_hypothesis_evidence_hypothesis_id", "hypothesis_id", "id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    hypothesis_id: Mapped[int] = mapped_column(ForeignKey("hypothesis.id"))
    at: Mapped[datetime] = mapped_column(Instant)
    author_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    text: Mapped[str] = mapped_column(Text)
    speaks: Mapped[str] = mapped_column(String(10))
    """For the hypothesis, against it, or neither."""
    led_to: Mapped[str | None] = mapped_column(String(10))
    """The state that it was given with these words."""
