"""The life of one message on its way out: leased, then sent, tried again later, or given up; each a transaction.

Sending itself happens between two of them. Whoever locks both an incident and its messages locks the incident first.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

from sqlalchemy import ColumnElement, and_, func, or_, select, text
from sqlalchemy.orm import Session

from db.commands import escalation, mirror, notices, outbox, timeline
from db.models import (
    ContactMethod,
    Incident,
    Notice,
    OutboxMessage,
    Person,
    PersonRole,
    ReportReader,
    TeamChannel,
    TeamMember,
)
from db.models.work import WAITING
from db.queries import people, report_runs, report_schedules
from db.queries.access import record_of
from db.settings import settings
from rules import access, channels, page_links, paging, report_words, retries, states
from rules.access import SYSTEM
from rules.exports import Book

LEASE = timedelta(seconds=30)
"""Longer than any sending takes. A worker that died in between loses the message to the next one after this."""
CLOCK_SLACK = timedelta(minutes=1)
ERROR_LIMIT = 500


@dataclass(frozen=True)
class Message:
    """Everything that a sender needs. Nothing of it is looked up while it is being sent."""

    id: int
    key: str
    """the same for every repeat"""
    channel: str
    address: str
    secret: str
    kind: str
    urgent: bool
    subject: str
    body: str
    name: str
    """of the person it is for; empty for a team"""
    incident_id: int | None
    number: str
    title: str
    url: str
    """of the incident in the app; empty when it is not known where people reach the app"""
    links: tuple[tuple[str, str], ...]
    """(action, url) that act for the person"""
    leave_url: str
    """ends such messages; empty where nothing ends them"""
    created_at: datetime
    attempt: int
    button: tuple[str, str] | None = None
    """(word, url) of the page that it leads to"""
    book: Book | None = None
    """a report that goes with it as files"""
    leave_words: str = "No more of these by e-mail"
    """what `leave_url` does"""


def due(now: datetime) -> ColumnElement[bool]:
    """Messages that may be leased now. A lease from the future was made by a clock that has been set back."""
    free = or_(
        OutboxMessage.leased_until.is_(None),
        OutboxMessage.leased_until <= now,
        OutboxMessage.leased_until > now + LEASE + CLOCK_SLACK,
    )
    return and_(text(WAITING), OutboxMessage.next_attempt_at <= now, free)


def claim(db: Session, message_id: int, now: datetime) -> Message | None:
    """Lease the message; None when another worker has it, or it is not to leave any more (then it is cancelled).

    On PostgreSQL a row that another worker holds is passed over; on SQLite one transaction writes at a time.
    """
    names = OutboxMessage.person_id, OutboxMessage.incident_id, OutboxMessage.urgent, OutboxMessage.kind
    found = db.execute(select(*names).where(OutboxMessage.id == message_id)).one_or_none()
    if found is None:
        return None
    person_id, incident_id, urgent, kind = found
    person = db.get(Person, person_id) if person_id is not None else None
    incident = db.get(Incident, incident_id) if incident_id is not None else None
    closed = _closed_to(db, person, incident)
    if not closed and kind == report_words.KIND and person is not None and not _reads_trends(db, person):
        closed = "They may not read trends any more."
    if closed and urgent and incident is not None:
        db.refresh(incident, with_for_update=True)  # its next step may be asked instead
        closed = _closed_to(db, person, incident)
    statement = select(OutboxMessage).where(OutboxMessage.id == message_id, due(now))
    row = db.scalars(statement.with_for_update(skip_locked=True)).one_or_none()
    if row is None:
        return None
    served = _has_served(db, row, incident) or _is_left(db, row)
    if served or closed:
        row.cancelled_at, row.cancelled_why = now, served or closed
        if urgent and not served and incident is not None:
            _drop_loudly(db, row, incident, now)
        return None
    row.leased_until, row.last_attempt_at = now + LEASE, now
    row.attempts += 1
    return _composed(db, row, person, incident)


def _closed_to(db: Session, person: Person | None, incident: Incident | None) -> str:
    """Why the person is not to be told of it any more; empty when they are."""
    if person is not None and person.disabled_at is not None:
        return "They have no account any more."
    if person is not None and incident is not None:
        actor = people.acting(db, person.id)
        if actor is None or not access.may(actor, "read", record_of(db, incident)):
            return "The incident is not open to them any more."
    return ""


def _reads_trends(db: Session, person: Person) -> bool:
    actor = people.acting(db, person.id)
    return actor is not None and access.may(actor, "trends")


def _drop_loudly(db: Session, row: OutboxMessage, incident: Incident, now: datetime) -> None:
    """No page about the incident reaches this person any more: it is told, and the next step does not wait for it."""
    outbox.stop_pages(db, incident.id, now, row.cancelled_why, person_id=row.person_id)
    who = _who(db, row)
    _tell(db, row, f"could not reach {who}", now, row.cancelled_why)
    _tell_leads(db, incident, who, row.cancelled_why, now)
    escalation.pass_on(db, incident, now)


def _has_served(db: Session, row: OutboxMessage, incident: Incident | None) -> str:
    """Why it is not needed any more; empty when it is."""
    if row.kind == channels.ROOM and incident is not None and incident.restricted:
        return "The incident is restricted."
    if row.urgent:
        if incident is not None and incident.state not in states.OPEN:
            return "The incident was over."
        if incident is not None and incident.acknowledged_at is not None and incident.acknowledged_at > row.created_at:
            return "Somebody has answered."
    elif row.notice_id is not None and db.get_one(Notice, row.notice_id).read_at is not None:
        return "It was read in the app."
    return ""


def _is_left(db: Session, row: OutboxMessage) -> str:
    """Why a report is not to leave; empty when it is."""
    schedule = row.payload.get("schedule")
    still = schedule is None or db.get(ReportReader, (schedule, row.person_id)) is not None
    return "" if still else "They do not get this report any more."


def _leave(db: Session, row: OutboxMessage, person: Person | None) -> tuple[str, str]:
    """The path by which whoever gets it ends such messages, and what it does."""
    if "schedule" in row.payload and person is not None:
        path = report_schedules.leave_path(db, row.payload["schedule"], person.id)
        return path, "No more of this report"
    # Older reports know no schedule; the link of other notices would end those.
    stays = row.urgent or row.kind in paging.ALWAYS or row.kind == report_words.KIND
    if person is not None and row.notice_id is not None and not stays:
        return f"/leave/{page_links.leave_token(settings().secret(), person.id)}", Message.leave_words
    return row.payload.get("leave", ""), Message.leave_words


def _composed(db: Session, row: OutboxMessage, person: Person | None, incident: Incident | None) -> Message:
    base, secret = settings().base_url.rstrip("/"), settings().secret()
    method = db.get(ContactMethod, row.method_id) if row.method_id is not None else None
    team = db.get(TeamChannel, row.team_channel_id) if row.team_channel_id is not None else None
    subject, body, title = row.payload["subject"], row.payload["body"], incident.title if incident is not None else ""
    if team is not None and incident is not None and incident.restricted:
        # Who reads a team's channel is not known here.
        subject, body, title = channels.sealed(incident.number), "", ""
    if row.kind == "test" and method is not None and method.code_sent_at is not None:
        sent_at = int(method.code_sent_at.timestamp() * 1_000_000)
        body = f"Type this code under My account: {page_links.code(secret, method.id, sent_at)}"
    leave, leave_words = _leave(db, row, person)
    links = row.payload.get("links", {}) if base else {}
    return Message(
        id=row.id,
        key=row.key,
        channel=row.channel,
        address=row.address,
        secret=method.secret if method is not None else team.secret if team is not None else "",
        kind=row.kind,
        urgent=row.urgent,
        subject=subject,
        body=body,
        name=person.name if person is not None else "",
        incident_id=incident.id if incident is not None else None,
        number=incident.number if incident is not None else "",
        title=title,
        url=f"{base}/incident?number={quote(incident.number, safe='')}" if base and incident is not None else "",
        links=tuple(
            (action, f"{base}/act/{page_links.token(secret, links[action])}")
            for action in page_links.ACTIONS
            if action in links
        ),
        leave_url=f"{base}{leave}" if base and leave else "",
        created_at=row.created_at,
        attempt=row.attempts,
        button=(row.payload["button"][0], base + row.payload["button"][1])
        if base and "button" in row.payload
        else None,
        book=_book(db, row),
        leave_words=leave_words,
    )


def _book(db: Session, row: OutboxMessage) -> Book | None:
    if row.kind != report_words.KIND or row.channel != "email" or row.person_id is None:
        return None
    reader = people.acting(db, row.person_id)
    return report_runs.book(db, row.notice_id, reader) if reader is not None else None


def sent(db: Session, message_id: int, now: datetime) -> None:
    """It was handed over. A page is told on the timeline; a method that was thought broken works again."""
    row = _locked(db, message_id, only_pages=True)
    if row is None or row.sent_at is not None:
        return
    row.sent_at, row.leased_until, row.last_error = now, None, ""
    row.given_up_at = None
    for kept in _ways(db, row):
        kept.broken_at, kept.broken_why = None, ""
    if row.urgent:
        _tell(db, row, f"paged {_who(db, row)} by {channels.WORDS[row.channel]}", now)


def failed(
    db: Session, message_id: int, why: str, *, permanent: bool, wished: float | None = None, now: datetime
) -> None:
    """It could not be sent: tried again later, or given up loudly when it never will be or it took too long.

    `wished` is how many seconds the target asked to wait.
    """
    row = _locked(db, message_id)
    if row is None or row.sent_at is not None:
        return
    row.last_error, row.leased_until = why[:ERROR_LIMIT], None
    next_at = now + retries.delay(row.attempts, row.key, wished)
    if not permanent and not retries.is_given_up(row.attempts, row.wanted_at, next_at, page=row.urgent):
        row.next_attempt_at = next_at
        if row.kind == channels.ROOM:
            mirror.keep_order(db, row)
        return
    if row.cancelled_at is not None:
        return
    row.given_up_at = now
    if permanent:
        for kept in _ways(db, row):
            kept.broken_at, kept.broken_why = now, row.last_error
    brought = _bring_forward(db, row, now)
    _give_up_loudly(db, row, brought, now)
    if row.urgent and row.incident_id is not None and not brought:
        escalation.pass_on(db, db.get_one(Incident, row.incident_id), now)


def _locked(db: Session, message_id: int, *, only_pages: bool = False) -> OutboxMessage | None:
    """The message, with its incident locked before it: what changes an incident locks in this order too.

    `only_pages`: the incident is locked for a page alone, since nothing else is told on its timeline.
    """
    wanted = select(OutboxMessage.incident_id).where(OutboxMessage.id == message_id)
    incident_id = db.scalar(wanted.where(OutboxMessage.urgent) if only_pages else wanted)
    if incident_id is not None:
        db.get(Incident, incident_id, with_for_update=True)
    return db.get(OutboxMessage, message_id, with_for_update=True)


def _ways(db: Session, row: OutboxMessage) -> list[ContactMethod | TeamChannel]:
    method = db.get(ContactMethod, row.method_id) if row.method_id is not None else None
    team = db.get(TeamChannel, row.team_channel_id) if row.team_channel_id is not None else None
    return [kept for kept in (method, team) if kept is not None]


def _bring_forward(db: Session, row: OutboxMessage, now: datetime) -> bool:
    """Let the person's next step leave at once, since this one never will; False when there is none."""
    if row.notice_id is None:
        return False
    statement = (
        select(OutboxMessage)
        .where(OutboxMessage.notice_id == row.notice_id, OutboxMessage.id != row.id, text(WAITING))
        .order_by(OutboxMessage.next_attempt_at, OutboxMessage.id)
        .with_for_update()
        .limit(1)
    )
    following = db.scalars(statement).one_or_none()
    if following is None:
        return False
    if following.attempts == 0:
        person, incident = db.get(Person, row.person_id), db.get(Incident, row.incident_id or 0)
        at = now
        if row.urgent and person is not None and incident is not None and not paging.may_wake(incident.priority):
            at = paging.after_the_night(now, person.zone)
        following.next_attempt_at = min(following.next_attempt_at, at)
    return True


def _give_up_loudly(db: Session, row: OutboxMessage, brought: bool, now: datetime) -> None:
    who, way = _who(db, row), channels.WORDS[row.channel]
    rest = "The next way is tried at once." if brought else "No other way is left." if row.urgent else ""
    if row.kind != channels.ROOM:
        _tell(db, row, f"could not reach {who} by {way}", now, f"{row.last_error} {rest}".strip())
    incident = db.get(Incident, row.incident_id) if row.incident_id is not None else None
    if row.urgent and incident is not None and not brought:
        _tell_leads(db, incident, who, row.last_error, now)
    told = set(db.scalars(select(PersonRole.person_id).where(PersonRole.role == "admin")))
    subject = f"Messages by {way} do not arrive"
    # One unread sentence is enough; and it stays in the app, since telling it by what fails would never end.
    knows = select(Notice.person_id).where(
        Notice.kind == "delivery", Notice.subject == subject, Notice.read_at.is_(None), Notice.person_id.in_(told)
    )
    body = f"The last was for {who}: {row.last_error} See the delivery log."
    notices.tell(db, told - set(db.scalars(knows)), "delivery", subject, body, now=now, in_app_only=True)


def _tell_leads(db: Session, incident: Incident, who: str, why: str, now: datetime) -> None:
    subject, body = f"{incident.number}: {who} could not be reached", f"{why} Page somebody else, or call them."
    notices.tell(db, _leads(db, incident), "unreached", subject, body, incident=incident, now=now)


def _leads(db: Session, incident: Incident) -> set[int]:
    """Those who lead the incident's team; where it has none, every lead and the service desk."""
    role = and_(PersonRole.person_id == TeamMember.person_id, PersonRole.role == "lead")
    leads = (
        select(TeamMember.person_id)
        .outerjoin(PersonRole, role)
        .where(TeamMember.team_id == incident.team_id, or_(TeamMember.lead, PersonRole.role.is_not(None)))
    )
    everyone = select(PersonRole.person_id).where(PersonRole.role.in_(("lead", "desk")))
    return set(db.scalars(leads)) or set(db.scalars(everyone))


def _who(db: Session, row: OutboxMessage) -> str:
    if row.person_id is not None:
        return db.get_one(Person, row.person_id).name
    return "the team" if row.team_channel_id is not None else row.address


def _tell(db: Session, row: OutboxMessage, words: str, now: datetime, detail: str = "") -> None:
    if row.incident_id is None:
        return
    incident = db.get_one(Incident, row.incident_id)
    timeline.add(db, incident, SYSTEM, now, "page", words, detail=detail, versioned=False)


def try_again(db: Session, message_id: int, *, actor: access.Actor, now: datetime) -> None:
    """Send a given-up message after all, by the same way and with the same id."""
    row = db.get(OutboxMessage, message_id, with_for_update=True)
    if row is None or not _may_see(db, actor, row):
        raise access.NotFound("There is no such message, or it is not open to you.")
    if row.given_up_at is None or row.sent_at is not None:
        raise access.Forbidden("Only what was given up can be tried again.")
    row.given_up_at, row.last_error, row.attempts = None, "", 0
    row.next_attempt_at = row.wanted_at = now


def _may_see(db: Session, actor: access.Actor, row: OutboxMessage) -> bool:
    if not access.may(actor, "deliveries"):
        return False
    if actor.has("admin"):
        return True
    incident = db.get(Incident, row.incident_id) if row.incident_id is not None else None
    return incident is not None and access.may(actor, "read", record_of(db, incident))


def mend_times(db: Session, now: datetime) -> int:
    """Put right what was written by a clock that has been set back since, so that nothing waits for it; how many."""
    ahead = func.coalesce(OutboxMessage.last_attempt_at, OutboxMessage.created_at)
    statement = (
        select(OutboxMessage)
        .where(text(WAITING), or_(OutboxMessage.created_at > now + CLOCK_SLACK, ahead > now + CLOCK_SLACK))
        .with_for_update(skip_locked=True)
        .limit(500)
    )
    rows = db.scalars(statement).all()
    for row in rows:
        off = max(row.created_at, row.last_attempt_at or row.created_at) - now
        row.next_attempt_at = max(now, row.next_attempt_at - off)
        row.created_at, row.leased_until = min(row.created_at, now), None
        row.wanted_at = min(row.wanted_at, row.next_attempt_at)
        row.last_attempt_at = min(row.last_attempt_at, now) if row.last_attempt_at else None
    return len(rows)
