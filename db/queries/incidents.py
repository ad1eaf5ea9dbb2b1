"""One incident with everything its page shows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from db.models import Attachment, AttachmentContent, Incident
from db.queries.access import record_of, visible
from db.queries.confirmation import denied_words
from db.queries.lines import Line, with_access
from db.queries.tiers import Handover, unread
from db.queries.timeline import PAGE, Entry, Told, first_of, page, whole
from rules import access, phases, states
from rules.access import Actor, NotFound, Record
from rules.moments import MOMENTS
from rules.text import looked_for
from rules.timeline_kinds import ALL, LOOKED_FOR, kinds


@dataclass(frozen=True)
class Detail:
    line: Line
    record: Record
    description: str
    answers: tuple[tuple[str, str], ...]
    """what its template asked: question and answer"""
    scope: str | None
    effect: str | None
    impact: int | None
    urgency: int | None
    category_pair_id: int | None
    service_id: int | None
    source: str
    contact: str
    """how a reporter without an account is reached"""
    tracked: bool
    """it was reported without an account, and a link follows it"""
    logged_by_id: int | None
    """who typed it"""
    resolution_code: str | None
    resolution_note: str | None
    verification_note: str | None
    denied_words: str
    """what the reporter wrote when they said that it is not fixed"""
    started_at: datetime | None
    detected_at: datetime | None
    recovered_at: datetime | None
    verified_at: datetime | None
    closed_at: datetime | None
    first_resolution_due_at: datetime | None
    reopen_count: int
    handovers: int
    escalations: int
    ping_pong: bool
    """came back to a team that had it before"""
    vendor_contact: str
    vendor_reference: str
    handover: Handover | None
    """what the team that has it was handed over with, while nobody has read it"""
    must_read: bool
    """the actor reads it before they start work"""
    duplicate_of: str | None
    followers: int
    following: bool
    allowed: tuple[str, ...]
    """names of the lifecycle actions the actor may take now"""


@dataclass(frozen=True)
class FileRow:
    id: int
    name: str
    media_type: str
    size: int
    added_at: datetime


WORKING = frozenset({"responder", "lead", "desk", "manager"})
"""roles of those who see an incident from the inside"""
_BY_NUMBER = (
    select(Incident)
    .where(Incident.number.in_([bindparam("number"), bindparam("large")]))
    .order_by(Incident.number != bindparam("number"))
    .limit(1)
)


def by_number(db: Session, actor: Actor, number: str) -> Detail:
    """The incident with this number. NotFound when there is none, or it is not open to the actor.

    It may be written in small letters: those of other systems can hold some, ours hold none.
    """
    written = looked_for(number)
    found = db.scalars(_BY_NUMBER, {"number": written, "large": written.upper()}).one_or_none()
    if found is None:
        raise NotFound(_absent(number))
    return of(db, actor, found)


def _absent(number: str) -> str:
    return f"There is no incident {looked_for(number)}, or it is not open to you. Check the number."


def of(db: Session, actor: Actor, incident: Incident) -> Detail:
    """The same of an incident that was read already. NotFound when it is not open to the actor."""
    line, record, followers = with_access(db, incident)
    if not access.may(actor, "read", record):
        refusal = NotFound(_absent(incident.number))
        refusal.refused = (actor.id, "read")
        raise refusal
    duplicate_of = None
    if incident.duplicate_of_id is not None:
        survivor = select(Incident.number).where(Incident.id == incident.duplicate_of_id, visible(actor))
        duplicate_of = db.execute(survivor).scalar()
    handed = incident.team_id is not None and incident.state in states.OPEN
    handover = unread(db, incident.id) if handed else None
    return Detail(
        line=line,
        record=record,
        description=incident.description,
        answers=tuple((each["question"], each["answer"]) for each in incident.answers or ()),
        scope=incident.scope,
        effect=incident.effect,
        impact=incident.impact,
        urgency=incident.urgency,
        category_pair_id=incident.category_pair_id,
        service_id=incident.service_id,
        source=incident.source,
        contact=incident.caller_contact,
        tracked=incident.tracking_hash is not None,
        logged_by_id=incident.logged_by_id,
        resolution_code=incident.resolution_code,
        resolution_note=incident.resolution_note,
        verification_note=incident.verification_note,
        denied_words=denied_words(db, incident),
        started_at=incident.started_at,
        detected_at=incident.detected_at,
        recovered_at=incident.recovered_at,
        verified_at=incident.verified_at,
        closed_at=incident.closed_at,
        first_resolution_due_at=incident.first_resolution_due_at,
        reopen_count=incident.reopen_count,
        handovers=incident.handovers,
        escalations=incident.escalations,
        ping_pong=incident.ping_pong,
        vendor_contact=incident.vendor_contact,
        vendor_reference=incident.vendor_reference,
        handover=handover,
        must_read=handover is not None and handover.writer_id != actor.id,
        duplicate_of=duplicate_of,
        followers=len(followers),
        following=actor.id in followers,
        allowed=tuple(
            name
            for name in allowed_actions(actor, incident.state, record)
            if name != ("unmerge" if incident.duplicate_of_id is None else "reopen") or incident.state != "cancelled"
        ),
    )


def allowed_actions(actor: Actor, state: str, record: Record) -> tuple[str, ...]:
    """Names of the lifecycle actions `actor` may take on an incident in `state`, in table order."""
    return tuple(name for name in states.possible(state) if access.may_take(actor, name, record, state))


def works_on(actor: Actor) -> bool:
    """True when the actor sees an incident as those who work on it do: with notes, priority and clocks."""
    return not WORKING.isdisjoint(actor.roles)


def told(
    db: Session,
    actor: Actor,
    detail: Detail,
    group: str = ALL,
    before: tuple[datetime, int] | None = None,
    limit: int = PAGE,
) -> Told:
    """One page of the timeline, of a group of kinds (rules.timeline_kinds); only what is public for those outside."""
    access.check(actor, "read", detail.record)
    return page(db, detail.line.id, public_only=not works_on(actor), kinds=kinds(group), before=before, limit=limit)


def whole_story(db: Session, actor: Actor, detail: Detail) -> list[Entry]:
    """The whole timeline, oldest first; only what is public for those who do not work on it."""
    access.check(actor, "read", detail.record)
    return whole(db, detail.line.id, public_only=not works_on(actor))


def course(db: Session, actor: Actor, detail: Detail, now: datetime) -> phases.Course:
    """The phases that it went through so far."""
    access.check(actor, "read", detail.record)
    moments = {name: getattr(detail.line, name, None) or getattr(detail, name, None) for name in MOMENTS}
    moments["diagnosing_at"] = first_of(db, detail.line.id, LOOKED_FOR)
    cancelled = db.scalar(select(Incident.cancelled_at).where(Incident.id == detail.line.id))
    return phases.course(moments, now, over_at=detail.closed_at or cancelled)


_FILES = (
    select(Attachment.id, Attachment.name, Attachment.media_type, Attachment.size, Attachment.added_at)
    .where(Attachment.incident_id == bindparam("incident_id"), ~Attachment.internal)
    .order_by(Attachment.id)
)


def files(db: Session, actor: Actor, detail: Detail) -> list[FileRow]:
    """The files on the incident, oldest first, without those that belong to the talk in its room."""
    access.check(actor, "read", detail.record)
    return [FileRow(*row) for row in db.execute(_FILES, {"incident_id": detail.line.id})]


def page_of_files(db: Session, actor: Actor, detail: Detail, after: int, limit: int) -> tuple[list[FileRow], bool]:
    """The same after the file with the id `after`, and whether there are more."""
    access.check(actor, "read", detail.record)
    some = _FILES.where(Attachment.id > after).limit(limit + 1)
    rows = [FileRow(*row) for row in db.execute(some, {"incident_id": detail.line.id})]
    return rows[:limit], len(rows) > limit


def has_file(db: Session, detail: Detail, attachment_id: int) -> bool:
    """Whether the file is on this very incident. To whom it is open, file_content says."""
    kept = select(Attachment.id).where(Attachment.id == attachment_id, Attachment.incident_id == detail.line.id)
    return db.scalar(kept) is not None


def file_content(db: Session, actor: Actor, attachment_id: int) -> tuple[FileRow, bytes]:
    """One file with its content. NotFound when there is none, or its incident is not open to the actor."""
    kept = db.get(Attachment, attachment_id)
    incident = db.get(Incident, kept.incident_id) if kept else None
    if kept is None or incident is None or (kept.internal and not works_on(actor)):
        raise NotFound("There is no such file, or it is not open to you.")
    if not _opens_files(db, actor, incident):
        raise NotFound("There is no such file, or it is not open to you.")
    content: Any = db.execute(
        select(AttachmentContent.content).where(AttachmentContent.attachment_id == attachment_id)
    ).scalar_one()
    return FileRow(kept.id, kept.name, kept.media_type, kept.size, kept.added_at), bytes(content)


def _opens_files(db: Session, actor: Actor, incident: Incident) -> bool:
    """True for whoever may read the incident, or one that it was merged into: they are one.

    What is restricted is not opened by way of one that is not.
    """
    hidden, met, at = incident.restricted, {incident.id}, incident
    while not access.may(actor, "read", record_of(db, at)) or (hidden and not at.restricted):
        if at.duplicate_of_id is None or at.duplicate_of_id in met:
            return False
        at = db.get_one(Incident, at.duplicate_of_id)
        met.add(at.id)
    return True
