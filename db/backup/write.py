"""Making a backup: one moment of the database, streamed into a file that appears when it is whole."""

import gzip
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from db.appearing import appearing
from db.backup import shape
from db.engine import DatabaseProblem, reading
from db.migrations import head
from db.models import to_micros
from db.verify.records import one_moment
from rules.backups import Header, Table, Writer
from rules.errors import RuleError

AT_A_TIME = 2_000
_FILES_AT_A_TIME = 4
"""rows of a table that holds whole files"""
_LEVEL = 4
"""of gzip: beyond it a backup takes much longer and hardly less room"""
_BUFFER = 1 << 20

Progress = Callable[[str, int, int], None]
"""Hears (phase, rows done, rows in all or 0 while unknown); phase is 'check' or 'write'."""


@dataclass(frozen=True)
class Made:
    """What is in a backup."""

    rows: int
    incidents: int
    bytes: int


def backup(engine: Engine, place: Path, *, now: datetime, progress: Progress) -> Made:
    """Write everything into the new file `place`. RuleError when there is one already, or nothing to back up."""
    _refuse_what_is_not_there(engine)
    with reading(engine) as db:
        one_moment(db)
        schema = shape.version(db)
        if schema is None:
            raise RuleError("There is nothing of Incident Desk in this database. Check DATABASE_URL.")
        if schema > head.newest():
            raise DatabaseProblem("This database was made by a newer version of Incident Desk. Use that version.")
        tables = shape.tables(db.connection())
        counts = {table.name: db.scalar(text(f'select count(*) from "{table.name}"')) or 0 for table in tables}
        total = sum(counts.values())
        with _packed(place) as file:
            writer, done = Writer(file.write, Header(schema, to_micros(now), total)), 0
            for table in tables:
                writer.table(table, _told(_rows(db, table), progress, done, total))
                done += counts[table.name]
            writer.end()
    return Made(total, counts["incident"], place.stat().st_size)


def _refuse_what_is_not_there(engine: Engine) -> None:
    """To connect to an SQLite file that is not there would make it."""
    file = engine.url.database if engine.dialect.name == "sqlite" else None
    if file and not Path(file).exists():
        raise RuleError(f"There is no database '{file}'. Check DATABASE_URL.")


def _rows(db: Session, table: Table) -> Iterator[Sequence[Any]]:
    """All rows in the order of the key, a few at a time."""
    connection = db.connection()
    as_text = connection.dialect.name == "postgresql"  # SQLite keeps JSON as its text
    names = (
        f'cast("{name}" as text)' if kind == "json" and as_text else f'"{name}"' for name, kind in table.columns.items()
    )
    order = ", ".join(f'"{name}"' for name in shape.key(connection, table.name))
    some = _FILES_AT_A_TIME if table.name == "attachment_content" else AT_A_TIME
    found = connection.execute(
        text(f'select {", ".join(names)} from "{table.name}" order by {order}'),
        execution_options={"stream_results": True, "max_row_buffer": some},
    )
    while part := found.fetchmany(some):  # partitions() would keep what it gave
        yield from part


def _told(rows: Iterator[Sequence[Any]], progress: Progress, done: int, total: int) -> Iterator[Sequence[Any]]:
    for number, row in enumerate(rows, done + 1):
        yield row
        if number % AT_A_TIME == 0:
            progress("write", number, total)


@contextmanager
def _packed(place: Path) -> Iterator[IO[bytes]]:
    """A gzipped file that has its name only once it is whole and on the disk."""
    with (
        appearing(place) as raw,
        gzip.GzipFile("", "wb", _LEVEL, raw) as packed,
        io.BufferedWriter(packed, _BUFFER) as file,
    ):
        yield file
