"""What a change of policies does to open incidents: previewed without writing, then applied in short transactions.

`begin` notes in the transaction of the change that every open incident is to be looked at; `apply_some` takes the next
ones in order of their ids and notes in the same transaction how far it came. So a killed process, a closed screen or
two workers leave none out and do none twice, and other writers go in between. Since a change of policies waits for
whoever computes by the old ones (queries.settings.hold), every incident that began before is there to be found.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import false, func, select
from sqlalchemy.orm import Session, defer

from db import chains
from db.commands import assignments, clocks, setup, timeline, timers
from db.models import QUEUE_GROUP, Assignment, Incident, Pause, Setting, Timer
from db.queries import settings
from db.queries.access import visible
from rules.access import Actor
from rules.errors import RuleError
from rules.policies import MOVES, Policies
from rules.priority import LABELS
from rules.states import OPEN

BATCH = 150
"""Incidents of one transaction: short enough that others hardly notice."""
READ_AT_ONCE = 2000
BIGGEST = 10
_TOLD = ("priority", "response_due_at", "resolution_due_at")
"""what of an incident is told on its timeline when it changes"""
_HEAVY = tuple(
    defer(column)
    for column in (Incident.description, Incident.resolution_note, Incident.verification_note, Incident.answers)
)


@dataclass(frozen=True)
class Move:
    """One open incident, before and after."""

    number: str
    title: str | None
    """None for one that the actor may not read"""
    priority: tuple[int | None, int | None]
    answer: tuple[datetime | None, datetime | None]
    due: tuple[datetime | None, datetime | None]
    place: tuple[int, int]
    late: tuple[bool, bool]

    @property
    def size(self) -> tuple[float, int, int]:
        """By how much it moves: seconds of the due time, then priority, then places; zeros when it stays."""
        before, after = self.due
        shift = abs((after - before).total_seconds()) if before and after else 0.0
        levels = abs((self.priority[0] or 0) - (self.priority[1] or 0))
        return shift, levels, abs(self.place[0] - self.place[1])

    @property
    def other_due(self) -> bool:
        """Another time to answer or to resolve."""
        return self.due[0] != self.due[1] or self.answer[0] != self.answer[1]


@dataclass(frozen=True)
class Preview:
    """What a change would do to the open incidents."""

    changes: Mapping[str, Any]
    """the settings that would change"""
    open: int = 0
    moved: int = 0
    """incidents with another priority or due time"""
    priority: int = 0
    due: int = 0
    place: int = 0
    """incidents with another place in the queue"""
    late: int = 0
    """incidents that become late"""
    saved: int = 0
    """incidents that are no longer late"""
    biggest: Sequence[Move] = ()
    odd: Sequence[str] = field(default=())
    """what is allowed but looks like a mistake"""


@dataclass(frozen=True)
class Progress:
    """How far the last change has been applied."""

    done: bool
    seen: int = 0
    moved: int = 0
    late: int = 0


@dataclass(frozen=True)
class _Seen:
    """An open incident with what it would get."""

    incident: Incident
    readable: bool
    paused: bool
    priority: int | None
    times: Mapping[str, datetime | None]

    def key(self, rank_at: datetime | None) -> tuple[int, datetime | None, datetime, int]:
        return QUEUE_GROUP[self.incident.state], rank_at, self.incident.reported_at, self.incident.id


def preview(
    db: Session,
    present: Mapping[str, Any],
    changes: Mapping[str, Any],
    odd: Sequence[str],
    *,
    actor: Actor,
    now: datetime,
) -> Preview:
    """What `changes` of the `present` settings would do to open incidents; those hidden from the actor are left out."""
    if not MOVES & set(changes):
        return Preview(changes, odd=odd)
    before, known = settings.of_values(present), settings.of_values({**present, **changes})
    moves = _moves(list(_seen(db, before, known, actor)), now)
    moving = sorted((move for move in moves if any(move.size)), key=lambda move: move.size, reverse=True)
    return Preview(
        changes,
        open=len(moves),
        moved=sum(move.other_due or move.priority[0] != move.priority[1] for move in moves),
        priority=sum(move.priority[0] != move.priority[1] for move in moves),
        due=sum(move.other_due for move in moves),
        place=sum(move.place[0] != move.place[1] for move in moves),
        late=sum(move.late == (False, True) for move in moves),
        saved=sum(move.late == (True, False) for move in moves),
        biggest=moving[:BIGGEST],
        odd=odd,
    )


def _seen(db: Session, before: Policies, known: Policies, actor: Actor) -> Iterator[_Seen]:
    shown = func.coalesce(visible(actor), false())
    ids = list(db.scalars(select(Incident.id).where(Incident.state.in_(OPEN)).order_by(Incident.id)))
    for start in range(0, len(ids), READ_AT_ONCE):
        some = ids[start : start + READ_AT_ONCE]
        pauses = _by_incident(db, Pause, some)
        for incident, readable in db.execute(select(Incident, shown).where(Incident.id.in_(some)).options(*_HEAVY)):
            if incident.restricted and not readable:
                continue
            own = pauses.get(incident.id, [])
            level = _priority(incident, before, known)
            times = clocks.computed(incident, known, own, level)
            yield _Seen(incident, bool(readable), _paused(own), level, times)


def _moves(found: Sequence[_Seen], now: datetime) -> list[Move]:
    old_place = _places([seen.key(seen.incident.rank_at) for seen in found])
    new_place = _places([seen.key(seen.times["rank_at"]) for seen in found])
    return [
        Move(
            one.number,
            one.title if seen.readable else None,
            (one.priority, seen.priority),
            (one.response_due_at, seen.times.get("response_due_at", one.response_due_at)),
            (one.resolution_due_at, due := seen.times.get("resolution_due_at", one.resolution_due_at)),
            (old_place[one.id], new_place[one.id]),
            (_late(one.resolution_due_at, seen.paused, now), _late(due, seen.paused, now)),
        )
        for seen in found
        for one in (seen.incident,)
    ]


def _places(keys: Iterable[tuple[int, datetime | None, datetime, int]]) -> dict[int, int]:
    """Incident id -> its place among all open ones."""
    return {key[-1]: place for place, key in enumerate(sorted(keys), 1)}


def _paused(pauses: Sequence[Pause]) -> bool:
    return any(pause.ended_at is None for pause in pauses)


def _late(due: datetime | None, paused: bool, now: datetime) -> bool:
    return due is not None and due < now and not paused


def _priority(incident: Incident, before: Policies, after: Policies) -> int | None:
    """By the new matrix, if it followed the old one. What came otherwise with an import stays as it came."""
    cell = (incident.impact, incident.urgency)
    if None in cell or before.matrix[cell] != incident.priority:  # type: ignore[index]
        return incident.priority
    return after.matrix[cell]  # type: ignore[index]


def _by_incident(db: Session, model: Any, ids: Sequence[int], *conditions: Any) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for row in db.scalars(select(model).where(model.incident_id.in_(ids), *conditions).order_by(model.id)):
        found.setdefault(row.incident_id, []).append(row)
    return found


def begin(db: Session, present: Mapping[str, Any], changes: Mapping[str, Any], *, actor: Actor, now: datetime) -> None:
    """Note that all open incidents are to be looked at. RuleError while the last change is still being applied."""
    kept = _pending(db)
    if kept is not None and not kept["done"]:
        raise RuleError(
            f"The last change by {kept['actor_name']} is still being applied to open incidents. Try again in a moment."
        )
    value = {
        "done": False,
        "after": 0,
        "again": [],
        "matrix": present["priority.matrix"],
        "keys": sorted(MOVES & set(changes)),
        "actor_id": actor.id,
        "actor_name": actor.name,
        "at": now.isoformat(),
        "seen": 0,
        "moved": 0,
        "late": 0,
    }
    setup.put(db, {settings.PENDING_KEY: value}, now)


def _pending(db: Session) -> dict[str, Any] | None:
    kept = db.get(Setting, settings.PENDING_KEY, with_for_update=True)
    return dict(kept.value) if kept else None


def apply_some(db: Session, now: datetime, most: int = BATCH) -> Progress:
    """Look at the next open incidents and move what the last change moves; each is told on its timeline.

    Incidents that somebody is changing right now are looked at in the end.
    """
    known = settings.policies(db)  # before the row below: a change of policies takes them in the same order
    value = _pending(db)
    if value is None or value["done"]:
        return Progress(True)
    before = settings.of_values({"priority.matrix": value["matrix"]})
    ids = list(
        db.scalars(
            select(Incident.id)
            .where(Incident.state.in_(OPEN), Incident.id > value["after"])
            .order_by(Incident.id)
            .limit(most)
        )
    )
    again = [] if ids else value["again"][:most]
    batch = ids or again
    actor = Actor(value["actor_id"], value["actor_name"])
    taken, seen, moved, late = _apply(db, batch, before, known, actor, now)
    if ids:
        value["after"] = ids[-1]
        value["again"] = value["again"] + sorted(set(ids) - taken)
    else:
        value["again"] = value["again"][most:] + sorted(set(again) - taken)
    value["done"] = not ids and not value["again"]
    value["seen"] += seen
    value["moved"] += moved
    value["late"] += late
    setup.put(db, {settings.PENDING_KEY: value}, now)
    return Progress(value["done"], value["seen"], value["moved"], value["late"])


def _apply(
    db: Session, ids: Sequence[int], before: Policies, known: Policies, actor: Actor, now: datetime
) -> tuple[set[int], int, int, int]:
    """Ids that were free to be looked at; of those open to all, how many there were, moved and became late."""
    free = (
        select(Incident)
        .where(Incident.id.in_(ids))
        .order_by(Incident.id)
        .options(*_HEAVY)
        .with_for_update(skip_locked=True)
    )
    incidents = db.scalars(free).all()
    taken = [incident.id for incident in incidents]
    chains.hold(db, incidents)
    pauses, present = _by_incident(db, Pause, taken), _by_incident(db, Timer, taken)
    running = _by_incident(db, Assignment, taken, Assignment.ended_at.is_(None))
    moved = late = 0
    zone = ZoneInfo(known.zone)
    with db.no_autoflush:
        for incident in incidents:
            if incident.state not in OPEN:  # resolved or cancelled before it was this one's turn
                continue
            own = pauses.get(incident.id, [])
            paused = _paused(own)
            was = {name: getattr(incident, name) for name in _TOLD}
            was_late = _late(incident.resolution_due_at, paused, now)
            incident.priority = _priority(incident, before, known)
            for name, time in clocks.computed(incident, known, own).items():
                setattr(incident, name, time)
            stay = next(iter(running.get(incident.id, ())), None)
            assignments.time(stay, incident, known, own)
            timers.move(db, incident, stay, present.get(incident.id, ()), paused=paused, now=now)
            changed = {name: (was[name], getattr(incident, name)) for name in _TOLD}
            changed = {name: pair for name, pair in changed.items() if pair[0] != pair[1]}
            if changed:
                if not incident.restricted:
                    moved += 1
                    late += not was_late and _late(incident.resolution_due_at, paused, now)
                _tell(db, incident, changed, zone, actor, now)
    db.flush()
    return set(taken), sum(not incident.restricted for incident in incidents), moved, late


def _tell(
    db: Session,
    incident: Incident,
    changed: Mapping[str, tuple[Any, Any]],
    zone: ZoneInfo,
    actor: Actor,
    now: datetime,
) -> None:
    parts = []
    if "priority" in changed:
        old, new = changed["priority"]
        parts.append(f"P{new} {LABELS[new]} instead of P{old}")
    for name, verb in (("response_due_at", "answer"), ("resolution_due_at", "resolve")):
        due = changed.get(name, (None, None))[1]
        if due is not None:
            at = due.astimezone(zone)
            parts.append(f"to {verb} by {at.day} {at:%b %Y, %H:%M %Z}")
    timeline.add(
        db,
        incident,
        actor,
        now,
        "prioritise" if "priority" in changed else "sla",
        f"changed the settings: {', '.join(parts)}",
        changes={
            name: [value.isoformat() if isinstance(value, datetime) else value for value in pair]
            for name, pair in changed.items()
        },
        versioned=False,
    )
