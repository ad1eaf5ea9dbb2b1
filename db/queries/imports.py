"""The imports there have been."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import ImportRun, Person
from rules import access
from rules.access import Actor


@dataclass(frozen=True)
class Run:
    """One import; `rows` of `of_rows` are behind it."""

    id: int
    file_name: str
    zone: str
    by: str
    started_at: datetime
    finished_at: datetime | None
    rows: int
    of_rows: int
    created: int
    changed: int
    unchanged: int
    refused: int
    report: dict[str, Any]


def last_runs(db: Session, actor: Actor, limit: int = 10) -> list[Run]:
    """The latest imports, newest first. Forbidden to all but administrators."""
    access.check(actor, "import")
    rows = db.execute(
        select(
            ImportRun.id,
            ImportRun.file_name,
            ImportRun.zone,
            Person.name,
            ImportRun.started_at,
            ImportRun.finished_at,
            ImportRun.rows,
            ImportRun.created,
            ImportRun.changed,
            ImportRun.unchanged,
            ImportRun.refused,
            ImportRun.report,
        )
        .outerjoin(Person, Person.id == ImportRun.started_by_id)
        .order_by(ImportRun.id.desc())
        .limit(limit)
    ).all()
    return [
        Run(
            row.id,
            row.file_name,
            row.zone,
            row.name or "Command line",
            row.started_at,
            row.finished_at,
            row.rows,
            int((row.report or {}).get("of_rows") or row.rows),
            row.created,
            row.changed,
            row.unchanged,
            row.refused,
            row.report or {},
        )
        for row in rows
    ]
