"""PostgreSQL tidies up after every fiftieth changed incident, so that counting the queue need not look at each row."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

OFTEN = (
    "autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02, "
    "autovacuum_analyze_scale_factor = 0.02"
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in ("incident", "timer"):
            op.execute(f"alter table {table} set ({OFTEN})")
