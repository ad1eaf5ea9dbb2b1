"""What somebody was sent: reports as they were at that moment."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.models import Incident, ReportRun
from db.queries import figure
from db.queries.access import visible
from db.queries.views import begin
from rules import access, exports, report_kept
from rules.access import Actor, NotFound
from rules.exports import Book
from rules.panels import Report

PAGE_SIZE = 10


@dataclass(frozen=True)
class Run:
    id: int
    name: str
    address: str
    """of the view at the time, after '?'; empty for the weekly digest"""
    as_of: datetime


@dataclass(frozen=True)
class Whole:
    run: Run
    report: Report
    filtered: tuple[str, ...]
    """its filters in words"""

    @property
    def book(self) -> Book:
        """For its files."""
        return exports.of_report(self.report, self.filtered)


def own(db: Session, actor: Actor, page: int = 1) -> tuple[list[Run], int]:
    """One page of what the actor was sent, newest first, and how many there are."""
    access.check(actor, "trends")
    total = db.execute(select(func.count()).where(ReportRun.person_id == actor.id)).scalar_one()
    statement = (
        select(ReportRun.id, ReportRun.name, ReportRun.address, ReportRun.as_of)
        .where(ReportRun.person_id == actor.id)
        .order_by(ReportRun.as_of.desc(), ReportRun.id.desc())
        .limit(PAGE_SIZE)
        .offset(begin(page, total, PAGE_SIZE))
    )
    return [Run(*row) for row in db.execute(statement)], total


def one(db: Session, actor: Actor, run_id: int) -> Whole:
    """One of them, exactly as it was sent. NotFound when it is not theirs, or is kept no longer."""
    access.check(actor, "trends")
    found = db.get(ReportRun, run_id)
    if found is None or found.person_id != actor.id:
        raise NotFound("There is no such report, or it was not sent to you.")
    return _whole(db, found, actor)


def book(db: Session, notice_id: int | None, reader: Actor) -> Book | None:
    """What the notice brought, for its files."""
    found = db.scalars(select(ReportRun).where(ReportRun.notice_id == notice_id)).one_or_none()
    return _whole(db, found, reader).book if found is not None and found.person_id == reader.id else None


def _whole(db: Session, found: ReportRun, actor: Actor) -> Whole:
    report = report_kept.read(found.content)
    named = select(Incident.number, Incident.title).where(Incident.number.in_(report_kept.numbers(report)))
    titles = {number: title for number, title in db.execute(named.where(visible(actor)))}
    filtered = figure.filter_words(db, actor, report.filters)
    run = Run(found.id, found.name, found.address, found.as_of)
    return Whole(run, report_kept.titled(report, titles), tuple(filtered))
