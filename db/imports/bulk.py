"""Many rows at once: executemany on SQLite, COPY on PostgreSQL. Instants are microseconds, JSON is text."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

_IMPORT_LOCK = 7_310_994_022


def lock(db: Session) -> None:
    """No two imports write at the same moment. SQLite needs nothing: its write transaction already stands alone."""
    if db.get_bind().dialect.name == "postgresql":
        db.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _IMPORT_LOCK})


def take_stock(db: Session) -> None:
    """Let PostgreSQL's planner know at once how the data lies after many rows came; SQLite's plans do not ask."""
    if db.get_bind().dialect.name == "postgresql":
        db.execute(text("analyze incident, incident_text, timeline_entry"))


def insert(db: Session, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Insert `rows`, whose values are what the driver stores, inside the transaction of `db`."""
    if not rows:
        return
    connection = db.connection()
    names = ", ".join(columns)
    if connection.dialect.name == "postgresql":
        driver: Any = connection.connection.driver_connection
        with driver.cursor() as cursor, cursor.copy(f"copy {table} ({names}) from stdin") as copy:
            for row in rows:
                copy.write_row(row)
        return
    places = ", ".join("?" * len(columns))
    connection.exec_driver_sql(f"insert into {table} ({names}) values ({places})", [tuple(row) for row in rows])


def new_ids(db: Session, table: str, count: int) -> Iterator[int]:
    """`count` ids that nobody else will use: from the sequence on PostgreSQL, past the last one on SQLite."""
    if not count:
        return iter(())
    if db.get_bind().dialect.name == "postgresql":
        drawn: Iterable[int] = db.scalars(
            text("select nextval(pg_get_serial_sequence(:table, 'id')) from generate_series(1, :count)"),
            {"table": table, "count": count},
        ).all()
        return iter(drawn)
    last = db.scalar(text(f"select max(id) from {table}")) or 0
    return iter(range(last + 1, last + 1 + count))
