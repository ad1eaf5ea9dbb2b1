"""Each team's time with an incident: what it was handed over with, who read that, and when it was last warned."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.BigInteger()

COLUMNS: tuple[tuple[str, sa.types.TypeEngine[object], str], ...] = (
    ("warn_at", INSTANT, ""),
    ("warned_at", INSTANT, ""),
    ("breached_at", INSTANT, ""),
    ("summary", sa.Text(), "default '' not null"),
    ("handed_by_id", ID, "references person(id)"),
    ("read_at", INSTANT, ""),
    ("read_by_id", ID, "references person(id)"),
)


def upgrade() -> None:
    for column, kind, rest in COLUMNS:
        written = kind.compile(dialect=op.get_bind().dialect)
        op.execute(f"alter table assignment add column {column} {written} {rest}".rstrip())
