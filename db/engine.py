"""The connection to the database: transactions for reading and writing, and migrations at start."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.orm import Session as Session

from db import bell, pool
from db import chains as chains  # entries written in any session are chained
from db.settings import settings
from rules.access import Forbidden, NotFound

log = logging.getLogger(__name__)
BUSY_SECONDS = 5
LOCK_WAIT_SECONDS = 30.0
_SCHEMES = "DATABASE_URL cannot be used. It must begin with sqlite:/// or postgresql://."


class DatabaseProblem(Exception):
    """The database cannot be used as it is; `sentence` says what to do. Nothing of the change was stored."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class FairLock:
    """A lock that serves threads in the order they came, so that no writer starves."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._held = False

    def acquire(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds; True when the lock is held."""
        with self._guard:
            if not self._held:
                self._held = True
                return True
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        if turn.acquire(timeout=timeout):
            return True
        with self._guard:
            if turn in self._waiting:
                self._waiting.remove(turn)
                return False
        return True

    def release(self) -> None:
        """Hand the lock to whoever has waited longest."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._held = False


def make_engine(url: str) -> Engine:
    """An engine for SQLite (synchronous=FULL, foreign keys, fair writers) or PostgreSQL (psycopg 3)."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise DatabaseProblem(_SCHEMES) from error
    if parsed.get_backend_name() == "sqlite":
        if parsed.database and parsed.database != ":memory:" and not parsed.database.startswith("file:"):
            try:
                Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise DatabaseProblem(f"The folder of the database cannot be made: {error.strerror}.") from error
        engine = create_engine(
            parsed, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False}, pool_size=8, max_overflow=40
        )
        engine.dialect.statement_compiler = _SQLiteCompiler
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    elif parsed.get_backend_name() == "postgresql":
        engine = create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            pool_size=8,
            max_overflow=24,
            pool_use_lifo=True,  # the connection used last has the plans of our queries prepared
        )
        event.listen(engine, "connect", _prepare_postgresql)
        pool.watch(engine)
    else:
        raise DatabaseProblem(_SCHEMES)
    engine.info = {"write_lock": FairLock(), "bell": bell.Bell(engine)}  # type: ignore[attr-defined]
    return engine


class _SQLiteCompiler(SQLiteCompiler):
    """With hints such as INDEXED BY, written behind the name of a table."""

    def get_from_hint_text(self, table: Any, text: str | None) -> str | None:
        return text


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin where _begin_sqlite says, not where the driver guesses
    cursor = connection.cursor()
    try:
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
        cursor.execute("PRAGMA cache_size=-32768")
        cursor.execute("PRAGMA temp_store=MEMORY")
        cursor.execute("PRAGMA mmap_size=268435456")
        cursor.execute("PRAGMA synchronous=FULL")
    finally:
        cursor.close()


def _prepare_postgresql(connection: Any, _record: Any) -> None:
    """Joins are written in the order to take them: to plan every other order costs more than most of our queries."""
    connection.autocommit = True
    connection.execute("set join_collapse_limit = 1")
    connection.autocommit = False


def use_wal(engine: Engine) -> None:
    """Let readers and a writer of an SQLite database work side by side; the file remembers it."""
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        if cursor.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            cursor.execute("PRAGMA journal_mode=WAL")
    except Exception as error:
        # A read-only or busy file can still be read; a write says what is wrong with it.
        if "readonly" not in str(error) and "locked" not in str(error):
            raise
    finally:
        connection.close()


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get("incident_desk_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


@lru_cache
def engine() -> Engine:
    """The engine of this process, from DATABASE_URL."""
    return make_engine(settings().database_url)


@contextmanager
def reading(on: Engine | None = None) -> Iterator[Session]:
    """A session that sees one moment of the database and leaves nothing behind."""
    used = on or engine()
    with _explained(), used.connect() as connection:
        if used.dialect.name == "postgresql":
            connection = connection.execution_options(postgresql_readonly=True)
        session = Session(bind=connection, expire_on_commit=False, autoflush=False)
        try:
            yield session
        finally:
            session.close()
            connection.rollback()


@contextmanager
def asking(on: Engine | None = None) -> Iterator[Session]:
    """A session for one question in one statement. On PostgreSQL it goes without a transaction, which would cost as
    much again twice: to begin it and to end it.
    """
    used = on or engine()
    if used.dialect.name != "postgresql":
        with reading(used) as db:
            yield db
        return
    with _explained(), used.connect() as connection:
        alone = connection.execution_options(isolation_level="AUTOCOMMIT")
        with Session(bind=alone, expire_on_commit=False, autoflush=False) as db:
            yield db


@contextmanager
def writing(on: Engine | None = None) -> Iterator[Session]:
    """One transaction: committed when the block ends, rolled back on anything raised, interrupted scripts included.

    On SQLite writers of this process queue in order of arrival.
    """
    used = on or engine()
    lock: FairLock | None = used.info["write_lock"] if used.dialect.name == "sqlite" else None  # type: ignore[attr-defined]
    if lock is not None and not lock.acquire(LOCK_WAIT_SECONDS):
        raise DatabaseProblem("The database is busy. Nothing was stored; try again in a moment.")
    try:
        with _explained(), used.connect() as connection:
            session = Session(
                bind=connection.execution_options(incident_desk_write=True), expire_on_commit=False, autoflush=True
            )
            try:
                yield session
                touched = bell.before_commit(session)
                session.commit()
                used.info["bell"].ring(touched)  # type: ignore[attr-defined]
            except BaseException:
                session.rollback()
                raise
            finally:
                session.close()
    finally:
        if lock is not None:
            lock.release()


Transaction = Callable[[], AbstractContextManager[Session]]


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except (Forbidden, NotFound) as refusal:
        if refusal.refused is not None:
            log.warning("Refused: person %s may not do '%s'.", *refusal.refused)
        raise
    except DBAPIError as error:
        sentence = explain(error)
        if sentence is None:
            raise
        raise DatabaseProblem(sentence) from error


_SENTENCES = (
    ("readonly", "The database is read-only. Nothing was stored. Give the app write access to its data folder."),
    ("read-only", "The database is read-only. Nothing was stored. Ask for write access to the database."),
    ("disk is full", "The disk is full. Nothing was stored. Free some space, then try again."),
    ("no space left", "The disk is full. Nothing was stored. Free some space, then try again."),
    ("deadlock", "Somebody else was changing the same just now. Nothing was stored; try again in a moment."),
    ("lock timeout", "Others are writing just now. Nothing was stored; try again in a moment."),
    ("deadlock", "Others are writing just now. Nothing was stored; try again in a moment."),
    ("locked", "The database is busy. Nothing was stored; try again in a moment."),
    ("unable to open", "The database file cannot be opened. Check DATABASE_URL and the rights on its folder."),
    ("not a database", "The database file is damaged or is something else. Restore it from a backup."),
    ("malformed", "The database file is damaged. Restore it from a backup."),
    ("disk i/o error", "The disk cannot be read or written. Nothing was stored."),
)


def explain(error: DBAPIError) -> str | None:
    """A sentence for what is wrong with the database itself; None when the fault is in the statement."""
    said = str(error.orig).lower()
    for sign, sentence in _SENTENCES:
        if sign in said:
            return sentence
    if error.connection_invalidated or ("connection" in said and isinstance(error, OperationalError)):
        return "The database cannot be reached. Nothing was stored; try again in a moment."
    return None


def migrate(url: str | None = None) -> None:
    """Bring the database at `url` to this version's shape, safely when several processes start at once.

    DatabaseProblem when it was made by a newer version or cannot be used.
    """
    from db.migrations import head

    made = make_engine(url) if url else engine()
    try:
        with _explained():
            if head.is_current(made):
                if made.dialect.name == "sqlite":
                    use_wal(made)
                return
            from db.migrations.run import upgrade  # ten megabytes, for the first start of a version alone

            upgrade(made)
    finally:
        if url:
            made.dispose()
