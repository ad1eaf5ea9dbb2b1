"""What the status page shows, read in the same few statements however much there is; and whom a publication reaches.

Only what was published is read: public titles, words of public updates, names of components. Nothing of an incident
but its id, by which these belong together, and that id leaves this module no more than its number does.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session, aliased

from db.models import (
    Component,
    ComponentService,
    ComponentSpan,
    Publication,
    PublicationClosing,
    StatusPage,
    Subscriber,
    Update,
)
from db.queries import published_lessons, subscribers
from db.queries.published_lessons import Learned, Lesson
from db.queries.published_windows import Planned, windows
from db.queries.settings import organisation
from rules.status_page import DAYS, MAINTENANCE, History, Span, bounds, history, worst
from rules.updates import PUBLIC

PAST_DAYS = 14
"""So far back incidents stand on the page itself; further ones in its history."""
MOST_OPEN, MOST_PAST, MOST_IN_HISTORY = 20, 20, 300
MOST_NOTES = 10
"""updates of one incident on the page; all of them are on the incident's own"""


@dataclass(frozen=True)
class Look:
    """How the page looks; version 0: nobody has designed it yet."""

    published: bool = False
    name: str = ""
    words: str = ""
    closing_words: str = ""
    logo_hash: str = ""
    version: int = 0


@dataclass(frozen=True)
class Known:
    """A component as an update's dialog offers it."""

    id: int
    group: str
    name: str
    state: str
    service_ids: tuple[int, ...]


@dataclass(frozen=True)
class Shown:
    """A component on the page."""

    id: int
    group: str
    name: str
    description: str
    state: str
    """the worst of what its incidents say, and of maintenance"""
    history: History


@dataclass(frozen=True)
class Note:
    """One update, or the closing words of an incident that recovered without one."""

    at: datetime
    stage: str
    text: str
    correction: bool = False
    corrects_at: datetime | None = None
    """when what it corrects was published"""
    key: str = ""
    """the same for ever, and no other's"""


@dataclass(frozen=True)
class Affected:
    """A component of an incident: its state now, or the worst it was in an incident that is over."""

    id: int
    name: str
    state: str


@dataclass(frozen=True)
class Told:
    """An incident as the public knows it; notes are newest first, `notes_in_all` counts those left out too."""

    id: int
    title: str
    stage: str
    began_at: datetime
    ended_at: datetime | None
    components: tuple[Affected, ...]
    notes: tuple[Note, ...] = ()
    notes_in_all: int = 0
    lesson: Lesson | None = None
    """on its own page alone"""


@dataclass(frozen=True)
class Board:
    """Everything on the page at `now`."""

    look: Look
    zone: str
    now: datetime
    components: tuple[Shown, ...] = ()
    going_on: tuple[Told, ...] = ()
    past: tuple[Told, ...] = ()
    maintenance: tuple[Planned, ...] = ()
    completed: tuple[Planned, ...] = ()
    learned: tuple[Learned, ...] = ()
    """of the last 90 days, newest first"""
    subscribing: bool = False

    @property
    def name(self) -> str:
        return self.look.name


def look(db: Session) -> Look:
    """How the page looks, as it was set."""
    found = db.execute(
        select(
            StatusPage.published,
            StatusPage.name,
            StatusPage.words,
            StatusPage.closing_words,
            StatusPage.logo_hash,
            StatusPage.version,
        )
    ).first()
    return Look(*found) if found is not None else Look()


def logo(db: Session) -> tuple[bytes, str, str] | None:
    """The picture, its media type and its hash."""
    found = db.execute(select(StatusPage.logo, StatusPage.logo_type, StatusPage.logo_hash)).first()
    return (found[0], found[1], found[2]) if found is not None and found[0] is not None else None


def components(db: Session) -> list[Known]:
    """The components on the page in its order, with their state now and the ids of their services."""
    states: dict[int, list[str]] = {}
    for one, state in db.execute(
        select(ComponentSpan.component_id, ComponentSpan.state).where(ComponentSpan.ended_at.is_(None))
    ):
        states.setdefault(one, []).append(state)
    services: dict[int, list[int]] = {}
    pairs = select(ComponentService.component_id, ComponentService.service_id).order_by(ComponentService.service_id)
    for one, service in db.execute(pairs):
        services.setdefault(one, []).append(service)
    return [
        Known(id_, group, name, worst(states.get(id_, ())), tuple(services.get(id_, ())))
        for id_, group, name in subscribers.choosable(db)
    ]


def suggested(db: Session, service_id: int | None) -> list[int]:
    """Ids of the components on the page that stand for the service."""
    if service_id is None:
        return []
    statement = (
        select(Component.id)
        .join(ComponentService, ComponentService.component_id == Component.id)
        .where(ComponentService.service_id == service_id, Component.archived_at.is_(None))
    )
    return list(db.scalars(statement.order_by(Component.position, Component.id)))


def affected(db: Session, incident_id: int) -> dict[int, str]:
    """Component id -> its state, as the public was told of this incident last."""
    open_ones = select(ComponentSpan.component_id, ComponentSpan.state).where(
        ComponentSpan.incident_id == incident_id, ComponentSpan.ended_at.is_(None)
    )
    return {component: state for component, state in db.execute(open_ones)}


def audience(db: Session, component_ids: Collection[int]) -> int:
    """How many subscribers a publication about these components is sent to; 0 as long as there is no page."""
    if not subscribers.offered() or not db.scalar(select(StatusPage.published)):
        return 0
    return db.execute(select(func.count(Subscriber.id)).where(subscribers.concerned(component_ids))).scalar_one()


def board(db: Session, now: datetime) -> Board:
    """The page as it is at `now`."""
    found = named(db, now)
    zone = ZoneInfo(found.zone)
    days = bounds(now, zone)
    rows = db.execute(
        select(Component.id, Component.group_name, Component.name, Component.description, Component.created_at)
        .where(Component.archived_at.is_(None))
        .order_by(Component.position, Component.id)
    ).all()
    spans = _spans(db, days[0][1])
    maintenance, completed = windows(db, now, now - timedelta(days=PAST_DAYS))
    maintained = {one for each in maintenance if each.state == "in_progress" for one in each.components}
    shown = []
    for id_, group, name, description, created_at in rows:
        own = spans.get(id_, [])
        present = [span.state for span in own if span.end is None]
        state = worst([*present, MAINTENANCE] if id_ in maintained else present)
        shown.append(Shown(id_, group, name, description, state, history(own, created_at, now, days)))
    return replace(
        found,
        components=tuple(shown),
        going_on=_told(db, _open().limit(MOST_OPEN), MOST_NOTES),
        past=_told(db, _ended(now - timedelta(days=PAST_DAYS)).limit(MOST_PAST), 1),
        maintenance=maintenance,
        completed=completed,
        learned=published_lessons.newest(db, now - timedelta(days=DAYS)),
        subscribing=subscribers.offered(),
    )


def past(db: Session, now: datetime) -> Board:
    """The incidents and the maintenance of the last 90 days, without what was said of them."""
    found = named(db, now)
    since = now - timedelta(days=DAYS)
    _, completed = windows(db, now, since)
    ended = _told(db, _ended(since).limit(MOST_IN_HISTORY), 0)
    return replace(found, going_on=_told(db, _open().limit(MOST_OPEN), 0), past=ended, completed=completed)


def one(db: Session, publication_id: int, now: datetime) -> tuple[Board, Told | None]:
    """The page's look, and one incident with everything that was published of it."""
    found = named(db, now)
    statement = select(Publication).where(Publication.id == publication_id)
    told = _told(db, statement, None)
    return found, replace(told[0], lesson=published_lessons.of_incident(db, publication_id)) if told else None


def named(db: Session, now: datetime) -> Board:
    """The page without what it says; its name is the organisation's where it has none of its own."""
    known, seen = organisation(db), look(db)
    name = seen.name or (f"{known.name} status" if known.name else "Service status")
    return Board(replace(seen, name=name), known.zone, now)


def _open() -> Select[Any]:
    return select(Publication).where(Publication.ended_at.is_(None)).order_by(Publication.began_at.desc())


def _ended(since: datetime) -> Select[Any]:
    return select(Publication).where(Publication.ended_at >= since).order_by(Publication.ended_at.desc())


def _spans(db: Session, since: datetime) -> dict[int, list[Span]]:
    statement = select(
        ComponentSpan.component_id, ComponentSpan.state, ComponentSpan.began_at, ComponentSpan.ended_at
    ).where(or_(ComponentSpan.ended_at.is_(None), ComponentSpan.ended_at > since))
    found: dict[int, list[Span]] = {}
    for component, state, start, end in db.execute(statement):
        found.setdefault(component, []).append(Span(state, start, end))
    return found


def _told(db: Session, statement: Select[Any], most: int | None) -> tuple[Told, ...]:
    """Incidents with their components, and with at most so many notes each (None: all)."""
    rows: Sequence[Publication] = db.scalars(statement).all()
    by_incident = {row.incident_id: row for row in rows}
    names = _affected(db, by_incident)
    notes = _notes(db, rows, most)
    return tuple(
        Told(
            row.id, row.title, row.stage, row.began_at, row.ended_at, names.get(row.incident_id, ()),
            tuple(notes[row.id][0]), notes[row.id][1],
        )
        for row in rows
    )  # fmt: skip


def _affected(db: Session, by_incident: dict[int, Publication]) -> dict[int, tuple[Affected, ...]]:
    """Incident id -> its components, in the order of the page."""
    statement = (
        select(ComponentSpan.incident_id, Component.id, Component.name, ComponentSpan.state, ComponentSpan.ended_at)
        .join(Component, Component.id == ComponentSpan.component_id)
        .where(ComponentSpan.incident_id.in_(by_incident))
        .order_by(Component.position, Component.id)
    )
    found: dict[int, dict[int, Affected]] = {}
    for incident, component, name, state, ended_at in db.execute(statement):
        own = found.setdefault(incident, {})
        counts = by_incident[incident].ended_at is not None or ended_at is None
        before = own[component].state if component in own else "operational"
        own[component] = Affected(component, name, worst((before, state)) if counts else before)
    return {incident: tuple(own.values()) for incident, own in found.items()}


def _notes(db: Session, rows: Sequence[Publication], most: int | None) -> dict[int, tuple[list[Note], int]]:
    """Publication id -> its newest notes, newest first, and how many there are."""
    found: dict[int, list[Note]] = {row.id: [] for row in rows}
    total = dict.fromkeys(found, 0)
    if most == 0 or not rows:
        return {row.id: ([], 0) for row in rows}
    ids = {row.incident_id: row.id for row in rows}
    newest = (Update.published_at.desc(), Update.id.desc())
    numbered = (
        select(
            Update.id,
            Update.incident_id,
            Update.published_at,
            Update.stage,
            Update.text,
            Update.corrects_id,
            func.row_number().over(partition_by=Update.incident_id, order_by=newest).label("place"),
            func.count().over(partition_by=Update.incident_id).label("in_all"),
        )
        .where(Update.incident_id.in_(ids), Update.audience.in_(PUBLIC), Update.published_at.is_not(None))
        .where(Update.state == "published")
        .subquery()
    )
    original = aliased(Update)
    statement = (
        select(numbered, original.published_at.label("corrects_at"), original.audience.label("corrects_audience"))
        .outerjoin(original, original.id == numbered.c.corrects_id)
        .order_by(numbered.c.incident_id, numbered.c.place)
    )
    if most is not None:
        statement = statement.where(numbered.c.place <= most)
    for row in db.execute(statement):
        publication = ids[row.incident_id]
        known = row.corrects_at if row.corrects_audience in PUBLIC else None
        note = Note(row.published_at, row.stage, row.text, row.corrects_id is not None, known, f"update {row.id}")
        found[publication].append(note)
        total[publication] = row.in_all
    closings = select(PublicationClosing).where(PublicationClosing.publication_id.in_(found))
    for closing in db.scalars(closings.order_by(PublicationClosing.id)):
        note = Note(closing.at, "resolved", closing.words, key=f"closing {closing.id}")
        found[closing.publication_id].append(note)
        total[closing.publication_id] += 1
    for notes in found.values():
        notes.sort(key=lambda note: note.at, reverse=True)
        if most is not None:
            del notes[most:]
    return {id_: (notes, total[id_]) for id_, notes in found.items()}
