"""On-call schedules: made, changed from a moment on, archived. What was before a change stays as it was."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from db.commands import audit, handoffs
from db.models import EscalationPolicy, Person, Schedule, ScheduleVersion, Team
from db.queries import choices, oncall
from rules import access, roster, text
from rules.access import Actor, NotFound
from rules.errors import RuleError
from rules.wall_clock import aware

NAME_LIMIT = 120
FARTHEST = timedelta(days=731)
"""How far ahead a change can be planned."""
_MEANWHILE = "Somebody changed this schedule meanwhile. Look at it as it is now, and change it again."
_LAYER = ("name", "priority", "members", "start", "unit", "length", "windows")


def save(
    db: Session,
    schedule_id: int | None,
    *,
    name: str,
    team_id: int | None,
    definition: Mapping[str, Any],
    from_at: datetime | None = None,
    version: int | None = None,
    actor: Actor,
    now: datetime,
) -> int:
    """Add a schedule (None), or let one turn by `definition` from a moment on (None: now); its id.

    `definition`: {"zone", "layers"} of rules.oncall, members as ids in text. What was planned for that moment or later
    is replaced. `version`: the schedule's when it was looked at; RuleError when somebody changed it since.
    """
    access.check(actor, "schedule")
    schedule = _found(db, schedule_id, version) if schedule_id is not None else None
    moment = _moment(from_at, now)
    wrong: dict[str, str] = {}
    try:
        name = text.line(name, "name", NAME_LIMIT, required="Give the schedule a name.")
        _refuse_double(db, name, schedule_id)
    except RuleError as error:
        wrong |= error.fields
    team = db.get(Team, team_id) if team_id is not None else None
    if team_id is not None and (team is None or team.archived_at is not None):
        wrong["team_id"] = "Choose a team from the list."
    if wrong:
        raise RuleError(" ".join(wrong.values()), fields=wrong)
    kept = _checked(db, definition)
    if schedule is None:
        schedule = Schedule(name=name, team_id=team_id, zone=kept["zone"], created_at=now)
        db.add(schedule)
        db.flush()
        audit.record(db, actor, now, "schedule added", name, after={"team": team_id, **kept})
        _add_version(db, schedule, moment, kept, actor, now)
    else:
        _change(db, schedule, name, team_id, kept, moment, actor, now)
    handoffs.keep(db, schedule, now)
    return schedule.id


def _change(
    db: Session,
    schedule: Schedule,
    name: str,
    team_id: int | None,
    kept: dict[str, Any],
    moment: datetime,
    actor: Actor,
    now: datetime,
) -> None:
    present = _definition_at(db, schedule, moment)
    before = {"name": schedule.name, "team": schedule.team_id, **(present or {})}
    after = {"name": name, "team": team_id, **kept}
    later = (ScheduleVersion.schedule_id == schedule.id, ScheduleVersion.from_at >= moment)
    replaced = db.execute(select(func.count()).select_from(ScheduleVersion).where(*later)).scalar_one()
    if before == after and not replaced:
        return
    schedule.name, schedule.team_id, schedule.zone = name, team_id, kept["zone"]
    schedule.version += 1
    if present != kept or replaced:
        db.execute(delete(ScheduleVersion).where(*later))
        _add_version(db, schedule, moment, kept, actor, now)
        after |= {"from": moment.isoformat()}
    audit.record(db, actor, now, "schedule changed", name, before=before, after=after)


def archive(db: Session, schedule_id: int, *, actor: Actor, now: datetime) -> None:
    """Nobody is on call by it from now on. It leaves the lists; who was on call stays known.

    RuleError names the escalation policies that still ask it: their steps would reach nobody.
    """
    access.check(actor, "schedule")
    schedule = handoffs.locked(db, schedule_id)
    if schedule is None:
        raise NotFound("There is no such schedule.")
    if schedule.archived_at is not None:
        return
    used = _used_by(db, schedule.id)
    if used:
        verb = "ask" if len(used) > 1 else "asks"
        raise RuleError(f"{', '.join(used)} {verb} whoever is on call in it. Change the steps there first.")
    schedule.archived_at = now
    schedule.version += 1
    audit.record(db, actor, now, "schedule archived", schedule.name)
    handoffs.keep(db, schedule, now)


def _used_by(db: Session, schedule_id: int) -> list[str]:
    """Names of the escalation policies in use with a step that asks the schedule."""
    target = {"kind": "schedule", "id": schedule_id}
    statement = select(EscalationPolicy.name, EscalationPolicy.steps).where(EscalationPolicy.archived_at.is_(None))
    return [
        name
        for name, steps in db.execute(statement.order_by(func.lower(EscalationPolicy.name)))
        if any(target in step["targets"] for step in steps)
    ]


def _found(db: Session, schedule_id: int, version: int | None) -> Schedule:
    schedule = handoffs.locked(db, schedule_id)
    if schedule is None or schedule.archived_at is not None:
        raise NotFound("There is no such schedule any more.")
    if version is not None and schedule.version != version:
        raise RuleError(_MEANWHILE)
    return schedule


def _moment(from_at: datetime | None, now: datetime) -> datetime:
    moment = aware(from_at) if from_at is not None else now
    if moment < now:
        raise RuleError("What was cannot be changed. Choose now or a later moment.", field="from_at")
    if moment > now + FARTHEST:
        raise RuleError("Plan a change within two years.", field="from_at")
    return moment


def _refuse_double(db: Session, name: str, schedule_id: int | None) -> None:
    other = db.execute(
        select(Schedule.id, Schedule.archived_at).where(func.lower(Schedule.name) == name.lower())
    ).first()
    if other is not None and other.id != schedule_id:
        which = "an archived schedule" if other.archived_at else "a schedule"
        raise RuleError(f"There is {which} called {name} already. Choose another name.", field="name")


def _checked(db: Session, definition: Mapping[str, Any]) -> dict[str, Any]:
    """The definition as it is kept; RuleError says what to put right, of people too."""
    roster.checked(definition)
    layers = [{key: layer[key] for key in _LAYER if key in layer} for layer in definition["layers"]]
    kept = {"zone": str(definition.get("zone", "UTC")), "layers": layers}
    if not all(member.isdecimal() for layer in layers for member in layer["members"]):
        raise RuleError("Choose the members from the list.", field="members")
    people, able = oncall.people_of(kept), choices.workers(db)
    unable = sorted(people - able.keys())
    if unable:
        called = db.execute(select(Person.name).where(Person.id.in_(unable)).order_by(Person.name)).scalars().all()
        if len(called) < len(unable):
            raise RuleError("Choose the members from the list.", field="members")
        verb = "do" if len(called) > 1 else "does"
        raise RuleError(
            f"{', '.join(called)} {verb} not work on incidents any more. Take them out of the layers.", field="members"
        )
    return kept


def _add_version(
    db: Session, schedule: Schedule, moment: datetime, kept: dict[str, Any], actor: Actor, now: datetime
) -> None:
    db.add(
        ScheduleVersion(
            schedule_id=schedule.id,
            from_at=moment,
            definition=kept,
            created_by_id=actor.id or None,
            created_at=now,
        )
    )


def _definition_at(db: Session, schedule: Schedule, moment: datetime) -> dict[str, Any] | None:
    return db.execute(
        select(ScheduleVersion.definition)
        .where(ScheduleVersion.schedule_id == schedule.id, ScheduleVersion.from_at <= moment)
        .order_by(ScheduleVersion.from_at.desc())
        .limit(1)
    ).scalar()
