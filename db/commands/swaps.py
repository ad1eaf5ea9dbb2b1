"""A turn that somebody asks another to take: asked, then accepted (which makes an override), declined or withdrawn."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.commands import handoffs, overrides
from db.commands.notices import tell
from db.models import Schedule, Swap
from db.queries import choices, oncall
from rules import access, roster, text
from rules.access import Actor, Forbidden, NotFound
from rules.errors import RuleError
from rules.roster import Roster
from rules.wall_clock import said, zone_named

WORDS_LIMIT = 500
_ANSWERED = {
    "accepted": "It was accepted already.",
    "declined": "It was declined already. It can be asked anew.",
    "withdrawn": "It was withdrawn meanwhile.",
}


def ask(
    db: Session,
    schedule_id: int,
    *,
    to_id: int,
    start: datetime,
    end: datetime,
    words: str = "",
    actor: Actor,
    now: datetime,
) -> int:
    """Ask somebody to take one of one's own turns, or a part of it; the swap's id. The same once more is the same."""
    access.check(actor, "swap")
    schedule = _schedule(db, schedule_id)
    start, end = overrides.span(start, end, now)
    words = text.block(words, "words", WORDS_LIMIT)
    if to_id == actor.id:
        raise RuleError("Choose somebody else than yourself.", field="to_id")
    if to_id not in choices.workers(db):
        raise RuleError("Choose somebody who works on incidents.", field="to_id")
    _check(db, schedule, actor.id, to_id, start, end, mine=True)
    same = db.execute(
        select(Swap.id).where(
            Swap.schedule_id == schedule_id,
            Swap.from_id == actor.id,
            Swap.to_id == to_id,
            Swap.state == "asked",
            Swap.ends_at == end,
            Swap.starts_at == start if start > now else Swap.starts_at <= now,
        )
    ).scalar()
    if same is not None:
        return same
    swap = Swap(
        schedule_id=schedule_id,
        from_id=actor.id,
        to_id=to_id,
        starts_at=start,
        ends_at=end,
        words=words,
        asked_at=now,
    )
    db.add(swap)
    db.flush()
    tell(db, [to_id], "swap", f"{actor.name} asks you to take a turn: {_what(schedule, swap)}", words, now=now)
    return swap.id


def accept(db: Session, swap_id: int, *, actor: Actor, now: datetime) -> None:
    """Take the turn: the override is made in the same transaction. RuleError when the turn is no longer the asker's."""
    schedule, swap = _waiting(db, swap_id, now)
    if swap.to_id != actor.id:
        raise Forbidden("Only the person who was asked can accept it.")
    access.check(actor, "swap")
    start = max(swap.starts_at, now)
    _check(db, schedule, swap.from_id, swap.to_id, start, swap.ends_at, mine=False)
    swap.override_id = overrides.hand_on(db, schedule, start, swap.ends_at, swap.to_id, swap.from_id, actor, now)
    _check_taken(db, schedule, swap, start)
    _answer(swap, "accepted", now)
    what = _what(schedule, swap)
    tell(db, [swap.from_id], "swap", f"{actor.name} takes your turn: {what}", now=now)
    tell(db, [swap.to_id], "swap", f"You took a turn: {what}", now=now)
    handoffs.keep(db, schedule, now)


def decline(db: Session, swap_id: int, *, actor: Actor, now: datetime) -> None:
    """Do not take it; the asker is told and stays on call."""
    schedule, swap = _waiting(db, swap_id, now)
    if swap.to_id != actor.id:
        raise Forbidden("Only the person who was asked can decline it.")
    _answer(swap, "declined", now)
    what = _what(schedule, swap)
    tell(db, [swap.from_id], "swap", f"{actor.name} does not take your turn: {what}", "You stay on call.", now=now)


def withdraw(db: Session, swap_id: int, *, actor: Actor, now: datetime) -> None:
    """Ask no longer; the person who was asked is told."""
    schedule, swap = _waiting(db, swap_id, now)
    if swap.from_id != actor.id:
        raise Forbidden("Only the person who asked can withdraw it.")
    _answer(swap, "withdrawn", now)
    tell(db, [swap.to_id], "swap", f"{actor.name} no longer asks you: {_what(schedule, swap)}", now=now)


def _waiting(db: Session, swap_id: int, now: datetime) -> tuple[Schedule, Swap]:
    """The schedule, held, and the swap that waits for its answer."""
    schedule_id = db.execute(select(Swap.schedule_id).where(Swap.id == swap_id)).scalar()
    if schedule_id is None:
        raise NotFound("There is no such swap.")
    schedule = _schedule(db, schedule_id)
    swap = db.get_one(Swap, swap_id, populate_existing=True)
    if swap.state != "asked":
        raise RuleError(_ANSWERED[swap.state])
    if swap.ends_at <= now:
        raise RuleError("That turn is over.")
    return schedule, swap


def _schedule(db: Session, schedule_id: int) -> Schedule:
    schedule = handoffs.locked(db, schedule_id)
    if schedule is None or schedule.archived_at is not None:
        raise NotFound("There is no such schedule any more.")
    return schedule


def _check(
    db: Session, schedule: Schedule, from_id: int, to_id: int, start: datetime, end: datetime, *, mine: bool
) -> None:
    """RuleError unless one is on call in all of [start, end), and the other in none of it."""
    known = oncall.rosters(db, [schedule.id], start, end).get(schedule.id, Roster(()))
    parts = list(roster.stretches(known, start, end))
    if not all(str(from_id) in part.people for part in parts):
        if mine:
            raise RuleError("You are not on call in all of that time. Choose one of your turns, or a part.", "start")
        raise RuleError("The turn was changed meanwhile and is no longer theirs. Let them ask again.")
    if any(str(to_id) in part.people for part in parts):
        whom = "They are" if mine else "You are"
        raise RuleError(f"{whom} on call then already. Somebody else must take it.", "to_id")


def _check_taken(db: Session, schedule: Schedule, swap: Swap, start: datetime) -> None:
    """RuleError when other overrides keep the turn from whoever takes it: nobody relies on what is not so."""
    db.flush()
    known = oncall.rosters(db, [schedule.id], start, swap.ends_at).get(schedule.id, Roster(()))
    parts = [part.people for part in roster.stretches(known, start, swap.ends_at)]
    if any(str(swap.to_id) not in people or str(swap.from_id) in people for people in parts):
        raise RuleError("Other overrides stand against it. Ask a lead to end those first.")


def _answer(swap: Swap, state: str, now: datetime) -> None:
    swap.state, swap.answered_at = state, now


def _what(schedule: Schedule, swap: Swap) -> str:
    zone = zone_named(schedule.zone)
    return f"{schedule.name}, {said(swap.starts_at, zone)} to {said(swap.ends_at, zone)}"
