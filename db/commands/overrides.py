"""Somebody else for a while: added, taken out, or in the place of another. The past is never touched."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.commands import audit, handoffs
from db.commands.notices import tell
from db.models import Person, Schedule, ScheduleOverride, Swap
from db.queries import choices, oncall
from rules import access, roster, text
from rules.access import Actor, Forbidden, NotFound
from rules.errors import RuleError
from rules.roster import Roster
from rules.wall_clock import aware, said, zone_named

LONGEST = timedelta(days=366)
LONGEST_TAKE_OVER = timedelta(hours=72)
REASON_LIMIT = 200


def add(
    db: Session,
    schedule_id: int,
    *,
    start: datetime,
    end: datetime,
    added_id: int | None = None,
    removed_id: int | None = None,
    reason: str = "",
    actor: Actor,
    now: datetime,
) -> int:
    """Put `added` on call, take `removed` off, or both: `added` stands in while `removed` would be on call; its id.

    What lies in the past of [start, end) is cut off. The same once more is the same override.
    """
    access.check(actor, "schedule")
    schedule = _found(db, schedule_id)
    start, end = span(start, end, now)
    reason = text.line(reason, "reason", REASON_LIMIT)
    _people(db, added_id, removed_id)
    same = db.execute(
        select(ScheduleOverride.id).where(
            ScheduleOverride.schedule_id == schedule_id,
            ScheduleOverride.ends_at == end,
            ScheduleOverride.starts_at == start if start > now else ScheduleOverride.starts_at <= now,
            ScheduleOverride.added_id.is_not_distinct_from(added_id),
            ScheduleOverride.removed_id.is_not_distinct_from(removed_id),
            ScheduleOverride.cancelled_at.is_(None),
        )
    ).scalar()
    if same is not None:
        return same
    override_id = write(db, schedule, start, end, added_id, removed_id, reason, actor, now)
    handoffs.keep(db, schedule, now)
    return override_id


def take_over(db: Session, schedule_id: int, length: timedelta, *, actor: Actor, now: datetime) -> None:
    """Be the one on call from now on for `length`, in the place of everybody who would be, and where nobody would."""
    access.check(actor, "swap")
    schedule = _found(db, schedule_id)
    if not timedelta(0) < length <= LONGEST_TAKE_OVER:
        raise RuleError(f"Take over for at most {LONGEST_TAKE_OVER // timedelta(hours=1)} hours.", field="hours")
    end = now + length
    known = _known(db, schedule_id, now, end)
    turning = known.at(now)
    member = turning is not None and any(str(actor.id) in layer.members for layer in turning.layers)
    if not (member or schedule.team_id in actor.team_ids or access.may(actor, "schedule")):
        raise Forbidden("Only those who take turns in it, its team and leads take it over. Ask a lead.")
    parts = list(roster.stretches(known, now, end))
    if all(part.people == (str(actor.id),) for part in parts):
        raise RuleError("You are on call for all of that time already.")
    others = dict.fromkeys(name for part in parts for name in part.people if name != str(actor.id))
    for person in others:
        write(db, schedule, now, end, actor.id, int(person), "took over", actor, now)
    if not all(part.people for part in parts):
        write(db, schedule, now, end, actor.id, None, "took over", actor, now)
    db.flush()
    if any(part.people != (str(actor.id),) for part in roster.stretches(_known(db, schedule_id, now, end), now, end)):
        raise RuleError("Somebody stands in for you in that time. Ask a lead to cancel that override first.")
    handoffs.keep(db, schedule, now)


def cancel(db: Session, override_id: int, *, actor: Actor, now: datetime) -> None:
    """End an override from now on; what it did until now stays. Who made it may, and leads; those it concerns are told.

    A turn that was taken by a swap goes back only if whoever gave it wants it back: they may, and leads. Whoever took
    it asks them, or somebody else, by another swap.
    """
    access.check(actor, "on_call")
    override = db.get(ScheduleOverride, override_id)
    if override is None:
        raise NotFound("There is no such override.")
    schedule = _found(db, override.schedule_id)
    db.refresh(override)
    swapped = db.execute(select(Swap.from_id).where(Swap.override_id == override.id)).scalar()
    if actor.id != (override.created_by_id if swapped is None else swapped) and not access.may(actor, "schedule"):
        if swapped is not None and actor.id == override.created_by_id:
            raise Forbidden(f"You took this turn from {_name(db, swapped)}. Ask them to take it back, or ask a lead.")
        access.check(actor, "schedule")
    if override.cancelled_at is not None:
        return
    if override.ends_at <= now:
        raise RuleError("It is over, and what was cannot be changed.")
    override.cancelled_at = now
    audit.record(db, actor, now, "override cancelled", schedule.name, before=_told(override))
    handoffs.keep(db, schedule, now)
    _tell_ended(db, schedule, override, actor, now)


def _tell_ended(db: Session, schedule: Schedule, override: ScheduleOverride, actor: Actor, now: datetime) -> None:
    """Tell both: whoever stood in no longer does, and whoever was stood in for is on call themselves again."""
    zone = zone_named(schedule.zone)
    what = f"{schedule.name}, {said(max(override.starts_at, now), zone)} to {said(override.ends_at, zone)}"
    words = f"{actor.name} ended the override."
    if override.removed_id is not None:
        stood_in = f" {_name(db, override.added_id)} no longer stands in for you." if override.added_id else ""
        subject = f"Your turn is yours again: {what}"
        tell(db, {override.removed_id} - {actor.id}, "turn_back", subject, f"{words}{stood_in}", now=now)
    if override.added_id is not None:
        whom = f" {_name(db, override.removed_id)} has the turn again." if override.removed_id else ""
        subject = f"You are no longer on call for this: {what}"
        tell(db, {override.added_id} - {actor.id}, "swap", subject, f"{words}{whom}", now=now)


def _name(db: Session, person_id: int) -> str:
    return db.get_one(Person, person_id).name


def write(
    db: Session,
    schedule: Schedule,
    start: datetime,
    end: datetime,
    added_id: int | None,
    removed_id: int | None,
    reason: str,
    actor: Actor,
    now: datetime,
) -> int:
    """Add the row and its audit entry; the caller has checked everything and holds the schedule."""
    override = ScheduleOverride(
        schedule_id=schedule.id,
        starts_at=start,
        ends_at=end,
        added_id=added_id,
        removed_id=removed_id,
        reason=reason,
        created_by_id=actor.id or None,
        created_at=now,
    )
    db.add(override)
    db.flush()
    audit.record(db, actor, now, "override added", schedule.name, after=_told(override))
    return override.id


def hand_on(
    db: Session,
    schedule: Schedule,
    start: datetime,
    end: datetime,
    to_id: int,
    from_id: int,
    actor: Actor,
    now: datetime,
) -> int | None:
    """Let one stand in for the other in [start, end), by a swap that the caller has checked; the override's id.

    A turn that comes back to whoever gave it away needs none: what let somebody stand in for them is cut out instead,
    since two who stand in for each other exchange their turns.
    """
    cut = _first_of_the_way(db, schedule, to_id, from_id, start, end)
    for one in cut:
        one.cancelled_at = now
        audit.record(db, actor, now, "override cancelled", schedule.name, before=_told(one))
        for since, until in ((max(one.starts_at, now), start), (end, one.ends_at)):
            if since < until:
                write(db, schedule, since, until, one.added_id, one.removed_id, one.reason, actor, now)
    db.flush()
    parts = roster.stretches(_known(db, schedule.id, start, end), start, end)
    if cut and not any(str(from_id) in part.people for part in parts):
        return None
    return write(db, schedule, start, end, to_id, from_id, "swap", actor, now)


def _first_of_the_way(
    db: Session, schedule: Schedule, giver: int, holder: int, start: datetime, end: datetime
) -> list[ScheduleOverride]:
    """The stand-ins for `giver` in [start, end) by which, at once or through others, `holder` came to stand in."""
    statement = select(ScheduleOverride).where(
        ScheduleOverride.schedule_id == schedule.id,
        ScheduleOverride.cancelled_at.is_(None),
        ScheduleOverride.starts_at < end,
        ScheduleOverride.ends_at > start,
    )
    live = [one for one in db.scalars(statement.order_by(ScheduleOverride.id)) if one.added_id and one.removed_id]
    before = {holder}
    while more := {one.removed_id for one in live if one.added_id in before and one.removed_id} - before:
        before |= more
    return [one for one in live if one.removed_id == giver and one.added_id in before]


def span(start: datetime, end: datetime, now: datetime) -> tuple[datetime, datetime]:
    """[start, end) without its past; RuleError when nothing is left of it, or it is too long."""
    start, end = aware(start), aware(end)
    if end <= start:
        raise RuleError("It ends before it begins. Choose a later end.", field="end")
    if end <= now:
        raise RuleError("That is over. Choose an end that is still to come.", field="end")
    if end - max(start, now) > LONGEST:
        raise RuleError("Choose an end within a year; for longer, change the layers.", field="end")
    return max(start, now), end


def _found(db: Session, schedule_id: int) -> Schedule:
    schedule = handoffs.locked(db, schedule_id)
    if schedule is None or schedule.archived_at is not None:
        raise NotFound("There is no such schedule any more.")
    return schedule


def _people(db: Session, added_id: int | None, removed_id: int | None) -> None:
    if added_id is None and removed_id is None:
        raise RuleError("Choose who is added, who is taken out, or both.", field="added_id")
    if added_id == removed_id:
        raise RuleError("Nobody stands in for themselves. Choose somebody else.", field="added_id")
    if added_id is not None and added_id not in choices.workers(db):
        raise RuleError("Choose somebody who works on incidents.", field="added_id")
    if removed_id is not None and not oncall.names(db, [removed_id]):
        raise RuleError("Choose a person from the list.", field="removed_id")


def _known(db: Session, schedule_id: int, start: datetime, end: datetime) -> Roster:
    return oncall.rosters(db, [schedule_id], start, end).get(schedule_id, Roster(()))


def _told(override: ScheduleOverride) -> dict[str, object]:
    return {
        "from": override.starts_at.isoformat(),
        "until": override.ends_at.isoformat(),
        "added": override.added_id,
        "removed": override.removed_id,
    }
