"""What triage needs: pins, templates, tasks, links, each team's own clock, saved views, and chains over the records."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.BigInteger()
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
HASH = sa.LargeBinary(length=32)

# Added without rebuilding a table: its triggers and computed columns stay.
COLUMNS: tuple[tuple[str, str, sa.types.TypeEngine[object], str], ...] = (
    ("incident", "pin_seconds", sa.Integer(), "default 0 not null"),
    ("incident", "pin_reason", sa.String(length=200), "default '' not null"),
    ("incident", "pin_until", INSTANT, ""),
    ("incident", "pinned_by_id", ID, "references person(id)"),
    ("incident", "escalations", sa.Integer(), "default 0 not null"),
    ("incident", "vendor_contact", sa.String(length=200), "default '' not null"),
    ("incident", "vendor_reference", sa.String(length=100), "default '' not null"),
    ("incident", "template_id", ID, "references template(id)"),
    ("incident", "answers", JSON, ""),
    ("incident", "reminded_at", INSTANT, ""),
    ("incident", "tracking_hash", HASH, ""),
    ("incident", "chain", HASH, ""),
    ("timeline_entry", "hash", HASH, ""),
    ("audit_entry", "hash", HASH, ""),
    ("category_pair", "template_id", ID, "references template(id)"),
    ("person", "preferences", JSON, ""),
)


def upgrade() -> None:
    op.create_table(
        "template",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("service_id", ID, nullable=True),
        sa.Column("category_pair_id", ID, nullable=True),
        sa.Column("impact", sa.Integer(), nullable=True),
        sa.Column("urgency", sa.Integer(), nullable=True),
        sa.Column("team_id", ID, nullable=True),
        sa.Column("questions", JSON, nullable=False),
        sa.Column("checklist", JSON, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("archived_at", INSTANT, nullable=True),
        sa.CheckConstraint("impact is null or impact in (1, 2, 3)", name="ck_template_impact"),
        sa.CheckConstraint("urgency is null or urgency in (1, 2, 3)", name="ck_template_urgency"),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name="fk_template_service_id"),
        sa.ForeignKeyConstraint(["category_pair_id"], ["category_pair.id"], name="fk_template_category_pair_id"),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name="fk_template_team_id"),
        sa.PrimaryKeyConstraint("id", name="pk_template"),
        sa.UniqueConstraint("name", name="uq_template_name"),
    )
    for table, column, kind, rest in COLUMNS:
        _add(table, column, kind, rest)
    op.create_index(
        "uq_incident_tracking_hash",
        "incident",
        ["tracking_hash"],
        unique=True,
        sqlite_where=sa.text("tracking_hash is not null"),
        postgresql_where=sa.text("tracking_hash is not null"),
    )
    op.create_index("ix_incident_category_queue", "incident", ["category_pair_id", "queue_group", "rank_at"])
    op.create_index(
        "ix_incident_unassigned",
        "incident",
        ["team_id", "queue_group", "rank_at", "reported_at", "id"],
        sqlite_where=sa.text("assignee_id is null"),
        postgresql_where=sa.text("assignee_id is null"),
    )
    op.create_table(
        "assignment",
        sa.Column("id", ID, nullable=False),
        sa.Column("incident_id", ID, nullable=False),
        sa.Column("team_id", ID, nullable=False),
        sa.Column("tier", sa.String(length=10), nullable=False),
        sa.Column("began_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("due_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_assignment_incident_id"),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name="fk_assignment_team_id"),
        sa.PrimaryKeyConstraint("id", name="pk_assignment"),
    )
    op.create_index("ix_assignment_incident_id", "assignment", ["incident_id", "began_at"], unique=False)
    op.create_index(
        "ix_assignment_running",
        "assignment",
        ["team_id", "due_at"],
        unique=False,
        sqlite_where=sa.text("ended_at is null"),
        postgresql_where=sa.text("ended_at is null"),
    )
    op.create_table(
        "task",
        sa.Column("id", ID, nullable=False),
        sa.Column("incident_id", ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(length=300), nullable=False),
        sa.Column("done_at", INSTANT, nullable=True),
        sa.Column("done_by_id", ID, nullable=True),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_task_incident_id"),
        sa.ForeignKeyConstraint(["done_by_id"], ["person.id"], name="fk_task_done_by_id"),
        sa.PrimaryKeyConstraint("id", name="pk_task"),
    )
    op.create_index("ix_task_incident_id", "task", ["incident_id", "position"], unique=False)
    op.create_table(
        "incident_link",
        sa.Column("id", ID, nullable=False),
        sa.Column("incident_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("reference", sa.String(length=200), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("added_by_id", ID, nullable=True),
        sa.Column("added_at", INSTANT, nullable=False),
        sa.CheckConstraint("kind in ('change', 'problem', 'other')", name="ck_incident_link_kind"),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_incident_link_incident_id"),
        sa.ForeignKeyConstraint(["added_by_id"], ["person.id"], name="fk_incident_link_added_by_id"),
        sa.PrimaryKeyConstraint("id", name="pk_incident_link"),
    )
    op.create_index("ix_incident_link_incident_id", "incident_link", ["incident_id"], unique=False)
    op.create_table(
        "saved_view",
        sa.Column("id", ID, nullable=False),
        sa.Column("owner_id", ID, nullable=False),
        sa.Column("page", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("address", sa.String(length=1000), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["person.id"], name="fk_saved_view_owner_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_saved_view"),
    )
    op.create_index("uq_saved_view_owner_name", "saved_view", ["owner_id", "page", "name"], unique=True)
    op.create_table(
        "chain_head",
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("hash", HASH, nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_chain_head"),
    )


def _add(table: str, column: str, kind: sa.types.TypeEngine[object], rest: str) -> None:
    written = kind.compile(dialect=op.get_bind().dialect)
    op.execute(f"alter table {table} add column {column} {written} {rest}")
