"""Words of one search that stand in several texts of an incident: one in its title, another in its timeline.

The rarest words decide which incidents are looked at, so that it costs the same however large the history is: of a
word that stands in few texts all incidents are known, and only theirs are read for the words that stand in many.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import Integer, Select, case, cast, func, literal, select, union_all
from sqlalchemy.orm import Session

from db.models import Incident, TimelineEntry
from db.queries import text_index

FEW = 200
"""texts of each kind that a rare word stands in at most; where no word is rare, only what meets in one text is found"""
READ = 2000
"""timeline entries that are read for the other words: the newest"""
_ACCENTS = re.compile("[\u0300-\u036f]")
_EVERYWHERE = "inc"
"""Every number begins with it."""


def spread(db: Session, words: Sequence[str], *, internal: bool) -> list[int]:
    """Ids of incidents that have each of the `words` (as a beginning) in number, title, description, what is affected
    or what was written since; `internal`: in notes among those who work too. None when no word is rare, or at once.
    """
    asked = [word for word in words if word != _EVERYWHERE]
    if len(asked) < 2:
        return []
    rare = _rare(db, asked, internal)
    if not rare:
        return []
    ids = set.intersection(*rare.values())
    others = [re.compile(rf"(?<!\w){re.escape(_plain(word))}") for word in asked if word not in rare]
    if ids and others:
        ids = _with_all(db, ids, others, internal)
    return sorted(ids)


def _rare(db: Session, words: Sequence[str], internal: bool) -> dict[str, set[int]]:
    """Word -> ids of all incidents that have it, for those words that stand in few texts."""
    counts = []
    for word in words:
        reported, written = (
            select(func.count()).select_from(texts.limit(FEW + 1).subquery()).scalar_subquery()
            for texts in (text_index.matching(db, [word]), text_index.written(db, [word]))
        )
        counts.append(case((reported > FEW, FEW + 1), else_=written))  # what is common is not counted twice
    numbers = db.execute(select(*counts)).one()
    rare = [word for word, texts in zip(words, numbers, strict=True) if texts <= FEW]
    if not rare:
        return {}
    parts: list[Select[int, int, int]] = []
    for place, word in enumerate(rare):
        own = text_index.matching(db, [word]).subquery()
        parts.append(select(literal(place), own.c[0], literal(1)))
        entries = text_index.entries(db, [word]).subquery()
        parts.append(select(literal(place), entries.c.incident_id, cast(entries.c.public, Integer)))
    found: dict[str, set[int]] = {word: set() for word in rare}
    for place, incident_id, public in db.execute(union_all(*parts)):
        if internal or public:
            found[rare[place]].add(incident_id)
    for word, ids in _numbered(db, rare).items():
        found[word] |= ids
    return found


def _numbered(db: Session, words: Sequence[str]) -> dict[str, set[int]]:
    """Word -> id of the incident that it is the number of, with or without its zeros."""
    numbers = {f"INC-{int(word):06d}": word for word in words if word.isascii() and word.isdigit() and len(word) < 13}
    if not numbers:
        return {}
    rows = db.execute(select(Incident.number, Incident.id).where(Incident.number.in_(numbers)))
    return {numbers[number]: {incident_id} for number, incident_id in rows}


def _with_all(db: Session, ids: Collection[int], words: Sequence[re.Pattern[str]], internal: bool) -> set[int]:
    """Those of the incidents whose texts have every one of the words."""
    texts: dict[int, list[str]] = {}
    own = select(Incident.id, Incident.title, Incident.description, Incident.affected, Incident.number)
    for incident_id, *parts in db.execute(own.where(Incident.id.in_(ids))):
        texts[incident_id] = parts
    for incident_id, detail in db.execute(_written(ids, internal)):
        texts[incident_id].append(detail)
    return {incident_id for incident_id, parts in texts.items() if _has(parts, words)}


def _written(ids: Collection[int], internal: bool) -> Select[int, str]:
    entries = select(TimelineEntry.incident_id, TimelineEntry.detail).where(
        TimelineEntry.incident_id.in_(ids), TimelineEntry.detail != ""
    )
    if not internal:
        entries = entries.where(TimelineEntry.public.is_(True))
    return entries.order_by(TimelineEntry.id.desc()).limit(READ)


def _has(texts: Iterable[str], words: Sequence[re.Pattern[str]]) -> bool:
    there = _plain("\n".join(texts))
    return all(word.search(there) for word in words)


def _plain(text: str) -> str:
    """In lower case and without accents, as the search itself reads it."""
    return _ACCENTS.sub("", unicodedata.normalize("NFKD", text.lower()))
