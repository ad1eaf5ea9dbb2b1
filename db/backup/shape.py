"""What of a database is in a backup: its tables in the order in which they can be filled, whatever version it has."""

from typing import Any

from sqlalchemy import JSON, Boolean, Connection, Float, Integer, LargeBinary, String, inspect, text
from sqlalchemy.orm import Session

from db.models import Base
from rules.backups import Table

LEFT_OUT = frozenset({
    # Of the moment. Whoever signed out after the backup must not be signed in again by it, so everybody signs in anew.
    "session", "throttle", "presence", "worker_heartbeat",
    # Derived: the worker learns it anew. The words that search looks up come back by triggers, as the rows come.
    "history_index", "history_word", "fact_block", "step_block", "fact_change",
})  # fmt: skip
VERSION = "alembic_version"
DERIVED = ("incident_text", "timeline_text")
FUNCTIONS = ("refuse_change", "keep_incident_text", "keep_timeline_text", "note_fact_change", "note_step_change")
"""of PostgreSQL; what the triggers call"""
_KINDS: tuple[tuple[type[Any], str], ...] = (
    (Boolean, "bool"), (JSON, "json"), (LargeBinary, "bytes"), (Float, "float"), (Integer, "int"), (String, "text"),
)  # fmt: skip


def ours(connection: Connection) -> list[str]:
    """The tables of Incident Desk that are there, each after those that it points to."""
    there = set(inspect(connection).get_table_names())
    return [table.name for table in Base.metadata.sorted_tables if table.name in there]


def tables(connection: Connection) -> list[Table]:
    """What goes into a backup, with the columns that are stored, be the database of an earlier version."""
    inspector = inspect(connection)
    return [
        Table(
            name, {each["name"]: _kind(each["type"]) for each in inspector.get_columns(name) if "computed" not in each}
        )
        for name in ours(connection)
        if name not in LEFT_OUT
    ]


def key(connection: Connection, name: str) -> list[str]:
    """The columns of the primary key."""
    return inspect(connection).get_pk_constraint(name)["constrained_columns"]


def version(db: Session) -> str | None:
    """The newest migration of the database; None when there is nothing of Incident Desk in it."""
    if not inspect(db.connection()).has_table(VERSION):
        return None
    found: str | None = db.scalar(text(f"select version_num from {VERSION}"))
    return found


def _kind(found: Any) -> str:
    return next(kind for type_, kind in _KINDS if isinstance(found, type_))
