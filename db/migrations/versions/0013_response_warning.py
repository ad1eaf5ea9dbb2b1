"""A warning at 75 % of the time to answer, as there is one of the time to resolve.

When that is depends on calendars and their holidays, which no migration can know. So what is open is noted to be
looked at once more, as after a change of policies: the worker computes the moment and sets the timer.
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

OPEN = "('new', 'assigned', 'in_progress', 'on_hold')"
KEY = "policies.pending"
BY = "Incident Desk"
MATRIX = {"11": 1, "12": 2, "13": 3, "21": 2, "22": 3, "23": 4, "31": 3, "32": 4, "33": 5}
"""As it is where nobody has set another."""
SETTING = sa.table(
    "setting",
    sa.column("key", sa.String),
    sa.column("value", sa.JSON().with_variant(postgresql.JSONB(), "postgresql")),
    sa.column("changed_at", sa.BigInteger),
)


def upgrade() -> None:
    op.add_column("incident", sa.Column("response_warn_at", sa.BigInteger(), nullable=True))
    database = op.get_bind()
    if database.execute(sa.text(f"select 1 from incident where state in {OPEN} limit 1")).first() is None:
        return
    stored = {key: value for key, value in database.execute(sa.select(SETTING.c.key, SETTING.c.value))}
    now = datetime.now(UTC)
    # A change that is still being applied begins again with the first: what it has moved already it finds in place.
    value = stored.get(KEY) or {"done": True}
    if value["done"]:
        value = {"matrix": stored.get("priority.matrix", MATRIX), "keys": [], "actor_id": None, "actor_name": BY}
    value |= {"done": False, "after": 0, "again": [], "at": now.isoformat(), "seen": 0, "moved": 0, "late": 0}
    micros = int(now.timestamp() * 1_000_000)
    if KEY in stored:
        change = sa.update(SETTING).where(SETTING.c.key == KEY).values(value=value, changed_at=micros)
        database.execute(change)
    else:
        database.execute(sa.insert(SETTING).values(key=KEY, value=value, changed_at=micros))
