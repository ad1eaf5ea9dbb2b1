"""Learning from past incidents: the index that suggestions are looked up in, made anew when enough has come."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Engine, Row, delete, func, insert, select
from sqlalchemy.orm import Session

from db.engine import reading, writing
from db.models import HistoryIndex, HistoryWord, Incident
from db.queries.history import ID_BYTES, LENGTH_BYTES, PLACE_BYTES, TIMES_BYTES, text_of, texts
from rules import likeness

MOST = 40_000
"""the newest incidents that are learnt from"""
ENOUGH_NEW = 100
"""new incidents that make it worth learning again"""
AGAIN_AFTER = timedelta(minutes=10)
_ABANDONED_AFTER = timedelta(minutes=10)
_PAGE = 2_000
_WORDS_AT_ONCE = 2_000


def is_behind(db: Session, now: datetime) -> bool:
    """True when so many incidents came since the last index that it should be made anew."""
    newest: int | None = db.scalar(select(func.max(Incident.id)))
    if newest is None:
        return False
    last: Any = db.execute(
        select(HistoryIndex.newest_id, HistoryIndex.began_at).order_by(HistoryIndex.id.desc())
    ).first()
    if last is None:
        return newest >= ENOUGH_NEW
    return bool(newest - last.newest_id >= ENOUGH_NEW and now - last.began_at >= AGAIN_AFTER)


def learn(engine: Engine, now: datetime) -> bool:
    """Make the index anew from the newest incidents; False when somebody else is at it.

    It is written beside the old one, a part at a time, and takes its place when it is whole: nobody waits for it, and
    a stop in the middle leaves the old one in force.
    """
    with writing(engine) as db:
        unfinished = select(HistoryIndex).where(HistoryIndex.finished_at.is_(None)).with_for_update()
        for other in db.scalars(unfinished).all():
            if now - other.began_at < _ABANDONED_AFTER:
                return False
            db.delete(other)
        index = HistoryIndex(began_at=now, newest_id=db.scalar(select(func.max(Incident.id))) or 0)
        db.add(index)
        db.flush()
        index_id = index.id
    history = likeness.History()
    with reading(engine) as db:
        for row in _newest(db, index.newest_id):
            history.add(row.id, row.category_pair_id, likeness.words(text_of(row)))
    words, lengths = history.finish()
    for start in range(0, len(words), _WORDS_AT_ONCE):
        with writing(engine) as db:
            db.execute(insert(HistoryWord), [_row(index_id, word) for word in words[start : start + _WORDS_AT_ONCE]])
    with writing(engine) as db:
        index = db.get_one(HistoryIndex, index_id)
        index.incidents = np.asarray(history.ids, ID_BYTES).tobytes()
        index.lengths = np.asarray(lengths, LENGTH_BYTES).tobytes()
        index.categorised, index.finished_at = history.categorised, now
        _forget(db, index_id)
    return True


def _row(index_id: int, word: likeness.Word) -> dict[str, Any]:
    return {
        "index_id": index_id,
        "word": word.word,
        "weight": word.weight,
        "places": np.asarray(word.places, PLACE_BYTES).tobytes(),
        "times": np.asarray(word.times, TIMES_BYTES).tobytes(),
    }


def _forget(db: Session, newest: int) -> None:
    """Remove what is older than the index before this one, which somebody may be asking at this moment."""
    ids = select(HistoryIndex.id).where(HistoryIndex.id < newest).order_by(HistoryIndex.id.desc())
    for old in db.scalars(ids).all()[1:]:
        db.execute(delete(HistoryWord).where(HistoryWord.index_id == old))
        db.execute(delete(HistoryIndex).where(HistoryIndex.id == old))


def _newest(db: Session, newest: int) -> Iterator[Row[Any]]:
    below, left = newest + 1, MOST
    while left > 0:
        page = db.execute(texts(below, min(_PAGE, left))).all()
        yield from page
        if len(page) < _PAGE:
            return
        below, left = page[-1].id, left - len(page)
