"""Sending a report to one reader: what it said is kept, and they are told; once, whatever happens to workers."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.commands.notices import tell
from db.models import ReportReader, ReportRun
from db.queries import figure, report_schedules
from db.queries.report_schedules import Due
from rules import report_kept, report_times, report_words
from rules.panels import Report

_OPEN = "Open as sent"


def send(db: Session, due: Due, person_id: int, report: Report | None, *, now: datetime) -> bool:
    """Keep the report for the reader, tell them, and set when the next one is due; False when nothing was sent.

    None, what is due too long, and what the reader may not have any more is passed over. So is what another worker has
    sent, or is sending at this moment. What was made by other rights than the reader has now is made anew.
    """
    statement = select(ReportReader).where(
        ReportReader.schedule_id == due.schedule_id, ReportReader.person_id == person_id, ReportReader.next_at == due.at
    )
    reader = db.scalars(statement.with_for_update(skip_locked=True)).one_or_none()
    if reader is None or due.at > now:
        return False
    still = report_schedules.due(db, due.schedule_id, person_id)
    if still is not None and still.reader is not None and (still.reader, still.address) != (due.reader, due.address):
        return False  # the next turn finds it due still
    reader.next_at = report_times.next_at(due.times, now)
    if report is None or still is None or still.reader is None or report_times.too_late(due.times, due.at, now):
        return False
    reader.sent_at = now
    run = ReportRun(
        person_id=person_id,
        name=due.name,
        address=due.address or "",
        as_of=report.as_of,
        content=report_kept.kept(report),
    )
    db.add(run)
    db.flush()
    filtered = figure.filter_words(db, still.reader, report.filters)
    subject, body = report_words.subject(report, due.name), report_words.body(report, filtered, due.why)
    button = (_OPEN, f"/reports?run={run.id}")
    [notice] = tell(
        db, [person_id], report_words.KIND, subject, body, now=now, button=button, schedule_id=due.schedule_id
    )
    run.notice_id = notice.id
    return True
