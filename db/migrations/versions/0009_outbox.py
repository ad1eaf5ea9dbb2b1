"""How people and teams are reached, links that act from a page, and what the outbox needs to be sent."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.BigInteger()
WAITING = "sent_at is null and given_up_at is null and cancelled_at is null"
CHANNELS = "'email', 'webhook', 'slack', 'teams', 'mattermost', 'apprise'"


def upgrade() -> None:
    _contact_methods()
    _team_channels()
    _page_links()
    for name, type_, rest in (
        ("target", sa.String(200), "default '' not null"),
        ("urgent", sa.Boolean(), "default false not null"),
        ("method_id", ID, "references contact_method(id)"),
        ("team_channel_id", ID, "references team_channel(id)"),
        ("wanted_at", INSTANT, "default 0 not null"),
        ("last_attempt_at", INSTANT, ""),
        ("cancelled_at", INSTANT, ""),
        ("cancelled_why", sa.String(200), "default '' not null"),
    ):
        written = type_.compile(dialect=op.get_bind().dialect)
        op.execute(f"alter table outbox add column {name} {written} {rest}")
    op.execute("update outbox set wanted_at = next_attempt_at")
    op.drop_index("ix_outbox_waiting", table_name="outbox")
    where = {"sqlite_where": sa.text(WAITING), "postgresql_where": sa.text(WAITING)}
    op.create_index("ix_outbox_waiting", "outbox", ["target", "next_attempt_at"], unique=False, **where)
    op.create_index("ix_outbox_notice_id", "outbox", ["notice_id"], unique=False)
    op.create_index("ix_outbox_person_id", "outbox", ["person_id"], unique=False)
    op.create_index("ix_outbox_method_id", "outbox", ["method_id"], unique=False)
    op.create_index("ix_outbox_team_channel_id", "outbox", ["team_channel_id"], unique=False)
    given_up = sa.text("given_up_at is not null")
    op.create_index(
        "ix_outbox_given_up", "outbox", ["given_up_at"], unique=False, sqlite_where=given_up, postgresql_where=given_up
    )


def _contact_methods() -> None:
    op.create_table(
        "contact_method",
        sa.Column("id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("address", sa.String(length=500), nullable=False),
        sa.Column("label", sa.String(length=80), nullable=False),
        sa.Column("secret", sa.String(length=100), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("code_sent_at", INSTANT, nullable=True),
        sa.Column("code_tries", sa.Integer(), nullable=False),
        sa.Column("verified_at", INSTANT, nullable=True),
        sa.Column("broken_at", INSTANT, nullable=True),
        sa.Column("broken_why", sa.Text(), nullable=False),
        sa.CheckConstraint(f"channel in ({CHANNELS})", name="channel"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_contact_method_person_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_contact_method"),
    )
    op.create_index("uq_contact_method_address", "contact_method", ["person_id", "channel", "address"], unique=True)
    op.create_table(
        "notification_rule",
        sa.Column("id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("urgency", sa.String(length=10), nullable=False),
        sa.Column("method_id", ID, nullable=False),
        sa.Column("delay", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.CheckConstraint("urgency in ('high', 'other')", name="urgency"),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name="fk_notification_rule_person_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["method_id"], ["contact_method.id"], name="fk_notification_rule_method_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_notification_rule"),
    )
    op.create_index("ix_notification_rule_person_id", "notification_rule", ["person_id", "urgency"], unique=False)
    op.create_index("ix_notification_rule_method_id", "notification_rule", ["method_id"], unique=False)


def _team_channels() -> None:
    op.create_table(
        "team_channel",
        sa.Column("id", ID, nullable=False),
        sa.Column("team_id", ID, nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("address", sa.String(length=500), nullable=False),
        sa.Column("secret", sa.String(length=100), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("broken_at", INSTANT, nullable=True),
        sa.Column("broken_why", sa.Text(), nullable=False),
        sa.CheckConstraint("channel in ('slack', 'teams', 'mattermost', 'webhook')", name="channel"),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name="fk_team_channel_team_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_team_channel"),
    )
    op.create_index("uq_team_channel_address", "team_channel", ["team_id", "channel", "address"], unique=True)


def _page_links() -> None:
    op.create_table(
        "page_link",
        sa.Column("id", ID, nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("action", sa.String(length=20), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("incident_id", ID, nullable=False),
        sa.Column("notice_id", ID, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("used_at", INSTANT, nullable=True),
        sa.CheckConstraint("action in ('acknowledge', 'resolve')", name="action"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_page_link_person_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_page_link_incident_id"),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name="fk_page_link_notice_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_page_link"),
        sa.UniqueConstraint("token_hash", name="uq_page_link_token_hash"),
    )
    op.create_index("ix_page_link_expires_at", "page_link", ["expires_at"], unique=False)
    op.create_index("ix_page_link_notice_id", "page_link", ["notice_id"], unique=False)
