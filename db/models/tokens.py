"""Tokens with which programs use the HTTP API."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Id, Instant, Json


class ApiToken(Base):
    """A key of a program, shown once and kept as a hash.

    It acts as a person of its own who cannot sign in, so that all it does has a name.
    """

    __tablename__ = "api_token"
    __table_args__ = (
        Index(
            "uq_api_token_name",
            "name",
            unique=True,
            sqlite_where=text("revoked_at is null"),
            postgresql_where=text("revoked_at is null"),
        ),
        Index("ix_api_token_person_id", "person_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    ending: Mapped[str] = mapped_column(String(4))
    """Its last characters, to tell it from another."""
    scopes: Mapped[list[str]] = mapped_column(Json)
    """keys of rules.tokens.SCOPES"""
    created_at: Mapped[datetime] = mapped_column(Instant)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    expires_at: Mapped[datetime | None] = mapped_column(Instant)
    """None: it lives until it is revoked."""
    last_used_at: Mapped[datetime | None] = mapped_column(Instant)
    """To a minute."""
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)
