"""Full-text search over number, title, description and what is affected; kept by triggers in the same transaction."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

COLUMNS = ("number", "title", "description", "affected")


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _sqlite()
    else:
        _postgresql()


def _sqlite() -> None:
    names = ", ".join(COLUMNS)
    new, old = (", ".join(f"{row}.{column}" for column in COLUMNS) for row in ("new", "old"))
    op.execute(
        f"create virtual table incident_text using fts5({names}, content='incident', content_rowid='id', "
        "tokenize='unicode61 remove_diacritics 2', prefix='2 3')"
    )
    insert = f"insert into incident_text(rowid, {names}) values (new.id, {new});"
    delete = f"insert into incident_text(incident_text, rowid, {names}) values ('delete', old.id, {old});"
    op.execute(f"create trigger incident_text_insert after insert on incident begin {insert} end")
    op.execute(
        f"create trigger incident_text_update after update of {names} on incident "
        f"when ({new}) is not ({old}) begin {delete} {insert} end"
    )
    op.execute(f"create trigger incident_text_delete after delete on incident begin {delete} end")
    op.execute("insert into incident_text(incident_text) values ('rebuild')")


def _postgresql() -> None:
    def vector(row: str) -> str:
        text = " || ' ' || ".join(f"{row}{column}" for column in COLUMNS)
        return f"to_tsvector('simple', left({text}, 200000))"

    op.execute(
        "create table incident_text (incident_id bigint primary key references incident(id) on delete cascade, "
        "words tsvector not null)"
    )
    op.execute(f"insert into incident_text select id, {vector('')} from incident")
    op.execute("create index ix_incident_text_words on incident_text using gin (words) with (fastupdate = off)")
    op.execute(
        "create function keep_incident_text() returns trigger language plpgsql as $$ begin "
        f"insert into incident_text values (new.id, {vector('new.')}) "
        "on conflict (incident_id) do update set words = excluded.words; return new; end $$"
    )
    op.execute(
        "create trigger incident_text_insert after insert on incident "
        "for each row execute function keep_incident_text()"
    )
    op.execute(
        f"create trigger incident_text_update after update of {', '.join(COLUMNS)} on incident "
        f"for each row when ((old.number, old.title, old.description, old.affected) is distinct from "
        "(new.number, new.title, new.description, new.affected)) execute function keep_incident_text()"
    )
