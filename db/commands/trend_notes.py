"""Writing on the time axis of trends, and taking it away again."""

from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.commands import audit
from db.models import TrendNote
from rules import access, text
from rules.access import Actor, NotFound
from rules.errors import RuleError
from rules.periods import FIRST_DAY

LIMIT = 60
MOST_A_DAY = 5
_FURTHEST_EAST = timedelta(hours=14)
"""ahead of UTC: where a day begins first"""


def add(db: Session, day: date, words: str, *, actor: Actor, now: datetime) -> int:
    """Note what happened on a day; its id. The same words on the same day are noted once. RuleError with `fields`."""
    access.check(actor, "trend_note")
    words = text.line(words, "text", LIMIT, required="Write what happened, such as 'New release'.")
    if not FIRST_DAY <= day <= (now + _FURTHEST_EAST).date():
        raise RuleError("Choose a day that has been.", field="day")
    there = TrendNote.day == day.isoformat()
    already = db.scalar(select(TrendNote.id).where(there, TrendNote.text == words).limit(1))
    if already is not None:
        return already
    if (db.scalar(select(func.count()).where(there)) or 0) >= MOST_A_DAY:
        raise RuleError(f"A day has at most {MOST_A_DAY} notes. Remove one first.", field="day")
    note = TrendNote(day=day.isoformat(), text=words, author_id=actor.id, at=now)
    db.add(note)
    db.flush()
    audit.record(db, actor, now, "note on trends", words, after={"day": note.day})
    return note.id


def remove(db: Session, note_id: int, *, actor: Actor, now: datetime) -> None:
    """Take a note away. NotFound when somebody else did."""
    access.check(actor, "trend_note")
    note = db.get(TrendNote, note_id)
    if note is None:
        raise NotFound("This note is gone already.")
    audit.record(db, actor, now, "removed a note on trends", note.text, before={"day": note.day})
    db.delete(note)
