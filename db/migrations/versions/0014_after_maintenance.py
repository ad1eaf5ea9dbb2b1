"""What maintenance holds back is known, so that it goes on when the maintenance is over."""

import time

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

FRESH_MICROS = 7 * 24 * 3600 * 1_000_000
"""What was said last longer ago is old news: it wakes nobody because the app was updated."""


def upgrade() -> None:
    op.add_column("alert", sa.Column("held_at", sa.BigInteger(), nullable=True))
    since = int(time.time() * 1_000_000) - FRESH_MICROS
    op.execute(
        sa.text(
            "update alert set held_at = last_at where incident_id is null and ended_at is null and status = 'firing'"
            " and dedup_key <> 'incident-desk:test' and last_at > :since"
        ).bindparams(since=since)
    )
    op.execute(
        sa.text(
            "update escalation set ended_by = 'resolved' where ended_by = 'maintenance' and (ended_at < :since or"
            " incident_id in (select id from incident where state not in ('new', 'assigned')"
            " or acknowledged_at is not null))"
        ).bindparams(since=since)
    )
    held, stopped = sa.text("held_at is not null"), sa.text("ended_by = 'maintenance'")
    op.create_index("ix_alert_held", "alert", ["integration_id"], sqlite_where=held, postgresql_where=held)
    op.create_index(
        "ix_escalation_maintenance", "escalation", ["incident_id"], sqlite_where=stopped, postgresql_where=stopped
    )
