"""Who is told of a change that is about them: given to them, cancelled, or waiting for their answer."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from db.commands import notices
from db.models import Incident, Notice, OutboxMessage, TimelineEntry
from rules.access import Actor

ASSIGNED, CANCELLED, QUESTION = "assigned", "cancelled", "question"
"""kinds of notice"""
_GIVES = frozenset({"accept", "assign", "escalate"})
_ANSWER = "Answer under My reports: work goes on then."


def told(
    db: Session,
    incident: Incident,
    kind: str,
    before: Mapping[str, Any],
    given: Mapping[str, Any],
    words: str,
    actor: Actor,
    now: datetime,
) -> None:
    """Tell those whom the change of `kind` is about, other than the actor. `before`: the values it replaced.

    Whoever is on call and got it for that reason is paged by the escalation; here it stands in the app only.
    """
    person = incident.assignee_id
    if kind in _GIVES and person not in (None, actor.id) and before.get("assignee_id", person) != person:
        subject = f"Given to you: {incident.number}: {incident.title}"
        chosen = given.get("assignee_id") == person
        notices.tell(db, [person], ASSIGNED, subject, words, incident=incident, now=now, in_app_only=not chosen)
    if kind == "cancel" and incident.reporter_id not in (None, actor.id):
        subject = f"Cancelled: {incident.number}: {incident.title}"
        notices.tell(db, [incident.reporter_id], CANCELLED, subject, words, incident=incident, now=now)
    if kind == "hold" and incident.hold_reason == "reporter" and before.get("hold_reason") != "reporter":
        question(db, incident, _asked(db, incident), actor, now)


def not_cancelled(db: Session, incident: Incident, cancelled_at: datetime, now: datetime) -> None:
    """Take back what was told of a cancel that was taken back: what waits leaves no more, and the word goes after it.

    It stays in the app where nothing of the cancel has left it.
    """
    said = select(Notice).where(
        Notice.incident_id == incident.id, Notice.kind == CANCELLED, Notice.created_at == cancelled_at
    )
    for notice in db.scalars(said).all():
        left = exists().where(OutboxMessage.notice_id == notice.id, OutboxMessage.last_attempt_at.is_not(None))
        gone = bool(db.scalar(select(left)))
        notice.read_at = notice.read_at or now
        subject = f"Not cancelled: {incident.number}: {incident.title}"
        words = "That it was cancelled was a mistake. It goes on as before."
        notices.tell(
            db, [notice.person_id], CANCELLED, subject, words, incident=incident, now=now, in_app_only=not gone
        )


def question(db: Session, incident: Incident, words: str, actor: Actor, now: datetime) -> None:
    """Tell the reporter that work waits for their answer to these words."""
    if incident.reporter_id in (None, actor.id):
        return
    subject = f"Waiting for your answer: {incident.number}: {incident.title}"
    body = f"{words}\n\n{_ANSWER}" if words else _ANSWER
    notices.tell(db, [incident.reporter_id], QUESTION, subject, body, incident=incident, now=now)


def _asked(db: Session, incident: Incident) -> str:
    """The newest comment, if it is not the reporter's own: what they are asked."""
    comments = select(TimelineEntry.detail, TimelineEntry.actor_id).where(
        TimelineEntry.incident_id == incident.id, TimelineEntry.kind == "comment", TimelineEntry.public.is_(True)
    )
    newest = db.execute(comments.order_by(TimelineEntry.id.desc()).limit(1)).first()
    return newest.detail if newest is not None and newest.actor_id != incident.reporter_id else ""
