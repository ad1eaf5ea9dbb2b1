"""The packed copy of what is measured, and the triggers that note what has changed since it was packed."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0022"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MEASURED = (
    "state, major, restricted, duplicate_of_id, source, priority, service_id, category_pair_id, team_id, started_at, "
    "detected_at, reported_at, acknowledged_at, resolved_at, recovered_at, closed_at, cancelled_at, response_due_at, "
    "resolution_due_at, reopen_count, handovers, ping_pong"
)


def upgrade() -> None:
    op.create_table(
        "fact_block",
        sa.Column("block", ID, nullable=False, autoincrement=False),
        sa.Column("shape", sa.String(length=16), nullable=False),
        sa.Column("made", ID, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("block", name="pk_fact_block"),
    )
    op.create_table(
        "fact_change",
        sa.Column("id", ID, nullable=False),
        sa.Column("incident_id", ID, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_fact_change"),
        sqlite_autoincrement=True,
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("alter table fact_block alter column content set storage external")
        op.execute(
            "create function note_fact_change() returns trigger language plpgsql as $$ begin "
            "insert into fact_change (incident_id) values (coalesce(new.id, old.id)); return null; end $$"
        )
        op.execute(
            f"create trigger incident_fact_change after insert or delete or update of {MEASURED} on incident "
            "for each row execute function note_fact_change()"
        )
        return
    for name, event, row in (
        ("made", "insert", "new"),
        ("changed", f"update of {MEASURED}", "new"),
        ("removed", "delete", "old"),
    ):
        op.execute(
            f"create trigger incident_fact_{name} after {event} on incident begin "
            f"insert into fact_change (incident_id) values ({row}.id); end"
        )
