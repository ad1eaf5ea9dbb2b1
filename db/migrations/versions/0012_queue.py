"""The index of the queue holds what filters and access ask, so that any filter is answered from it alone."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_incident_queue", table_name="incident")
    ordered = ["queue_group", "rank_at", "reported_at", "id"]
    asked = ["team_id", "assignee_id", "service_id", "priority", "category_pair_id", "state", "resolution_due_at"]
    op.create_index("ix_incident_queue", "incident", [*ordered, *asked, "restricted", "reporter_id"], unique=False)
