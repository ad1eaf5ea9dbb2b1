"""What of a week asks for attention: targets missed by most, overdue actions, and who carries the on-call load."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, and_, case, func, literal, not_, or_, select
from sqlalchemy.orm import Session

from db.models import QUEUE_ACTIVE, QUEUE_AWAITING, QUEUE_DONE, QUEUE_ON_HOLD, Incident, Service, Team, to_micros
from db.queries import postmortem_actions, schedules
from db.queries.access import visible
from db.queries.facts import COUNTED, micros
from db.queries.measures import HOUR, clock_stands, scope
from db.queries.report_load import MOST_PEOPLE, ON_CALL, on_call_row
from db.queries.trends import EVERYTHING
from rules import digest as rules
from rules.access import Actor
from rules.measures import NO_CANCELLED
from rules.paging import NIGHT
from rules.panels import Column, Panel, said
from rules.periods import Bucket
from rules.report_kept import HIDDEN
from rules.report_words import listed

MOST_BREACHES = 5
SHARED_WEEKS = 12
"""One week is one person's turn; so many weeks say whether turns are shared."""
_EVERY_QUEUE = (QUEUE_ACTIVE, QUEUE_ON_HOLD, QUEUE_AWAITING, QUEUE_DONE)
"""the index of due times begins with it"""


def service_names(db: Session) -> dict[int, str]:
    """id -> name."""
    return {service: name for service, name in db.execute(select(Service.id, Service.name))}


def breaches(db: Session, actor: Actor, week: Bucket, now: datetime) -> Panel:
    """The targets to resolve that fell due in the week and were missed by most; what is open runs on until now."""
    due, resolved = Incident.resolution_due_at, Incident.resolved_at
    ended = func.coalesce(micros(resolved), micros(Incident.done_at), literal(to_micros(now), BigInteger))
    late = ended - micros(due)
    statement = (
        select(
            Incident.number,
            case((visible(actor), Incident.title), else_=HIDDEN),
            Incident.priority,
            Team.name,
            late,
            func.coalesce(resolved, Incident.done_at).is_(None),
        )
        .outerjoin(Team, Team.id == Incident.team_id)
        .where(
            Incident.queue_group.in_(_EVERY_QUEUE),
            due >= week.start,
            due < week.end,
            COUNTED,
            or_(resolved > due, and_(resolved.is_(None), due < now, not_(clock_stands()))),
            *scope(db, actor, EVERYTHING),
        )
        .order_by(late.desc(), Incident.id)
        .limit(MOST_BREACHES)
    )
    rows: list[dict[str, Any]] = [
        {
            "number": number,
            "title": title,
            "priority": f"P{priority}" if priority else "–",
            "team": team or "Nobody yet",
            "late": by / HOUR,
            "stands": "still open" if is_open else "resolved",
        }
        for number, title, priority, team, by, is_open in db.execute(statement)
    ]
    worst = rows[0] if rows else None
    return Panel(
        "breaches",
        "Worst breaches",
        f"Targets to resolve that fell due in the week and were missed, by elapsed time after the target; the first "
        f"{MOST_BREACHES}. What is still open is counted until now.",
        f"{worst['number']} by {said('hours', worst['late'])}, {worst['stands']}."
        if worst
        else "No target was missed.",
        "table",
        (
            Column("number", "Incident"),
            Column("title", "What"),
            Column("priority", "Priority"),
            Column("team", "Team"),
            Column("late", "Late by", "hours"),
            Column("stands", "Now"),
        ),
        rows,
        left_out=f"{NO_CANCELLED} So is what has no target, and what waits on hold since before it was due.",
    )


def overdue_actions(db: Session, actor: Actor, now: datetime) -> Panel:
    """Actions of postmortems whose day is over, the oldest first."""
    late = postmortem_actions.overdue(db, actor, now)
    numbers = {action.number for action in late.actions}
    named = select(Incident.number, Incident.title).where(Incident.number.in_(sorted(numbers)))
    titles = {number: title for number, title in db.execute(named)}
    rows: list[dict[str, Any]] = [
        {
            "number": action.number,
            "title": titles.get(action.number, ""),
            "owner": action.owner,
            "due": action.due_on,
        }
        for action in late.actions
    ]
    oldest = late.actions[0] if late.actions else None
    more = f" The first {len(rows)} are shown." if late.total > len(rows) else ""
    return Panel(
        "overdue_actions",
        "Overdue actions",
        f"Actions of postmortems that were to be done by now.{more}",
        f"{late.total:,} overdue; the oldest is {oldest.owner}'s, of {oldest.number}."
        if oldest
        else "No action is overdue.",
        "table",
        (Column("number", "Incident"), Column("title", "What"), Column("owner", "Owner"), Column("due", "Due", "day")),
        rows,
        left_out="Actions that were dropped, and those of discarded postmortems.",
    )


def load(db: Session, actor: Actor, week: Bucket, now: datetime) -> Panel:
    """Who was on call how long in the week, how often they were paged, and who carries more than their share."""
    end = min(week.end, now)
    shared = {
        each.person_id: each
        for each in schedules.hours_of_everybody(db, actor, week.end - timedelta(weeks=SHARED_WEEKS), end)
    }
    more = rules.carries_more({person: each.hours for person, each in shared.items()})
    on_call = schedules.hours_of_everybody(db, actor, week.start, end)
    rows = [on_call_row(each) | {"shared": shared[each.person_id].hours} for each in on_call[:MOST_PEOPLE]]
    heavy = sorted(shared[person].name for person in more)
    carry = "carries" if len(heavy) == 1 else "carry"
    unequal = f"{listed(heavy)} {carry} more than their share over {SHARED_WEEKS} weeks." if heavy else ""
    return Panel(
        "load",
        "On-call load",
        f"Hours on call on all schedules in the week, those at night ({NIGHT}) and at weekends, which may "
        f"overlap, and pages. More than their share: over {rules.MORE_THAN_SHARE} times the equal share of the hours "
        f"of {SHARED_WEEKS} weeks, where at least {rules.FEWEST_WHO_SHARE} share them.",
        _load_says(on_call, unequal),
        "table",
        (*ON_CALL, Column("shared", f"In {SHARED_WEEKS} weeks", "hours")),
        rows,
        left_out=f"People with fewer hours than the first {MOST_PEOPLE}."
        if len(on_call) > MOST_PEOPLE
        else "People who were not on call in the week.",
    )


def _load_says(on_call: list[schedules.Load], heavy: str) -> str:
    if not on_call:
        return "Nobody was on call."
    most = max(on_call, key=lambda load: (load.pages, load.hours))
    paged = f"Most pages: {most.name}, {most.pages:,}." if most.pages else "Nobody was paged."
    return f"{paged} {heavy}".strip()
