"""Full-text search behind one interface: FTS5 on SQLite, tsvector on PostgreSQL."""

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Select,
    bindparam,
    column,
    func,
    literal,
    literal_column,
    select,
    table,
    union_all,
)
from sqlalchemy.orm import Session

from db.models import Incident, Person, TimelineEntry

MAX_WORDS = 12
COMMON = 2000
NEWEST = 10_000
"""timeline entries with the words that are looked at: the newest"""
_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"(?:inc-?)?([0-9]{1,12})", re.ASCII)
_STOP = frozenset(
    [
        "the",
        "and",
        "for",
        "that",
        "this",
        "with",
        "not",
        "from",
        "are",
        "was",
        "have",
        "has",
        "been",
        "but",
        "you",
        "your",
        "our",
        "can",
        "cannot",
        "when",
        "what",
        "where",
        "which",
        "who",
        "since",
        "after",
        "before",
        "does",
        "did",
        "its",
        "out",
        "all",
        "any",
        "one",
        "two",
        "get",
        "got",
        "now",
        "too",
        "very",
        "than",
        "then",
        "them",
        "they",
        "there",
        "here",
        "into",
        "der",
        "die",
        "das",
        "und",
        "ist",
        "nicht",
        "ein",
        "eine",
        "mit",
        "auf",
        "für",
        "von",
        "den",
        "dem",
        "im",
        "in",
        "is",
        "it",
        "my",
        "me",
        "we",
        "us",
        "at",
        "on",
        "of",
        "to",
        "or",
        "as",
        "be",
        "by",
        "no",
        "so",
        "do",
        "if",
        "an",
        "a",
        "i",
        "le",
        "la",
        "les",
        "et",
        "un",
        "une",
        "des",
        "du",
        "est",
        "pas",
        "el",
        "los",
        "las",
        "es",
        "en",
        "que",
    ]
)


def words_of(text: str, *, meaningful: bool = False) -> list[str]:
    """The words of a text in lower case, each once; with `meaningful`, without those that tell nothing."""
    found = dict.fromkeys(word.lower() for word in _WORD.findall(text[:2000]))
    kept = [word for word in found if not meaningful or (len(word) > 2 and word not in _STOP)]
    return kept[:MAX_WORDS]


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


def _fts(name: str, words: Sequence[str], every: bool) -> Select[int]:
    query = (" AND " if every else " OR ").join(f'"{word}"*' for word in words)
    return (
        select(literal_column("rowid"))
        .select_from(table(name, column("rowid")))
        .where(literal_column(name).op("match")(bindparam(None, query)))
    )


def _tsquery(words: Sequence[str], every: bool) -> ColumnElement[Any]:
    return func.to_tsquery("simple", (" & " if every else " | ").join(f"'{word}':*" for word in words))


def telling(db: Session, words: Sequence[str]) -> list[str]:
    """Those of the `words` that begin a word of at most COMMON incidents: what is everywhere tells nothing."""
    counts = [
        select(literal(place), func.count()).select_from(matching(db, [word]).limit(COMMON + 1).subquery())
        for place, word in enumerate(words)
    ]
    if not counts:
        return []
    return [words[place] for place, n in db.execute(union_all(*counts)) if n <= COMMON]


def candidates(db: Session, text: str, *, internal: bool) -> list[Select[int]]:
    """Ids of incidents found by number, by words, or by the name of who reported or works on them: a part for each.

    The words may stand in what was reported or written since; `internal`: in notes among those who work too. No part
    when nothing is asked.
    """
    words = words_of(text)
    if not words:
        return []
    typed = text.strip().lower()
    named = func.lower(Person.name).startswith(typed, autoescape=True) | func.lower(Person.name).contains(
        f" {typed}", autoescape=True
    )
    people = select(select(Person.id).where(named).cte("people").c.id)  # looked through once, for both
    parts = [
        matching(db, words),
        told(db, words, internal=internal),
        select(Incident.id).where(Incident.reporter_id.in_(people)),
        select(Incident.id).where(Incident.assignee_id.in_(people)),
    ]
    number = _NUMBER.fullmatch(typed)
    if number is not None:
        parts.append(select(Incident.id).where(Incident.number == f"INC-{int(number[1]):06d}"))
    return parts


def found(db: Session, text: str, *, internal: bool) -> Select[int] | None:
    """The candidates, each once; None when nothing is asked."""
    parts = candidates(db, text, internal=internal)
    return select(parts[0].union(*parts[1:]).subquery().c[0]) if parts else None


def common(db: Session, text: str, most: int, *, internal: bool) -> bool:
    """True when the candidates are more than `most`, one found in two ways counted twice."""
    each = [
        select(func.count()).select_from(part.limit(most + 1).subquery()).scalar_subquery()
        for part in candidates(db, text, internal=internal)
    ]
    return bool(each) and sum(db.execute(select(*each)).one()) > most
