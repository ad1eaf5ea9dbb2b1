"""What needs somebody now, by what they may do: short lists, each from an index."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from db.models import QUEUE_ACTIVE, QUEUE_AWAITING, Assignment, Incident, Person
from db.queries import confirmation, my_reports, postmortem_actions, settings, triage
from db.queries.access import visible
from db.queries.lines import RANKED, Line, of_ids
from rules.access import Actor, may
from rules.verification import Patience

SHOWN = 5
_WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Part:
    """The first lines of one list, and how many there are in all, as triage.count() tells it.

    None: not counted; `more` says if there are more than the lines.
    """

    lines: list[Line] = field(default_factory=list)
    total: int | None = None
    more: bool = False


@dataclass(frozen=True)
class Week:
    """Incidents reported and resolved since Monday, and up to the same moment of the week before; late ones now."""

    opened: int
    opened_before: int
    resolved: int
    resolved_before: int
    late: int


@dataclass(frozen=True)
class Home:
    """Every part is None when it is not for this actor."""

    to_confirm: Part
    mine: Part | None = None
    unassigned: Part | None = None
    new: Part | None = None
    late: Part | None = None
    past_ola: Part | None = None
    """what my teams have had for longer than their share of the time"""
    denied: Part | None = None
    to_close: Part | None = None
    unanswered: Part | None = None
    to_ask: Part | None = None
    waiting: Part | None = None
    actions: tuple[postmortem_actions.Action, ...] = ()
    """what I have to do so that it does not happen again, by its day; at most SHOWN and one more"""
    week: Week | None = None
    people: int | None = None
    sample_data: bool = False


def home(db: Session, actor: Actor, now: datetime, week_began: datetime) -> Home:
    """What needs `actor` now. `week_began` is Monday's first instant on the reader's clock."""
    triages, works, theirs = may(actor, "triage"), may(actor, "acknowledge"), confirmation.for_closer(db, actor)
    closes, theirs = theirs is not None, theirs or []
    administers = may(actor, "people")
    patience = settings.policies(db).patience if closes else Patience()
    soonest = (Incident.recovered_at, Incident.id)
    chosen = {
        "mine": _mine(db, actor, now) if works else None,
        "unassigned": _unassigned(db, actor) if works and actor.team_ids else None,
        "new": _new(db, actor) if triages else None,
        "late": _late(db, actor, now) if triages else None,
        "past_ola": _past_ola(db, actor, now) if triages and actor.team_ids else None,
        "denied": _denied(db, actor, theirs) if closes else None,
        "to_close": _first(db, actor, confirmation.answered() + theirs, soonest) if closes else None,
        "unanswered": _first(db, actor, confirmation.unanswered(patience, now) + theirs, soonest) if closes else None,
        "to_ask": _first(db, actor, confirmation.to_ask() + theirs, soonest) if closes else None,
        "waiting": _first(db, actor, confirmation.waiting(patience, now) + theirs, soonest) if closes else None,
    }
    return Home(
        to_confirm=Part(my_reports.waiting_for_me(db, actor, SHOWN)),
        **_read(db, {name: few for name, few in chosen.items() if few is not None}),
        actions=postmortem_actions.mine(db, actor, now, SHOWN) if may(actor, "postmortem_edit") else (),
        week=_week(db, actor, now, week_began) if actor.has("manager") else None,
        people=_people(db) if administers else None,
        sample_data=administers and settings.organisation(db).sample_data,
    )


@dataclass(frozen=True)
class _Few:
    """The first of one list by their ids; the lines of all lists are read together."""

    ids: list[int]
    total: int | None = None
    more: bool = False


def _read(db: Session, chosen: Mapping[str, _Few]) -> dict[str, Part]:
    ids = {incident_id for few in chosen.values() for incident_id in few.ids}
    by_id = {line.id: line for line in of_ids(db, sorted(ids))}
    return {name: Part([by_id[id_] for id_ in few.ids], few.total, few.more) for name, few in chosen.items()}


def _first(
    db: Session, actor: Actor, conditions: list[ColumnElement[bool]], order: tuple[object, ...] = RANKED
) -> _Few:
    """The first few, without counting the rest."""
    chosen = select(Incident.id).where(*conditions, visible(actor)).order_by(*order).limit(SHOWN + 1)  # type: ignore[arg-type]
    found = list(db.scalars(chosen))
    return _Few(found[:SHOWN], more=len(found) > SHOWN)


def _counted(
    db: Session, actor: Actor, conditions: list[ColumnElement[bool]], order: tuple[object, ...] = RANKED
) -> _Few:
    few = _first(db, actor, conditions, order)
    total = triage.count(db, actor, conditions, triage.MOST) if few.more else len(few.ids)
    return _Few(few.ids, total, few.more)


def _mine(db: Session, actor: Actor, now: datetime) -> _Few:
    waits = or_(Incident.state != "on_hold", Incident.hold_until <= now)
    conditions = [
        Incident.assignee_id == actor.id,
        Incident.queue_group <= QUEUE_AWAITING,
        Incident.state != "recovered",
        waits,
    ]
    return _first(db, actor, conditions)


def _unassigned(db: Session, actor: Actor) -> _Few:
    return _first(db, actor, [Incident.id.in_(triage.unassigned(actor, SHOWN + 1))])


def _new(db: Session, actor: Actor) -> _Few:
    return _counted(db, actor, [Incident.state == "new"], (Incident.rank_at, Incident.id))


def _late(db: Session, actor: Actor, now: datetime) -> _Few:
    conditions = [Incident.queue_group == QUEUE_ACTIVE, Incident.resolution_due_at < now]
    return _counted(db, actor, conditions, (Incident.resolution_due_at, Incident.id))


def _past_ola(db: Session, actor: Actor, now: datetime) -> _Few:
    running = select(Assignment.incident_id).where(
        Assignment.team_id.in_(sorted(actor.team_ids)), Assignment.ended_at.is_(None), Assignment.due_at < now
    )
    # Few are past it and many active: the sum keeps SQLite from searching by the queue.
    return _first(db, actor, [Incident.id.in_(running), Incident.queue_group + 0 == QUEUE_ACTIVE])


def _denied(db: Session, actor: Actor, theirs: list[ColumnElement[bool]]) -> _Few:
    # Few are denied and many in progress: the sum keeps SQLite from searching by state.
    conditions = [Incident.state + "" == "in_progress", Incident.denied_at.is_not(None), *theirs]
    return _first(db, actor, conditions, (Incident.denied_at, Incident.id))


def _week(db: Session, actor: Actor, now: datetime, began: datetime) -> Week:
    def between(moment: ColumnElement[Any], start: datetime, end: datetime) -> int:
        return triage.count(db, actor, [moment >= start, moment < end])

    opened, resolved = Incident.reported_at.expression, Incident.resolved_at.expression
    return Week(
        opened=between(opened, began, now),
        opened_before=between(opened, began - _WEEK, now - _WEEK),
        resolved=between(resolved, began, now),
        resolved_before=between(resolved, began - _WEEK, now - _WEEK),
        late=triage.count(db, actor, [Incident.queue_group == QUEUE_ACTIVE, Incident.resolution_due_at < now]),
    )


def _people(db: Session) -> int:
    """How many people can sign in or were invited, sample people left out."""
    statement = select(func.count()).where(
        Person.email.is_not(None), Person.disabled_at.is_(None), Person.sample.is_(False)
    )
    return db.execute(statement.select_from(Person)).scalar_one()
