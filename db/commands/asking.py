"""Asking the reporter whether it is fixed: at once, once more after some days, and when silence is enough to close."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import BigInteger, select, type_coerce, update
from sqlalchemy.orm import Session

from db.commands import notices, timeline
from db.models import Incident, Instant, Notice, Person, Timer
from db.queries.settings import policies
from rules.access import SYSTEM, Actor
from rules.verification import Patience

ASKED, REMINDED, DENIED = "verify", "verify_reminder", "not_fixed"
"""kinds of notice"""
REMINDER, OVER = "verify_reminder", "verify_over"
"""kinds of timer"""
_ANSWERS = frozenset({"verify", "reject", "reopen", "close"})
_ANY = datetime(2026, 1, 1, tzinfo=UTC)
"""The lengths are the same from any moment on."""
_QUESTION = "Does it work again? Say 'Yes' or 'Not yet' under My reports."


def waits(incident: Incident) -> bool:
    """True while the reporter is asked and has not answered."""
    return incident.state == "recovered" and incident.verification is None


def due(incident: Incident, patience: Patience) -> dict[str, datetime]:
    """Timer kind -> when it falls due, while the reporter's answer is waited for. Imported histories have none."""
    if not waits(incident) or incident.imported or incident.recovered_at is None:
        return {}
    if incident.reminded_at is None:
        return {REMINDER: patience.remind_at(incident.recovered_at)}
    return {OVER: patience.over_at(incident.reminded_at)}


def move(db: Session, patience: Patience) -> None:
    """Let every reminder, and every end of waiting, that is still to come be due as `patience` has it.

    One that is firing right now is passed over: it asks for its moment itself.
    """
    for kind, since, length in (
        (REMINDER, Incident.recovered_at, patience.remind_at(_ANY) - _ANY),
        (OVER, Incident.reminded_at, patience.over_at(_ANY) - _ANY),
    ):
        began = select(type_coerce(since, BigInteger)).where(Incident.id == Timer.incident_id, since.is_not(None))
        due = began.scalar_subquery() + length // timedelta(microseconds=1)
        free = select(Timer.id).where(Timer.kind == kind, Timer.fired_at.is_(None)).with_for_update(skip_locked=True)
        waiting = update(Timer).where(Timer.id.in_(free), began.exists())
        db.execute(waiting.values(due_at=type_coerce(due, Instant)), execution_options={"synchronize_session": False})


def told(db: Session, incident: Incident, kind: str, words: str, actor: Actor, now: datetime) -> None:
    """Ask the reporter once the service is restored; once there is an answer, ask no more and tell who works on it."""
    if kind == "recover" and incident.reporter_id is not None:
        subject = f"Fixed? {incident.number}: {incident.title}"
        notices.tell(db, [incident.reporter_id], ASKED, subject, _QUESTION, incident=incident, now=now)
    if kind in _ANSWERS:
        asked = update(Notice).where(Notice.incident_id == incident.id, Notice.kind.in_((ASKED, REMINDED)))
        db.execute(asked.where(Notice.read_at.is_(None)).values(read_at=now))
    if kind in ("reject", "reopen") and incident.denied_at == now and incident.assignee_id not in (None, actor.id):
        subject = f"Not fixed: {incident.number}: {incident.title}"
        notices.tell(db, [incident.assignee_id], DENIED, subject, words, incident=incident, now=now)


def fire(db: Session, timer: Timer, incident: Incident, now: datetime) -> None:
    """Remind, or say that silence is enough. A timer whose settings have changed meanwhile waits for its new moment."""
    patience = policies(db).patience
    moment = due(incident, patience).get(timer.kind)
    if moment is not None and moment > now:
        timer.due_at = moment
        return
    timer.fired_at = now
    if moment is None:
        return
    if timer.kind == OVER:
        days = f"{patience.close_days} day{'s' if patience.close_days > 1 else ''}"
        told_over = f"no answer for {days} after the reminder: it may be closed"
        timeline.add(db, incident, SYSTEM, moment, "asked", told_over, versioned=False, recorded_at=now)
        return
    if has_account(db, incident):
        remind(db, incident, "reminded the reporter to say whether it works", "", SYSTEM, now)
    elif incident.tracking_hash is not None and not incident.caller_contact:
        remind(db, incident, "reminded the reporter on the page of their link", "", SYSTEM, now)
    else:
        who = ", ".join(part for part in (incident.caller_name, incident.caller_contact) if part) or "the reporter"
        must = f"cannot remind {who}: there is no account. Ask them whether it works"
        timeline.add(db, incident, SYSTEM, now, "asked", must, versioned=False)
        return
    over = db.scalars(select(Timer).where(Timer.incident_id == incident.id, Timer.kind == OVER)).one_or_none()
    if over is None:
        db.add(Timer(incident_id=incident.id, kind=OVER, due_at=patience.over_at(now)))
    else:  # of an earlier round
        over.due_at, over.fired_at = patience.over_at(now), None


def remind(db: Session, incident: Incident, text: str, words: str, actor: Actor, now: datetime) -> None:
    """Write down that the reporter was reminded now; whoever has an account is told."""
    incident.reminded_at = now
    if incident.reporter_id is not None:
        subject = f"Reminder: is it fixed? {incident.number}: {incident.title}"
        notices.tell(db, [incident.reporter_id], REMINDED, subject, _QUESTION, incident=incident, now=now)
    timeline.add(db, incident, actor, now, "asked", text, detail=words, public=True, versioned=False)


def has_account(db: Session, incident: Incident) -> bool:
    """True when the reporter can be asked in the app."""
    person = db.get(Person, incident.reporter_id) if incident.reporter_id is not None else None
    return person is not None and person.disabled_at is None
