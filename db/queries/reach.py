"""How people are reached: their methods, their rules, and the steps that follow from both."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from db.models import ContactMethod, NotificationRule, Person, Team, TeamChannel
from db.settings import settings
from rules import access, channels
from rules.access import Actor, NotFound


@dataclass(frozen=True)
class Step:
    """One message to one person: by which way, how many seconds after it was made."""

    channel: str
    address: str
    method_id: int | None
    delay: int


@dataclass(frozen=True)
class Reached:
    """A person who has an account, and their steps in order; none when nothing but the app reaches them."""

    person_id: int
    zone: str
    steps: tuple[Step, ...]
    quiet: bool
    """wants notices in the app alone; pages come all the same, and so do those of paging.ALWAYS"""
    invented: bool = False
    """of the sample data"""


@dataclass(frozen=True)
class Method:
    id: int
    channel: str
    address: str
    label: str
    verified_at: datetime | None
    code_sent_at: datetime | None
    broken_at: datetime | None
    broken_why: str
    secret: str

    @property
    def name(self) -> str:
        """What it is called on the screen."""
        return f"{channels.LABELS[self.channel]}: {self.label or channels.short(self.channel, self.address)}"

    @property
    def usable(self) -> bool:
        return self.verified_at is not None and self.broken_at is None


@dataclass(frozen=True)
class Rule:
    id: int
    urgency: str
    method_id: int
    delay: int


def mail_works() -> bool:
    """True when the app has a server to hand e-mail to."""
    return bool(settings().smtp_url)


def reached(db: Session, person_ids: Collection[int], urgency: str) -> list[Reached]:
    """The people of these who have an account, with their steps: two queries, however many they are.

    Whoever has no rule that works is written to at their account's address, at once, where e-mail works. People of the
    sample data are invented: nothing leaves for them by itself.
    """
    steps: dict[int, list[Step]] = {}
    rules = (
        select(
            NotificationRule.person_id,
            ContactMethod.channel,
            ContactMethod.address,
            ContactMethod.id,
            NotificationRule.delay,
        )
        .join(ContactMethod, ContactMethod.id == NotificationRule.method_id)
        .where(
            NotificationRule.person_id.in_(person_ids),
            NotificationRule.urgency == urgency,
            ContactMethod.verified_at.is_not(None),
            ContactMethod.broken_at.is_(None),
        )
        .order_by(NotificationRule.delay, NotificationRule.position, NotificationRule.id)
    )
    for person_id, channel, address, method_id, delay in db.execute(rules):
        if channel != "email" or mail_works():
            steps.setdefault(person_id, []).append(Step(channel, address, method_id, delay))
    found = db.execute(
        select(Person.id, Person.zone, Person.email, Person.sample, Person.preferences)
        .where(Person.id.in_(person_ids), Person.disabled_at.is_(None))
        .order_by(Person.id)
    )
    people = []
    for person_id, zone, email, sample, preferences in found:
        own = steps.get(person_id, [])
        if not own and email and not sample and mail_works():
            own = [Step("email", email, None, 0)]
        quiet = not (preferences or {}).get("notices", True)
        people.append(Reached(person_id, zone, tuple(own), quiet, sample))
    return people


def methods(db: Session, actor: Actor, person_id: int) -> list[Method]:
    """A person's methods in their order: one's own, or anybody's for an administrator."""
    check_own(actor, person_id)
    statement = (
        select(
            ContactMethod.id,
            ContactMethod.channel,
            ContactMethod.address,
            ContactMethod.label,
            ContactMethod.verified_at,
            ContactMethod.code_sent_at,
            ContactMethod.broken_at,
            ContactMethod.broken_why,
            ContactMethod.secret,
        )
        .where(ContactMethod.person_id == person_id)
        .order_by(ContactMethod.position, ContactMethod.id)
    )
    return [Method(*row) for row in db.execute(statement)]


def rules_of(db: Session, actor: Actor, person_id: int) -> list[Rule]:
    """A person's rules, first step first."""
    check_own(actor, person_id)
    statement = (
        select(NotificationRule.id, NotificationRule.urgency, NotificationRule.method_id, NotificationRule.delay)
        .where(NotificationRule.person_id == person_id)
        .order_by(NotificationRule.delay, NotificationRule.position, NotificationRule.id)
    )
    return [Rule(*row) for row in db.execute(statement)]


def check_own(actor: Actor, person_id: int) -> None:
    """NotFound unless it is the actor's own, or the actor sets up people."""
    if actor.id != person_id and not access.may(actor, "people"):
        raise NotFound("There is no such person, or it is not open to you.")


@dataclass(frozen=True)
class TeamTarget:
    id: int
    team_id: int
    channel: str
    shown: str
    broken_at: datetime | None
    broken_why: str
    secret: str
    mirror: bool
    """reads what is said in rooms too"""


def team_channels(db: Session, actor: Actor) -> list[TeamTarget]:
    """Where the teams read what concerns them."""
    access.check(actor, "settings")
    statement = select(
        TeamChannel.id,
        TeamChannel.team_id,
        TeamChannel.channel,
        TeamChannel.address,
        TeamChannel.broken_at,
        TeamChannel.broken_why,
        TeamChannel.secret,
        TeamChannel.mirror,
    ).order_by(TeamChannel.team_id, TeamChannel.id)
    return [
        TeamTarget(id_, team_id, channel, channels.masked(channel, address), broken_at, why, secret, mirror)
        for id_, team_id, channel, address, broken_at, why, secret, mirror in db.execute(statement)
    ]


def any_channel(db: Session) -> bool:
    """False when nothing at all leaves the app: no mail server, and no way to a person or team that works."""
    if any_person(db):
        return True
    channel = (
        select(TeamChannel.id)
        .join(Team, Team.id == TeamChannel.team_id)
        .where(TeamChannel.broken_at.is_(None), Team.archived_at.is_(None))
    )
    return db.execute(channel.limit(1)).first() is not None


def any_person(db: Session) -> bool:
    """Whether anybody's own messages leave the app: a team's channel tells news to a team, but nobody their pages."""
    return mail_works() or db.execute(_steps().limit(1)).first() is not None


def leaves_for(db: Session, actor: Actor) -> bool:
    """Whether messages for `actor` leave the app by any way: pages at least, if they want no notices outside it."""
    row = db.execute(select(Person.email, Person.sample).where(Person.id == actor.id)).one()
    if row.email and not row.sample and mail_works():
        return True
    return db.execute(_steps().where(NotificationRule.person_id == actor.id).limit(1)).first() is not None


def _steps() -> Select[int]:
    """Steps by which a message really leaves.

    A way that was not proved, has failed for good, or is part of no step reaches nobody; nor does that of somebody who
    has left.
    """
    steps = (
        select(NotificationRule.id)
        .join(ContactMethod, ContactMethod.id == NotificationRule.method_id)
        .join(Person, Person.id == NotificationRule.person_id)
        .where(ContactMethod.verified_at.is_not(None), ContactMethod.broken_at.is_(None), Person.disabled_at.is_(None))
    )
    return steps if mail_works() else steps.where(ContactMethod.channel != "email")
