"""The status page: its components, what was published of incidents and maintenance, and its subscribers."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NOW = sa.text("ended_at is null")


def upgrade() -> None:
    _page()
    _publications()
    _subscribers()


def _page() -> None:
    op.create_table(
        "status_page",
        sa.Column("id", ID, nullable=False),
        sa.Column("published", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("closing_words", sa.Text(), nullable=False),
        sa.Column("logo", sa.LargeBinary()),
        sa.Column("logo_type", sa.String(length=40), nullable=False),
        sa.Column("logo_hash", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_status_page"),
    )
    op.create_table(
        "status_component",
        sa.Column("id", ID, nullable=False),
        sa.Column("group_name", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("description", sa.String(length=200), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("archived_at", sa.BigInteger()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_status_component"),
    )
    op.create_table(
        "status_component_service",
        sa.Column("component_id", ID, nullable=False),
        sa.Column("service_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["component_id"], ["status_component.id"], name="fk_status_component_service_component_id"
        ),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name="fk_status_component_service_service_id"),
        sa.PrimaryKeyConstraint("component_id", "service_id", name="pk_status_component_service"),
    )
    op.create_index("ix_status_component_service_service_id", "status_component_service", ["service_id"])


def _publications() -> None:
    op.create_table(
        "publication",
        sa.Column("id", ID, nullable=False),
        sa.Column("incident_id", ID, nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("stage", sa.String(length=15), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger()),
        sa.CheckConstraint(
            "stage in ('investigating', 'identified', 'monitoring', 'resolved')", name="ck_publication_stage"
        ),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_publication_incident_id"),
        sa.PrimaryKeyConstraint("id", name="pk_publication"),
    )
    op.create_index("uq_publication_incident_id", "publication", ["incident_id"], unique=True)
    op.create_index("ix_publication_ended_at", "publication", ["ended_at"])
    op.create_table(
        "publication_closing",
        sa.Column("id", ID, nullable=False),
        sa.Column("publication_id", ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["publication_id"], ["publication.id"], name="fk_publication_closing_publication_id"),
        sa.PrimaryKeyConstraint("id", name="pk_publication_closing"),
    )
    op.create_index("ix_publication_closing_publication_id", "publication_closing", ["publication_id"])
    op.create_table(
        "status_component_span",
        sa.Column("id", ID, nullable=False),
        sa.Column("component_id", ID, nullable=False),
        sa.Column("incident_id", ID, nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger()),
        sa.CheckConstraint("state in ('degraded', 'partial', 'major')", name="ck_status_component_span_state"),
        sa.ForeignKeyConstraint(
            ["component_id"], ["status_component.id"], name="fk_status_component_span_component_id"
        ),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_status_component_span_incident_id"),
        sa.PrimaryKeyConstraint("id", name="pk_status_component_span"),
    )
    op.create_index("ix_status_component_span_component_id", "status_component_span", ["component_id", "began_at"])
    op.create_index("ix_status_component_span_incident_id", "status_component_span", ["incident_id"])
    op.create_index(
        "uq_status_component_span_now",
        "status_component_span",
        ["component_id", "incident_id"],
        unique=True,
        sqlite_where=NOW,
        postgresql_where=NOW,
    )
    op.create_table(
        "published_window",
        sa.Column("window_id", ID, nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger()),
        sa.Column("begun_at", sa.BigInteger()),
        sa.Column("settled_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(
            ["window_id"], ["maintenance_window.id"], name="fk_published_window_window_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("window_id", name="pk_published_window"),
    )


def _subscribers() -> None:
    op.create_table(
        "subscriber",
        sa.Column("id", ID, nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("seed", sa.String(length=32), nullable=False),
        sa.Column("everything", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_subscriber"),
        sa.UniqueConstraint("email", name="uq_subscriber_email"),
    )
    op.create_index("ix_subscriber_confirmed_at", "subscriber", ["confirmed_at"])
    op.create_table(
        "subscriber_component",
        sa.Column("subscriber_id", ID, nullable=False),
        sa.Column("component_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name="fk_subscriber_component_subscriber_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["component_id"], ["status_component.id"], name="fk_subscriber_component_component_id"),
        sa.PrimaryKeyConstraint("subscriber_id", "component_id", name="pk_subscriber_component"),
    )
    op.create_index("ix_subscriber_component_component_id", "subscriber_component", ["component_id"])
