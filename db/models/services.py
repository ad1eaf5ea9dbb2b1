"""What people depend on, who owns it, and how incidents are sorted."""

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Id, Instant, Json


class Team(Base):
    __tablename__ = "team"
    __table_args__ = (
        CheckConstraint("tier in ('1', '2', '3', 'external')", name="tier"),
        CheckConstraint("way in ('itil', 'devops')", name="way"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    tier: Mapped[str] = mapped_column(String(10), default="2")
    way: Mapped[str] = mapped_column(String(10), default="itil")
    contact: Mapped[str] = mapped_column(String(200), default="")
    escalation_policy_id: Mapped[int | None] = mapped_column(ForeignKey("escalation_policy.id", use_alter=True))
    """Who is paged for what it owns."""
    archived_at: Mapped[datetime | None] = mapped_column(Instant)
    imported: Mapped[bool] = mapped_column(Boolean, default=False)


class Service(Base):
    __tablename__ = "service"
    __table_args__ = (
        CheckConstraint("impact is null or impact in (1, 2, 3)", name="impact"),
        Index("ix_service_team_id", "team_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    description: Mapped[str] = mapped_column(Text, default="")
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id"))
    impact: Mapped[int | None] = mapped_column()
    """How much hangs on it, 1 high .. 3 low: a suggestion for triage."""
    escalation_policy_id: Mapped[int | None] = mapped_column(ForeignKey("escalation_policy.id", use_alter=True))
    """Who is paged for it; without one, whoever is for its team."""
    archived_at: Mapped[datetime | None] = mapped_column(Instant)
    imported: Mapped[bool] = mapped_column(Boolean, default=False)


class Template(Base):
    """A kind of report: what it asks besides the two questions, and how its incidents begin."""

    __tablename__ = "template"
    __table_args__ = (
        CheckConstraint("impact is null or impact in (1, 2, 3)", name="impact"),
        CheckConstraint("urgency is null or urgency in (1, 2, 3)", name="urgency"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    """The answer to 'What do you need?'."""
    description: Mapped[str] = mapped_column(Text, default="")
    position: Mapped[int] = mapped_column(default=0)
    service_id: Mapped[int | None] = mapped_column(ForeignKey("service.id"))
    category_pair_id: Mapped[int | None] = mapped_column(ForeignKey("category_pair.id", use_alter=True))
    impact: Mapped[int | None] = mapped_column()
    urgency: Mapped[int | None] = mapped_column()
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id"))
    questions: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    """[{"key", "label", "kind", "required", "options", "help"}]; see rules.templates."""
    checklist: Mapped[list[str]] = mapped_column(Json, default=list)
    version: Mapped[int] = mapped_column(default=1)
    archived_at: Mapped[datetime | None] = mapped_column(Instant)


class Category(Base):
    __tablename__ = "category"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    archived_at: Mapped[datetime | None] = mapped_column(Instant)


class Subcategory(Base):
    """A subcategory may stand under several categories."""

    __tablename__ = "subcategory"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)


class CategoryPair(Base):
    """A category with one of its subcategories, or alone: what an incident is sorted under."""

    __tablename__ = "category_pair"
    __table_args__ = (
        Index("uq_category_pair_both", "category_id", "subcategory_id", unique=True),
        Index(
            "uq_category_pair_alone",
            "category_id",
            unique=True,
            sqlite_where=text("subcategory_id is null"),
            postgresql_where=text("subcategory_id is null"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    category_id: Mapped[int] = mapped_column(ForeignKey("category.id"))
    subcategory_id: Mapped[int | None] = mapped_column(ForeignKey("subcategory.id"))
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id"))
    """The team that usually takes it."""
    template_id: Mapped[int | None] = mapped_column(ForeignKey("template.id"))
    """What its reports are asked."""
    runbook: Mapped[str] = mapped_column(Text, default="")
    archived_at: Mapped[datetime | None] = mapped_column(Instant)
