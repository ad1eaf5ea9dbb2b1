"""The packed copy of the steps that incidents took, and the trigger that notes those which change nothing measured."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# A step into another state changes the incident and is noted with it; so is whatever an import tells.
STAYED = "new.to_state = new.from_state and not new.imported"


def upgrade() -> None:
    op.create_table(
        "step_block",
        sa.Column("block", ID, nullable=False, autoincrement=False),
        sa.Column("shape", sa.String(length=16), nullable=False),
        sa.Column("made", ID, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("block", name="pk_step_block"),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("alter table step_block alter column content set storage external")
        op.execute(
            "create function note_step_change() returns trigger language plpgsql as $$ begin "
            "insert into fact_change (incident_id) values (new.incident_id); return null; end $$"
        )
        op.execute(
            "create trigger timeline_entry_step after insert on timeline_entry "
            f"for each row when ({STAYED}) execute function note_step_change()"
        )
        return
    op.execute(
        f"create trigger timeline_entry_step after insert on timeline_entry when {STAYED} begin "
        "insert into fact_change (incident_id) values (new.incident_id); end"
    )
