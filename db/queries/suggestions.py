"""What the organisation's own history suggests for a text: category, team, how it was resolved, what it repeats.

Nothing is applied by itself, everything names the incidents it rests on, and a history too thin says nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from db.models import Category, CategoryPair, Incident, Subcategory, Team
from db.queries import history
from db.queries.access import visible
from rules import likeness
from rules.access import Actor

THIN = 30
"""incidents with a category below which nothing is suggested"""
_LEAST_LIKE = 0.15
"""a likeness that a neighbour must have to be heard"""
_LEAST_SHARE = 0.02
_EVIDENCE = 3
_RESOLVED_LIKE = 0.35


class Evidence(NamedTuple):
    """An incident that a suggestion rests on."""

    id: int
    number: str
    title: str
    likeness: float
    """0..1"""


class Suggestion(NamedTuple):
    """A category pair, its share (0..1) of what similar incidents say, and the nearest of those incidents."""

    category: str
    subcategory: str | None
    share: float
    evidence: tuple[Evidence, ...]
    pair_id: int

    @property
    def name(self) -> str:
        return f"{self.category} › {self.subcategory}" if self.subcategory else self.category


class TeamSuggestion(NamedTuple):
    """The team that solved similar incidents, its share (0..1) of them, and the nearest of them."""

    team_id: int
    name: str
    share: float
    evidence: tuple[Evidence, ...]


class Resolved(NamedTuple):
    """A similar incident that was resolved, and what was done."""

    incident: Evidence
    done: str


@dataclass(frozen=True)
class Suggestions:
    """Everything history suggests for one incident; empty where it is too thin."""

    categories: tuple[Suggestion, ...] = ()
    team: TeamSuggestion | None = None
    resolved: tuple[Resolved, ...] = ()


def categories(db: Session, text: str, limit: int = 3) -> list[Suggestion]:
    """Up to `limit` category pairs for a text, best first; none when history is thin or holds nothing like it."""
    found = history.alike(db, text)
    if found.categorised < THIN:
        return []
    return _categories(_neighbours(db, found.incidents), limit)


def suggest(db: Session, actor: Actor, incident_id: int, text: str) -> Suggestions:
    """What similar incidents that `actor` may see suggest for this one; `text` is what it says."""
    found = history.alike(db, text)
    if found.categorised < THIN:
        return Suggestions()
    others = tuple(pair for pair in found.incidents if pair[0] != incident_id)
    near = _neighbours(db, others, visible(actor))
    return Suggestions(tuple(_categories(near, 3)), _team(near), _resolved(near))


def _neighbours(db: Session, found: tuple[tuple[int, float], ...], *where: Any) -> list[tuple[Row[Any], float]]:
    """(incident as it is now, likeness), nearest first; restricted and cancelled ones left out."""
    nearness = {incident: likeness for incident, likeness in found if likeness >= _LEAST_LIKE}
    query = (
        select(
            Incident.id,
            Incident.number,
            Incident.title,
            Incident.state,
            Incident.resolution_note,
            CategoryPair.id.label("pair_id"),
            Category.name.label("category"),
            Subcategory.name.label("subcategory"),
            Team.id.label("team_id"),
            Team.name.label("team"),
        )
        .outerjoin(CategoryPair, (CategoryPair.id == Incident.category_pair_id) & CategoryPair.archived_at.is_(None))
        .outerjoin(Category, Category.id == CategoryPair.category_id)
        .outerjoin(Subcategory, Subcategory.id == CategoryPair.subcategory_id)
        .outerjoin(Team, (Team.id == Incident.team_id) & Team.archived_at.is_(None))
        .where(Incident.id.in_(nearness), Incident.restricted.is_(False), Incident.state != "cancelled", *where)
    )
    rows: Sequence[Any] = db.execute(query).all() if nearness else ()
    return sorted(((row, nearness[row.id]) for row in rows), key=lambda pair: (-pair[1], pair[0].id))


def _categories(near: list[tuple[Row[Any], float]], limit: int) -> list[Suggestion]:
    known = [(row, nearness) for row, nearness in near if row.pair_id is not None]
    by_pair = {row.pair_id: row for row, _ in known}
    shares = likeness.shares((row.pair_id, nearness) for row, nearness in known)
    return [
        Suggestion(by_pair[pair].category, by_pair[pair].subcategory, share, _evidence(known, "pair_id", pair), pair)
        for pair, share in list(shares.items())[: max(limit, 0)]
        if share >= _LEAST_SHARE
    ]


def _team(near: list[tuple[Row[Any], float]]) -> TeamSuggestion | None:
    known = [(row, nearness) for row, nearness in near if row.team_id is not None]
    shares = likeness.shares((row.team_id, nearness) for row, nearness in known)
    for team, share in shares.items():
        name = next(row.team for row, _ in known if row.team_id == team)
        return TeamSuggestion(team, name, share, _evidence(known, "team_id", team))
    return None


def _resolved(near: list[tuple[Row[Any], float]]) -> tuple[Resolved, ...]:
    """What was done about the nearest ones; the same words are told once."""
    done: dict[str, Resolved] = {}
    for row, nearness in near:
        if nearness >= _RESOLVED_LIKE and row.resolution_note and row.state in ("resolved", "recovered", "closed"):
            told = Resolved(Evidence(row.id, row.number, row.title, nearness), row.resolution_note)
            done.setdefault(row.resolution_note.casefold(), told)
    return tuple(done.values())[:_EVIDENCE]


def _evidence(near: list[tuple[Row[Any], float]], column: str, value: int) -> tuple[Evidence, ...]:
    chosen = [
        Evidence(row.id, row.number, row.title, nearness) for row, nearness in near if getattr(row, column) == value
    ]
    return tuple(chosen[:_EVIDENCE])
