"""What an incident belongs with, other than incidents."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Id, Instant


class IncidentLink(Base):
    """What an incident belongs with: a problem kept here; a change, a problem or anything kept elsewhere."""

    __tablename__ = "incident_link"
    __table_args__ = (
        CheckConstraint("kind in ('change', 'problem', 'other')", name="kind"),
        Index("ix_incident_link_incident_id", "incident_id"),
        Index(
            "uq_incident_link_problem",
            "problem_id",
            "incident_id",
            unique=True,
            sqlite_where=text("problem_id is not null"),
            postgresql_where=text("problem_id is not null"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"))
    kind: Mapped[str] = mapped_column(String(20))
    reference: Mapped[str] = mapped_column(String(200))
    url: Mapped[str] = mapped_column(String(500), default="")
    added_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    added_at: Mapped[datetime] = mapped_column(Instant)
    problem_id: Mapped[int | None] = mapped_column(ForeignKey("problem.id"))
    """The problem kept here, whose number is the reference then."""
