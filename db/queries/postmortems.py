"""Postmortems as those who learn from them see them: the library, what is due and has none, one with its versions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from db.models import (
    Incident,
    Person,
    Postmortem,
    PostmortemAction,
    PostmortemVersion,
    Publication,
    PublishedPostmortem,
    Service,
    Team,
)
from db.queries import postmortem_actions
from db.queries.access import record_of, visible
from db.queries.postmortem_actions import Action, open_to, to_be_done, zone
from db.queries.text_search import within
from rules import access, postmortems
from rules.access import Actor, NotFound
from rules.postmortems import DISCARDED, DRAFT, FIELDS, PUBLISHED, REVIEW, WORST
from rules.priority import LABELS as PRIORITIES
from rules.status_page import moment_words

PAGE_SIZE = 25
MOST_DUE = 5
LOOKED_BACK = timedelta(days=90)
"""How long after it recovered an incident without a postmortem is still shown as due for one."""
VIEWS = {"all": "All", DRAFT: "Drafts", REVIEW: "In review", PUBLISHED: "Published", DISCARDED: "Discarded"}
_WORDS_LIMIT, _MOST_WORDS = 60, 8
_OWNER, _REVIEWER, _WRITER = aliased(Person), aliased(Person), aliased(Person)


@dataclass(frozen=True)
class Filters:
    """What of the library is shown."""

    view: str = "all"
    """a key of VIEWS; all but those discarded"""
    text: str = ""
    service_id: int | None = None
    team_id: int | None = None


@dataclass(frozen=True)
class Row:
    """A postmortem in the library."""

    id: int
    number: str
    title: str
    state: str
    priority: int | None
    major: bool
    service: str
    owner: str | None
    recovered_at: datetime | None
    made_at: datetime
    published_at: datetime | None
    open_actions: int
    overdue: int


@dataclass(frozen=True)
class Due:
    """An incident that is to be looked back on, and nobody has begun."""

    incident_id: int
    number: str
    title: str
    priority: int | None
    major: bool
    service: str
    recovered_at: datetime


@dataclass(frozen=True)
class Public:
    """What the public reads of it, or read until it was withdrawn."""

    title: str
    words: str
    published_at: datetime
    withdrawn_at: datetime | None
    version: int


@dataclass(frozen=True)
class Version:
    number: int
    saved_at: datetime
    saved_by: str
    """'Incident Desk' where the app drafted it"""
    why: str


@dataclass(frozen=True)
class Whole:
    """One postmortem with everything its page shows."""

    id: int
    incident_id: int
    number: str
    incident_title: str
    incident_state: str
    priority: int | None
    major: bool
    restricted: bool
    service: str
    team: str
    recovered_at: datetime | None
    state: str
    version: int
    owner_id: int | None
    owner: str
    made_at: datetime
    sent_at: datetime | None
    published_at: datetime | None
    reviewer: str
    discarded_why: str
    saved_at: datetime
    saved_by: str
    words: Mapping[str, str]
    """title and sections: rules.postmortems.FIELDS"""
    actions: tuple[Action, ...]
    authors: frozenset[int]
    """who may not publish it, having written it"""
    in_public: bool
    """the status page shows the incident"""
    public: Public | None
    may_edit: bool
    may_publish: bool
    """to the public"""
    today: date
    zone: ZoneInfo
    """the organisation's"""

    @property
    def counted(self) -> int:
        """Actions without those dropped."""
        return sum(not action.dropped_why for action in self.actions)

    def facts(self) -> list[tuple[str, str]]:
        """What stands above it where it is exported or printed, in words."""
        rated = f"P{self.priority} {PRIORITIES[self.priority]}" if self.priority in PRIORITIES else ""
        when = [(at and moment_words(at, self.zone)) or "" for at in (self.recovered_at, self.published_at)]
        lines = [
            ("Incident", f"{self.number}: {self.incident_title}"),
            ("Service", self.service),
            ("Team", self.team),
            ("Priority", ", ".join(part for part in (rated, "major incident" if self.major else "") if part)),
            ("Recovered", when[0]),
            ("Owner", self.owner),
            ("Reviewed by", self.reviewer if self.state == PUBLISHED else ""),
            ("Published", when[1] if self.state == PUBLISHED else ""),
            ("Version", f"{self.version}, {self.saved_by}, {moment_words(self.saved_at, self.zone)}"),
            ("Times", str(self.zone)),
        ]
        return [(label, value) for label, value in lines if value]


def library(db: Session, actor: Actor, filters: Filters, page: int, now: datetime) -> tuple[list[Row], int]:
    """One page, the newest incidents first, and how many there are."""
    access.check(actor, "postmortems")
    conditions = [*_chosen(filters), open_to(actor)]
    total = db.execute(_joined(select(func.count())).where(*conditions)).scalar_one()
    today = postmortems.today(now, zone(db)).isoformat()
    own = (PostmortemAction.postmortem_id == Postmortem.id, *to_be_done())
    counted = select(func.count()).select_from(PostmortemAction).where(*own).correlate(Postmortem)
    late = counted.where(PostmortemAction.due_on < today)
    rows = _joined(
        select(
            Postmortem.id,
            Incident.number,
            PostmortemVersion.title,
            Postmortem.state,
            Incident.priority,
            Incident.major,
            func.coalesce(Service.name, Incident.affected),
            _OWNER.name,
            Incident.recovered_at,
            Postmortem.made_at,
            Postmortem.published_at,
            counted.scalar_subquery(),
            late.scalar_subquery(),
        )
    ).outerjoin(_OWNER, _OWNER.id == Postmortem.owner_id)
    shown = (
        rows.where(*conditions)
        .order_by(Postmortem.made_at.desc(), Postmortem.id.desc())
        .limit(PAGE_SIZE)
        .offset((max(page, 1) - 1) * PAGE_SIZE)
    )
    return [Row(*row) for row in db.execute(shown)], total


def _joined(chosen: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    newest = and_(PostmortemVersion.postmortem_id == Postmortem.id, PostmortemVersion.version == Postmortem.version)
    return (
        chosen.select_from(Postmortem)
        .join(PostmortemVersion, newest)
        .join(Incident, Incident.id == Postmortem.incident_id)
        .outerjoin(Service, Service.id == Incident.service_id)
    )


def _chosen(filters: Filters) -> list[ColumnElement[bool]]:
    """Every word must be somewhere in it: in its number, its title or any section."""
    found: list[ColumnElement[bool]] = [
        Postmortem.state == filters.view if filters.view in VIEWS and filters.view != "all"
        else Postmortem.state != DISCARDED
    ]  # fmt: skip
    searched = (Incident.number, *(getattr(PostmortemVersion, name) for name in FIELDS))
    for word in filters.text.replace("\0", " ").split()[:_MOST_WORDS]:
        found.append(or_(*(within(column, word[:_WORDS_LIMIT]) for column in searched)))
    if filters.service_id is not None:
        found.append(Incident.service_id == filters.service_id)
    if filters.team_id is not None:
        found.append(Incident.team_id == filters.team_id)
    return found


def due(db: Session, actor: Actor, now: datetime) -> tuple[list[Due], bool]:
    """Incidents to look back on without a postmortem, the newest first; whether there are more. None for admins."""
    access.check(actor, "postmortems")
    if not access.may(actor, "postmortem_edit"):
        return [], False
    statement: Select[*tuple[Any, ...]] = (
        select(
            Incident.id,
            Incident.number,
            Incident.title,
            Incident.priority,
            Incident.major,
            func.coalesce(Service.name, Incident.affected),
            Incident.recovered_at,
        )
        .outerjoin(Service, Service.id == Incident.service_id)
        .where(
            Incident.resolved_at >= now - LOOKED_BACK,
            Incident.recovered_at.is_not(None),
            Incident.state.in_(("recovered", "closed")),
            or_(Incident.major, Incident.priority <= WORST),
            ~exists().where(Postmortem.incident_id == Incident.id),
            visible(actor),
        )
        .order_by(Incident.resolved_at.desc(), Incident.id.desc())
        .limit(MOST_DUE + 1)
    )
    found = [Due(*row) for row in db.execute(statement)]
    return found[:MOST_DUE], len(found) > MOST_DUE


_ONE = (
    select(Postmortem, PostmortemVersion, Incident, Service.name, Team.name, _OWNER.name, _REVIEWER.name, _WRITER.name)
    .join(
        PostmortemVersion,
        and_(PostmortemVersion.postmortem_id == Postmortem.id, PostmortemVersion.version == Postmortem.version),
    )
    .join(Incident, Incident.id == Postmortem.incident_id)
    .outerjoin(Service, Service.id == Incident.service_id)
    .outerjoin(Team, Team.id == Incident.team_id)
    .outerjoin(_OWNER, _OWNER.id == Postmortem.owner_id)
    .outerjoin(_REVIEWER, _REVIEWER.id == Postmortem.reviewer_id)
    .outerjoin(_WRITER, _WRITER.id == PostmortemVersion.saved_by_id)
)


def one(db: Session, actor: Actor, postmortem_id: int, now: datetime) -> Whole:
    """One of them. NotFound when there is none, or it is not open to the actor."""
    access.check(actor, "postmortems")
    row = db.execute(_ONE.where(Postmortem.id == postmortem_id, open_to(actor))).one_or_none()
    if row is None:
        raise _absent(db, actor, postmortem_id)
    found, newest, incident, service, team, owner, reviewer, writer = row
    record = record_of(db, incident)
    here = zone(db)
    today = postmortems.today(now, here)
    return Whole(
        id=found.id,
        incident_id=incident.id,
        number=incident.number,
        incident_title=incident.title,
        incident_state=incident.state,
        priority=incident.priority,
        major=incident.major,
        restricted=incident.restricted,
        service=service or incident.affected,
        team=team or "",
        recovered_at=incident.recovered_at,
        state=found.state,
        version=found.version,
        owner_id=found.owner_id,
        owner=owner or "",
        made_at=found.made_at,
        sent_at=found.sent_at,
        published_at=found.published_at,
        reviewer=reviewer or "",
        discarded_why=found.discarded_why,
        saved_at=newest.saved_at,
        saved_by=writer or "Incident Desk",
        words={name: getattr(newest, name) for name in FIELDS},
        actions=postmortem_actions.of(db, found.id, today),
        authors=postmortems.authors(newest.saved_by_id, newest.saved_at, found.sent_by_id, found.sent_at),
        in_public=bool(db.scalar(select(exists().where(Publication.incident_id == incident.id)))),
        public=_public(db, found.id),
        may_edit=access.may(actor, "postmortem_edit", record),
        may_publish=access.may(actor, "publish", record),
        today=today,
        zone=here,
    )


def _public(db: Session, postmortem_id: int) -> Public | None:
    kept = db.get(PublishedPostmortem, postmortem_id)
    if kept is None:
        return None
    return Public(kept.title, kept.words, kept.published_at, kept.withdrawn_at, kept.version)


def _absent(db: Session, actor: Actor, postmortem_id: int) -> NotFound:
    refusal = NotFound("There is no such postmortem, or it is not open to you.")
    if db.scalar(select(exists().where(Postmortem.id == postmortem_id))):
        refusal.refused = (actor.id, "postmortems")
    return refusal


def versions(db: Session, actor: Actor, postmortem_id: int) -> list[Version]:
    """What was saved, newest first. NotFound as of one()."""
    _readable(db, actor, postmortem_id)
    found = (
        select(PostmortemVersion.version, PostmortemVersion.saved_at, _WRITER.name, PostmortemVersion.why)
        .outerjoin(_WRITER, _WRITER.id == PostmortemVersion.saved_by_id)
        .where(PostmortemVersion.postmortem_id == postmortem_id)
        .order_by(PostmortemVersion.version.desc())
    )
    return [Version(number, at, by or "Incident Desk", why) for number, at, by, why in db.execute(found)]


def words(db: Session, actor: Actor, postmortem_id: int, version: int) -> dict[str, str]:
    """Title and sections of one version. NotFound when there is none."""
    _readable(db, actor, postmortem_id)
    kept = db.get(PostmortemVersion, (postmortem_id, version))
    if kept is None:
        raise NotFound("There is no such version.")
    return {name: getattr(kept, name) for name in FIELDS}


def _readable(db: Session, actor: Actor, postmortem_id: int) -> None:
    access.check(actor, "postmortems")
    statement = select(Postmortem.id).join(Incident, Incident.id == Postmortem.incident_id)
    if db.scalar(statement.where(Postmortem.id == postmortem_id, open_to(actor))) is None:
        raise _absent(db, actor, postmortem_id)
