"""Everything there is in the first version: people, services, incidents, timers, outbox, settings, audit."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.BigInteger()
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "category",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("archived_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_category"),
        sa.UniqueConstraint("name", name="uq_category_name"),
    )
    op.create_table(
        "person",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("password_hash", sa.String(length=255), nullable=True),
        sa.Column("password_changed_at", INSTANT, nullable=True),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("disabled_at", INSTANT, nullable=True),
        sa.Column("imported", sa.Boolean(), nullable=False),
        sa.Column("sample", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_person"),
    )
    op.create_index("ix_person_name", "person", ["name"], unique=False)
    op.create_table(
        "subcategory",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_subcategory"),
        sa.UniqueConstraint("name", name="uq_subcategory_name"),
    )
    op.create_table(
        "team",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("tier", sa.String(length=10), nullable=False),
        sa.Column("way", sa.String(length=10), nullable=False),
        sa.Column("contact", sa.String(length=200), nullable=False),
        sa.Column("archived_at", INSTANT, nullable=True),
        sa.Column("imported", sa.Boolean(), nullable=False),
        sa.CheckConstraint("tier in ('1', '2', '3', 'external')", name="ck_team_tier"),
        sa.CheckConstraint("way in ('itil', 'devops')", name="ck_team_way"),
        sa.PrimaryKeyConstraint("id", name="pk_team"),
        sa.UniqueConstraint("name", name="uq_team_name"),
    )
    op.create_table(
        "throttle",
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_failure_at", INSTANT, nullable=False),
        sa.Column("blocked_until", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("key", name="pk_throttle"),
    )
    op.create_table(
        "audit_entry",
        sa.Column("id", ID, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("actor_id", ID, nullable=True),
        sa.Column("actor_name", sa.String(length=200), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("before", JSON, nullable=True),
        sa.Column("after", JSON, nullable=True),
        sa.ForeignKeyConstraint(["actor_id"], ["person.id"], name="fk_audit_entry_actor_id"),
        sa.PrimaryKeyConstraint("id", name="pk_audit_entry"),
    )
    op.create_index("ix_audit_entry_at", "audit_entry", ["at"], unique=False)
    op.create_table(
        "category_pair",
        sa.Column("id", ID, nullable=False),
        sa.Column("category_id", ID, nullable=False),
        sa.Column("subcategory_id", ID, nullable=True),
        sa.Column("team_id", ID, nullable=True),
        sa.Column("runbook", sa.Text(), nullable=False),
        sa.Column("archived_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["category_id"], ["category.id"], name="fk_category_pair_category_id"),
        sa.ForeignKeyConstraint(["subcategory_id"], ["subcategory.id"], name="fk_category_pair_subcategory_id"),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name="fk_category_pair_team_id"),
        sa.PrimaryKeyConstraint("id", name="pk_category_pair"),
    )
    op.create_index(
        "uq_category_pair_alone",
        "category_pair",
        ["category_id"],
        unique=True,
        sqlite_where=sa.text("subcategory_id is null"),
        postgresql_where=sa.text("subcategory_id is null"),
    )
    op.create_index("uq_category_pair_both", "category_pair", ["category_id", "subcategory_id"], unique=True)
    op.create_table(
        "import_run",
        sa.Column("id", ID, nullable=False),
        sa.Column("file_name", sa.String(length=300), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("format", sa.String(length=20), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("started_by_id", ID, nullable=True),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("finished_at", INSTANT, nullable=True),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("created", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("report", JSON, nullable=True),
        sa.ForeignKeyConstraint(["started_by_id"], ["person.id"], name="fk_import_run_started_by_id"),
        sa.PrimaryKeyConstraint("id", name="pk_import_run"),
    )
    op.create_index("ix_import_run_sha256", "import_run", ["sha256"], unique=False)
    op.create_table(
        "one_time_link",
        sa.Column("id", ID, nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("created_by_id", ID, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("used_at", INSTANT, nullable=True),
        sa.CheckConstraint("purpose in ('invite', 'password')", name="ck_one_time_link_purpose"),
        sa.ForeignKeyConstraint(["created_by_id"], ["person.id"], name="fk_one_time_link_created_by_id"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_one_time_link_person_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_one_time_link"),
        sa.UniqueConstraint("token_hash", name="uq_one_time_link_token_hash"),
    )
    op.create_index("ix_one_time_link_person_id", "one_time_link", ["person_id"], unique=False)
    op.create_table(
        "person_role",
        sa.Column("person_id", ID, nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_person_role_person_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("person_id", "role", name="pk_person_role"),
    )
    op.create_table(
        "service",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("team_id", ID, nullable=True),
        sa.Column("impact", sa.Integer(), nullable=True),
        sa.Column("archived_at", INSTANT, nullable=True),
        sa.Column("imported", sa.Boolean(), nullable=False),
        sa.CheckConstraint("impact is null or impact in (1, 2, 3)", name="ck_service_impact"),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name="fk_service_team_id"),
        sa.PrimaryKeyConstraint("id", name="pk_service"),
        sa.UniqueConstraint("name", name="uq_service_name"),
    )
    op.create_index("ix_service_team_id", "service", ["team_id"], unique=False)
    op.create_table(
        "session",
        sa.Column("id", ID, nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("last_seen_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("user_agent", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_session_person_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_session"),
        sa.UniqueConstraint("token_hash", name="uq_session_token_hash"),
    )
    op.create_index("ix_session_expires_at", "session", ["expires_at"], unique=False)
    op.create_index("ix_session_person_id", "session", ["person_id"], unique=False)
    op.create_table(
        "setting",
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("value", JSON, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("changed_by_id", ID, nullable=True),
        sa.ForeignKeyConstraint(["changed_by_id"], ["person.id"], name="fk_setting_changed_by_id"),
        sa.PrimaryKeyConstraint("key", name="pk_setting"),
    )
    op.create_table(
        "team_member",
        sa.Column("team_id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("lead", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_team_member_person_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name="fk_team_member_team_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("team_id", "person_id", name="pk_team_member"),
    )
    op.create_index("ix_team_member_person_id", "team_member", ["person_id"], unique=False)
    op.create_table(
        "incident",
        sa.Column("id", ID, nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("queue_group", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("affected", sa.String(length=200), nullable=False),
        sa.Column("service_id", ID, nullable=True),
        sa.Column("category_pair_id", ID, nullable=True),
        sa.Column("scope", sa.String(length=12), nullable=True),
        sa.Column("effect", sa.String(length=12), nullable=True),
        sa.Column("people_affected", sa.Integer(), nullable=True),
        sa.Column("impact", sa.Integer(), nullable=True),
        sa.Column("urgency", sa.Integer(), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=True),
        sa.Column("major", sa.Boolean(), nullable=False),
        sa.Column("security", sa.Boolean(), nullable=False),
        sa.Column("compliance", sa.Boolean(), nullable=False),
        sa.Column("financial", sa.Boolean(), nullable=False),
        sa.Column("restricted", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("reporter_id", ID, nullable=True),
        sa.Column("logged_by_id", ID, nullable=True),
        sa.Column("caller_name", sa.String(length=200), nullable=False),
        sa.Column("caller_contact", sa.String(length=200), nullable=False),
        sa.Column("team_id", ID, nullable=True),
        sa.Column("assignee_id", ID, nullable=True),
        sa.Column("duplicate_of_id", ID, nullable=True),
        sa.Column("parent_id", ID, nullable=True),
        sa.Column("hold_reason", sa.String(length=20), nullable=True),
        sa.Column("hold_until", INSTANT, nullable=True),
        sa.Column("resolution_code", sa.String(length=40), nullable=True),
        sa.Column("resolution_note", sa.Text(), nullable=True),
        sa.Column("verification", sa.String(length=20), nullable=True),
        sa.Column("verification_note", sa.Text(), nullable=True),
        sa.Column("denied_at", INSTANT, nullable=True),
        sa.Column("started_at", INSTANT, nullable=True),
        sa.Column("detected_at", INSTANT, nullable=True),
        sa.Column("reported_at", INSTANT, nullable=False),
        sa.Column("acknowledged_at", INSTANT, nullable=True),
        sa.Column("resolved_at", INSTANT, nullable=True),
        sa.Column("recovered_at", INSTANT, nullable=True),
        sa.Column("verified_at", INSTANT, nullable=True),
        sa.Column("closed_at", INSTANT, nullable=True),
        sa.Column("cancelled_at", INSTANT, nullable=True),
        sa.Column(
            "done_at",
            INSTANT,
            sa.Computed(
                "case when coalesce(resolved_at, closed_at, cancelled_at) < reported_at then reported_at "
                "else coalesce(resolved_at, closed_at, cancelled_at) end",
                persisted=True,
            ),
            nullable=True,
        ),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("response_due_at", INSTANT, nullable=True),
        sa.Column("resolution_due_at", INSTANT, nullable=True),
        sa.Column("resolution_warn_at", INSTANT, nullable=True),
        sa.Column("first_resolution_due_at", INSTANT, nullable=True),
        sa.Column("rank_at", INSTANT, nullable=False),
        sa.Column("reopen_count", sa.Integer(), nullable=False),
        sa.Column("handovers", sa.Integer(), nullable=False),
        sa.Column("ping_pong", sa.Boolean(), nullable=False),
        sa.Column("imported", sa.Boolean(), nullable=False),
        sa.Column("form_token", sa.String(length=64), nullable=True),
        sa.CheckConstraint(
            "state in ('new','assigned','in_progress','on_hold','resolved','recovered','closed','cancelled')",
            name="ck_incident_state",
        ),
        sa.CheckConstraint("impact is null or impact in (1, 2, 3)", name="ck_incident_impact"),
        sa.CheckConstraint("priority is null or priority between 1 and 5", name="ck_incident_priority"),
        sa.CheckConstraint("urgency is null or urgency in (1, 2, 3)", name="ck_incident_urgency"),
        sa.ForeignKeyConstraint(["assignee_id"], ["person.id"], name="fk_incident_assignee_id"),
        sa.ForeignKeyConstraint(["category_pair_id"], ["category_pair.id"], name="fk_incident_category_pair_id"),
        sa.ForeignKeyConstraint(["duplicate_of_id"], ["incident.id"], name="fk_incident_duplicate_of_id"),
        sa.ForeignKeyConstraint(["logged_by_id"], ["person.id"], name="fk_incident_logged_by_id"),
        sa.ForeignKeyConstraint(["parent_id"], ["incident.id"], name="fk_incident_parent_id"),
        sa.ForeignKeyConstraint(["reporter_id"], ["person.id"], name="fk_incident_reporter_id"),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name="fk_incident_service_id"),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name="fk_incident_team_id"),
        sa.PrimaryKeyConstraint("id", name="pk_incident"),
        sa.UniqueConstraint("number", name="uq_incident_number"),
    )
    op.create_index("ix_incident_assignee_queue", "incident", ["assignee_id", "queue_group", "rank_at"], unique=False)
    op.create_index("ix_incident_closed_at", "incident", ["closed_at"], unique=False)
    op.create_index("ix_incident_done_at", "incident", ["done_at", "reported_at"], unique=False)
    op.create_index(
        "ix_incident_denied",
        "incident",
        ["denied_at"],
        unique=False,
        sqlite_where=sa.text("denied_at is not null"),
        postgresql_where=sa.text("denied_at is not null"),
    )
    op.create_index(
        "ix_incident_duplicate_of_id",
        "incident",
        ["duplicate_of_id"],
        unique=False,
        sqlite_where=sa.text("duplicate_of_id is not null"),
        postgresql_where=sa.text("duplicate_of_id is not null"),
    )
    op.create_index("ix_incident_late", "incident", ["queue_group", "resolution_due_at"], unique=False)
    op.create_index(
        "ix_incident_parent_id",
        "incident",
        ["parent_id"],
        unique=False,
        sqlite_where=sa.text("parent_id is not null"),
        postgresql_where=sa.text("parent_id is not null"),
    )
    op.create_index("ix_incident_priority_queue", "incident", ["priority", "queue_group", "rank_at"], unique=False)
    op.create_index("ix_incident_queue", "incident", ["queue_group", "rank_at", "reported_at", "id"], unique=False)
    op.create_index(
        "ix_incident_reported_at",
        "incident",
        [
            "reported_at",
            "resolved_at",
            "state",
            "duplicate_of_id",
            "resolution_due_at",
            "priority",
            "category_pair_id",
            "restricted",
        ],
        unique=False,
    )
    op.create_index("ix_incident_reporter", "incident", ["reporter_id", "reported_at"], unique=False)
    op.create_index(
        "ix_incident_resolved_at",
        "incident",
        ["resolved_at", "reported_at", "state", "duplicate_of_id", "reopen_count", "restricted"],
        unique=False,
    )
    op.create_index(
        "ix_incident_restricted",
        "incident",
        ["queue_group"],
        unique=False,
        sqlite_where=sa.text("restricted = 1"),
        postgresql_where=sa.text("restricted"),
    )
    op.create_index("ix_incident_service_queue", "incident", ["service_id", "queue_group", "rank_at"], unique=False)
    op.create_index("ix_incident_state_rank", "incident", ["state", "rank_at", "id"], unique=False)
    op.create_index("ix_incident_team_queue", "incident", ["team_id", "queue_group", "rank_at", "state"], unique=False)
    op.create_index(
        "uq_incident_form_token",
        "incident",
        ["form_token"],
        unique=True,
        sqlite_where=sa.text("form_token is not null"),
        postgresql_where=sa.text("form_token is not null"),
    )
    op.create_table(
        "attachment",
        sa.Column("id", ID, nullable=False),
        sa.Column("incident_id", ID, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("added_by_id", ID, nullable=True),
        sa.Column("added_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["added_by_id"], ["person.id"], name="fk_attachment_added_by_id"),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_attachment_incident_id"),
        sa.PrimaryKeyConstraint("id", name="pk_attachment"),
    )
    op.create_index("ix_attachment_incident_id", "attachment", ["incident_id"], unique=False)
    op.create_table(
        "follower",
        sa.Column("incident_id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("named", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_follower_incident_id"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_follower_person_id"),
        sa.PrimaryKeyConstraint("incident_id", "person_id", name="pk_follower"),
    )
    op.create_index("ix_follower_person_id", "follower", ["person_id"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", ID, nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("person_id", ID, nullable=True),
        sa.Column("address", sa.String(length=500), nullable=False),
        sa.Column("incident_id", ID, nullable=True),
        sa.Column("payload", JSON, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("next_attempt_at", INSTANT, nullable=False),
        sa.Column("leased_until", INSTANT, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_at", INSTANT, nullable=True),
        sa.Column("given_up_at", INSTANT, nullable=True),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_outbox_incident_id"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_outbox_person_id"),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("key", name="uq_outbox_key"),
    )
    op.create_index("ix_outbox_incident_id", "outbox", ["incident_id"], unique=False)
    op.create_index(
        "ix_outbox_waiting",
        "outbox",
        ["next_attempt_at"],
        unique=False,
        sqlite_where=sa.text("sent_at is null and given_up_at is null"),
        postgresql_where=sa.text("sent_at is null and given_up_at is null"),
    )
    op.create_table(
        "pause",
        sa.Column("id", ID, nullable=False),
        sa.Column("incident_id", ID, nullable=False),
        sa.Column("began_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_pause_incident_id"),
        sa.PrimaryKeyConstraint("id", name="pk_pause"),
    )
    op.create_index("ix_pause_incident_id", "pause", ["incident_id"], unique=False)
    op.create_table(
        "timeline_entry",
        sa.Column("id", ID, nullable=False),
        sa.Column("incident_id", ID, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("actor_id", ID, nullable=True),
        sa.Column("actor_name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("changes", JSON, nullable=True),
        sa.Column("from_state", sa.String(length=12), nullable=True),
        sa.Column("to_state", sa.String(length=12), nullable=True),
        sa.Column("from_team_id", ID, nullable=True),
        sa.Column("to_team_id", ID, nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("imported", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["person.id"], name="fk_timeline_entry_actor_id"),
        sa.ForeignKeyConstraint(["from_team_id"], ["team.id"], name="fk_timeline_entry_from_team_id"),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_timeline_entry_incident_id"),
        sa.ForeignKeyConstraint(["to_team_id"], ["team.id"], name="fk_timeline_entry_to_team_id"),
        sa.PrimaryKeyConstraint("id", name="pk_timeline_entry"),
    )
    op.create_index("ix_timeline_entry_incident", "timeline_entry", ["incident_id", "at", "id"], unique=False)
    op.create_index("ix_timeline_entry_to_team", "timeline_entry", ["incident_id", "to_team_id"], unique=False)
    op.create_table(
        "timer",
        sa.Column("id", ID, nullable=False),
        sa.Column("incident_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("fired_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_timer_incident_id"),
        sa.PrimaryKeyConstraint("id", name="pk_timer"),
    )
    op.create_index(
        "ix_timer_due_at",
        "timer",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("fired_at is null"),
        postgresql_where=sa.text("fired_at is null"),
    )
    op.create_index("uq_timer_incident_kind", "timer", ["incident_id", "kind"], unique=True)
    op.create_table(
        "attachment_content",
        sa.Column("attachment_id", ID, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["attachment_id"], ["attachment.id"], name="fk_attachment_content_attachment_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("attachment_id", name="pk_attachment_content"),
    )
    op.create_index("uq_person_email", "person", [sa.text("lower(email)")], unique=True)
