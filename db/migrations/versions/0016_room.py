"""The room of an incident: messages with what they said before, and who is there."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WITH_TOKEN = sa.text("form_token is not null")


def upgrade() -> None:
    op.add_column("attachment", sa.Column("internal", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "room",
        sa.Column("incident_id", ID, nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("call_url", sa.String(length=500), nullable=False, server_default=""),
        sa.Column("call_at", sa.BigInteger()),
        sa.Column("called_by_id", ID),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_room_incident_id"),
        sa.ForeignKeyConstraint(["called_by_id"], ["person.id"], name="fk_room_called_by_id"),
        sa.PrimaryKeyConstraint("incident_id", name="pk_room"),
    )
    op.create_table(
        "message",
        sa.Column("id", ID, nullable=False),
        sa.Column("incident_id", ID, nullable=False),
        sa.Column("author_id", ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("reply_to_id", ID),
        sa.Column("attachment_id", ID),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("edited_at", sa.BigInteger()),
        sa.Column("retracted_at", sa.BigInteger()),
        sa.Column("pinned_at", sa.BigInteger()),
        sa.Column("task_id", ID),
        sa.Column("form_token", sa.String(length=64)),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_message_incident_id"),
        sa.ForeignKeyConstraint(["author_id"], ["person.id"], name="fk_message_author_id"),
        sa.ForeignKeyConstraint(["reply_to_id"], ["message.id"], name="fk_message_reply_to_id"),
        sa.ForeignKeyConstraint(["attachment_id"], ["attachment.id"], name="fk_message_attachment_id"),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name="fk_message_task_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_message"),
    )
    op.create_index("ix_message_incident_id", "message", ["incident_id", "id"])
    op.create_index("ix_message_turn", "message", ["incident_id", "turn"])
    op.create_index(
        "uq_message_form_token",
        "message",
        ["form_token"],
        unique=True,
        sqlite_where=WITH_TOKEN,
        postgresql_where=WITH_TOKEN,
    )
    op.create_table(
        "message_version",
        sa.Column("id", ID, nullable=False),
        sa.Column("message_id", ID, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="fk_message_version_message_id"),
        sa.PrimaryKeyConstraint("id", name="pk_message_version"),
    )
    op.create_index("ix_message_version_message_id", "message_version", ["message_id", "id"])
    op.create_table(
        "presence",
        sa.Column("incident_id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("place", sa.String(length=120), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_presence_incident_id"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_presence_person_id"),
        sa.PrimaryKeyConstraint("incident_id", "person_id", "place", name="pk_presence"),
    )
    op.create_index("ix_presence_place", "presence", ["place"])
