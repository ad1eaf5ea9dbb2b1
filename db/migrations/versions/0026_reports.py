"""Reports that people ordered, who reads them, and what each reader was sent."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _schedules()
    _runs()


def _schedules() -> None:
    op.create_table(
        "report_schedule",
        sa.Column("id", ID, nullable=False),
        sa.Column("owner_id", ID, nullable=False),
        sa.Column("view_id", ID),
        sa.Column("every", sa.String(length=5), nullable=False),
        sa.Column("weekday", sa.Integer()),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("every in ('week', 'month')", name="ck_report_schedule_every"),
        sa.CheckConstraint("(every = 'week') = (weekday is not null)", name="ck_report_schedule_weekday"),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["person.id"], name="fk_report_schedule_owner_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["view_id"], ["saved_view.id"], name="fk_report_schedule_view_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_report_schedule"),
    )  # fmt: skip
    digest = sa.text("view_id is null")
    op.create_index("uq_report_schedule_view", "report_schedule", ["owner_id", "view_id"], unique=True)
    op.create_index(
        "uq_report_schedule_digest",
        "report_schedule",
        ["owner_id"],
        unique=True,
        sqlite_where=digest,
        postgresql_where=digest,
    )
    op.create_index("ix_report_schedule_view_id", "report_schedule", ["view_id"])
    op.create_table(
        "report_reader",
        sa.Column("schedule_id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(
            ["schedule_id"], ["report_schedule.id"], name="fk_report_reader_schedule_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_report_reader_person_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("schedule_id", "person_id", name="pk_report_reader"),
    )
    op.create_index("ix_report_reader_person_id", "report_reader", ["person_id"])
    op.create_index("ix_report_reader_next_at", "report_reader", ["next_at"])


def _runs() -> None:
    op.create_table(
        "report_run",
        sa.Column("id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("notice_id", ID),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("address", sa.String(length=1000), nullable=False),
        sa.Column("as_of", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_report_run_person_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name="fk_report_run_notice_id"),
        sa.PrimaryKeyConstraint("id", name="pk_report_run"),
    )
    op.create_index("ix_report_run_person_id", "report_run", ["person_id", "as_of"])
    op.create_index("ix_report_run_notice_id", "report_run", ["notice_id"])
    op.create_index("ix_report_run_as_of", "report_run", ["as_of"])
