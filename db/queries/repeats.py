"""What repeats: incidents of one service and category that no problem explains yet. Suggested, never applied."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, distinct, func, literal, or_, select, true
from sqlalchemy.orm import Session

from db.models import Category, CategoryPair, DismissedRepeat, Incident, IncidentLink, Problem, Service, Subcategory
from db.queries.access import visible
from db.queries.text_search import words_of
from rules import access
from rules.access import Actor
from rules.problems import LEAST, OPEN, PERIOD, by_likeness, shared_words

SHOWN = 10
MOST_INCIDENTS = 50
"""of one suggestion that are read: the newest"""
_PAIR = Category.name + func.coalesce(literal(" › ") + Subcategory.name, "")


@dataclass(frozen=True)
class Repeat:
    """A service and category, and how many of its incidents came in the period without a problem."""

    service_id: int
    category_pair_id: int
    service: str
    pair: str
    n: int

    @property
    def key(self) -> str:
        return f"{self.service_id}.{self.category_pair_id}"


@dataclass(frozen=True)
class Evidence:
    """An incident that a suggestion rests on."""

    id: int
    number: str
    title: str
    reported_at: datetime


@dataclass(frozen=True)
class Shared:
    """The incidents of a suggestion, those most like all the others first, and the words that they share."""

    incidents: tuple[Evidence, ...]
    words: tuple[str, ...]


def suggestions(db: Session, actor: Actor, now: datetime, limit: int = SHOWN) -> list[Repeat]:
    """Where at least LEAST came in PERIOD and no open problem explains one of them, the most first.

    Restricted and cancelled incidents, duplicates, and what belongs to a problem that is over are not counted. What
    was dismissed comes back when LEAST more have come since.
    """
    access.check(actor, "problems")
    counted = _counted(now).cte("counted").prefix_with("materialized")  # or each count is made for every mention of it
    known = _explained(now).cte("known")
    left = (counted.c.n - func.coalesce(known.c.n, 0)).label("n")
    gone = DismissedRepeat
    fresh = _came(counted.c.service_id, counted.c.pair_id, gone.at)
    query = (
        select(counted.c.service_id, counted.c.pair_id, counted.c.service, _PAIR, left)
        .select_from(counted)
        .join(CategoryPair, CategoryPair.id == counted.c.pair_id)
        .join(Category, Category.id == CategoryPair.category_id)
        .outerjoin(Subcategory, Subcategory.id == CategoryPair.subcategory_id)
        .outerjoin(known, and_(known.c.service_id == counted.c.service_id, known.c.pair_id == counted.c.pair_id))
        .outerjoin(gone, and_(gone.service_id == counted.c.service_id, gone.category_pair_id == counted.c.pair_id))
        .where(counted.c.n >= LEAST, left >= LEAST, func.coalesce(known.c.still_open, 0) == 0)
        .where(or_(gone.at.is_(None), fresh >= LEAST))
        .order_by(left.desc(), counted.c.service, counted.c.pair_id)
        .limit(limit)
    )
    return [Repeat(*row) for row in db.execute(query)]


def of_repeat(
    db: Session, actor: Actor, service_id: int, category_pair_id: int, now: datetime, limit: int = MOST_INCIDENTS
) -> Shared:
    """The newest incidents of a service and category that no problem has yet, and what they share."""
    access.check(actor, "problems")
    held = select(IncidentLink.incident_id).where(IncidentLink.problem_id.is_not(None))
    query = (
        select(Incident.id, Incident.number, Incident.title, Incident.reported_at)
        .where(
            Incident.service_id == service_id,
            Incident.category_pair_id == category_pair_id,
            Incident.reported_at > now - PERIOD,
            *_COUNTS,
            Incident.id.not_in(held),
            visible(actor),
        )
        .order_by(Incident.reported_at.desc(), Incident.id.desc())
        .limit(limit)
    )
    found = {row.id: Evidence(*row) for row in db.execute(query)}
    titles = {incident: evidence.title for incident, evidence in found.items()}
    telling = {word for title in titles.values() for word in words_of(title, meaningful=True)}
    words = shared_words(list(titles.values()), telling)
    return Shared(tuple(found[incident] for incident in by_likeness(titles)), tuple(words))


_COUNTS: list[ColumnElement[bool]] = [
    Incident.state != "cancelled",
    Incident.duplicate_of_id.is_(None),
    Incident.restricted.is_(False),
]


def _counted(now: datetime) -> Select[*tuple[Any, ...]]:
    """Every service and category in use with how many came: a range of ix_incident_repeats for each pair of them."""
    return (
        select(
            Service.id.label("service_id"),
            Service.name.label("service"),
            CategoryPair.id.label("pair_id"),
            _came(Service.id, CategoryPair.id, now - PERIOD).label("n"),
        )
        .join(CategoryPair, true())
        .where(Service.archived_at.is_(None), CategoryPair.archived_at.is_(None))
    )


def _came(service_id: Any, pair_id: Any, since: Any) -> ColumnElement[int]:
    came = select(func.count()).where(
        Incident.service_id == service_id,
        Incident.category_pair_id == pair_id,
        Incident.reported_at > since,
        *_COUNTS,
    )
    return came.scalar_subquery()


def _explained(now: datetime) -> Select[*tuple[Any, ...]]:
    """What of it belongs to a problem, and to one that is still open."""
    still = case((Problem.state.in_(sorted(OPEN)), 1), else_=0)
    return (
        select(
            Incident.service_id,
            Incident.category_pair_id.label("pair_id"),
            func.count(distinct(Incident.id)).label("n"),
            func.max(still).label("still_open"),
        )
        .join(IncidentLink, IncidentLink.incident_id == Incident.id)
        .join(Problem, Problem.id == IncidentLink.problem_id)
        .where(Incident.reported_at > now - PERIOD, *_COUNTS)
        .group_by(Incident.service_id, Incident.category_pair_id)
    )
