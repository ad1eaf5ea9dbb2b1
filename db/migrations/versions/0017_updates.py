"""Roles in the response to an incident, and updates to stakeholders with the time of the next."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ONE = sa.text("ended_at is null and role <> 'expert'")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
HELD = sa.text("ended_at is null")
WITH_TOKEN = sa.text("form_token is not null")


def upgrade() -> None:
    op.add_column("room", sa.Column("declared_at", sa.BigInteger()))
    op.add_column("room", sa.Column("update_due_at", sa.BigInteger()))
    op.create_table(
        "incident_role",
        sa.Column("id", ID, nullable=False),
        sa.Column("incident_id", ID, nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("subject", sa.String(length=120), nullable=False, server_default=""),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("given_by_id", ID),
        sa.CheckConstraint("role in ('commander', 'communications', 'scribe', 'expert')", name="ck_incident_role_role"),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_incident_role_incident_id"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_incident_role_person_id"),
        sa.ForeignKeyConstraint(["given_by_id"], ["person.id"], name="fk_incident_role_given_by_id"),
        sa.PrimaryKeyConstraint("id", name="pk_incident_role"),
    )
    op.create_index("ix_incident_role_incident_id", "incident_role", ["incident_id"])
    op.create_index(
        "uq_incident_role_held",
        "incident_role",
        ["incident_id", "role"],
        unique=True,
        sqlite_where=ONE,
        postgresql_where=ONE,
    )
    op.create_index(
        "uq_incident_role_person",
        "incident_role",
        ["incident_id", "role", "person_id"],
        unique=True,
        sqlite_where=HELD,
        postgresql_where=HELD,
    )
    op.create_table(
        "incident_update",
        sa.Column("id", ID, nullable=False),
        sa.Column("incident_id", ID, nullable=False),
        sa.Column("audience", sa.String(length=10), nullable=False),
        sa.Column("stage", sa.String(length=15), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False, server_default=""),
        sa.Column("components", JSON),
        sa.Column("next_at", sa.BigInteger()),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("written_by_id", ID, nullable=False),
        sa.Column("written_at", sa.BigInteger(), nullable=False),
        sa.Column("decided_by_id", ID),
        sa.Column("decided_at", sa.BigInteger()),
        sa.Column("declined_why", sa.Text(), nullable=False, server_default=""),
        sa.Column("published_at", sa.BigInteger()),
        sa.Column("corrects_id", ID),
        sa.Column("form_token", sa.String(length=64)),
        sa.CheckConstraint("audience in ('internal', 'external', 'both')", name="ck_incident_update_audience"),
        sa.CheckConstraint(
            "stage in ('investigating', 'identified', 'monitoring', 'resolved')", name="ck_incident_update_stage"
        ),
        sa.CheckConstraint("state in ('waiting', 'published', 'declined')", name="ck_incident_update_state"),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_incident_update_incident_id"),
        sa.ForeignKeyConstraint(["written_by_id"], ["person.id"], name="fk_incident_update_written_by_id"),
        sa.ForeignKeyConstraint(["decided_by_id"], ["person.id"], name="fk_incident_update_decided_by_id"),
        sa.ForeignKeyConstraint(["corrects_id"], ["incident_update.id"], name="fk_incident_update_corrects_id"),
        sa.PrimaryKeyConstraint("id", name="pk_incident_update"),
    )
    op.create_index("ix_incident_update_incident_id", "incident_update", ["incident_id", "id"])
    op.create_index(
        "uq_incident_update_form_token",
        "incident_update",
        ["form_token"],
        unique=True,
        sqlite_where=WITH_TOKEN,
        postgresql_where=WITH_TOKEN,
    )
    op.create_table(
        "service_subscriber",
        sa.Column("service_id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name="fk_service_subscriber_service_id"),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name="fk_service_subscriber_person_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("service_id", "person_id", name="pk_service_subscriber"),
    )
    op.create_index("ix_service_subscriber_person_id", "service_subscriber", ["person_id"])
