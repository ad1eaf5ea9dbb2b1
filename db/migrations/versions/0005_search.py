"""Search in the words of the timeline, and the index that suggestions are looked up in."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "history_index",
        sa.Column("id", ID, nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("newest_id", ID, nullable=False),
        sa.Column("categorised", sa.Integer(), nullable=False),
        sa.Column("incidents", sa.LargeBinary(), nullable=False),
        sa.Column("lengths", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_history_index"),
    )
    op.create_table(
        "history_word",
        sa.Column("index_id", ID, nullable=False),
        sa.Column("word", sa.String(length=40), nullable=False),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.Column("places", sa.LargeBinary(), nullable=False),
        sa.Column("times", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["index_id"], ["history_index.id"], name="fk_history_word_index_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("index_id", "word", name="pk_history_word"),
    )
    if op.get_bind().dialect.name == "sqlite":
        _sqlite()
    else:
        _postgresql()


def _sqlite() -> None:
    """The timeline is append-only, so its words need no way to be changed, and no second copy of the text."""
    op.execute(
        "create virtual table timeline_text using fts5(detail, content='', "
        "tokenize='unicode61 remove_diacritics 2', prefix='2 3')"
    )
    op.execute(
        "create trigger timeline_text_insert after insert on timeline_entry when new.detail <> '' begin "
        "insert into timeline_text(rowid, detail) values (new.id, new.detail); end"
    )
    op.execute("insert into timeline_text(rowid, detail) select id, detail from timeline_entry where detail <> ''")


def _postgresql() -> None:
    def vector(row: str) -> str:
        return f"strip(to_tsvector('simple', left({row}detail, 200000)))"

    op.execute(
        "create table timeline_text (entry_id bigint primary key references timeline_entry(id) on delete cascade, "
        "incident_id bigint not null, public boolean not null, words tsvector not null)"
    )
    columns = "id, incident_id, public"
    op.execute(f"insert into timeline_text select {columns}, {vector('')} from timeline_entry where detail <> ''")
    op.execute("create index ix_timeline_text_words on timeline_text using gin (words) with (fastupdate = off)")
    op.execute(
        "create function keep_timeline_text() returns trigger language plpgsql as $$ begin "
        f"insert into timeline_text values (new.id, new.incident_id, new.public, {vector('new.')}); "
        "return new; end $$"
    )
    op.execute(
        "create trigger timeline_text_insert after insert on timeline_entry "
        "for each row when (new.detail <> '') execute function keep_timeline_text()"
    )
