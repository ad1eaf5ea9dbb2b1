"""What must hold between the rows, whoever wrote them. Histories from elsewhere may break rules, and are let be.

Imported incidents are held to what the app computes from them (their place, due times, pauses), not to how they came
to be: their moments, timelines and counts are kept as they were told.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased, defer

from db.commands import asking, assignments, clocks, timers
from db.models import QUEUE_GROUP, Assignment, Attachment, AttachmentContent, Follower, Incident, Pause, Timer
from db.queries import settings
from db.queries.settings import Policies
from db.verify import records
from db.verify.findings import Findings
from db.verify.records import Records, Story
from rules.states import OPEN, PAUSING_REASONS, STATES

PAGE = 1_000
_FOREVER = datetime.max.replace(tzinfo=UTC)
_SORTED = ("assigned", "in_progress", "on_hold", "resolved", "recovered", "closed")
_MOMENTS = {
    # moment or what else is held: the states in which it is known, and those in which it is not
    "category_pair_id": (_SORTED, ()),
    "priority": (_SORTED, ()),
    "resolved_at": (("resolved", "recovered", "closed"), ("new", "assigned", "in_progress", "on_hold")),
    "recovered_at": (("recovered", "closed"), ("new", "assigned", "in_progress", "on_hold", "resolved")),
    "closed_at": (("closed",), tuple(state for state in STATES if state != "closed")),
    "cancelled_at": (("cancelled",), tuple(state for state in STATES if state != "cancelled")),
    "hold_reason": (("on_hold",), tuple(state for state in STATES if state != "on_hold")),
    "hold_until": (("on_hold",), tuple(state for state in STATES if state != "on_hold")),
    "resolution_code": (("resolved", "recovered", "closed"), ()),
    "verification": (("closed",), ()),
    "denied_at": ((), ("resolved", "recovered", "closed")),
    "duplicate_of_id": ((), tuple(state for state in STATES if state != "cancelled")),
}
_WORDS = {
    "category_pair_id": "its category",
    "priority": "its priority",
    "resolved_at": "the moment it was resolved",
    "recovered_at": "the moment it was restored",
    "closed_at": "the moment it was closed",
    "cancelled_at": "the moment it was cancelled",
    "hold_reason": "what it waits for",
    "hold_until": "a day to look at it again",
    "resolution_code": "how it was resolved",
    "verification": "whether its reporter confirmed it",
    "denied_at": "the reporter's 'not fixed'",
    "duplicate_of_id": "an incident that it repeats",
}
_COMPUTED = {
    "response_due_at": "time to answer",
    "response_warn_at": "warning of the time to answer",
    "resolution_due_at": "time to resolve",
    "resolution_warn_at": "warning",
    "rank_at": "place in the queue",
}
_MOVED_LATER = frozenset({asking.REMINDER, asking.OVER})
"""timers that find out only when they fire that the settings have changed"""
_HEAVY = tuple(defer(column) for column in (Incident.description, Incident.resolution_note, Incident.answers))


def check(db: Session, told: Records, findings: Findings) -> int:
    """Look at every incident with what hangs on it, then at what links them; how many incidents there are."""
    known, pending = settings.policies(db), settings.is_pending(db)
    seen = 0
    for page in _pages(db):
        ids = [incident.id for incident in page]
        pauses, present = _by_incident(db, Pause, ids), _by_incident(db, Timer, ids)
        stays = _by_incident(db, Assignment, ids, Assignment.ended_at.is_(None))
        records.ends(told, [(one.id, one.number, one.chain) for one in page], findings)
        for incident in page:
            own = pauses.get(incident.id, [])
            story = told.stories.pop(incident.id, None)
            running = stays.get(incident.id, [])
            wrong = [*_of_state(incident), *_of_pauses(incident, own), *_of_stays(incident, running)]
            due = timers.wanted(incident, _paused(own), running[0] if running else None, known.patience)
            wrong += _of_timers(incident, due, present.get(incident.id, ()))
            if not incident.imported:
                wrong += _of_story(incident, story)
            if not pending and incident.state in OPEN and not wrong:
                wrong += _of_clocks(incident, known, own, running)
            for said in wrong:
                findings.add(f"{incident.number}: {said}.")
        seen += len(page)
        db.expunge_all()
    for incident_id in sorted(told.stories):
        findings.add(f"Incident {incident_id} is gone, but its timeline is there.")
    for sentence in _of_links(db):
        findings.add(sentence)
    return seen


def _pages(db: Session) -> Iterator[Sequence[Incident]]:
    after = 0
    while True:
        page = select(Incident).where(Incident.id > after).order_by(Incident.id).limit(PAGE).options(*_HEAVY)
        found = db.scalars(page).all()
        if not found:
            return
        after = found[-1].id
        yield found


def _by_incident(db: Session, model: Any, ids: Sequence[int], *conditions: Any) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    within = select(model).where(model.incident_id >= ids[0], model.incident_id <= ids[-1], *conditions)
    for row in db.scalars(within.order_by(model.id)):
        found.setdefault(row.incident_id, []).append(row)
    return found


def _of_state(incident: Incident) -> Iterator[str]:
    if incident.state not in QUEUE_GROUP:
        yield f"there is no state '{incident.state}'"
        return
    if incident.queue_group != QUEUE_GROUP[incident.state]:
        yield f"it is {incident.state} but stands in another part of the queue"
    if incident.duplicate_of_id == incident.id or incident.parent_id == incident.id:
        yield "it is linked with itself"
    if incident.imported:
        return
    for name, (needed, absent) in _MOMENTS.items():
        value = getattr(incident, name)
        if incident.state in needed and value is None:
            yield f"it is {incident.state}, but {_WORDS[name]} is missing"
        elif incident.state in absent and value is not None:
            yield f"it is {incident.state}, but has {_WORDS[name]}"


def _of_pauses(incident: Incident, pauses: Sequence[Pause]) -> Iterator[str]:
    running = [pause for pause in pauses if pause.ended_at is None]
    waits = incident.state == "on_hold" and incident.hold_reason in PAUSING_REASONS
    if len(running) > 1:
        yield "its clock is stopped twice"
    elif running and not waits:
        yield "its clock stands still although it is not waiting"
    elif waits and not running and not incident.imported:
        yield "it is waiting, but its clock runs"
    held = sorted((p.began_at, p.ended_at or _FOREVER) for p in pauses if p.reason in PAUSING_REASONS)
    if any(end < began for began, end in held):
        yield "a pause ends before it begins"
    if any(later[0] < earlier[1] for earlier, later in pairwise(held)):
        yield "two pauses overlap"


def _paused(pauses: Sequence[Pause]) -> bool:
    return any(pause.ended_at is None for pause in pauses)


def _of_stays(incident: Incident, running: Sequence[Assignment]) -> Iterator[str]:
    """What runs with a team. What was there before stays were written down has none."""
    if len(running) > 1:
        yield "two teams have it at once"
    elif running and (incident.state not in OPEN or incident.state == "new"):
        yield "a team's time runs although work on it is not due"
    elif running and running[0].team_id != incident.team_id:
        yield "the time of another team runs than the one that has it"


def _of_timers(incident: Incident, wanted: Mapping[str, datetime], present: Iterable[Timer]) -> Iterator[str]:
    kept = {timer.kind: timer for timer in present if timer.kind in timers.TOLD}
    for kind, due in wanted.items():
        timer = kept.get(kind)
        if timer is None and not incident.imported:
            yield f"nothing will tell when '{kind}' falls due"
        elif timer is not None and timer.due_at != due and kind not in _MOVED_LATER:
            yield f"'{kind}' falls due at another moment than it should"
    for kind, timer in kept.items():
        if kind not in wanted and timer.fired_at is None:
            yield f"'{kind}' is still to fall due although it no longer can"


def _of_story(incident: Incident, story: Story | None) -> Iterator[str]:
    """What its own timeline says of it. Timelines from before an entry was kept whole are let be."""
    if story is None:
        yield "it has no timeline"
    elif not story.broken:
        for word, held, told in (
            ("state", incident.state, story.state),
            ("version", incident.version, story.version),
            ("number of handovers", incident.handovers, story.handovers),
            ("number of reopenings", incident.reopen_count, story.reopened),
        ):
            if held != told:
                yield f"its {word} is {held}, but its timeline says {told}"


def _of_clocks(
    incident: Incident, known: Policies, pauses: Sequence[Pause], running: Sequence[Assignment]
) -> Iterator[str]:
    for name, value in clocks.computed(incident, known, pauses).items():
        if name in _COMPUTED and getattr(incident, name) != value:
            yield f"its {_COMPUTED[name]} is not what the settings make of it"
    for stay in running:
        kept = stay.due_at, stay.warn_at
        assignments.time(stay, incident, known, pauses)  # in memory: nothing here is written
        if (stay.due_at, stay.warn_at) != kept:
            yield "its team's time is not what the settings make of it"


def _of_links(db: Session) -> Iterable[str]:
    twice = select(Incident.number).group_by(Incident.number).having(func.count() > 1)
    yield from (f"{number}: there are several incidents with this number." for number in db.scalars(twice))
    parent, merged = aliased(Incident), aliased(Incident)
    deep = select(Incident.number).join(parent, parent.id == Incident.parent_id).where(parent.parent_id.is_not(None))
    yield from (f"{number}: it is part of an incident that is itself part of another." for number in db.scalars(deep))
    stray = (
        select(Incident.number)
        .join(Follower, Follower.incident_id == Incident.id)
        .join(merged, merged.id == Follower.via_id)
        .where(func.coalesce(merged.duplicate_of_id, 0) != Incident.id)
    )
    yield from (
        f"{number}: somebody follows it because of an incident that is not merged into it."
        for number in db.scalars(stray)
    )
    files = (
        select(Attachment.id, Attachment.name, Attachment.size, Attachment.sha256, Incident.number)
        .join(Incident, Incident.id == Attachment.incident_id)
        .order_by(Attachment.id)
    )
    for file_id, name, size, sha256, number in db.execute(files).all():
        content = db.scalar(select(AttachmentContent.content).where(AttachmentContent.attachment_id == file_id))
        if content is None or len(content) != size or hashlib.sha256(content).hexdigest() != sha256:
            yield f"{number}: the file {name} is not the one that was added."
