"""Runs the migrations in versions/, one process at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from db.engine import DatabaseProblem, use_wal
from db.models import Base

_ADVISORY_LOCK = 7_310_994_021


def _scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return ScriptDirectory.from_config(config)


def upgrade(engine: Engine, to: str = "head") -> None:
    """Upgrade to revision `to` in one transaction under a lock; refuse a database of a newer version."""
    scripts = _scripts()
    head = scripts.get_current_head()
    with engine.connect() as connection:
        at = _checked_revision(connection, scripts)
    if engine.dialect.name == "sqlite":
        use_wal(engine)
    if at == head and to == "head":
        return
    with _exclusive(engine) as connection:
        upgrade_within(connection, to)


def upgrade_within(connection: Connection, to: str = "head") -> None:
    """The same inside the transaction of `connection`, in which no other process can be (see alone)."""
    scripts = _scripts()
    _checked_revision(connection, scripts)
    with EnvironmentContext(
        Config(), scripts, fn=lambda revision, _context: scripts._upgrade_revs(to, revision)
    ) as environment:
        environment.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
        environment.run_migrations()


def checked_revision(connection: Connection) -> str | None:
    """The revision the database is at, None when it has none. DatabaseProblem when that is not ours, or newer."""
    return _checked_revision(connection, _scripts())


def alone(connection: Connection) -> None:
    """Wait until nobody else migrates; SQLite needs nothing: its write transaction already stands alone."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})


def _checked_revision(connection: Connection, scripts: ScriptDirectory) -> str | None:
    """The revision the database is at. DatabaseProblem when it is not ours, or of a newer version."""
    at = MigrationContext.configure(connection).get_current_revision()
    if at is not None and at not in {script.revision for script in scripts.walk_revisions()}:
        raise DatabaseProblem(
            "This database was made by a newer version of Incident Desk. Install that version, or use a backup."
        )
    if at is None and connection.dialect.has_table(connection, "incident"):
        raise DatabaseProblem("This database was not made by Incident Desk. Point DATABASE_URL to another one.")
    return at


@contextmanager
def _exclusive(engine: Engine) -> Iterator[Connection]:
    """A transaction that no other process can be in: BEGIN IMMEDIATE on SQLite, an advisory lock on PostgreSQL."""
    with engine.connect().execution_options(incident_desk_write=True) as connection, connection.begin():
        alone(connection)
        yield connection
