"""Past incidents whose words are like a text: looked up in the index, and in what is too new to be in it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from db.models import HistoryIndex, HistoryWord, Incident
from rules import likeness

ID_BYTES, LENGTH_BYTES, PLACE_BYTES, TIMES_BYTES = "<i8", "<f4", "<u4", "u1"
_STRESS = np.asarray(likeness.STRESS, LENGTH_BYTES)
_MOST_WORDS = 64
"""words of a text that are asked for, those that tell most first"""
_MOST_NEW = 150
"""incidents that came after the index and are compared one by one"""
_NEW_TEXT = 1_000
_MOST = 90


@dataclass(frozen=True)
class Alike:
    """Past incidents like a text, nearest first, and how large the history is that was looked at."""

    incidents: tuple[tuple[int, float], ...]
    """(id, likeness 0..1)"""
    categorised: int


def alike(db: Session, text: str) -> Alike:
    """Incidents that are neither restricted nor cancelled, as far as the index knew: check them as they are now."""
    words = likeness.words(text)
    index = db.execute(
        select(HistoryIndex.id, HistoryIndex.newest_id, HistoryIndex.categorised)
        .where(HistoryIndex.finished_at.is_not(None))
        .order_by(HistoryIndex.id.desc())
        .limit(1)
    ).first()
    fresh, categorised = _fresh(db, words, index.newest_id if index else 0)
    found = [*fresh, *_indexed(db, index.id, words)] if index else fresh
    found.sort(key=lambda pair: -pair[1])
    return Alike(tuple(found[:_MOST]), categorised + (index.categorised if index else 0))


def texts(below: int | None, limit: int, longest: int = likeness.LONGEST_TEXT) -> Select[Any]:
    """The texts of the newest incidents (with an id below `below`) that anybody who works here may see."""
    found = select(
        Incident.id,
        Incident.category_pair_id,
        Incident.title,
        Incident.affected,
        func.substr(Incident.description, 1, longest).label("description"),
    ).where(Incident.restricted.is_(False), Incident.state != "cancelled")
    if below is not None:
        found = found.where(Incident.id < below)
    return found.order_by(Incident.id.desc()).limit(limit)


def text_of(row: Row[Any]) -> str:
    """What an incident says, in one text."""
    return f"{row.title}\n{row.affected}\n{row.description}"


def _indexed(db: Session, index: int, words: likeness.Words) -> list[tuple[int, float]]:
    known = select(HistoryWord.word, HistoryWord.weight).where(
        HistoryWord.index_id == index, HistoryWord.word.in_(list(words))
    )
    weights = {word: weight for word, weight in db.execute(known)}
    told = sorted(weights, key=lambda word: -weights[word])[:_MOST_WORDS]
    if not told:
        return []
    ids, lengths = db.execute(
        select(HistoryIndex.incidents, HistoryIndex.lengths).where(HistoryIndex.id == index)
    ).one()
    measured = np.frombuffer(lengths, LENGTH_BYTES)
    score = np.zeros(len(measured), np.float32)
    square = 0.0
    standing = select(HistoryWord.word, HistoryWord.places, HistoryWord.times).where(
        HistoryWord.index_id == index, HistoryWord.word.in_(told)
    )
    for word, places, times in db.execute(standing):
        mine = weights[word] * likeness.STRESS[min(words[word], 255)]
        score[np.frombuffer(places, PLACE_BYTES)] += _STRESS[np.frombuffer(times, TIMES_BYTES)] * (mine * weights[word])
        square += mine * mine
    score /= np.maximum(measured, 1e-6) * max(square, 1e-12) ** 0.5
    most = min(_MOST, len(score))
    nearest = np.argpartition(-score, most - 1)[:most]
    numbers = np.frombuffer(ids, ID_BYTES)[nearest]
    pairs = zip(numbers.tolist(), score[nearest].tolist(), strict=True)
    return [(incident, min(nearness, 1.0)) for incident, nearness in pairs if nearness > 0]


def _fresh(db: Session, words: likeness.Words, newest: int) -> tuple[list[tuple[int, float]], int]:
    """Those that are too new for the index, compared here and now, and how many of them have a category."""
    rows = db.execute(texts(None, _MOST_NEW, _NEW_TEXT).where(Incident.id > newest)).all()
    history = likeness.History()
    for row in rows:
        history.add(row.id, row.category_pair_id, likeness.words(text_of(row)))
    return history.alike(words), history.categorised
