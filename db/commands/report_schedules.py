"""Having reports sent: the weekly digest to oneself, saved views of trends to oneself and others."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from db.commands import audit
from db.models import Person, ReportReader, ReportSchedule, SavedView
from db.queries import people
from db.queries import report_schedules as queries
from db.queries.digest import TITLE
from db.queries.report_schedules import PAGE
from rules import access, report_times
from rules.access import Actor, NotFound
from rules.errors import RuleError
from rules.report_times import MONDAY_AT_EIGHT, Times

MOST_READERS = 50
UNKNOWN_LINK = "This link is not complete or not ours. Sign in and look under Reports."
_UNKNOWN = "There is no such report, or it is not yours."


def subscribe(db: Session, zone: str, *, actor: Actor, now: datetime) -> None:
    """Have the weekly digest every Monday at 08:00 on the zone's clock. Again: by another clock."""
    access.check(actor, PAGE)
    _save(db, None, report_times.checked(*MONDAY_AT_EIGHT, zone), [actor.id], TITLE, actor, now)


def unsubscribe(db: Session, *, actor: Actor, now: datetime) -> None:
    """No more of the weekly digest; nothing when there was none."""
    row = _locked(db, actor, None)
    if row is not None:
        _end(db, row, TITLE, actor, now)


def save(
    db: Session,
    view_id: int,
    *,
    every: Any,
    weekday: Any,
    hour: Any,
    zone: str,
    reader_ids: Collection[int],
    actor: Actor,
    now: datetime,
) -> None:
    """Have a view sent to these people at these times; again: to others, or at other times."""
    access.check(actor, PAGE)
    view = db.get(SavedView, view_id)
    if view is None or view.page != PAGE or not (view.shared or view.owner_id == actor.id):
        raise NotFound("There is no such view, or it is not shared any more.")
    times = report_times.checked(every, weekday, hour, zone)
    _check_readers(db, reader_ids, actor)
    _save(db, view_id, times, reader_ids, view.name, actor, now)


def _check_readers(db: Session, reader_ids: Collection[int], actor: Actor) -> None:
    if not reader_ids:
        raise RuleError("Choose who gets it.", field="readers")
    if len(set(reader_ids)) > MOST_READERS:
        raise RuleError(f"Choose at most {MOST_READERS} people.", field="readers")
    if set(reader_ids) - {actor.id}:
        access.check(actor, "send_reports")
    if set(reader_ids) - people.who_may(db, PAGE).keys():
        raise RuleError("Choose people who may read trends.", field="readers")


def _save(
    db: Session,
    view_id: int | None,
    times: Times,
    reader_ids: Collection[int],
    name: str,
    actor: Actor,
    now: datetime,
) -> None:
    # A double click makes one. Who is sent something meanwhile is not waited for: that names the person, no more.
    db.execute(select(Person.id).where(Person.id == actor.id).with_for_update(key_share=True))
    row = _locked(db, actor, view_id)
    before = _told(db, row) if row is not None else None
    if row is None:
        row = ReportSchedule(owner_id=actor.id, view_id=view_id, created_at=now)
        db.add(row)
    row.every, row.weekday, row.hour, row.zone = times.every, times.weekday, times.hour, times.zone
    db.flush()
    known = {each.person_id: each for each in db.scalars(_readers(row.id))}
    for gone in known.keys() - set(reader_ids):
        db.delete(known[gone])
    for person_id in sorted(set(reader_ids)):
        reader = known.get(person_id) or ReportReader(schedule_id=row.id, person_id=person_id)
        reader.next_at = report_times.next_at(times, now)
        db.add(reader)
    db.flush()
    after = _told(db, row)
    if before != after:
        audit.record(db, actor, now, "report sending set", name, before, after)


def leave(db: Session, schedule_id: int, *, actor: Actor, now: datetime) -> None:
    """Not be sent it any more; it ends with its last reader."""
    row = db.get(ReportSchedule, schedule_id, with_for_update=True)
    reader = db.get(ReportReader, (schedule_id, actor.id))
    if row is None or reader is None:
        raise NotFound(_UNKNOWN)
    name = _name(db, row)
    before = _told(db, row)
    db.delete(reader)
    db.flush()
    if db.scalars(_readers(schedule_id).limit(1)).first() is None:
        db.delete(row)
        audit.record(db, actor, now, "report sending ended", name, before)
    else:
        audit.record(db, actor, now, "report sending set", name, before, _told(db, row))


def leave_by_link(db: Session, token: str, *, now: datetime) -> None:
    """Not be sent the report of the link any more, as its person; twice is once. RuleError for a link that is none."""
    found = queries.left_by(db, token)
    if found is None:
        raise RuleError(UNKNOWN_LINK)
    if found.schedule_id is not None:
        leave(db, found.schedule_id, actor=found.person, now=now)


def end(db: Session, schedule_id: int, *, actor: Actor, now: datetime) -> None:
    """Send it to nobody any more: for whoever has it sent."""
    row = db.get(ReportSchedule, schedule_id, with_for_update=True)
    if row is None or row.owner_id != actor.id:
        raise NotFound(_UNKNOWN)
    _end(db, row, _name(db, row), actor, now)


def _end(db: Session, row: ReportSchedule, name: str, actor: Actor, now: datetime) -> None:
    audit.record(db, actor, now, "report sending ended", name, _told(db, row))
    db.execute(delete(ReportSchedule).where(ReportSchedule.id == row.id))


def _locked(db: Session, actor: Actor, view_id: int | None) -> ReportSchedule | None:
    statement = select(ReportSchedule).where(
        ReportSchedule.owner_id == actor.id,
        ReportSchedule.view_id.is_(None) if view_id is None else ReportSchedule.view_id == view_id,
    )
    return db.scalars(statement.with_for_update()).one_or_none()


def _readers(schedule_id: int) -> Any:
    return select(ReportReader).where(ReportReader.schedule_id == schedule_id).order_by(ReportReader.person_id)


def _name(db: Session, row: ReportSchedule) -> str:
    return TITLE if row.view_id is None else db.get_one(SavedView, row.view_id).name


def _told(db: Session, row: ReportSchedule) -> dict[str, Any]:
    """For the audit."""
    names = (
        select(Person.name)
        .join(ReportReader, ReportReader.person_id == Person.id)
        .where(ReportReader.schedule_id == row.id)
        .order_by(Person.name, Person.id)
    )
    times = Times(row.every, row.weekday, row.hour, row.zone)
    return {"when": times.words, "readers": ", ".join(db.scalars(names))}
