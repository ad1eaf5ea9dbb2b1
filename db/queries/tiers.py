"""An incident between the tiers: whose it is since when and until when, what was handed over, who was informed."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, exists, func, select
from sqlalchemy.orm import Session, aliased

from db.models import Assignment, Incident, Person, PersonRole, Team, TeamMember, TimelineEntry
from db.queries.access import record_of
from rules import access
from rules.access import Actor
from rules.clocks import Clock, clock

_Writer = aliased(Person, name="writer")
_Reader = aliased(Person, name="reader")


@dataclass(frozen=True)
class Handover:
    """What a team was handed over with."""

    team_id: int
    team: str
    tier: str
    writer_id: int | None
    writer: str | None
    at: datetime
    summary: str
    read_at: datetime | None
    reader: str | None


@dataclass(frozen=True)
class Stay:
    """The team that has it, and that team's own clock."""

    team: str
    tier: str
    began_at: datetime
    warn_at: datetime | None
    due_at: datetime | None

    def clock(self, now: datetime, *, stopped_at: datetime | None = None) -> Clock | None:
        """The team's clock; standing still since `stopped_at` if that is given."""
        return clock(
            self.began_at, self.warn_at, self.due_at, now, stopped_at=stopped_at, paused=stopped_at is not None
        )


@dataclass(frozen=True)
class Standing:
    """What the incident's page shows of it."""

    stay: Stay | None
    """None when no team has it, it is over, or it came so with an import"""
    handed: list[Handover]
    """what was handed over so far, newest first"""
    came_back_to: list[str]
    """names of the teams that had it, gave it away and got it again"""
    informed: int
    """how often it was told up the line"""


_HANDED = (
    select(
        Assignment.team_id,
        Team.name,
        Assignment.tier,
        Assignment.handed_by_id,
        _Writer.name,
        Assignment.began_at,
        Assignment.summary,
        Assignment.read_at,
        _Reader.name,
    )
    .join(Team, Team.id == Assignment.team_id)
    .outerjoin(_Writer, _Writer.id == Assignment.handed_by_id)
    .outerjoin(_Reader, _Reader.id == Assignment.read_by_id)
    .where(Assignment.incident_id == bindparam("incident_id"), Assignment.summary != "")
    .order_by(Assignment.began_at.desc(), Assignment.id.desc())
)
_UNREAD = _HANDED.where(Assignment.ended_at.is_(None), Assignment.read_at.is_(None))
_STAY = (
    select(Team.name, Assignment.tier, Assignment.began_at, Assignment.warn_at, Assignment.due_at)
    .join(Team, Team.id == Assignment.team_id)
    .where(Assignment.incident_id == bindparam("incident_id"), Assignment.ended_at.is_(None))
)
_INFORMED = (
    select(func.count())
    .select_from(TimelineEntry)
    .where(TimelineEntry.incident_id == bindparam("incident_id"), TimelineEntry.kind == "inform")
)


def standing(db: Session, incident_id: int, *, ping_pong: bool) -> Standing:
    """Of an incident that the actor may read (checked by queries.incidents.by_number)."""
    of = {"incident_id": incident_id}
    row = db.execute(_STAY, of).first()
    return Standing(
        Stay(*row) if row is not None else None,
        [Handover(*found) for found in db.execute(_HANDED, of)],
        _came_back_to(db, incident_id) if ping_pong else [],
        db.execute(_INFORMED, of).scalar_one(),
    )


def unread(db: Session, incident_id: int) -> Handover | None:
    """What the team that has it was handed over with, while nobody has read it."""
    row = db.execute(_UNREAD, {"incident_id": incident_id}).first()
    return Handover(*row) if row is not None else None


def receives(db: Session, actor: Actor, team_id: int, assignee_id: int | None) -> bool:
    """True for whoever a handover to the team is meant for; for anybody, when nobody is of that team (a vendor's)."""
    if team_id in actor.team_ids or assignee_id == actor.id:
        return True
    return not db.scalar(select(exists().where(TeamMember.team_id == team_id)))


def readers_among(db: Session, incident: Incident, people: Collection[int]) -> dict[int, str]:
    """Id -> name of those of `people` who have an account and may read the incident, by name."""
    if not people:
        return {}
    rows = db.execute(
        select(Person.id, Person.name)
        .where(Person.id.in_(people), Person.disabled_at.is_(None), Person.email.is_not(None))
        .order_by(Person.name)
    ).all()
    roles = _held(db.execute(select(PersonRole.person_id, PersonRole.role).where(PersonRole.person_id.in_(people))))
    teams = _held(db.execute(select(TeamMember.person_id, TeamMember.team_id).where(TeamMember.person_id.in_(people))))
    record = record_of(db, incident)
    return {
        id_: name
        for id_, name in rows
        if access.may(Actor(id_, name, frozenset(roles.get(id_, ())), frozenset(teams.get(id_, ()))), "read", record)
    }


def _held(rows: Iterable[Any]) -> dict[int, set[Any]]:
    found: dict[int, set[Any]] = {}
    for person_id, what in rows:
        found.setdefault(person_id, set()).add(what)
    return found


def _came_back_to(db: Session, incident_id: int) -> list[str]:
    moves = db.execute(
        select(TimelineEntry.from_team_id, TimelineEntry.to_team_id)
        .where(TimelineEntry.incident_id == incident_id, TimelineEntry.to_team_id.is_not(None))
        .order_by(TimelineEntry.at, TimelineEntry.id)
    ).all()
    had: set[int | None] = set()
    again: list[int] = []
    for before, to in moves:
        had |= {before} - {None}
        if to is not None and to != before and to in had and to not in again:
            again.append(to)
        had |= {to} - {None}
    names = {id_: name for id_, name in db.execute(select(Team.id, Team.name).where(Team.id.in_(again)))}
    return [names[team_id] for team_id in again]
