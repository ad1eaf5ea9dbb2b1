"""Maintenance windows: planned, changed, cancelled, ended; and what happens when one begins.

Signals for its services are kept meanwhile and page nobody (queries.maintenance.covers). A window always ends. When it
or an occurrence of a recurring one begins, what is running for its services stops; `applied_at` says when that was
done last, so that each beginning does it once, whoever comes by.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, null, select
from sqlalchemy.orm import Session

from db import freshness
from db.commands import audit, escalation, window_notices
from db.models import MaintainedService, MaintenanceWindow, Service
from db.queries.maintenance import window_of
from db.queries.maintenance_windows import Overlap, overlaps
from rules import access, text
from rules.access import SYSTEM, Actor, NotFound
from rules.errors import RuleError
from rules.maintenance import Window, begun, next_occurrences
from rules.wall_clock import DAY

NAME_LIMIT, WORDS_LIMIT = 120, 1000
MOST_DAYS = 366
"""So far ahead it may end: what is quiet for longer is forgotten."""
UNANSWERED = ("new", "assigned")
_MEANWHILE = "Somebody changed it meanwhile. Open it again, and change it as it is now."
_SHOWN = ("name", "words", "starts_at", "ends_at", "recurring", "services")


@dataclass(frozen=True)
class Saved:
    """The window's id, and what else covers its services then: allowed, and told."""

    id: int
    overlaps: list[Overlap]


def add(
    db: Session,
    *,
    name: str,
    service_ids: Collection[int],
    start: datetime,
    end: datetime,
    recurring: Sequence[dict[str, Any]] | None = None,
    words: str = "",
    actor: Actor,
    now: datetime,
) -> Saved:
    """Plan a window of [start, end), or of the intervals (rules.maintenance) within it. RuleError with `fields`.

    A start that is past is now. The same again, as by a double click, is the one that is there.
    """
    access.check(actor, "maintenance")
    given, window = _checked(db, name, words, service_ids, start, end, recurring, None, now)
    same = _same(db, given)
    if same is not None:
        return Saved(same, overlaps(db, window, service_ids, now, but=same))
    row = MaintenanceWindow(created_by_id=_id_of(actor), created_at=now, version=1)
    _fill(row, given)
    db.add(row)
    db.flush()
    _cover(db, row.id, given["services"])
    audit.record(db, actor, now, "maintenance added", row.name, after=_told(given))
    return Saved(row.id, overlaps(db, window, service_ids, now, but=row.id))


def change(
    db: Session,
    window_id: int,
    version: int | None,
    *,
    name: str,
    service_ids: Collection[int],
    start: datetime,
    end: datetime,
    recurring: Sequence[dict[str, Any]] | None = None,
    words: str = "",
    actor: Actor,
    now: datetime,
) -> Saved:
    """Change one still at `version` and not over; the start of what has begun stays. RuleError with `fields`."""
    access.check(actor, "maintenance")
    row = _open(db, window_id, version, now)
    given, window = _checked(db, name, words, service_ids, start, end, recurring, row, now)
    before = _given(db, row)
    if given != before:
        _fill(row, given)
        row.version += 1
        if any(given[field] != before[field] for field in ("starts_at", "ends_at", "recurring", "services")):
            row.applied_at = None  # it may cover now what it did not
        _cover(db, row.id, given["services"])
        freshness.changed(db)
        if any(given[field] != before[field] for field in ("starts_at", "ends_at", "recurring")):
            window_notices.rescheduled(db, row, now)
        audit.record(db, actor, now, "maintenance changed", row.name, before=_told(before), after=_told(given))
    return Saved(row.id, overlaps(db, window, service_ids, now, but=row.id))


def cancel(db: Session, window_id: int, version: int | None, *, actor: Actor, now: datetime) -> None:
    """Let it be over: what has begun ends now, anything else never begins."""
    access.check(actor, "maintenance")
    row = _open(db, window_id, version, now)
    _finish(db, row, actor, now)


def end_occurrence(db: Session, window_id: int, version: int | None, *, actor: Actor, now: datetime) -> int | None:
    """End what lasts now; a recurring one goes on with its next occurrence, as a window of its own: its id."""
    access.check(actor, "maintenance")
    row = _open(db, window_id, version, now)
    window = window_of(row)
    if not window.contains(now):
        raise RuleError("It does not last just now. Cancel it, or change its times.")
    given = _given(db, row)
    _finish(db, row, actor, now)
    [(_, until)] = next_occurrences(window, now, 1)
    if not next_occurrences(window, until, 1):
        return None
    rest = MaintenanceWindow(created_by_id=row.created_by_id, created_at=now, version=1)
    _fill(rest, given | {"starts_at": until})
    db.add(rest)
    db.flush()
    _cover(db, rest.id, given["services"])
    window_notices.goes_on(db, row, rest.id, now)
    return rest.id


def _finish(db: Session, row: MaintenanceWindow, actor: Actor, now: datetime) -> None:
    row.version += 1
    freshness.changed(db)
    if row.starts_at < now:
        before, row.ends_at = row.ends_at, now
        ends = {"ends_at": before.isoformat()}, {"ends_at": now.isoformat()}
        audit.record(db, actor, now, "maintenance ended", row.name, *ends)
    else:
        row.cancelled_at = now
        audit.record(db, actor, now, "maintenance cancelled", row.name)


def begin_due(db: Session, now: datetime) -> list[int]:
    """Ids of the windows that last at `now` and have begun since they were applied last."""
    statement = select(MaintenanceWindow).where(*_lasting(now)).order_by(MaintenanceWindow.id)
    return [row.id for row in db.scalars(statement) if begun(window_of(row), now, row.applied_at)]


def begin(db: Session, window_id: int, now: datetime) -> bool:
    """Stop what is running for its services, once for each beginning; False when there is nothing to begin.

    Whoever comes second waits for nobody: the row is held by the first until it is done.
    """
    statement = select(MaintenanceWindow).where(MaintenanceWindow.id == window_id, *_lasting(now))
    row = db.scalars(statement.with_for_update(skip_locked=True)).one_or_none()
    if row is None or not begun(window_of(row), now, row.applied_at):
        return False
    row.applied_at = now
    escalation.stop_for_services(db, _covered(db, row.id), now, row.name)
    return True


def _lasting(now: datetime) -> tuple[Any, ...]:
    unfinished = MaintenanceWindow.ends_at > now, MaintenanceWindow.cancelled_at.is_(None)
    return MaintenanceWindow.starts_at <= now, *unfinished


def _checked(
    db: Session,
    name: str,
    words: str,
    service_ids: Collection[int],
    start: datetime,
    end: datetime,
    recurring: Sequence[dict[str, Any]] | None,
    row: MaintenanceWindow | None,
    now: datetime,
) -> tuple[dict[str, Any], Window]:
    """The values to keep, and when it is maintenance by them; `row` is the window that is changed, if any."""
    wrong: dict[str, str] = {}
    given: dict[str, Any] = {"services": sorted(set(service_ids))}
    try:
        given["name"] = text.line(name, "name", NAME_LIMIT, required="Say what is done, in a few words.")
    except RuleError as error:
        wrong |= error.fields
    try:
        given["words"] = text.block(words, "words", WORDS_LIMIT)
    except RuleError as error:
        wrong |= error.fields
    wrong |= _unknown(db, given["services"], _covered(db, row.id) if row is not None else ())
    window = _window(start, end, recurring, row, now, wrong)
    if wrong or window is None:
        raise RuleError(" ".join(wrong.values()), fields=wrong)
    given |= {"starts_at": window.start, "ends_at": window.end, "recurring": list(recurring) if recurring else None}
    return given, window


def _window(
    start: datetime,
    end: datetime,
    recurring: Sequence[dict[str, Any]] | None,
    row: MaintenanceWindow | None,
    now: datetime,
    wrong: dict[str, str],
) -> Window | None:
    """When it is maintenance; None with the reasons in `wrong`."""
    try:
        asked = Window.from_dict({"start": start, "end": end, "recurring": recurring or None})
        if asked.end <= now:
            raise RuleError("It would be over already. Choose a later end.", field="end")
        if asked.end > now + MOST_DAYS * DAY:
            raise RuleError("Choose an end within a year. Plan it again when that is over.", field="end")
        begins = row.starts_at if row is not None and row.starts_at <= now else max(asked.start, now)
        window = Window(begins, asked.end, asked.recurring)
        if not next_occurrences(window, now, 1):
            raise RuleError("It never happens before its end. Choose other days or times, or a later end.", "recurring")
    except RuleError as error:
        wrong |= error.fields or {"recurring": error.sentence}
        return None
    return window


def _unknown(db: Session, service_ids: Sequence[int], kept: Collection[int]) -> dict[str, str]:
    if not service_ids:
        return {"service_ids": "Choose at least one service."}
    usable = select(Service.id).where(Service.id.in_(service_ids), Service.archived_at.is_(None))
    if set(service_ids) - set(db.scalars(usable)) - set(kept):
        return {"service_ids": "Choose services from the list."}
    return {}


def _same(db: Session, given: dict[str, Any]) -> int | None:
    alike = (
        func.lower(MaintenanceWindow.name) == given["name"].lower(),
        MaintenanceWindow.ends_at == given["ends_at"],
        MaintenanceWindow.starts_at <= given["starts_at"],
        MaintenanceWindow.cancelled_at.is_(None),
    )
    for row in db.scalars(select(MaintenanceWindow).where(*alike)):
        if row.recurring == given["recurring"] and _covered(db, row.id) == given["services"]:
            return row.id
    return None


def _open(db: Session, window_id: int, version: int | None, now: datetime) -> MaintenanceWindow:
    row = db.get(MaintenanceWindow, window_id, with_for_update=True)
    if row is None:
        raise NotFound("There is no such maintenance.")
    if version is not None and row.version != version:
        raise RuleError(_MEANWHILE)
    if row.cancelled_at is not None or row.ends_at <= now:
        raise RuleError("It is over. Plan a new one.")
    return row


def _given(db: Session, row: MaintenanceWindow) -> dict[str, Any]:
    fields = ("name", "words", "starts_at", "ends_at", "recurring")
    return {field: getattr(row, field) for field in fields} | {"services": _covered(db, row.id)}


def _fill(row: MaintenanceWindow, given: dict[str, Any]) -> None:
    for field in ("name", "words", "starts_at", "ends_at"):
        setattr(row, field, given[field])
    row.recurring = given["recurring"] if given["recurring"] is not None else null()


def _cover(db: Session, window_id: int, service_ids: Iterable[int]) -> None:
    wanted, present = set(service_ids), set(_covered(db, window_id))
    gone = MaintainedService.window_id == window_id, MaintainedService.service_id.in_(present - wanted)
    db.execute(delete(MaintainedService).where(*gone))
    db.add_all(MaintainedService(window_id=window_id, service_id=service_id) for service_id in wanted - present)
    db.flush()


def _covered(db: Session, window_id: int) -> list[int]:
    covered = select(MaintainedService.service_id).where(MaintainedService.window_id == window_id)
    return list(db.scalars(covered.order_by(MaintainedService.service_id)))


def _told(given: dict[str, Any]) -> dict[str, Any]:
    """As the audit keeps it."""
    return {
        field: value.isoformat() if isinstance(value, datetime) else value
        for field, value in ((name, given[name]) for name in _SHOWN)
    }


def _id_of(actor: Actor) -> int | None:
    return None if actor is SYSTEM else actor.id
