"""Notes on the time axis of trends."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "trend_note",
        sa.Column("id", ID, nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("text", sa.String(length=60), nullable=False),
        sa.Column("author_id", ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_trend_note"),
        sa.ForeignKeyConstraint(["author_id"], ["person.id"], name="fk_trend_note_author_id"),
    )
    op.create_index("ix_trend_note_day", "trend_note", ["day"])
