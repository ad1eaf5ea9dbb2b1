"""Full-text search behind one interface: FTS5 on SQLite, tsvector on PostgreSQL."""

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, literal, or_, select, union_all
from sqlalchemy.orm import Session, aliased

from db.models import Incident, Person
from db.queries import text_spread
from db.queries.text_index import matching, told

MAX_WORDS = 12
COMMON = 2000
_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"(inc-?)?([0-9]{1,12})", re.ASCII)
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


def within(said: Any, word: str) -> ColumnElement[bool]:
    """The word stands somewhere in what is `said`, in small letters or large ones.

    In every case it is likely to be written in: SQLite's own lower() knows ASCII only.
    """
    forms = {word} if word.isascii() else {word, word.lower(), word.upper(), word.capitalize()}
    return or_(*(said.icontains(form, autoescape=True) for form in sorted(forms)))


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

    The words may stand in what was reported or written since, together or (text_spread) apart; `internal`: in notes
    among those who work too. No part when nothing is asked.
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
    apart = text_spread.spread(db, words, internal=internal)
    if apart:
        parts.append(select(Incident.id).where(Incident.id.in_(apart)))
    number = _NUMBER.fullmatch(typed)
    if number is not None:
        parts.append(_numbered(f"INC-{int(number[2]):06d}", typed, whole=number[1] is not None))
    return parts


def _numbered(ours: str, typed: str, *, whole: bool) -> Select[int]:
    """The id of the incident with our number, unless another system numbered one exactly as it is typed.

    `whole`: with letters and all. The digits alone may mean either.
    """
    found = select(Incident.id).where(Incident.number == ours)
    if not whole:
        return found
    other = aliased(Incident)
    return found.where(~exists().where(other.number.in_((typed, typed.upper())), other.number != ours))


def found(db: Session, text: str, *, internal: bool) -> Select[int] | None:
    """The candidates, each once; None when nothing is asked."""
    return once(candidates(db, text, internal=internal))


def once(parts: Sequence[Select[int]]) -> Select[int] | None:
    """The ids of all the candidates' parts, each once; None when there is no part."""
    return select(parts[0].union(*parts[1:]).subquery().c[0]) if parts else None


def common(db: Session, parts: Sequence[Select[int]], most: int) -> bool:
    """True when the candidates are more than `most`, one found in two ways counted twice."""
    each = [select(func.count()).select_from(part.limit(most + 1).subquery()).scalar_subquery() for part in parts]
    return bool(each) and sum(db.execute(select(*each)).one()) > most
