"""Calling people to answer for an incident: looked up at that moment, paged once each, and told on the timeline."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from db.commands import notices, outbox, team_news, timeline
from db.models import Incident, Page
from db.queries import escalation as queries
from db.queries import page_links, people
from db.queries.access import record_of
from rules import access, paging
from rules.access import SYSTEM, Actor, NotFound
from rules.errors import RuleError
from rules.escalation import Target
from rules.priority import LABELS

WHY_LIMIT = 200


@dataclass(frozen=True)
class Asked:
    """What became of asking the targets of one step."""

    reached: tuple[str, ...]
    missed: tuple[str, ...]
    """who was not reached, and why"""
    begins_at: datetime
    """when the first of them is written to: now, or when their night is over"""
    pages: int


def ask(
    db: Session,
    incident: Incident,
    targets: Iterable[Target],
    *,
    step: int | None = None,
    why: str = "",
    told: str | None = None,
    more: str = "",
    actor: Actor = SYSTEM,
    now: datetime,
) -> Asked:
    """Page everybody whom the targets are at `now`, each once.

    `why` is said instead of what the target is, on the timeline `told` if it is given; `more` goes into the message.
    Whoever may not see the incident is not written to. The timeline says who was asked and who could not be.
    """
    found = queries.resolve(db, targets, now)
    record = record_of(db, incident)
    reached: list[str] = []
    missed, begins, pages = list(found.nobody), [], 0
    for person_id, because in found.people.items():
        who = people.acting(db, person_id)
        if who is None:
            continue
        if not access.may(who, "read", record):
            missed.append(f"{who.name} may not see it")
            continue
        reason = (why or because)[:WHY_LIMIT]
        paged = outbox.page(db, person_id, incident, _subject(incident), _body(incident, reason, more), now=now)
        db.add(
            Page(
                incident_id=incident.id,
                person_id=person_id,
                at=now,
                step=step,
                why=reason,
                channels=paged.channels,
                notice_id=paged.notice_id,
            )
        )
        pages += 1
        if paged.channels:
            shown = reason if told is None else told
            reached.append(f"{who.name} ({shown})" if shown else who.name)
            wakes = paging.may_wake(incident.priority)
            begins.append(now if wakes else paging.after_the_night(now, who.zone))
        else:
            missed.append(f"{who.name} has no way to be reached")
    asked = Asked(tuple(reached), tuple(missed), min(begins, default=now), pages)
    words = _told(asked, step, now)
    timeline.add(db, incident, actor, now, "page", words, versioned=False)
    team_news.paged(db, incident, words if actor is SYSTEM else f"{actor.name} {words}", now)
    return asked


def _told(asked: Asked, step: int | None, now: datetime) -> str:
    missed = ", ".join(asked.missed)
    if not asked.reached:
        return f"reached nobody{'' if step is None else f' with step {step + 1}'}: {missed}"
    later = " when the night is over" if asked.begins_at > now else ""
    return f"paged {', '.join(asked.reached)}{later}{f'; {missed}' if missed else ''}"


def _subject(incident: Incident) -> str:
    level = f" P{incident.priority}" if incident.priority is not None else ""
    return f"{incident.number}{level} needs you: {incident.title}"


def _body(incident: Incident, why: str, more: str) -> str:
    level = f"P{incident.priority} {LABELS[incident.priority]}" if incident.priority is not None else ""
    lines = [
        ". ".join(part for part in (level, incident.affected) if part),
        f"You are asked: {why}." if why else "",
        more,
    ]
    return "\n".join(line for line in lines if line)


def by_hand(db: Session, incident_id: int, target: Target, words: str = "", *, actor: Actor, now: datetime) -> Asked:
    """Page a person, whoever is on call in a schedule, or a team, beside what the escalation does.

    NotFound or Forbidden; RuleError when the incident is over or the target is nobody now.
    """
    incident = db.get(Incident, incident_id, with_for_update=True)
    if incident is None:
        raise NotFound("There is no such incident, or it is not open to you.")
    access.check(actor, "page", record_of(db, incident))
    if incident.state not in ("new", "assigned", "in_progress", "on_hold"):
        raise RuleError("It is not open any more. Reopen it before paging somebody.")
    if target is None:
        raise RuleError("Choose whom to page.", field="target")
    found = queries.resolve(db, [target], now)
    if not found.people:
        raise RuleError(f"{found.nobody[0][:1].upper()}{found.nobody[0][1:]}. Choose somebody else.", field="target")
    words = words.strip()
    why = f"{actor.name}{page_links.ASKS}{f': {words}' if words else ''}"
    return ask(db, incident, [target], why=why, told=words, actor=actor, now=now)


def answer(db: Session, incident_id: int, notice_id: int, *, actor: Actor, now: datetime) -> None:
    """Answer a page by hand for what is in other hands: it stays there, and whoever asked is told.

    RuleError when nobody asked by hand, or when the incident is not being worked on any more.
    """
    incident = db.get(Incident, incident_id, with_for_update=True)
    if incident is None:
        raise NotFound("There is no such incident, or it is not open to you.")
    access.check(actor, "read", record_of(db, incident))
    asked = page_links.asked_by_hand(db, incident, actor.id, notice_id)
    if asked is None:
        raise RuleError(f"{incident.number} has changed meanwhile. Open it in the app.")
    names = " and ".join(name for _, name in asked.by)
    told = f"answered the page{f' of {names}' if names else ''}"
    timeline.add(db, incident, actor, now, "page", told, versioned=False)
    outbox.stop_pages(db, incident.id, now, "They have answered.", person_id=actor.id)
    subject = f"{incident.number}: {actor.name} answers your page"
    notices.tell(db, [asker for asker, _ in asked.by], "answer", subject, incident.title, incident=incident, now=now)
