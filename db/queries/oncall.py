"""Who is on call, was and will be: schedules through their versions and overrides, read for many at once."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, and_, bindparam, func, or_, select
from sqlalchemy.orm import Session, aliased

from db.models import CalendarFeed, Instant, Person, Schedule, ScheduleOverride, ScheduleVersion, Team
from db.queries.sessions import hashed
from rules import access, roster
from rules.access import Actor
from rules.oncall import Schedule as Turning
from rules.oncall import Shift
from rules.roster import Roster
from rules.wall_clock import LATEST, TICK


@dataclass(frozen=True)
class Who:
    """A person on call."""

    id: int
    name: str


@dataclass(frozen=True)
class Now:
    """Who is on call on a schedule, until when, and who comes next."""

    id: int
    name: str
    team: str | None
    zone: str
    mine: bool
    """the reader takes turns in it, or is of its team"""
    people: tuple[Who, ...]
    until: datetime | None
    following: tuple[Who, ...]
    meant: bool
    """somebody is meant to be on call now: it is within the hours of a layer"""
    member: bool
    """the reader may take over: they take turns in it, or are of its team"""


@dataclass(frozen=True)
class MyShift:
    schedule_id: int
    schedule: str
    zone: str
    start: datetime
    end: datetime


def on_call(db: Session, schedule_id: int, at: datetime) -> tuple[int, ...]:
    """Ids of the people on call at the instant; () is nobody, or no such schedule. People disabled by then are not."""
    found = rosters(db, [schedule_id], at, at + TICK).get(schedule_id)
    return tuple(map(int, roster.on_call(found, at))) if found is not None else ()


def shifts(db: Session, schedule_id: int, start: datetime, end: datetime) -> list[Shift]:
    """Everybody's shifts cut to [start, end); `person` is the id as text."""
    found = rosters(db, [schedule_id], start, end).get(schedule_id)
    return roster.shifts(found, start, end) if found is not None else []


def rosters(
    db: Session, schedule_ids: Collection[int] | None, start: datetime, end: datetime | None = None
) -> dict[int, Roster]:
    """Id -> roster of these schedules (None: all that are not archived), good for [start, end); None: for ever.

    Three statements, however many they are and however often they were changed.
    """
    versions, overrides = _statements(schedule_ids is None)
    given: dict[str, Any] = {"start": start, "end": end or LATEST}
    if schedule_ids is not None:
        given["ids"] = sorted(schedule_ids)
    rows = db.execute(versions, given).all()
    changes: dict[int, list[dict[str, Any]]] = {}
    for override in db.scalars(overrides, given):
        changes.setdefault(override.schedule_id, []).append(as_override(override))
    gone = _gone(db, [row.definition for row in rows], [one for many in changes.values() for one in many])
    found: dict[int, list[tuple[datetime, Turning]]] = {}
    ends: dict[int, datetime | None] = {}
    for schedule_id, archived_at, from_at, definition in rows:
        whole = {**definition, "overrides": changes.get(schedule_id, [])}
        found.setdefault(schedule_id, []).append((from_at, Turning.from_dict(whole)))
        ends[schedule_id] = archived_at
    return {id_: Roster(tuple(many), gone, ends[id_]) for id_, many in found.items()}


def as_override(override: ScheduleOverride) -> dict[str, Any]:
    """The row in the terms of rules.oncall. A cancelled one counts until it was cancelled."""
    added, removed = (str(id_) if id_ is not None else None for id_ in (override.added_id, override.removed_id))
    ends = override.ends_at if override.cancelled_at is None else min(override.ends_at, override.cancelled_at)
    told: dict[str, Any] = {"start": override.starts_at, "end": ends}
    if added and removed:
        return told | {"replace": {removed: added}}
    return told | ({"add": [added]} if added else {"remove": [removed]})


@lru_cache
def _statements(every: bool) -> tuple[Select[Any], Select[ScheduleOverride]]:
    """Versions and overrides that count in [start, end), of `every` schedule in use or of `ids`; made once."""
    start, end = bindparam("start", type_=Instant), bindparam("end", type_=Instant)
    wanted = Schedule.archived_at.is_(None) if every else Schedule.id.in_(bindparam("ids", expanding=True))
    later = aliased(ScheduleVersion)
    first = (
        select(func.max(later.from_at))
        .where(later.schedule_id == Schedule.id, later.from_at <= start)
        .correlate(Schedule)
        .scalar_subquery()
    )
    version, override = ScheduleVersion, ScheduleOverride
    versions = (
        select(Schedule.id, Schedule.archived_at, version.from_at, version.definition)
        .join(version, version.schedule_id == Schedule.id)
        .where(wanted, or_(version.from_at > start, version.from_at == first), version.from_at < end)
        .order_by(Schedule.id, version.from_at)
    )
    cancelled = override.cancelled_at
    counted = or_(cancelled.is_(None), and_(cancelled > override.starts_at, cancelled > start))
    overrides = (
        select(override)
        .join(Schedule, Schedule.id == override.schedule_id)
        .where(wanted, override.ends_at > start, override.starts_at < end, counted)
        .order_by(override.id)
    )
    return versions, overrides


def people_of(definition: Mapping[str, Any]) -> set[int]:
    """Ids of those who take turns in a definition."""
    return {int(member) for layer in definition["layers"] for member in layer["members"]}


def _gone(
    db: Session, definitions: Iterable[Mapping[str, Any]], overrides: Iterable[Mapping[str, Any]]
) -> dict[str, datetime]:
    """Id as text -> since when, of those named whose account is disabled."""
    ids = set().union(*map(people_of, definitions))
    for one in overrides:
        ids.update(map(int, one.get("add", ())), map(int, one.get("replace", {}).values()))
    rows = db.execute(select(Person.id, Person.disabled_at).where(Person.id.in_(ids), Person.disabled_at.is_not(None)))
    return {str(person_id): disabled_at for person_id, disabled_at in rows if disabled_at is not None}


def names(db: Session, ids: Collection[int]) -> dict[int, str]:
    """Id -> name."""
    rows = db.execute(select(Person.id, Person.name).where(Person.id.in_(sorted(ids))))
    return {person_id: name for person_id, name in rows}


def now_and_next(db: Session, actor: Actor, at: datetime) -> list[Now]:
    """Every schedule in use with who is on call and who comes next: one's own first, then by name."""
    access.check(actor, "on_call")
    rows = db.execute(
        select(Schedule.id, Schedule.name, Schedule.zone, Schedule.team_id, Team.name)
        .outerjoin(Team, Team.id == Schedule.team_id)
        .where(Schedule.archived_at.is_(None))
        .order_by(func.lower(Schedule.name), Schedule.id)
    ).all()
    known = rosters(db, None, at)
    nobody = Roster(())
    handovers = {row.id: roster.now_and_next(known.get(row.id, nobody), at) for row in rows}
    ids = {int(person) for found in handovers.values() for person in (*found.people, *found.following)}
    called = names(db, ids)
    listed = []
    for schedule_id, name, zone, team_id, team in rows:
        found = handovers[schedule_id]
        turning = known.get(schedule_id, nobody).at(at)
        turns = turning is not None and any(str(actor.id) in layer.members for layer in turning.layers)
        member = turns or team_id in actor.team_ids
        people, following = (
            tuple(Who(int(id_), called[int(id_)]) for id_ in many) for many in (found.people, found.following)
        )
        mine = member or str(actor.id) in (*found.people, *found.following)
        meant = bool(people or roster.missing(known.get(schedule_id, nobody), at, at + TICK))
        listed.append(Now(schedule_id, name, team, zone, mine, people, found.at, following, meant, member))
    return sorted(listed, key=lambda one: not one.mine)


def my_shifts(db: Session, person_id: int, start: datetime, end: datetime) -> list[MyShift]:
    """The person's shifts on all schedules in [start, end), by start; on archived ones until they ended."""
    rows = {row.id: row for row in db.execute(select(Schedule.id, Schedule.name, Schedule.zone))}
    found = [
        MyShift(schedule_id, rows[schedule_id].name, rows[schedule_id].zone, shift.start, shift.end)
        for schedule_id, known in rosters(db, list(rows), start, end).items()
        if _named(known, str(person_id))
        for shift in roster.shifts(known, start, end)
        if shift.person == str(person_id)
    ]
    return sorted(found, key=lambda shift: (shift.start, shift.schedule))


def _named(known: Roster, person: str) -> bool:
    return any(
        any(person in layer.members for layer in one.layers)
        or any(person in change.add or person in change.replace.values() for change in one.overrides)
        for _, one in known.versions
    )


def feed_holder(db: Session, token: str) -> int | None:
    """Whose shifts the private address with this token shows; None when it leads nowhere."""
    return db.execute(
        select(CalendarFeed.person_id)
        .join(Person, Person.id == CalendarFeed.person_id)
        .where(CalendarFeed.token_hash == hashed(token), Person.disabled_at.is_(None))
    ).scalar()


def has_feed(db: Session, actor: Actor) -> datetime | None:
    """When the actor's private address was made; None when there is none."""
    return db.execute(select(CalendarFeed.created_at).where(CalendarFeed.person_id == actor.id)).scalar()
