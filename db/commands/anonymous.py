"""Reports without an account: made by a form anyone may send, followed by a link that cannot be guessed.

Only the link's hash is kept. It is made from the form's token and our key, so that a form sent twice leads to the same
page; of the token, too, only a hash is kept.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.commands import answers as reporter
from db.commands import checks, conversation, deflections, files, incidents, throttle
from db.models import Incident, TimelineEntry
from db.queries.sessions import hashed
from db.queries.tracking import NOBODY
from db.settings import settings
from rules.access import Actor

WINDOW = timedelta(minutes=10)
MOST_OF_AN_ADDRESS, MOST_OF_ALL, MOST_WORDS = 5, 60, 20
"""reports in WINDOW from one line and from everywhere; answers and comments on one incident"""
_SAME_WORDS = timedelta(minutes=2)


def tracking_token(form_token: str) -> str:
    """The secret part of the link that follows the report of this form: 256 bits."""
    made = hmac.new(settings().secret(), f"track:{form_token}".encode(), hashlib.sha256).digest()
    return urlsafe_b64encode(made).decode().rstrip("=")


def report(
    db: Session,
    *,
    title: str,
    affected: str,
    description: str,
    service_id: int | None,
    scope: str | None,
    effect: str | None,
    name: str,
    contact: str,
    attachments: Sequence[files.Upload],
    form_token: str,
    address: str,
    template_id: int | None = None,
    answers: Mapping[str, object] | None = None,
    now: datetime,
) -> str:
    """The tracking token of a new incident, or of the one that this form made already.

    RuleError with `fields`; Throttled after too many; NotFound where ANONYMOUS_REPORTS is off.
    """
    checks.open_to(NOBODY)
    token = tracking_token(form_token)
    if db.scalar(select(Incident.id).where(Incident.tracking_hash == hashed(token))) is not None:
        return token
    line = throttle.key("report", throttle.line_of(address))
    throttle.count(db, line, MOST_OF_AN_ADDRESS, WINDOW, "reports", now)
    throttle.count(db, throttle.key("report", "everybody"), MOST_OF_ALL, WINDOW, "reports", now)
    deflections.not_helped(db, form_token, actor=NOBODY)
    incident = incidents.report(
        db,
        title=title,
        affected=affected,
        description=description,
        service_id=service_id,
        scope=scope,
        effect=effect,
        attachments=attachments,
        caller=checks.Caller(name=name, contact=contact),
        form_token=hashed(f"form:{form_token}").hex(),
        template_id=template_id,
        answers=answers,
        actor=Actor(NOBODY.id, " ".join(name.split())[:120] or NOBODY.name, anonymous=True),
        now=now,
    )
    incident.tracking_hash = hashed(token)
    db.flush()
    return token


def helped(db: Session, problem_id: int, *, form_token: str, address: str, now: datetime) -> None:
    """The words of a known error helped, and this form is not sent. Throttled after too many; NotFound as helped()."""
    throttle.count(db, throttle.key("report", throttle.line_of(address)), MOST_OF_AN_ADDRESS, WINDOW, "answers", now)
    throttle.count(db, throttle.key("report", "everybody"), MOST_OF_ALL, WINDOW, "answers", now)
    deflections.helped(db, problem_id, form_token, actor=NOBODY, now=now)


def answer(db: Session, fixed: bool, words: str, *, sure: bool, actor: Actor, now: datetime) -> None:
    """'Yes' or 'Not yet' of who holds the link. Raises answers.Unsure, RuleError.

    The same answer again changes nothing, but other words with it are kept as a comment.
    """
    incident = _opened(db, actor, now)
    if (fixed and incident.verification == "confirmed") or (not fixed and incident.denied_at is not None):
        if words.strip() and _just_said(db, incident, words) is None:
            conversation.comment(db, incident.id, words, public=True, actor=actor, now=now)
        return
    reporter.answer(db, incident.id, None, fixed, words, sure=sure, actor=actor, now=now)


def comment(db: Session, words: str, *, actor: Actor, now: datetime) -> None:
    """Write on the incident that the link opens; the same words again at once are a second click."""
    incident = _opened(db, actor, now)
    said = _just_said(db, incident, words)
    if said is not None and now - said.at < _SAME_WORDS:
        return
    conversation.comment(db, incident.id, words, public=True, actor=actor, now=now)


def _just_said(db: Session, incident: Incident, words: str) -> TimelineEntry | None:
    """The newest of what was written on it, if it is these words from somebody without an account."""
    written = TimelineEntry.kind.in_(("comment", "reject"))
    newest = select(TimelineEntry).where(TimelineEntry.incident_id == incident.id, written)
    last = db.scalars(newest.order_by(TimelineEntry.id.desc()).limit(1)).first()
    if last is None or last.actor_id is not None or last.detail != words.replace("\r\n", "\n").strip():
        return None
    return last


def _opened(db: Session, actor: Actor, now: datetime) -> Incident:
    incident = incidents.for_change(db, actor.opens or 0, None, actor)
    throttle.count(db, throttle.key("words", str(incident.id)), MOST_WORDS, WINDOW, "messages", now)
    return incident
