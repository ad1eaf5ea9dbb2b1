"""A sender that promised to call and never has is missed too: from now on, with the time to set it up."""

import time

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

SECOND = 1_000_000
FIRST_CALL = 3600 * SECOND


def upgrade() -> None:
    never = sa.text(
        "update integration set heartbeat_due_at = :then + heartbeat_seconds * :second"
        " where heartbeat_seconds is not null and heartbeat_at is null and archived_at is null"
    )
    values = {"then": int(time.time() * SECOND) + FIRST_CALL, "second": SECOND}
    bound = [sa.bindparam(name, value, sa.BigInteger) for name, value in values.items()]
    op.get_bind().execute(never.bindparams(*bound))
