"""Having reports sent: the weekly digest to oneself, saved views of trends to oneself and others."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from db.commands import audit, notices
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
ENDED = "report_ended"
"""kind of the notice that one comes no more"""
_UNKNOWN = "There is no such report, or it is not yours."
_AGAIN = "To go on with it, keep a view of your own in Trends and have that sent."
_BUTTON = ("Open Reports", "/reports")


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
    view = db.get(SavedView, view_id, with_for_update={"read": True})  # it stays until this is written
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
    as_before = row is not None and times == Times(row.every, row.weekday, row.hour, row.zone)
    if row is None:
        row = ReportSchedule(owner_id=actor.id, view_id=view_id, created_at=now)
        db.add(row)
    row.every, row.weekday, row.hour, row.zone = times.every, times.weekday, times.hour, times.zone
    db.flush()
    known = {each.person_id: each for each in db.scalars(_readers(row.id))}
    for gone in known.keys() - set(reader_ids):
        db.delete(known[gone])
    for person_id in sorted(set(reader_ids)):
        reader = known.get(person_id)
        if reader is None:
            reader = ReportReader(schedule_id=row.id, person_id=person_id)
            db.add(reader)
        elif as_before:
            continue  # what is due to them already is still to come
        reader.next_at = report_times.next_at(times, now)
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


def had_by_others(db: Session, view_id: int) -> int:
    """How many have the view sent beside its owner."""
    others = ReportSchedule.view_id == view_id, ReportSchedule.owner_id != SavedView.owner_id
    return db.scalar(select(func.count()).join_from(ReportSchedule, SavedView).where(*others)) or 0


def end_of_view(db: Session, view: SavedView, why: str, *, actor: Actor, now: datetime, but_own: bool = False) -> None:
    """End all that sends the view, or with `but_own` all but what its owner has sent; tell others whose it was."""
    statement = select(ReportSchedule).where(ReportSchedule.view_id == view.id).order_by(ReportSchedule.id)
    if but_own:
        statement = statement.where(ReportSchedule.owner_id != view.owner_id)
    rows = db.scalars(statement.with_for_update()).all()
    told = _all_told(db, rows)
    for row in rows:
        audit.record(db, actor, now, "report sending ended", view.name, told[row.id])
        if row.owner_id != actor.id:
            had = f"Your sending {told[row.id]['when']} to {told[row.id]['readers']} has ended."
            subject = f"'{view.name}' is not sent any more"
            notices.tell(db, [row.owner_id], ENDED, subject, f"{why} {had} {_AGAIN}", now=now, button=_BUTTON)
    db.execute(delete(ReportSchedule).where(ReportSchedule.id.in_([row.id for row in rows])))


def follow_rights(db: Session, person_id: int, why: str, *, actor: Actor, now: datetime) -> None:
    """Once somebody may not send reports to others any more: end what they sent, and tell who read it.

    What they have sent to themselves waits until they may read it again. `why`: a sentence.
    """
    owner = people.acting(db, person_id)
    if owner is not None and access.may(owner, PAGE) and access.may(owner, "send_reports"):
        return
    others = ReportReader.person_id != person_id
    read = select(ReportReader.schedule_id).where(others)
    own = ReportSchedule.owner_id == person_id, ReportSchedule.id.in_(read)
    rows = db.scalars(select(ReportSchedule).where(*own).order_by(ReportSchedule.id).with_for_update()).all()
    ids = [row.id for row in rows]
    names, before = _names(db, rows), _all_told(db, rows)
    gone = select(ReportReader.schedule_id, ReportReader.person_id).where(ReportReader.schedule_id.in_(ids), others)
    readers: dict[int, list[int]] = {}
    for schedule_id, reader_id in db.execute(gone):
        readers.setdefault(schedule_id, []).append(reader_id)
    db.execute(delete(ReportReader).where(ReportReader.schedule_id.in_(ids), others))
    after = _all_told(db, rows)
    for row in rows:
        ends = not after[row.id]["readers"]
        what = "report sending ended" if ends else "report sending set"
        audit.record(db, actor, now, what, names[row.id], before[row.id], None if ends else after[row.id])
        subject = f"'{names[row.id]}' is not sent to you any more"
        notices.tell(db, readers[row.id], ENDED, subject, f"{why} {_AGAIN}", now=now, button=_BUTTON)
    over = [row.id for row in rows if not after[row.id]["readers"]]
    db.execute(delete(ReportSchedule).where(ReportSchedule.id.in_(over)))


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


def _names(db: Session, rows: Sequence[ReportSchedule]) -> dict[int, str]:
    views = select(SavedView.id, SavedView.name).where(SavedView.id.in_([row.view_id for row in rows]))
    known = {view_id: name for view_id, name in db.execute(views)}
    return {row.id: TITLE if row.view_id is None else known[row.view_id] for row in rows}


def _told(db: Session, row: ReportSchedule) -> dict[str, Any]:
    """For the audit."""
    return _all_told(db, [row])[row.id]


def _all_told(db: Session, rows: Sequence[ReportSchedule]) -> dict[int, dict[str, Any]]:
    """For the audit: schedule -> when it is sent, and to whom."""
    readers: dict[int, list[str]] = {row.id: [] for row in rows}
    statement = (
        select(ReportReader.schedule_id, Person.name)
        .join(Person, Person.id == ReportReader.person_id)
        .where(ReportReader.schedule_id.in_(list(readers)))
        .order_by(Person.name, Person.id)
    )
    for schedule_id, name in db.execute(statement):
        readers[schedule_id].append(name)
    return {
        row.id: {
            "when": Times(row.every, row.weekday, row.hour, row.zone).words,
            "readers": ", ".join(readers[row.id]),
        }
        for row in rows
    }
