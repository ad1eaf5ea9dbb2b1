"""Writing on the time axis of trends, and taking it away again."""

from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.commands import audit
from db.models import TrendNote
from rules import access, text
from rules.access import Actor, NotFound
from rules.errors import RuleError

LIMIT = 60
MOST_A_DAY = 5


def add(db: Session, day: date, words: str, *, actor: Actor, now: datetime) -> int:
    """Note what happened on a day; its id. RuleError with `fields`."""
    access.check(actor, "trend_note")
    words = text.line(words, "text", LIMIT, required="Write what happened, such as 'New release'.")
    same = select(func.count()).where(TrendNote.day == day.isoformat())
    if (db.scalar(same) or 0) >= MOST_A_DAY:
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
