"""How many incidents a problem has, in which states, and what they cost. SQL does the counting."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Float, and_, case, cast, func, literal, or_, select, type_coerce
from sqlalchemy.orm import Session

from db.models import Incident, IncidentLink, TimelineEntry, to_micros
from db.queries.access import visible
from db.queries.problems import Detail
from db.queries.settings import values
from rules import access
from rules.access import Actor
from rules.problems import HOUR, Cost
from rules.states import OPEN, STATES

RATE, CURRENCY = "cost.person_hour", "cost.currency"


def by_state(db: Session, actor: Actor, problem: Detail) -> dict[str, int]:
    """State -> how many of its incidents that the actor may read are in it, in the order of the lifecycle."""
    access.check(actor, "problems")
    found = select(Incident.state, func.count()).where(_linked(problem), visible(actor)).group_by(Incident.state)
    known = {state: number for state, number in db.execute(found)}
    return {state: known[state] for state in STATES if state in known}


def cost(db: Session, actor: Actor, problem: Detail, now: datetime) -> Cost:
    """What its incidents took until `now`, of those that the actor may read."""
    access.check(actor, "problems")
    at = literal(to_micros(now), BigInteger)
    held = _held()
    over = Incident.state.not_in(sorted(OPEN | {"resolved"}))
    ended = func.coalesce(
        _micros(Incident.recovered_at),
        case((over, func.coalesce(_micros(Incident.resolved_at), _micros(Incident.closed_at)))),
        at,
    )
    waiting = case((Incident.state == "on_hold", at), else_=0)
    hold = case((held.c.whole, held.c.span + waiting), else_=0)
    outage = _positive(ended - _micros(Incident.reported_at))
    work = func.coalesce(_micros(Incident.resolved_at), at) - _micros(Incident.acknowledged_at)
    handling = case((Incident.acknowledged_at.is_not(None), _positive(work - func.coalesce(hold, 0))), else_=0)
    affected = func.coalesce(Incident.people_affected, 1)
    counted = and_(Incident.state != "cancelled", Incident.duplicate_of_id.is_(None))
    row = db.execute(
        select(
            _sum(counted, literal(1)),
            _sum(~counted, literal(1)),
            _sum(counted, affected),
            _sum(and_(counted, Incident.people_affected.is_(None)), literal(1)),
            _hours(counted, outage),
            _hours(counted, outage, affected),
            _hours(counted, handling),
            _hours(counted, func.coalesce(hold, 0)),
            _sum(and_(counted, ~over, Incident.recovered_at.is_(None)), literal(1)),
        )
        .select_from(Incident)
        .outerjoin(held, held.c.incident_id == Incident.id)
        .where(_linked(problem), visible(actor))
    ).one()
    n, left_out, people, unsaid = (int(each or 0) for each in row[:4])
    outage_hours, people_hours, handling_hours, held_hours = (float(each or 0) for each in row[4:8])
    return Cost(n, left_out, people, unsaid, outage_hours, people_hours, handling_hours, held_hours, int(row[8] or 0))


def rate(db: Session) -> tuple[float, str]:
    """What a person-hour costs (0: not set), and in which currency."""
    known = values(db)
    return float(known[RATE] or 0), str(known[CURRENCY])


def _linked(problem: Detail) -> ColumnElement[bool]:
    return Incident.id.in_(select(IncidentLink.incident_id).where(IncidentLink.problem_id == problem.id))


def _held() -> Any:
    """Per incident: microseconds from being put on hold to going on, added up; without the end while it lasts.

    What goes in comes out: the moments of leaving minus those of entering. An imported history that misses one of
    them says nothing (`whole` is false).
    """
    enters = and_(TimelineEntry.to_state == "on_hold", func.coalesce(TimelineEntry.from_state, "") != "on_hold")
    leaves = and_(TimelineEntry.from_state == "on_hold", TimelineEntry.to_state != "on_hold")
    at = _micros(TimelineEntry.at)
    times = func.sum(case((enters, 1), (leaves, -1), else_=0))
    held = Incident.state == "on_hold"
    return (
        select(
            TimelineEntry.incident_id,
            func.sum(case((enters, -at), (leaves, at), else_=0)).label("span"),
            (times == case((func.max(case((held, 1), else_=0)) == 1, 1), else_=0)).label("whole"),
        )
        .join(Incident, Incident.id == TimelineEntry.incident_id)
        .where(or_(enters, leaves))
        .group_by(TimelineEntry.incident_id)
        .subquery()
    )


def _micros(column: Any) -> ColumnElement[int]:
    """An instant as its number."""
    return type_coerce(column, BigInteger)


def _positive(span: ColumnElement[Any]) -> ColumnElement[Any]:
    return case((span > 0, span), else_=0)


def _sum(condition: ColumnElement[bool], value: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.sum(case((condition, value), else_=0))


def _hours(condition: ColumnElement[bool], span: ColumnElement[Any], times: Any = 1) -> ColumnElement[Any]:
    """Added up as hours: people times microseconds would not fit."""
    return func.sum(case((condition, cast(span, Float) / HOUR * times), else_=0.0))
