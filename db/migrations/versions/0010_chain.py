"""Where the chains over the records begin: what was written before has no hash, and needs none."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

START = bytes(32)


def upgrade() -> None:
    bind = op.get_bind()
    before = {
        f"unsealed {name}": bind.execute(sa.text(f"select coalesce(max(id), 0) from {table}")).scalar_one()
        for name, table in (("timeline", "timeline_entry"), ("audit", "audit_entry"))
    }
    write = sa.text("insert into chain_head (name, hash, entries) values (:name, :hash, :entries)")
    for name, entries in {"audit": 0, **before}.items():
        bind.execute(write, {"name": name, "hash": START, "entries": entries})
