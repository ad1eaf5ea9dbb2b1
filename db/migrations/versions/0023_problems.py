"""Problems with their history, the incidents linked with them, what was dismissed, and whom their words helped."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.BigInteger()
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    _problem()
    _entry()
    _asides()
    _links()


def _problem() -> None:
    op.create_table(
        "problem",
        sa.Column("id", ID, nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=15), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("service_id", ID),
        sa.Column("category_pair_id", ID),
        sa.Column("restricted", sa.Boolean(), nullable=False),
        sa.Column("owner_id", ID),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("workaround", sa.Text(), nullable=False),
        sa.Column("public_words", sa.Text(), nullable=False),
        sa.Column("fix", sa.Text(), nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("opened_by_id", ID, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("fixed_at", INSTANT),
        sa.Column("closed_at", INSTANT),
        sa.Column("form_token", sa.String(length=64)),
        sa.CheckConstraint(
            "state in ('open', 'investigating', 'known_error', 'fixed', 'closed')", name="ck_problem_state"
        ),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name="fk_problem_service_id"),
        sa.ForeignKeyConstraint(["category_pair_id"], ["category_pair.id"], name="fk_problem_category_pair_id"),
        sa.ForeignKeyConstraint(["owner_id"], ["person.id"], name="fk_problem_owner_id"),
        sa.ForeignKeyConstraint(["opened_by_id"], ["person.id"], name="fk_problem_opened_by_id"),
        sa.PrimaryKeyConstraint("id", name="pk_problem"),
        sa.UniqueConstraint("number", name="uq_problem_number"),
        sa.UniqueConstraint("form_token", name="uq_problem_form_token"),
    )
    op.create_index("ix_problem_state", "problem", ["state", "changed_at", "id"])


def _entry() -> None:
    op.create_table(
        "problem_entry",
        sa.Column("id", ID, nullable=False),
        sa.Column("problem_id", ID, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("actor_id", ID),
        sa.Column("actor_name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=15), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("changes", JSON),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["problem_id"], ["problem.id"], name="fk_problem_entry_problem_id"),
        sa.ForeignKeyConstraint(["actor_id"], ["person.id"], name="fk_problem_entry_actor_id"),
        sa.PrimaryKeyConstraint("id", name="pk_problem_entry"),
    )
    op.create_index("ix_problem_entry_problem_id", "problem_entry", ["problem_id", "id"])
    if op.get_bind().dialect.name == "sqlite":
        for what in ("update", "delete"):
            op.execute(
                f"create trigger problem_entry_no_{what} before {what} on problem_entry "
                "begin select raise(abort, 'problem_entry is append-only'); end"
            )
    else:  # the function is of 0002
        op.execute(
            "create trigger problem_entry_append_only before update or delete on problem_entry "
            "for each row execute function refuse_change()"
        )


def _asides() -> None:
    op.create_table(
        "dismissed_repeat",
        sa.Column("service_id", ID, nullable=False),
        sa.Column("category_pair_id", ID, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("by_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name="fk_dismissed_repeat_service_id"),
        sa.ForeignKeyConstraint(
            ["category_pair_id"], ["category_pair.id"], name="fk_dismissed_repeat_category_pair_id"
        ),
        sa.ForeignKeyConstraint(["by_id"], ["person.id"], name="fk_dismissed_repeat_by_id"),
        sa.PrimaryKeyConstraint("service_id", "category_pair_id", name="pk_dismissed_repeat"),
    )
    op.create_table(
        "deflection",
        sa.Column("id", ID, nullable=False),
        sa.Column("problem_id", ID, nullable=False),
        sa.Column("person_id", ID),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["problem_id"], ["problem.id"], name="fk_deflection_problem_id"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_deflection_person_id"),
        sa.PrimaryKeyConstraint("id", name="pk_deflection"),
        sa.UniqueConstraint("token", name="uq_deflection_token"),
    )
    op.create_index("ix_deflection_problem_id", "deflection", ["problem_id", "at"])


def _links() -> None:
    """Added without rebuilding a table."""
    kind = ID.compile(dialect=op.get_bind().dialect)
    named = "constraint fk_incident_link_problem_id "
    op.execute(f"alter table incident_link add column problem_id {kind} {named}references problem(id)")
    known = sa.text("problem_id is not null")
    op.create_index(
        "uq_incident_link_problem",
        "incident_link",
        ["problem_id", "incident_id"],
        unique=True,
        sqlite_where=known,
        postgresql_where=known,
    )
    sorted_ones = sa.text("service_id is not null and category_pair_id is not null")
    op.create_index(
        "ix_incident_repeats",
        "incident",
        ["service_id", "category_pair_id", "reported_at", "state", "duplicate_of_id", "restricted"],
        sqlite_where=sorted_ones,
        postgresql_where=sorted_ones,
    )
