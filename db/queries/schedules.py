"""One schedule as people look at it: its calendar, what a change would do, overrides and swaps, who did how much."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, aliased

from db.models import Incident, Page, Person, Schedule, ScheduleOverride, ScheduleVersion, Swap, Team
from db.queries import oncall
from db.queries.access import visible
from rules import access, roster
from rules.access import Actor, NotFound
from rules.oncall import NIGHT, Stretch, loads
from rules.roster import Difference, Roster, Segment, Turn
from rules.wall_clock import Span
from rules.weekly_hours import WeeklyHours

AHEAD = timedelta(days=28)
"""How far a preview looks, and how far gaps and overlaps are told in advance."""
MOST_TOLD = 12
"""Gaps, overlaps, turns of one list; what is left is said in a number."""


@dataclass(frozen=True)
class Choice:
    id: int
    name: str
    team_id: int | None
    archived: bool


@dataclass(frozen=True)
class Detail:
    """A schedule and how it turns now, with the change that is planned, if there is one."""

    id: int
    name: str
    team_id: int | None
    team: str | None
    zone: str
    version: int
    archived_at: datetime | None
    definition: dict[str, Any]
    planned: tuple[datetime, dict[str, Any]] | None


@dataclass(frozen=True)
class Calendar:
    """What was, is and will be in [start, end). People are ids as text; `names` calls them."""

    start: datetime
    end: datetime
    segments: list[Segment]
    turns: list[Turn]
    gaps: list[Span]
    missing: list[Span]
    """of the gaps, those inside the hours in which somebody was meant to be on call"""
    names: dict[str, str]


@dataclass(frozen=True)
class Problems:
    """What is wrong ahead: nobody, more than one at once, and people who are in the layers and left."""

    missing: list[Span]
    overlaps: list[Stretch]
    gone: list[str]
    names: dict[str, str]


@dataclass(frozen=True)
class Preview:
    """What a definition would bring from a moment on."""

    differences: list[Difference]
    segments: list[Segment]
    gaps: list[Span]
    missing: list[Span]
    overlaps: list[Stretch]
    names: dict[str, str]


@dataclass(frozen=True)
class Override:
    id: int
    start: datetime
    end: datetime
    added: str | None
    removed: str | None
    added_id: int | None
    removed_id: int | None
    reason: str
    by: str | None
    by_id: int | None
    """who may end it besides leads: whoever made it; of a swap, whoever gave the turn"""


@dataclass(frozen=True)
class SwapRow:
    id: int
    schedule_id: int
    schedule: str
    from_id: int
    from_name: str
    to_id: int
    to_name: str
    start: datetime
    end: datetime
    words: str
    asked_at: datetime


@dataclass(frozen=True)
class Load:
    """Who did how much in a period: hours on call, pages, and how many of both at night."""

    name: str
    hours: float
    night_hours: float
    weekend_hours: float
    pages: int
    night_pages: int
    person_id: int = 0


def choices(db: Session, actor: Actor, *, archived: bool = False) -> list[Choice]:
    """The schedules to choose from, by name."""
    access.check(actor, "on_call")
    statement = select(Schedule.id, Schedule.name, Schedule.team_id, Schedule.archived_at)
    if not archived:
        statement = statement.where(Schedule.archived_at.is_(None))
    rows = db.execute(statement.order_by(func.lower(Schedule.name), Schedule.id))
    return [Choice(id_, name, team_id, gone is not None) for id_, name, team_id, gone in rows]


def detail(db: Session, actor: Actor, schedule_id: int, now: datetime) -> Detail:
    """One schedule. NotFound when there is none."""
    access.check(actor, "on_call")
    row = db.execute(
        select(Schedule, Team.name).outerjoin(Team, Team.id == Schedule.team_id).where(Schedule.id == schedule_id)
    ).one_or_none()
    if row is None:
        raise NotFound("There is no such schedule.")
    schedule, team = row
    versions = db.execute(
        select(ScheduleVersion.from_at, ScheduleVersion.definition)
        .where(ScheduleVersion.schedule_id == schedule_id)
        .order_by(ScheduleVersion.from_at)
    ).all()
    present = [definition for from_at, definition in versions if from_at <= now]
    ahead = [(from_at, definition) for from_at, definition in versions if from_at > now]
    definition = present[-1] if present else ahead[0][1]
    return Detail(
        schedule.id,
        schedule.name,
        schedule.team_id,
        team,
        schedule.zone,
        schedule.version,
        schedule.archived_at,
        definition,
        (ahead[0][0], ahead[0][1]) if ahead else None,
    )


def calendar(db: Session, actor: Actor, schedule_id: int, start: datetime, end: datetime) -> Calendar:
    """The schedule in [start, end)."""
    access.check(actor, "on_call")
    known = oncall.rosters(db, [schedule_id], start, end).get(schedule_id, Roster(()))
    segments, turns = roster.segments(known, start, end), roster.turns(known, start, end)
    people = {one.person for one in segments} | {turn.person for turn in turns}
    gaps, missing = roster.gaps(known, start, end), roster.missing(known, start, end)
    return Calendar(start, end, segments, turns, gaps, missing, _names(db, people))


def problems(db: Session, actor: Actor, schedule_id: int, now: datetime) -> Problems:
    """What is wrong within four weeks."""
    access.check(actor, "on_call")
    end = now + AHEAD
    known = oncall.rosters(db, [schedule_id], now, end).get(schedule_id, Roster(()))
    overlaps = roster.overlaps(known, now, end)
    newest = {member for layer in known.versions[-1][1].layers for member in layer.members} if known.versions else set()
    gone = sorted(newest & known.gone.keys(), key=int)
    people = {*gone, *(name for one in overlaps for name in one.people)}
    return Problems(roster.missing(known, now, end), overlaps, gone, _names(db, people))


def preview(
    db: Session, actor: Actor, schedule_id: int | None, definition: Mapping[str, Any], from_at: datetime
) -> Preview:
    """What the definition would bring in the four weeks from its moment on. RuleError when it cannot be."""
    access.check(actor, "schedule")
    end = from_at + AHEAD
    turning = roster.checked(definition)
    before = oncall.rosters(db, [schedule_id], from_at, end).get(schedule_id, Roster(())) if schedule_id else Roster(())
    overrides = before.versions[-1][1].overrides if before.versions else ()
    changed = type(turning)(turning.zone, turning.layers, overrides)
    after = Roster(((from_at, changed),), before.gone, before.ends)
    differences = roster.differences(before, after, from_at, end)
    segments, overlaps = roster.segments(after, from_at, end), roster.overlaps(after, from_at, end)
    people = {one.person for one in segments} | {name for one in differences for name in (*one.before, *one.after)}
    return Preview(
        differences,
        segments,
        roster.gaps(after, from_at, end),
        roster.missing(after, from_at, end),
        overlaps,
        _names(db, people | {name for one in overlaps for name in one.people}),
    )


def gaps_ahead(db: Session, schedule_id: int, now: datetime, ahead: timedelta = AHEAD) -> list[Span]:
    """The spans ahead in which somebody is meant to be on call and nobody is."""
    known = oncall.rosters(db, [schedule_id], now, now + ahead).get(schedule_id)
    return roster.missing(known, now, now + ahead) if known is not None else []


def overlaps_ahead(db: Session, schedule_id: int, now: datetime, ahead: timedelta = AHEAD) -> list[Stretch]:
    """The spans ahead in which more than one is on call, and who."""
    known = oncall.rosters(db, [schedule_id], now, now + ahead).get(schedule_id)
    return roster.overlaps(known, now, now + ahead) if known is not None else []


def overrides(db: Session, actor: Actor, schedule_id: int, now: datetime) -> list[Override]:
    """Those that are live or to come, by start."""
    access.check(actor, "on_call")
    added, removed, by = aliased(Person), aliased(Person), aliased(Person)
    row = ScheduleOverride
    statement = (
        select(
            row.id,
            row.starts_at,
            row.ends_at,
            added.name,
            removed.name,
            row.added_id,
            row.removed_id,
            row.reason,
            by.name,
            func.coalesce(Swap.from_id, row.created_by_id),
        )
        .outerjoin(Swap, Swap.override_id == row.id)
        .outerjoin(added, added.id == row.added_id)
        .outerjoin(removed, removed.id == row.removed_id)
        .outerjoin(by, by.id == row.created_by_id)
        .where(row.schedule_id == schedule_id, row.ends_at > now, row.cancelled_at.is_(None))
        .order_by(row.starts_at, row.id)
    )
    rows: list[Any] = list(db.execute(statement))
    return [Override(*found) for found in rows]


def swaps(db: Session, actor: Actor, now: datetime, *, schedule_id: int | None = None) -> list[SwapRow]:
    """Asked and not answered, of one schedule, or those that the actor asked or is asked; what is over is left out."""
    access.check(actor, "on_call")
    asks, asked = aliased(Person), aliased(Person)
    wanted = Swap.schedule_id == schedule_id if schedule_id else or_(Swap.to_id == actor.id, Swap.from_id == actor.id)
    statement = (
        select(
            Swap.id,
            Swap.schedule_id,
            Schedule.name,
            Swap.from_id,
            asks.name,
            Swap.to_id,
            asked.name,
            Swap.starts_at,
            Swap.ends_at,
            Swap.words,
            Swap.asked_at,
        )
        .join(Schedule, Schedule.id == Swap.schedule_id)
        .join(asks, asks.id == Swap.from_id)
        .join(asked, asked.id == Swap.to_id)
        .where(wanted, Swap.state == "asked", Swap.ends_at > now, Schedule.archived_at.is_(None))
        .order_by(Swap.starts_at, Swap.id)
    )
    return [SwapRow(*found) for found in db.execute(statement)]


def hours_per_person(db: Session, actor: Actor, schedule_id: int, start: datetime, end: datetime) -> list[Load]:
    """Who did how much in [start, end), most hours first.

    Night hours and weekends are on the schedule's clock; a page is at night by the person's own
    clock. Pages are all that the person got in the period, by whichever schedule, restricted
    incidents apart that are not open to the actor.
    """
    access.check(actor, "on_call")
    return _hours(db, actor, [schedule_id], start, end)


def hours_of_everybody(db: Session, actor: Actor, start: datetime, end: datetime) -> list[Load]:
    """The same over all schedules in use, for who reads trends."""
    access.check(actor, "trends")
    return _hours(db, actor, None, start, end)


def _hours(db: Session, actor: Actor, ids: list[int] | None, start: datetime, end: datetime) -> list[Load]:
    if start >= end:
        return []
    spent: dict[int, list[int]] = {}
    for known in oncall.rosters(db, ids, start, end).values():
        for person, load in loads(roster.shifts(known, start, end), known.zone).items():
            total = spent.setdefault(int(person), [0, 0, 0])
            for place, seconds in enumerate((load.seconds, load.night_seconds, load.weekend_seconds)):
                total[place] += seconds
    people = {
        person_id: (name, zone)
        for person_id, name, zone in db.execute(
            select(Person.id, Person.name, Person.zone).where(Person.id.in_(sorted(spent)))
        )
    }
    pages = _pages(db, actor, {person_id: zone for person_id, (_, zone) in people.items()}, start, end)
    rows = [
        Load(people[person][0], all_ / 3600, night / 3600, weekend / 3600, *pages.get(person, (0, 0)), person)
        for person, (all_, night, weekend) in spent.items()
    ]
    return sorted(rows, key=lambda row: (-row.hours, row.name))


def _pages(
    db: Session, actor: Actor, zones: Mapping[int, str], start: datetime, end: datetime
) -> dict[int, tuple[int, int]]:
    """Person -> pages in [start, end) that the actor may know of, and how many at night on the person's own clock."""
    nights = {zone: WeeklyHours(ZoneInfo(zone), [NIGHT]) for zone in set(zones.values())}
    counted: dict[int, tuple[int, int]] = {}
    rows = db.execute(
        select(Page.person_id, Page.at)
        .join(Incident, Incident.id == Page.incident_id)
        .where(Page.person_id.in_(sorted(zones)), Page.at >= start, Page.at < end)
        # Who may count incidents need not be one who may open them: administrators open only their own.
        .where(or_(Incident.restricted.is_(False), visible(actor)))
    )
    for person_id, at in rows:
        all_, at_night = counted.get(person_id, (0, 0))
        counted[person_id] = (all_ + 1, at_night + nights[zones[person_id]].contains(at))
    return counted


def _names(db: Session, people: Collection[str]) -> dict[str, str]:
    return {str(id_): name for id_, name in oncall.names(db, set(map(int, people))).items()}


def first_names(names: Iterable[str]) -> dict[str, str]:
    """Name -> the shortest form that is theirs alone among these: 'Ana', or 'Ana Ruiz' when there are two."""
    known = list(dict.fromkeys(names))
    short = {name: name.removeprefix("Dr. ").split(" ")[0] for name in known}
    return {name: short[name] if list(short.values()).count(short[name]) == 1 else name for name in known}
