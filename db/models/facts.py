"""A copy of what is measured of every incident, packed so that a million of them are counted at once.

It is derived: `incident` and its timeline alone are the truth. Triggers note every incident that changed, whoever
changes it; what is noted counts as it stands there until the worker has packed it anew.
"""

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Id


class FactBlock(Base):
    """The facts of the incidents whose ids lie in one range, a column after the other."""

    __tablename__ = "fact_block"

    block: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    """id of an incident divided by the length of a range"""
    shape: Mapped[str] = mapped_column(String(16))
    """Of the definitions it was made by; another one is as good as none."""
    made: Mapped[int] = mapped_column(Id)
    """Goes up with every packing."""
    content: Mapped[bytes] = mapped_column(LargeBinary)


class StepBlock(Base):
    """The steps that the incidents of one range took, packed with their facts."""

    __tablename__ = "step_block"

    block: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    shape: Mapped[str] = mapped_column(String(16))
    """Of the definition it was made by; another one is as good as none."""
    made: Mapped[int] = mapped_column(Id)
    """The packing it was made in: that of the facts. Where these were packed without it, it is as good as none."""
    content: Mapped[bytes] = mapped_column(LargeBinary)


class FactChange(Base):
    """An incident that changed and has not been packed anew since. Written by triggers."""

    __tablename__ = "fact_change"
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    incident_id: Mapped[int] = mapped_column(Id)
