"""What somebody was sent: reports as they were at that moment."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.models import ReportRun
from rules import access, report_kept
from rules.access import Actor, NotFound
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


def own(db: Session, actor: Actor, page: int = 1) -> tuple[list[Run], int]:
    """One page of what the actor was sent, newest first, and how many there are."""
    access.check(actor, "trends")
    total = db.execute(select(func.count()).where(ReportRun.person_id == actor.id)).scalar_one()
    statement = (
        select(ReportRun.id, ReportRun.name, ReportRun.address, ReportRun.as_of)
        .where(ReportRun.person_id == actor.id)
        .order_by(ReportRun.as_of.desc(), ReportRun.id.desc())
        .limit(PAGE_SIZE)
        .offset((max(page, 1) - 1) * PAGE_SIZE)
    )
    return [Run(*row) for row in db.execute(statement)], total


def one(db: Session, actor: Actor, run_id: int) -> Whole:
    """One of them, exactly as it was sent. NotFound when it is not theirs, or is kept no longer."""
    access.check(actor, "trends")
    found = db.get(ReportRun, run_id)
    if found is None or found.person_id != actor.id:
        raise NotFound("There is no such report, or it was not sent to you.")
    return Whole(Run(found.id, found.name, found.address, found.as_of), report_kept.read(found.content))
