"""Telling people that their turn begins or ends, and leads that nobody will be on call. Only the present is told."""

from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from db.commands.notices import tell
from db.models import Notice, Person, PersonRole, Schedule, TeamMember
from db.queries import oncall
from rules import roster
from rules.roster import Roster
from rules.wall_clock import TICK, said, zone_named

WARNED = timedelta(days=7)
"""How long ahead leads are told that nobody will be on call."""
_LOOKED_BACK = timedelta(days=60)
"""How far back the beginning of a gap is looked for, and the notice of it."""


def locked(db: Session, schedule_id: int, *, wait: bool = True) -> Schedule | None:
    """The schedule as it is now, held until the transaction ends: its changes, overrides and swaps come one by one.

    `wait` False: None when somebody else holds it.
    """
    statement = select(Schedule).where(Schedule.id == schedule_id).with_for_update(skip_locked=not wait)
    return db.scalars(statement.execution_options(populate_existing=True)).one_or_none()


def keep(db: Session, schedule: Schedule, now: datetime) -> None:
    """Set when people are told next, after the schedule changed. What is due already stays due."""
    db.flush()
    if schedule.handoff_at is not None and schedule.handoff_at <= now:
        return
    schedule.handoff_at = roster.handoff(_known(db, schedule, now - TICK), now)


def look_again(db: Session, schedule: Schedule, now: datetime) -> None:
    """See when people are told next, where nothing is due: somebody who came back, or left, moves it."""
    if schedule.archived_at is None and (schedule.handoff_at is None or schedule.handoff_at > now):
        schedule.handoff_at = roster.now_and_next(_known(db, schedule, now), now).at


def tell_change(db: Session, schedule: Schedule, now: datetime) -> int:
    """Tell who is on call now and was not before the handoff that is due, and the other way round; how many were told.

    After an outage nobody is told of turns that have come and gone meanwhile.
    """
    due = schedule.handoff_at
    if due is None or due > now:
        return 0
    known = _known(db, schedule, due - TICK)
    before, present = roster.on_call(known, due - TICK), roster.on_call(known, now)
    schedule.handoff_at = roster.now_and_next(known, now).at
    ended, began = (
        [name for name in one if name not in other] for one, other in ((before, present), (present, before))
    )
    zone, called = zone_named(schedule.zone), oncall.names(db, set(map(int, (*before, *present))))
    who = " and ".join(called[int(person)] for person in present) or "nobody"
    for person in began:
        until = roster.until(known, person, now)
        words = f"until {said(until, zone)}" if until else "until further notice"
        tell(db, [int(person)], "handoff", f"You are on call now for {schedule.name} {words}", now=now)
    for person in ended:
        verb = "have" if len(present) > 1 else "has"
        tell(db, [int(person)], "handoff", f"Your turn for {schedule.name} ended; {who} {verb} it", now=now)
    return len(began) + len(ended)


def tell_gaps(db: Session, schedule: Schedule, now: datetime) -> int:
    """Tell the team's leads, once per gap, that nobody will be on call within the week; how many gaps were new."""
    if schedule.archived_at is not None:
        return 0
    since = now - _LOOKED_BACK
    known = _known(db, schedule, since)
    gaps = [gap for gap in roster.missing(known, since, now + WARNED) if gap[1] > now]
    if not gaps:
        return 0
    zone, found = zone_named(schedule.zone), {}
    for start, end in gaps:
        begins = f" from {said(start, zone)}" if start > since else ""
        ends = "" if end >= now + WARNED else f" until {said(end, zone)}"
        found[f"Nobody is on call for {schedule.name}{begins}"] = f"Nobody is on call{begins}{ends}."
    leads = leads_of(db, schedule.team_id)
    told = {
        (person_id, subject)
        for person_id, subject in db.execute(
            select(Notice.person_id, Notice.subject).where(
                Notice.person_id.in_(leads), Notice.kind == "gap", Notice.created_at > since
            )
        )
    }
    new = 0
    for subject, body in found.items():
        unaware = [person_id for person_id in leads if (person_id, subject) not in told]
        tell(db, unaware, "gap", subject, f"{body} Add an override, or change the schedule.", now=now)
        new += bool(unaware)
    return new


def leads_of(db: Session, team_id: int | None) -> list[int]:
    """Who leads the team: marked as such, or members who hold the role; administrators where there is nobody."""
    lead_role = select(PersonRole.person_id).where(PersonRole.role == "lead")
    here = Person.disabled_at.is_(None)
    found = db.scalars(
        select(Person.id)
        .join(TeamMember, TeamMember.person_id == Person.id)
        .where(TeamMember.team_id == team_id, here, or_(TeamMember.lead, Person.id.in_(lead_role)))
        .order_by(Person.id)
    ).all()
    if not found:
        admins = select(Person.id).join(PersonRole, PersonRole.person_id == Person.id).order_by(Person.id)
        found = db.scalars(admins.where(PersonRole.role == "admin", here)).all()
    return list(found)


def _known(db: Session, schedule: Schedule, since: datetime) -> Roster:
    return oncall.rosters(db, [schedule.id], since).get(schedule.id, Roster(()))
