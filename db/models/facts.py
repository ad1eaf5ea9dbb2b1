"""A copy of what is measured of every incident, packed so that a million of them are counted at once.

It is derived: `incident` alone is the truth. Triggers note every incident that changed, whoever changes it; what is
noted counts as it stands in `incident` until the worker has packed it anew.
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


class FactChange(Base):
    """An incident that changed and has not been packed anew since. Written by triggers."""

    __tablename__ = "fact_change"
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    incident_id: Mapped[int] = mapped_column(Id)
