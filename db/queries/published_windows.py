"""Maintenance as the public knows it: computed from the times of the windows that were published."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import Component, ComponentService, MaintainedService, MaintenanceWindow, PublishedWindow
from db.queries.maintenance import window_of
from rules.maintenance import next_occurrences

MOST_WINDOWS = 50
_COMING = 3


@dataclass(frozen=True)
class Planned:
    """Published maintenance: what of it is the next or lasts now, or, when it is over, what was the last."""

    key: str
    title: str
    words: str
    state: str
    """scheduled, in_progress, completed"""
    start: datetime
    end: datetime
    coming: tuple[tuple[datetime, datetime], ...]
    """occurrences after that one, the next few"""
    components: dict[int, str]
    """id -> name of those on the page that it concerns"""
    published_at: datetime


def windows(db: Session, now: datetime, since: datetime) -> tuple[tuple[Planned, ...], tuple[Planned, ...]]:
    """Published maintenance that lasts now or is to come, by its beginning; and what was over since, newest first."""
    statement = (
        select(PublishedWindow, MaintenanceWindow)
        .join(MaintenanceWindow, MaintenanceWindow.id == PublishedWindow.window_id)
        .where(
            PublishedWindow.withdrawn_at.is_(None),
            MaintenanceWindow.cancelled_at.is_(None),
            MaintenanceWindow.ends_at > since,
        )
        .order_by(MaintenanceWindow.ends_at.desc())
        .limit(MOST_WINDOWS)
    )
    rows = db.execute(statement).all()
    names = covered(db, [published.window_id for published, _ in rows])
    coming, over = [], []
    for published, row in rows:
        window, own = window_of(row), names.get(published.window_id, {})
        ahead = next_occurrences(window, now, _COMING + 1)
        behind = list(window.spans(since, now))
        lasts = bool(ahead) and ahead[0][0] <= now
        if lasts and behind and behind[-1][1] == now:  # the part of it that is behind
            ahead[0] = (behind.pop()[0], ahead[0][1])
        if ahead:
            state, (start, end), rest = "in_progress" if lasts else "scheduled", ahead[0], tuple(ahead[1:])
            coming.append(_planned(published, own, state, start, end, rest))
        over += [
            _planned(published, own, "completed", start, end, ())
            for start, end in behind
            if end > published.published_at
        ]
    coming.sort(key=lambda each: each.start)
    over.sort(key=lambda each: each.end, reverse=True)
    return tuple(coming), tuple(over[:MOST_WINDOWS])


def _planned(
    published: PublishedWindow,
    names: dict[int, str],
    state: str,
    start: datetime,
    end: datetime,
    coming: tuple[tuple[datetime, datetime], ...],
) -> Planned:
    key = f"window {published.window_id} {start.isoformat()} {state}"
    return Planned(key, published.title, published.words, state, start, end, coming, names, published.published_at)


def covered(db: Session, window_ids: Iterable[int]) -> dict[int, dict[int, str]]:
    """Window id -> id -> name of the components on the page that stand for its services."""
    statement = (
        select(MaintainedService.window_id, Component.name, Component.position, Component.id)
        .join(ComponentService, ComponentService.service_id == MaintainedService.service_id)
        .join(Component, Component.id == ComponentService.component_id)
        .where(MaintainedService.window_id.in_(window_ids), Component.archived_at.is_(None))
        .distinct()
        .order_by(Component.position, Component.id)
    )
    found: dict[int, dict[int, str]] = {}
    for window_id, name, _, id_ in db.execute(statement):
        found.setdefault(window_id, {})[id_] = name
    return found
