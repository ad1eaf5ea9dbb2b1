"""What stands on the time axis of trends."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import Person, TrendNote
from rules import access
from rules.access import Actor

MOST = 60


@dataclass(frozen=True)
class Note:
    """One note."""

    id: int
    day: date
    text: str
    author: str


def notes(db: Session, actor: Actor, first: date, last: date) -> list[Note]:
    """Those of the days from `first` to `last`, the newest MOST of them, by day."""
    access.check(actor, "trends")
    statement = (
        select(TrendNote.id, TrendNote.day, TrendNote.text, Person.name)
        .join(Person, Person.id == TrendNote.author_id)
        .where(TrendNote.day >= first.isoformat(), TrendNote.day <= last.isoformat())
        .order_by(TrendNote.day.desc(), TrendNote.id.desc())
        .limit(MOST)
    )
    found = [Note(id_, date.fromisoformat(day), words, author) for id_, day, words, author in db.execute(statement)]
    return found[::-1]
