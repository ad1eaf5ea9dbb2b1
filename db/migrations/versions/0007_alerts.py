"""On-call schedules, escalation, and what monitoring says."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.BigInteger()
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "escalation_policy",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("steps", JSON, nullable=False),
        sa.Column("repeats", sa.Integer(), nullable=False),
        sa.Column("acknowledge_seconds", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("archived_at", INSTANT, nullable=True),
        sa.CheckConstraint("repeats between 0 and 5", name="ck_escalation_policy_repeats"),
        sa.PrimaryKeyConstraint("id", name="pk_escalation_policy"),
        sa.UniqueConstraint("name", name="uq_escalation_policy_name"),
    )
    op.create_table(
        "calendar_feed",
        sa.Column("person_id", ID, nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_calendar_feed_person_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("person_id", name="pk_calendar_feed"),
        sa.UniqueConstraint("token_hash", name="uq_calendar_feed_token_hash"),
    )
    op.create_table(
        "maintenance_window",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.Column("recurring", JSON, nullable=True),
        sa.Column("applied_at", INSTANT, nullable=True),
        sa.Column("created_by_id", ID, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("cancelled_at", INSTANT, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["person.id"], name="fk_maintenance_window_created_by_id"),
        sa.PrimaryKeyConstraint("id", name="pk_maintenance_window"),
    )
    op.create_index("ix_maintenance_window_ends_at", "maintenance_window", ["ends_at"], unique=False)
    op.create_table(
        "schedule",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("team_id", ID, nullable=True),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("handoff_at", INSTANT, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("archived_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name="fk_schedule_team_id"),
        sa.PrimaryKeyConstraint("id", name="pk_schedule"),
        sa.UniqueConstraint("name", name="uq_schedule_name"),
    )
    op.create_index(
        "ix_schedule_handoff_at",
        "schedule",
        ["handoff_at"],
        unique=False,
        sqlite_where=sa.text("handoff_at is not null"),
        postgresql_where=sa.text("handoff_at is not null"),
    )
    op.create_table(
        "maintained_service",
        sa.Column("window_id", ID, nullable=False),
        sa.Column("service_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name="fk_maintained_service_service_id"),
        sa.ForeignKeyConstraint(
            ["window_id"], ["maintenance_window.id"], name="fk_maintained_service_window_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("window_id", "service_id", name="pk_maintained_service"),
    )
    op.create_index("ix_maintained_service_service_id", "maintained_service", ["service_id"], unique=False)
    op.create_table(
        "schedule_override",
        sa.Column("id", ID, nullable=False),
        sa.Column("schedule_id", ID, nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.Column("removed_id", ID, nullable=True),
        sa.Column("added_id", ID, nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("created_by_id", ID, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("cancelled_at", INSTANT, nullable=True),
        sa.CheckConstraint("added_id is not null or removed_id is not null", name="ck_schedule_override_people"),
        sa.ForeignKeyConstraint(["added_id"], ["person.id"], name="fk_schedule_override_added_id"),
        sa.ForeignKeyConstraint(["created_by_id"], ["person.id"], name="fk_schedule_override_created_by_id"),
        sa.ForeignKeyConstraint(["removed_id"], ["person.id"], name="fk_schedule_override_removed_id"),
        sa.ForeignKeyConstraint(["schedule_id"], ["schedule.id"], name="fk_schedule_override_schedule_id"),
        sa.PrimaryKeyConstraint("id", name="pk_schedule_override"),
    )
    op.create_index("ix_schedule_override_ends_at", "schedule_override", ["schedule_id", "ends_at"], unique=False)
    op.create_table(
        "schedule_version",
        sa.Column("id", ID, nullable=False),
        sa.Column("schedule_id", ID, nullable=False),
        sa.Column("from_at", INSTANT, nullable=False),
        sa.Column("definition", JSON, nullable=False),
        sa.Column("created_by_id", ID, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["person.id"], name="fk_schedule_version_created_by_id"),
        sa.ForeignKeyConstraint(["schedule_id"], ["schedule.id"], name="fk_schedule_version_schedule_id"),
        sa.PrimaryKeyConstraint("id", name="pk_schedule_version"),
    )
    op.create_index("uq_schedule_version_from", "schedule_version", ["schedule_id", "from_at"], unique=True)
    op.create_table(
        "swap",
        sa.Column("id", ID, nullable=False),
        sa.Column("schedule_id", ID, nullable=False),
        sa.Column("from_id", ID, nullable=False),
        sa.Column("to_id", ID, nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("answered_at", INSTANT, nullable=True),
        sa.Column("override_id", ID, nullable=True),
        sa.CheckConstraint("state in ('asked', 'accepted', 'declined', 'withdrawn')", name="ck_swap_state"),
        sa.ForeignKeyConstraint(["from_id"], ["person.id"], name="fk_swap_from_id"),
        sa.ForeignKeyConstraint(["override_id"], ["schedule_override.id"], name="fk_swap_override_id"),
        sa.ForeignKeyConstraint(["schedule_id"], ["schedule.id"], name="fk_swap_schedule_id"),
        sa.ForeignKeyConstraint(["to_id"], ["person.id"], name="fk_swap_to_id"),
        sa.PrimaryKeyConstraint("id", name="pk_swap"),
    )
    op.create_index("ix_swap_from_id", "swap", ["from_id", "state"], unique=False)
    op.create_index("ix_swap_to_id", "swap", ["to_id", "state"], unique=False)
    op.create_table(
        "escalation",
        sa.Column("incident_id", ID, nullable=False),
        sa.Column("policy_id", ID, nullable=False),
        sa.Column("policy", JSON, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("began_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("ended_by", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_escalation_incident_id"),
        sa.ForeignKeyConstraint(["policy_id"], ["escalation_policy.id"], name="fk_escalation_policy_id"),
        sa.PrimaryKeyConstraint("incident_id", name="pk_escalation"),
    )
    op.create_table(
        "integration",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("format", sa.String(length=20), nullable=False),
        sa.Column("service_id", ID, nullable=True),
        sa.Column("team_id", ID, nullable=True),
        sa.Column("escalation_policy_id", ID, nullable=True),
        sa.Column("category_pair_id", ID, nullable=True),
        sa.Column("grouping", sa.String(length=80), nullable=False),
        sa.Column("severities", JSON, nullable=False),
        sa.Column("auto_resolve", sa.Boolean(), nullable=False),
        sa.Column("signed", sa.Boolean(), nullable=False),
        sa.Column("secret_turn", sa.Integer(), nullable=False),
        sa.Column("old_secret_until", INSTANT, nullable=True),
        sa.Column("storm_limit", sa.Integer(), nullable=False),
        sa.Column("storm_since", INSTANT, nullable=True),
        sa.Column("storm_incident_id", ID, nullable=True),
        sa.Column("heartbeat_seconds", sa.Integer(), nullable=True),
        sa.Column("heartbeat_at", INSTANT, nullable=True),
        sa.Column("heartbeat_due_at", INSTANT, nullable=True),
        sa.Column("last_signal_at", INSTANT, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("archived_at", INSTANT, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["category_pair_id"], ["category_pair.id"], name="fk_integration_category_pair_id"),
        sa.ForeignKeyConstraint(
            ["escalation_policy_id"], ["escalation_policy.id"], name="fk_integration_escalation_policy_id"
        ),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name="fk_integration_service_id"),
        sa.ForeignKeyConstraint(["storm_incident_id"], ["incident.id"], name="fk_integration_storm_incident_id"),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name="fk_integration_team_id"),
        sa.PrimaryKeyConstraint("id", name="pk_integration"),
        sa.UniqueConstraint("name", name="uq_integration_name"),
    )
    op.create_index(
        "ix_integration_heartbeat_due_at",
        "integration",
        ["heartbeat_due_at"],
        unique=False,
        sqlite_where=sa.text("heartbeat_due_at is not null"),
        postgresql_where=sa.text("heartbeat_due_at is not null"),
    )
    op.create_index(
        "ix_integration_storm_since",
        "integration",
        ["storm_since"],
        unique=False,
        sqlite_where=sa.text("storm_since is not null"),
        postgresql_where=sa.text("storm_since is not null"),
    )
    op.create_table(
        "alert",
        sa.Column("id", ID, nullable=False),
        sa.Column("integration_id", ID, nullable=False),
        sa.Column("dedup_key", sa.String(length=255), nullable=False),
        sa.Column("group_key", sa.String(length=255), nullable=False),
        sa.Column("incident_id", ID, nullable=True),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("severity", sa.String(length=80), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("link", sa.String(length=500), nullable=False),
        sa.Column("details", JSON, nullable=True),
        sa.Column("started_at", INSTANT, nullable=True),
        sa.Column("first_at", INSTANT, nullable=False),
        sa.Column("last_at", INSTANT, nullable=False),
        sa.Column("signals", sa.Integer(), nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.CheckConstraint("status in ('firing', 'acknowledged', 'resolved')", name="ck_alert_status"),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_alert_incident_id"),
        sa.ForeignKeyConstraint(["integration_id"], ["integration.id"], name="fk_alert_integration_id"),
        sa.PrimaryKeyConstraint("id", name="pk_alert"),
    )
    op.create_index("ix_alert_first_at", "alert", ["integration_id", "first_at"], unique=False)
    op.create_index(
        "ix_alert_group",
        "alert",
        ["integration_id", "group_key"],
        unique=False,
        sqlite_where=sa.text("ended_at is null and group_key <> ''"),
        postgresql_where=sa.text("ended_at is null and group_key <> ''"),
    )
    op.create_index("ix_alert_incident_id", "alert", ["incident_id", "status"], unique=False)
    op.create_index(
        "uq_alert_live",
        "alert",
        ["integration_id", "dedup_key"],
        unique=True,
        sqlite_where=sa.text("ended_at is null"),
        postgresql_where=sa.text("ended_at is null"),
    )
    op.create_table(
        "integration_token",
        sa.Column("id", ID, nullable=False),
        sa.Column("integration_id", ID, nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("ending", sa.String(length=4), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by_id", ID, nullable=True),
        sa.Column("last_used_at", INSTANT, nullable=True),
        sa.Column("revoked_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["person.id"], name="fk_integration_token_created_by_id"),
        sa.ForeignKeyConstraint(
            ["integration_id"], ["integration.id"], name="fk_integration_token_integration_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_integration_token"),
        sa.UniqueConstraint("token_hash", name="uq_integration_token_token_hash"),
    )
    op.create_index("ix_integration_token_integration_id", "integration_token", ["integration_id"], unique=False)
    op.create_table(
        "page",
        sa.Column("id", ID, nullable=False),
        sa.Column("incident_id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("step", sa.Integer(), nullable=True),
        sa.Column("why", sa.String(length=200), nullable=False),
        sa.Column("channels", sa.Integer(), nullable=False),
        sa.Column("notice_id", ID, nullable=True),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_page_incident_id"),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name="fk_page_notice_id"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_page_person_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_page"),
    )
    op.create_index("ix_page_incident_id", "page", ["incident_id", "person_id"], unique=False)
    op.create_index("ix_page_person_id", "page", ["person_id", "at"], unique=False)
    op.create_table(
        "seen_message",
        sa.Column("integration_id", ID, nullable=False),
        sa.Column("message_id", sa.String(length=200), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["integration_id"], ["integration.id"], name="fk_seen_message_integration_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("integration_id", "message_id", name="pk_seen_message"),
    )
    op.create_index("ix_seen_message_at", "seen_message", ["at"], unique=False)
    op.create_table(
        "received_signal",
        sa.Column("id", ID, nullable=False),
        sa.Column("integration_id", ID, nullable=False),
        sa.Column("alert_id", ID, nullable=True),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("dedup_key", sa.String(length=255), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("severity", sa.String(length=80), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name="fk_received_signal_alert_id"),
        sa.ForeignKeyConstraint(["integration_id"], ["integration.id"], name="fk_received_signal_integration_id"),
        sa.PrimaryKeyConstraint("id", name="pk_received_signal"),
    )
    op.create_index("ix_received_signal_alert_id", "received_signal", ["alert_id"], unique=False)
    op.create_index("ix_received_signal_at", "received_signal", ["integration_id", "received_at"], unique=False)
    _add("service", "escalation_policy_id", "references escalation_policy(id)")
    _add("team", "escalation_policy_id", "references escalation_policy(id)")


def _add(table: str, column: str, rest: str) -> None:
    written = ID.compile(dialect=op.get_bind().dialect)
    op.execute(f"alter table {table} add column {column} {written} {rest}")
