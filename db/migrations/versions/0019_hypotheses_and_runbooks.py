"""Hypotheses of an incident with their evidence; runbooks in versions, and those opened on incidents."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _hypotheses()
    _runbooks()
    _opened()


def _hypotheses() -> None:
    op.create_table(
        "hypothesis",
        sa.Column("id", ID, nullable=False),
        sa.Column("incident_id", ID, nullable=False),
        sa.Column("text", sa.String(length=300), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("author_id", ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_by_id", ID, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("state in ('suspected', 'ruled_out', 'confirmed')", name="ck_hypothesis_state"),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_hypothesis_incident_id"),
        sa.ForeignKeyConstraint(["author_id"], ["person.id"], name="fk_hypothesis_author_id"),
        sa.ForeignKeyConstraint(["changed_by_id"], ["person.id"], name="fk_hypothesis_changed_by_id"),
        sa.PrimaryKeyConstraint("id", name="pk_hypothesis"),
    )
    op.create_index("ix_hypothesis_incident_id", "hypothesis", ["incident_id", "id"])
    op.create_table(
        "hypothesis_evidence",
        sa.Column("id", ID, nullable=False),
        sa.Column("hypothesis_id", ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("author_id", ID, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("speaks", sa.String(length=10), nullable=False),
        sa.Column("led_to", sa.String(length=10)),
        sa.CheckConstraint("speaks in ('for', 'against', 'neither')", name="ck_hypothesis_evidence_speaks"),
        sa.CheckConstraint(
            "led_to is null or led_to in ('suspected', 'ruled_out', 'confirmed')", name="ck_hypothesis_evidence_led_to"
        ),
        sa.ForeignKeyConstraint(["hypothesis_id"], ["hypothesis.id"], name="fk_hypothesis_evidence_hypothesis_id"),
        sa.ForeignKeyConstraint(["author_id"], ["person.id"], name="fk_hypothesis_evidence_author_id"),
        sa.PrimaryKeyConstraint("id", name="pk_hypothesis_evidence"),
    )
    op.create_index("ix_hypothesis_evidence_hypothesis_id", "hypothesis_evidence", ["hypothesis_id", "id"])


def _runbooks() -> None:
    op.create_table(
        "runbook",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("service_id", ID),
        sa.Column("category_pair_id", ID),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("archived_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name="fk_runbook_service_id"),
        sa.ForeignKeyConstraint(["category_pair_id"], ["category_pair.id"], name="fk_runbook_category_pair_id"),
        sa.PrimaryKeyConstraint("id", name="pk_runbook"),
        sa.UniqueConstraint("name", name="uq_runbook_name"),
    )
    op.create_index("ix_runbook_match", "runbook", ["service_id", "category_pair_id"])
    op.create_table(
        "runbook_version",
        sa.Column("runbook_id", ID, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("saved_at", sa.BigInteger(), nullable=False),
        sa.Column("saved_by_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["runbook_id"], ["runbook.id"], name="fk_runbook_version_runbook_id"),
        sa.ForeignKeyConstraint(["saved_by_id"], ["person.id"], name="fk_runbook_version_saved_by_id"),
        sa.PrimaryKeyConstraint("runbook_id", "version", name="pk_runbook_version"),
    )


def _opened() -> None:
    op.create_table(
        "opened_runbook",
        sa.Column("id", ID, nullable=False),
        sa.Column("incident_id", ID, nullable=False),
        sa.Column("runbook_id", ID, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("opened_by_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_opened_runbook_incident_id"),
        sa.ForeignKeyConstraint(["opened_by_id"], ["person.id"], name="fk_opened_runbook_opened_by_id"),
        sa.ForeignKeyConstraint(
            ["runbook_id", "version"],
            ["runbook_version.runbook_id", "runbook_version.version"],
            name="fk_opened_runbook_version",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_opened_runbook"),
    )
    op.create_index("uq_opened_runbook_once", "opened_runbook", ["incident_id", "runbook_id", "version"], unique=True)
    op.create_table(
        "runbook_step",
        sa.Column("opened_id", ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("done_at", sa.BigInteger(), nullable=False),
        sa.Column("done_by_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["opened_id"], ["opened_runbook.id"], name="fk_runbook_step_opened_id"),
        sa.ForeignKeyConstraint(["done_by_id"], ["person.id"], name="fk_runbook_step_done_by_id"),
        sa.PrimaryKeyConstraint("opened_id", "position", name="pk_runbook_step"),
    )
