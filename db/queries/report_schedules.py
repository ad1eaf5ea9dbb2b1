"""Reports that are sent again and again: whose they are, who reads them, what is due, and what it says."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, func, or_, select
from sqlalchemy.orm import Session, aliased

from db.models import Person, ReportReader, ReportSchedule, SavedView, to_micros
from db.queries import digest, people
from db.queries.report import VIEWS, first_and_last, report
from db.queries.views import View, begin, turn
from db.settings import settings
from rules import access, page_links, report_words, trends_address
from rules.access import Actor
from rules.digest import week
from rules.errors import RuleError
from rules.panels import Report
from rules.periods import Period, chosen_days, preset
from rules.report_times import Times
from rules.trends_address import Wanted

PAGE = "trends"
"""of the saved views that are reports"""
PAGE_SIZE = 25
_OWNER = aliased(Person)


@dataclass(frozen=True)
class Sending:
    """A report that is sent again and again, as its owner or a reader sees it."""

    id: int
    view_id: int | None
    """None: the weekly digest"""
    name: str
    times: Times
    owner: str
    own: bool
    mine: bool
    """the reader of the screen is one of its readers"""
    reader_ids: tuple[int, ...]
    readers: tuple[str, ...]
    """names; of somebody else's report only one's own"""
    next_at: datetime
    sent_at: datetime | None


@dataclass(frozen=True)
class Due:
    """What one reader is to be sent."""

    schedule_id: int
    at: datetime
    times: Times
    name: str
    address: str | None
    """of the view; None: the weekly digest"""
    reader: Actor | None
    """None: nobody may have it any more"""
    why: str
    """why they get it, in words"""


@dataclass(frozen=True)
class Left:
    """What a link out of a mail would end."""

    person: Actor
    schedule_id: int | None
    """None: they do not get it any more"""
    name: str


def saved(db: Session, actor: Actor, page: int = 1) -> tuple[list[View], int]:
    """A page of the actor's own views of trends and those others share, and how many there are."""
    return turn(db, actor, PAGE, page, PAGE_SIZE)


def had_sent(db: Session, actor: Actor, view_ids: Collection[int]) -> dict[int, Sending]:
    """View -> how the actor has it sent, of those of these views that they have sent."""
    access.check(actor, PAGE)
    wanted = ReportSchedule.owner_id == actor.id, ReportSchedule.view_id.in_(view_ids)
    found = _sendings(db, actor, _schedules().where(*wanted))
    return {sending.view_id: sending for sending in found if sending.view_id is not None}


def sent_to(db: Session, actor: Actor, page: int = 1) -> tuple[list[Sending], int]:
    """A page of what others have sent to the actor, and of their own digest, by name; and how much there is."""
    access.check(actor, PAGE)
    read = select(ReportReader.schedule_id).where(ReportReader.person_id == actor.id)
    asked = or_(ReportSchedule.owner_id != actor.id, ReportSchedule.view_id.is_(None))
    wanted = ReportSchedule.id.in_(read), asked
    total = db.execute(select(func.count()).select_from(ReportSchedule).where(*wanted)).scalar_one()
    by_name = func.lower(func.coalesce(SavedView.name, digest.TITLE))
    rows = _schedules().where(*wanted).order_by(by_name, ReportSchedule.id)
    return _sendings(db, actor, rows.limit(PAGE_SIZE).offset(begin(page, total, PAGE_SIZE))), total


def _sendings(db: Session, actor: Actor, statement: Select[*tuple[Any, ...]]) -> list[Sending]:
    """With their readers; two statements, however many they are."""
    rows = db.execute(statement).all()
    readers: dict[int, list[Any]] = {}
    statement = (
        select(
            ReportReader.schedule_id, ReportReader.person_id, Person.name, ReportReader.next_at, ReportReader.sent_at
        )
        .join(Person, Person.id == ReportReader.person_id)
        .where(ReportReader.schedule_id.in_([row.id for row in rows]))
        .order_by(func.lower(Person.name), Person.id)
    )
    for reader in db.execute(statement):
        readers.setdefault(reader.schedule_id, []).append(reader)
    return [_sending(row, readers[row.id], actor) for row in rows if row.id in readers]


def _schedules() -> Select[*tuple[Any, ...]]:
    return (
        select(
            ReportSchedule.id,
            ReportSchedule.view_id,
            ReportSchedule.every,
            ReportSchedule.weekday,
            ReportSchedule.hour,
            ReportSchedule.zone,
            ReportSchedule.owner_id,
            ReportSchedule.created_at,
            _OWNER.name.label("owner"),
            SavedView.name.label("view_name"),
            SavedView.address,
            SavedView.owner_id.label("view_owner_id"),
            SavedView.shared,
        )
        .join(_OWNER, _OWNER.id == ReportSchedule.owner_id)
        .outerjoin(SavedView, SavedView.id == ReportSchedule.view_id)
    )


def _sending(row: Row[Any], readers: list[Any], actor: Actor) -> Sending:
    own = row.owner_id == actor.id
    shown = [reader for reader in readers if own or reader.person_id == actor.id]
    return Sending(
        row.id,
        row.view_id,
        _name(row),
        _times(row),
        row.owner,
        own,
        any(reader.person_id == actor.id for reader in readers),
        tuple(reader.person_id for reader in shown),
        tuple(reader.name for reader in shown),
        min(reader.next_at for reader in shown),
        max((reader.sent_at for reader in shown if reader.sent_at is not None), default=None),
    )


def _name(row: Row[Any]) -> str:
    return digest.TITLE if row.view_id is None else str(row.view_name)


def _times(row: Row[Any]) -> Times:
    return Times(row.every, row.weekday, row.hour, row.zone)


def subscription(db: Session, actor: Actor) -> Sending | None:
    """The actor's weekly digest; None when they have not asked for it."""
    access.check(actor, PAGE)
    own = ReportSchedule.owner_id == actor.id, ReportSchedule.view_id.is_(None)
    return next(iter(_sendings(db, actor, _schedules().where(*own))), None)


def may_read(db: Session, actor: Actor) -> dict[int, str]:
    """Id -> name of those to whom the actor may have reports sent: themselves, or everybody who may read trends."""
    access.check(actor, PAGE)
    found = people.who_may(db, PAGE)
    return found if access.may(actor, "send_reports") else {actor.id: actor.name}


def due_by(db: Session, now: datetime, most: int, but: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """(schedule, person) of what is due, longest first, without those of `but`."""
    statement = select(ReportReader.schedule_id, ReportReader.person_id).where(ReportReader.next_at <= now)
    found = db.execute(statement.order_by(ReportReader.next_at, ReportReader.schedule_id).limit(most + len(but)))
    return [(schedule, person) for schedule, person in found if (schedule, person) not in but][:most]


def due(db: Session, schedule_id: int, person_id: int) -> Due | None:
    """What the reader is to be sent by the schedule, by the rights that all of them have now; None: no such thing."""
    row = db.execute(_schedules().where(ReportSchedule.id == schedule_id)).one_or_none()
    at = db.scalar(
        select(ReportReader.next_at).where(
            ReportReader.schedule_id == schedule_id, ReportReader.person_id == person_id
        )
    )  # fmt: skip
    if row is None or at is None:
        return None
    return Due(
        schedule_id, at, _times(row), _name(row), row.address, _reader(db, row, person_id), _why(row, person_id)
    )  # fmt: skip


def leave_path(db: Session, schedule_id: int, person_id: int) -> str:
    """Where the person leaves this report without signing in; empty when it is sent no more."""
    made = db.scalar(select(ReportSchedule.created_at).where(ReportSchedule.id == schedule_id))
    if made is None:
        return ""
    token = page_links.report_token(settings().secret(), schedule_id, person_id, to_micros(made))
    return f"/leave/report/{token}"


def left_by(db: Session, token: str) -> Left | None:
    """What the token of a leave_path would end; None when it is none, or of somebody without an account."""
    claimed = page_links.reports(settings().secret(), token)
    person = people.acting(db, claimed[1]) if claimed is not None else None
    if claimed is None or person is None:
        return None
    row = db.execute(_schedules().where(ReportSchedule.id == claimed[0])).one_or_none()
    reader = db.get(ReportReader, claimed[:2])
    if row is None or reader is None or to_micros(row.created_at) != claimed[2]:
        return Left(person, None, "")
    return Left(person, claimed[0], _name(row))


def _reader(db: Session, row: Row[Any], person_id: int) -> Actor | None:
    """The reader, while they may read trends, and the owner may still have them sent this view."""
    owner = people.acting(db, row.owner_id)
    if owner is None or not access.may(owner, PAGE):
        return None
    if row.view_id is not None and not row.shared and row.view_owner_id != owner.id:
        return None
    if person_id == owner.id:
        return owner
    reader = people.acting(db, person_id)
    sends = access.may(owner, "send_reports")
    return reader if sends and reader is not None and access.may(reader, PAGE) else None


def _why(row: Row[Any], person_id: int) -> str:
    if row.view_id is None:
        return report_words.END_DIGEST
    if row.owner_id == person_id:
        return report_words.END_OWN
    return report_words.end_others(row.owner)


def made(db: Session, reader: Actor, address: str | None, zone: str, now: datetime) -> Report:
    """The report as the reader would see it on the screen now: a view of trends, or the digest of the last week.

    Not for a transaction that writes; see db.queries.measures.measured.
    """
    if address is None:
        return digest.digest(db, reader, week(now, zone), zone, now)
    wanted = trends_address.wanted(address)
    view = wanted.view if wanted.view in VIEWS else trends_address.DEFAULT_VIEW
    return report(db, reader, view, _period(db, reader, wanted, zone, now), zone, wanted.filters, now)


def _period(db: Session, reader: Actor, wanted: Wanted, zone: str, now: datetime) -> Period:
    """What the view asks for; the usual period where its days are still to come on this clock."""
    first, _ = first_and_last(db, reader)
    if wanted.days is None:
        return preset(wanted.period, now, zone, first)
    try:
        return chosen_days(*wanted.days, now, zone, first)
    except RuleError:
        return preset(trends_address.DEFAULT_PERIOD, now, zone, first)
