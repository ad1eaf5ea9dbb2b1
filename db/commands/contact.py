"""How a person wants to be reached: their ways, proved by a code, and in which order these are tried."""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db.commands import audit, outbox
from db.models import ContactMethod, NotificationRule, OutboxMessage, Person, Team, TeamChannel
from db.models.work import WAITING
from db.queries import reach
from db.settings import settings
from rules import access, channels, page_links, paging
from rules.access import Actor, NotFound
from rules.errors import RuleError
from rules.text import line
from rules.webhook_signature import secret_of

MOST_METHODS, MOST_RULES = 10, 10
LABEL_LIMIT = 80
CODE_LASTS = timedelta(minutes=30)
CODE_EVERY = timedelta(minutes=1)
CODE_TRIES = 5
LONGEST_DELAY = 24 * 3600
SECRET_BYTES = 24
_TAKEN = "You have this one already. Change the address, or remove the other first."


def add_method(
    db: Session, person_id: int, channel: str, address: str, label: str = "", *, actor: Actor, now: datetime
) -> ContactMethod:
    """A new way to reach the person; its code leaves at once. RuleError with `fields`.

    The address of one's own account needs no code. An Apprise address is set by an administrator alone.
    """
    reach.check_own(actor, person_id)
    person = db.get_one(Person, person_id)
    if person.sample:
        raise RuleError("People of the sample data are invented. Nothing is sent to them.")
    if channel == "apprise" and not access.may(actor, "settings"):
        raise RuleError("Only an administrator sets an Apprise address. Ask one.", field="channel")
    if channel == "email" and not reach.mail_works():
        raise RuleError("No mail server is set up. Choose another way, or ask an administrator.", field="channel")
    method = ContactMethod(
        person_id=person_id,
        channel=channel,
        address=channels.checked(channel, address),
        label=line(label, "label", LABEL_LIMIT),
        secret=secret_of(secrets.token_bytes(SECRET_BYTES)) if channel == "webhook" else "",
        position=_count(db, person_id),
        created_at=now,
    )
    if method.position >= MOST_METHODS:
        raise RuleError(f"{MOST_METHODS} are enough. Remove one first.")
    try:
        with db.begin_nested():
            db.add(method)
    except IntegrityError:
        raise RuleError(_TAKEN, field="address") from None
    if channel == "email" and method.address == (person.email or "").lower():
        method.verified_at = now
    else:
        send_test(db, method.id, actor=actor, now=now)
    _audit(db, actor, now, "contact method added", person, method)
    return method


def _count(db: Session, person_id: int) -> int:
    return db.execute(select(func.count()).where(ContactMethod.person_id == person_id)).scalar_one()


def _method(db: Session, method_id: int, actor: Actor) -> ContactMethod:
    method = db.get(ContactMethod, method_id, with_for_update=True)
    if method is None:
        raise NotFound("There is no such way to reach somebody, or it is not open to you.")
    reach.check_own(actor, method.person_id)
    return method


def send_test(db: Session, method_id: int, *, actor: Actor, now: datetime) -> None:
    """Send a new code by this way. Once it has arrived, a way that was thought broken works again."""
    method = _method(db, method_id, actor)
    if method.code_sent_at is not None and timedelta() <= now - method.code_sent_at < CODE_EVERY:
        raise RuleError("One was sent just now. Wait a minute before you send another.")
    method.code_sent_at, method.code_tries = now, 0
    to = outbox.To(method.channel, method.address, method.person_id, method.id)
    outbox.put(db, to, outbox.Words("test", "Your code for Incident Desk"), now=now)


def verify(db: Session, method_id: int, code: str, *, actor: Actor, now: datetime) -> str:
    """Prove by its code that messages arrive; why it was not proved, or ''.

    It is told rather than raised, so that the try is counted.
    """
    method = _method(db, method_id, actor)
    sent_at = method.code_sent_at
    if sent_at is None or now - sent_at > CODE_LASTS or method.code_tries >= CODE_TRIES:
        return "This code is too old, or was tried too often. Send a new one."
    genuine = page_links.code(settings().secret(), method.id, int(sent_at.timestamp() * 1_000_000))
    if not secrets.compare_digest("".join(code.split()).encode(), genuine.encode()):
        method.code_tries += 1
        return "That is not the code. Look at the newest message."
    method.verified_at, method.code_sent_at = now, None
    method.broken_at, method.broken_why = None, ""
    return ""


def remove_method(db: Session, method_id: int, *, actor: Actor, now: datetime) -> None:
    """Forget a way, with the rules that use it and what still waits to leave by it."""
    method = _method(db, method_id, actor)
    person = db.get_one(Person, method.person_id)
    by_it = update(OutboxMessage).where(OutboxMessage.method_id == method_id)
    stopped = {"cancelled_at": now, "cancelled_why": "The way was removed."}
    db.execute(by_it.where(text(WAITING)).values(stopped).execution_options(synchronize_session=False))
    db.execute(by_it.values(method_id=None).execution_options(synchronize_session=False))
    db.execute(delete(NotificationRule).where(NotificationRule.method_id == method_id))
    _audit(db, actor, now, "contact method removed", person, method)
    db.delete(method)


def _audit(db: Session, actor: Actor, now: datetime, action: str, person: Person, method: ContactMethod) -> None:
    shown = {"channel": method.channel, "address": channels.masked(method.channel, method.address)}
    audit.record(db, actor, now, action, f"{person.name} <{person.email}>", after=shown)


def add_rule(db: Session, person_id: int, urgency: str, method_id: int, delay: int, *, actor: Actor) -> None:
    """One more step: by this way, `delay` seconds after the message was made. Waiting messages stay as they are."""
    reach.check_own(actor, person_id)
    method = db.get(ContactMethod, method_id)
    if urgency not in paging.URGENCIES or method is None or method.person_id != person_id:
        raise RuleError("Choose a way from the list.", field="method")
    if not 0 <= delay <= LONGEST_DELAY:
        raise RuleError("Choose a delay of at most a day.", field="delay")
    own = (NotificationRule.person_id == person_id, NotificationRule.urgency == urgency)
    position = db.execute(select(func.count(), func.max(NotificationRule.position)).where(*own)).one()
    if position[0] >= MOST_RULES:
        raise RuleError(f"{MOST_RULES} steps are enough. Remove one first.")
    same = select(NotificationRule.id).where(
        *own, NotificationRule.method_id == method_id, NotificationRule.delay == delay
    )
    if db.scalar(same) is not None:
        raise RuleError("This step is there already. Choose another way or delay.", field="method")
    last = position[1] if position[1] is not None else -1
    db.add(NotificationRule(person_id=person_id, urgency=urgency, method_id=method_id, delay=delay, position=last + 1))


def remove_rule(db: Session, rule_id: int, *, actor: Actor) -> None:
    """One step less."""
    db.delete(_rule(db, rule_id, actor))


def move_rule(db: Session, rule_id: int, by: int, *, actor: Actor) -> None:
    """Let the step's way change places with that of the one before (-1) or after (1) it; the delays stay."""
    rule = _rule(db, rule_id, actor)
    statement = (
        select(NotificationRule)
        .where(NotificationRule.person_id == rule.person_id, NotificationRule.urgency == rule.urgency)
        .order_by(NotificationRule.delay, NotificationRule.position, NotificationRule.id)
    )
    rules = db.scalars(statement).all()
    at = rules.index(rule) + by
    if 0 <= at < len(rules):
        other = rules[at]
        rule.method_id, other.method_id = other.method_id, rule.method_id


def _rule(db: Session, rule_id: int, actor: Actor) -> NotificationRule:
    rule = db.get(NotificationRule, rule_id, with_for_update=True)
    if rule is None:
        raise NotFound("This step is gone already.")
    reach.check_own(actor, rule.person_id)
    return rule


def want_notices(db: Session, wanted: bool, *, actor: Actor) -> None:
    """Whether notices leave the app for `actor`. Pages and those of paging.ALWAYS come all the same."""
    person = db.get_one(Person, actor.id, with_for_update=True)
    person.preferences = {**(person.preferences or {}), "notices": wanted}


def add_team_channel(
    db: Session, team_id: int, channel: str, address: str, mirror: bool = False, *, actor: Actor, now: datetime
) -> TeamChannel:
    """Where a team as a whole reads what concerns it; a first message goes there at once. RuleError with `fields`.

    With `mirror` it reads what is said in the rooms of the team's incidents too.
    """
    access.check(actor, "settings")
    team = db.get(Team, team_id)
    if team is None or team.archived_at is not None:
        raise RuleError("Choose a team from the list.", field="team")
    if channel not in channels.CHATS:
        raise RuleError("Choose a way from the list.", field="channel")
    made = TeamChannel(
        team_id=team_id,
        channel=channel,
        address=channels.checked(channel, address),
        secret=secret_of(secrets.token_bytes(SECRET_BYTES)) if channel == "webhook" else "",
        mirror=mirror,
        created_at=now,
    )
    try:
        with db.begin_nested():
            db.add(made)
    except IntegrityError:
        raise RuleError("The team has this one already.", field="address") from None
    to = outbox.To(channel, made.address, team_channel_id=made.id)
    outbox.put(db, to, outbox.Words("test", f"Incident Desk writes here to {team.name}"), now=now)
    audit.record(db, actor, now, "team channel added", team.name, after=_shown(made))
    return made


def _shown(kept: TeamChannel) -> dict[str, object]:
    """As the audit keeps it."""
    address = channels.masked(kept.channel, kept.address)
    return {"channel": kept.channel, "address": address, "room messages": kept.mirror}


def mirror_rooms(db: Session, channel_id: int, wanted: bool, *, actor: Actor, now: datetime) -> None:
    """Whether a team's channel reads what is said in rooms too. Turned off, what of it still waits does not leave."""
    access.check(actor, "settings")
    kept = db.get(TeamChannel, channel_id, with_for_update=True)
    if kept is None:
        raise NotFound("This one is gone already.")
    if kept.mirror == wanted:
        return
    before = _shown(kept)
    kept.mirror = wanted
    if not wanted:
        talk = OutboxMessage.team_channel_id == channel_id, OutboxMessage.kind == channels.ROOM, text(WAITING)
        stopped = {"cancelled_at": now, "cancelled_why": "Room messages were turned off."}
        db.execute(update(OutboxMessage).where(*talk).values(stopped).execution_options(synchronize_session=False))
    team = db.get_one(Team, kept.team_id).name
    audit.record(db, actor, now, "team channel changed", team, before=before, after=_shown(kept))


def remove_team_channel(db: Session, channel_id: int, *, actor: Actor, now: datetime) -> None:
    """Forget it, with what still waits to leave by it."""
    access.check(actor, "settings")
    kept = db.get(TeamChannel, channel_id)
    if kept is None:
        raise NotFound("This one is gone already.")
    by_it = update(OutboxMessage).where(OutboxMessage.team_channel_id == channel_id)
    stopped = {"cancelled_at": now, "cancelled_why": "The channel was removed."}
    db.execute(by_it.where(text(WAITING)).values(stopped).execution_options(synchronize_session=False))
    db.execute(by_it.values(team_channel_id=None).execution_options(synchronize_session=False))
    audit.record(db, actor, now, "team channel removed", db.get_one(Team, kept.team_id).name, before=_shown(kept))
    db.delete(kept)
