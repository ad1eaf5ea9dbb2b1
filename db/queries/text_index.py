"""Which texts have these words: FTS5 on SQLite, tsvector on PostgreSQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Select, bindparam, column, func, literal_column, select, table
from sqlalchemy.orm import Session

from db.models import TimelineEntry

NEWEST = 10_000
"""timeline entries with the words that are looked at: the newest"""


def matching(db: Session, words: Sequence[str], *, every: bool = True) -> Select[int]:
    """Ids of incidents with every one of the `words`, of which there is at least one (each as a beginning), or any."""
    if db.get_bind().dialect.name == "sqlite":
        return _fts("incident_text", words, every)
    source = table("incident_text", column("incident_id"), column("words"))
    return select(source.c.incident_id).where(source.c.words.op("@@")(_tsquery(words, every)))


def told(db: Session, words: Sequence[str], *, internal: bool) -> Select[int]:
    """Ids of incidents with every one of the `words` in one entry of their timeline, among the newest of those entries.

    `internal`: entries that are not for reporters count too.
    """
    if db.get_bind().dialect.name == "sqlite":
        entries = _fts("timeline_text", words, True).order_by(literal_column("rowid").desc()).limit(NEWEST).subquery()
        chosen = select(TimelineEntry.incident_id).where(TimelineEntry.id.in_(select(entries.c[0])))
        return chosen if internal else chosen.where(TimelineEntry.public.is_(True))
    source = table(
        "timeline_text", column("entry_id"), column("incident_id"), column("public", Boolean), column("words")
    )
    newest = select(source.c.incident_id, source.c.public).where(source.c.words.op("@@")(_tsquery(words, True)))
    found = newest.order_by(source.c.entry_id.desc()).limit(NEWEST).subquery()
    return select(found.c.incident_id) if internal else select(found.c.incident_id).where(found.c.public)


def entries(db: Session, words: Sequence[str]) -> Select[int, bool]:
    """incident_id and public of the timeline entries with every one of the `words`, in no order."""
    if db.get_bind().dialect.name == "sqlite":
        chosen = _fts("timeline_text", words, True).subquery()
        return select(TimelineEntry.incident_id, TimelineEntry.public).join(chosen, TimelineEntry.id == chosen.c[0])
    source = table(
        "timeline_text", column("entry_id"), column("incident_id"), column("public", Boolean), column("words")
    )
    return select(source.c.incident_id, source.c.public).where(source.c.words.op("@@")(_tsquery(words, True)))


def written(db: Session, words: Sequence[str]) -> Select[int]:
    """Ids of those entries."""
    if db.get_bind().dialect.name == "sqlite":
        return _fts("timeline_text", words, True)
    source = table("timeline_text", column("entry_id"), column("words"))
    return select(source.c.entry_id).where(source.c.words.op("@@")(_tsquery(words, True)))


def _fts(name: str, words: Sequence[str], every: bool) -> Select[int]:
    query = (" AND " if every else " OR ").join(f'"{word}"*' for word in words)
    return (
        select(literal_column("rowid"))
        .select_from(table(name, column("rowid")))
        .where(literal_column(name).op("match")(bindparam(None, query)))
    )


def _tsquery(words: Sequence[str], every: bool) -> ColumnElement[Any]:
    return func.to_tsquery("simple", (" & " if every else " | ").join(f"'{word}':*" for word in words))
