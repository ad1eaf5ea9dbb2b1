"""Putting a backup back: checked to its end first, then all of it in one transaction, into an empty database."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from db import chains
from db.backup import keys, shape
from db.backup.keys import Ended
from db.backup.write import AT_A_TIME, Progress
from db.commands import audit
from db.engine import DatabaseProblem, reading, use_wal, writing
from db.migrations import head
from db.migrations.run import alone, checked_revision, upgrade_within
from db.models import ChainHead, Incident, TimelineEntry, from_micros
from rules.access import Actor
from rules.backups import Header, Reader, Table, damaged, decoder
from rules.chain import NAME_BYTES, START
from rules.errors import RuleError

_RECORDS = ("person", "incident", "audit_entry", "timeline_entry")
"""tables that are empty as long as nobody has used a database"""
_NOT_EMPTY = "A backup is restored into an empty database only, and this one has data in it. Nothing was changed."
_BYTES_AT_A_TIME = 4 << 20
_LONGEST_LINE = 1 << 28
_LONGEST_WAIT = "30s"
_TIES = text(
    "select conrelid::regclass::text as place, quote_ident(conname) as name, pg_get_constraintdef(oid) as meaning "
    "from pg_constraint where contype = 'f' and conrelid in "
    "(select oid from pg_class where relname = any(:names) and relnamespace = current_schema()::regnamespace)"
)
"""The foreign keys of tables, in PostgreSQL."""


@dataclass(frozen=True)
class Restored:
    """What came back."""

    made_at: datetime
    rows: int
    incidents: int
    same_key: bool
    """False when the records were hashed with another SECRET_KEY than the present one"""
    ended: Ended | None = None
    """keys that the backup held and that do not work any more; None: they were kept"""


def restore(
    engine: Engine, place: Path, *, keep_tokens: bool = False, actor: Actor, now: datetime, progress: Progress
) -> Restored:
    """Bring everything back that is in the backup `place`, and to this version.

    Tokens and links that work are ended, unless they are to be kept. RuleError when the file is not whole or the
    database is not empty; then, and when it is stopped, nothing changes.
    """
    with reading(engine) as db:
        _refuse_data(db)
    header = _check(place, progress)
    if engine.dialect.name == "sqlite":
        use_wal(engine)
    with writing(engine) as db:
        connection = db.connection()
        alone(connection)
        _make_room(db, header.schema)
        with _untied(connection):
            _clear(connection, shape.ours(connection))
            _load(connection, place, header, progress)
        _count_on(connection)
        upgrade_within(connection)
        same_key = _same_key(db)
        incidents = db.scalar(select(func.count()).select_from(Incident)) or 0
        made_at = from_micros(header.made_at)
        ended = None if keep_tokens else keys.end(db, actor=actor, now=now)
        told = {"made": made_at.isoformat(timespec="seconds"), "rows": header.rows, "tokens_kept": keep_tokens}
        audit.record(db, actor, now, "backup restored", place.name, after=told)
    return Restored(made_at, header.rows, incidents, same_key, ended)


def _refuse_data(db: Session) -> None:
    there = shape.ours(db.connection())
    if any(name in there and db.scalar(text(f"select 1 from {name} limit 1")) for name in _RECORDS):
        raise RuleError(_NOT_EMPTY)


def _check(place: Path, progress: Progress) -> Header:
    """Read the whole file, so that nothing is begun that cannot be finished."""
    done = 0
    with _opened(place) as reader:
        for table, lines in reader.tables():
            decode = decoder(table)
            for line in lines:
                decode(line)
                done += 1
                if done % AT_A_TIME == 0:
                    progress("check", done, 0)
        if done != reader.header.rows:
            raise damaged("the number of its rows")
        return reader.header


@contextmanager
def _opened(place: Path) -> Iterator[Reader]:
    if not place.is_file():
        raise RuleError(f"There is no file '{place}'.")
    with gzip.open(place, "rb") as file:
        yield Reader(_lines(file), head.newest())


def _lines(file: gzip.GzipFile) -> Iterator[bytes]:
    first = True
    try:
        while line := file.readline(_LONGEST_LINE):
            if not line.endswith(b"\n"):
                raise damaged("a line without an end")
            yield line
            first = False
    except gzip.BadGzipFile:
        raise RuleError("This file is not a backup of Incident Desk.") if first else damaged() from None
    except (EOFError, zlib.error):
        raise damaged() from None


def _make_room(db: Session, schema: str) -> None:
    """Have the shape of version `schema`. DatabaseProblem when the database is not ours, RuleError when it is used."""
    connection = db.connection()
    there, at = shape.ours(connection), checked_revision(connection)
    if there and at is None:
        raise DatabaseProblem("This database was not made by Incident Desk. Point DATABASE_URL to another one.")
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"set local lock_timeout = '{_LONGEST_WAIT}'"))
        if there:
            connection.execute(text(f"lock table {', '.join(map(_quoted, there))} in access exclusive mode"))
    _refuse_data(db)
    if there and at != schema:
        with _untied(connection, again=False):
            _clear(connection, there)
            _drop(connection, there)
    upgrade_within(connection, schema)


@contextmanager
def _untied(connection: Connection, *, again: bool = True) -> Iterator[None]:
    """Rows may point to rows that are not there yet, and tables to each other in circles; all is checked afterwards."""
    if connection.dialect.name == "sqlite":
        connection.execute(text("pragma defer_foreign_keys = on"))
        yield
        return
    ties = connection.execute(_TIES, {"names": [*shape.ours(connection), *shape.DERIVED]}).all()
    for tie in ties:
        connection.execute(text(f"alter table {tie.place} drop constraint {tie.name}"))
    yield
    for tie in ties if again else ():
        connection.execute(text(f"alter table {tie.place} add constraint {tie.name} {tie.meaning}"))


def _clear(connection: Connection, names: list[str]) -> None:
    """What an unused database holds was not put in by people."""
    for name in reversed(names):
        if name not in _RECORDS:
            connection.execute(text(f"delete from {_quoted(name)}"))


def _drop(connection: Connection, names: list[str]) -> None:
    """Begin anew: an earlier version's shape cannot be had from a later one."""
    for name in (*shape.DERIVED, *reversed(names), shape.VERSION):
        connection.execute(text(f"drop table if exists {_quoted(name)}"))
    if connection.dialect.name == "postgresql":
        for name in shape.FUNCTIONS:
            connection.execute(text(f"drop function if exists {name}()"))


def _load(connection: Connection, place: Path, header: Header, progress: Progress) -> None:
    wanted = {table.name: table for table in shape.tables(connection)}
    fill = _copy if connection.dialect.name == "postgresql" else _insert
    done = 0

    def told(lines: Iterator[bytes]) -> Iterator[bytes]:
        nonlocal done
        for line in lines:
            yield line
            done += 1
            if done % AT_A_TIME == 0:
                progress("write", done, header.rows)

    with _opened(place) as reader:
        for table, lines in reader.tables():
            expected = wanted.pop(table.name, None)
            if expected is None or expected.columns != table.columns:
                raise damaged(f"the table {table.name} is not as version {header.schema} has it")
            fill(connection, table, told(lines))
    if wanted:
        raise damaged(f"{', '.join(wanted)} missing")


def _insert(connection: Connection, table: Table, lines: Iterator[bytes]) -> None:
    decode, places = decoder(table), ", ".join("?" * len(table.columns))
    statement = f"insert into {_quoted(table.name)} ({_names(table)}) values ({places})"
    rows: list[tuple[Any, ...]] = []
    size = 0
    for line in lines:
        rows.append(tuple(decode(line)))
        size += len(line)
        if len(rows) == AT_A_TIME or size > _BYTES_AT_A_TIME:
            connection.exec_driver_sql(statement, rows)
            rows, size = [], 0
    if rows:
        connection.exec_driver_sql(statement, rows)


def _copy(connection: Connection, table: Table, lines: Iterator[bytes]) -> None:
    decode, driver = decoder(table), connection.connection.driver_connection
    statement = f"copy {_quoted(table.name)} ({_names(table)}) from stdin"
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:  # type: ignore[union-attr]
            for line in lines:
                copy.write_row(decode(line))
    except connection.dialect.dbapi.Error as error:  # type: ignore[union-attr]
        raise DBAPIError(statement, None, error) from error


def _quoted(name: str) -> str:
    return f'"{name}"'


def _names(table: Table) -> str:
    return ", ".join(map(_quoted, table.columns))


def _count_on(connection: Connection) -> None:
    """Let PostgreSQL give ids past those that came back, and know how the data lies. SQLite does so by itself."""
    if connection.dialect.name != "postgresql":
        return
    names = shape.ours(connection)
    for name in names:
        if shape.key(connection, name) == ["id"]:
            counted = f"setval(pg_get_serial_sequence('{name}', 'id'), coalesce(max(id), 0) + 1, false)"
            connection.execute(text(f"select {counted} from {_quoted(name)}"))
    connection.execute(text(f"analyze {', '.join(map(_quoted, names))}"))


def _same_key(db: Session) -> bool:
    """Whether the newest records were hashed with the present SECRET_KEY; True when there are none."""
    last = db.scalar(select(ChainHead.hash).where(ChainHead.name == "audit"))
    if last is None or bytes(last) == START:
        newest = select(TimelineEntry.hash).where(TimelineEntry.hash.is_not(None)).order_by(TimelineEntry.id.desc())
        last = db.scalar(newest.limit(1))
    return last is None or bytes(last)[:NAME_BYTES] == chains.present_key().name
