"""Postmortems in versions, their actions, and what the public reads of them."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TO_BE_DONE = sa.text("done_at is null and dropped_at is null")


def upgrade() -> None:
    _postmortems()
    _versions()
    _actions()
    op.create_table(
        "published_postmortem",
        sa.Column("postmortem_id", ID, nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["postmortem_id"], ["postmortem.id"], name="fk_published_postmortem_postmortem_id"),
        sa.PrimaryKeyConstraint("postmortem_id", name="pk_published_postmortem"),
    )


def _postmortems() -> None:
    op.create_table(
        "postmortem",
        sa.Column("id", ID, nullable=False),
        sa.Column("incident_id", ID, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("owner_id", ID),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger()),
        sa.Column("sent_by_id", ID),
        sa.Column("published_at", sa.BigInteger()),
        sa.Column("reviewer_id", ID),
        sa.Column("discarded_why", sa.Text(), nullable=False),
        sa.CheckConstraint("state in ('draft', 'review', 'published', 'discarded')", name="ck_postmortem_state"),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_postmortem_incident_id"),
        sa.ForeignKeyConstraint(["owner_id"], ["person.id"], name="fk_postmortem_owner_id"),
        sa.ForeignKeyConstraint(["sent_by_id"], ["person.id"], name="fk_postmortem_sent_by_id"),
        sa.ForeignKeyConstraint(["reviewer_id"], ["person.id"], name="fk_postmortem_reviewer_id"),
        sa.PrimaryKeyConstraint("id", name="pk_postmortem"),
    )
    op.create_index("uq_postmortem_incident_id", "postmortem", ["incident_id"], unique=True)
    op.create_index("ix_postmortem_state", "postmortem", ["state", "made_at"])


def _versions() -> None:
    op.create_table(
        "postmortem_version",
        sa.Column("postmortem_id", ID, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("saved_at", sa.BigInteger(), nullable=False),
        sa.Column("saved_by_id", ID),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("impact", sa.Text(), nullable=False),
        sa.Column("timeline", sa.Text(), nullable=False),
        sa.Column("factors", sa.Text(), nullable=False),
        sa.Column("went_well", sa.Text(), nullable=False),
        sa.Column("went_badly", sa.Text(), nullable=False),
        sa.Column("lucky", sa.Text(), nullable=False),
        sa.Column("no_action", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["postmortem_id"], ["postmortem.id"], name="fk_postmortem_version_postmortem_id"),
        sa.ForeignKeyConstraint(["saved_by_id"], ["person.id"], name="fk_postmortem_version_saved_by_id"),
        sa.PrimaryKeyConstraint("postmortem_id", "version", name="pk_postmortem_version"),
    )


def _actions() -> None:
    op.create_table(
        "postmortem_action",
        sa.Column("id", ID, nullable=False),
        sa.Column("postmortem_id", ID, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(length=300), nullable=False),
        sa.Column("owner_id", ID, nullable=False),
        sa.Column("due_on", sa.String(length=10), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("made_by_id", ID, nullable=False),
        sa.Column("done_at", sa.BigInteger()),
        sa.Column("done_by_id", ID),
        sa.Column("verified_at", sa.BigInteger()),
        sa.Column("verified_by_id", ID),
        sa.Column("effect", sa.Text(), nullable=False),
        sa.Column("dropped_at", sa.BigInteger()),
        sa.Column("dropped_by_id", ID),
        sa.Column("dropped_why", sa.Text(), nullable=False),
        sa.Column("told_at", sa.BigInteger()),
        sa.CheckConstraint("verified_at is null or done_at is not null", name="ck_postmortem_action_verified"),
        sa.CheckConstraint("dropped_at is null or done_at is null", name="ck_postmortem_action_dropped"),
        sa.ForeignKeyConstraint(["postmortem_id"], ["postmortem.id"], name="fk_postmortem_action_postmortem_id"),
        sa.ForeignKeyConstraint(["owner_id"], ["person.id"], name="fk_postmortem_action_owner_id"),
        sa.ForeignKeyConstraint(["made_by_id"], ["person.id"], name="fk_postmortem_action_made_by_id"),
        sa.ForeignKeyConstraint(["done_by_id"], ["person.id"], name="fk_postmortem_action_done_by_id"),
        sa.ForeignKeyConstraint(["verified_by_id"], ["person.id"], name="fk_postmortem_action_verified_by_id"),
        sa.ForeignKeyConstraint(["dropped_by_id"], ["person.id"], name="fk_postmortem_action_dropped_by_id"),
        sa.PrimaryKeyConstraint("id", name="pk_postmortem_action"),
    )
    op.create_index("ix_postmortem_action_postmortem_id", "postmortem_action", ["postmortem_id"])
    for name, columns in (("due_on", ["due_on"]), ("owner_id", ["owner_id", "due_on"])):
        op.create_index(
            f"ix_postmortem_action_{name}",
            "postmortem_action",
            columns,
            sqlite_where=TO_BE_DONE,
            postgresql_where=TO_BE_DONE,
        )
