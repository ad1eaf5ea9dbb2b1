"""The process as it really went: moves between states and teams, ways to the end, waits, and who sends back."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import Team
from db.queries.aggregated import Column
from db.queries.travel import NOBODY, Travel
from rules import access
from rules.access import Actor
from rules.process import to_the_end
from rules.states import OPEN, STATES

Flags = NDArray[np.bool_]

_SECOND = 1_000_000
_WORKING = np.array([state in OPEN for state in STATES])


@dataclass(frozen=True)
class Spread:
    """Seconds; None where n is 0."""

    n: int
    median: float | None
    p90: float | None


NONE = Spread(0, None, None)


@dataclass(frozen=True)
class Move:
    """How often incidents went from one place (a state, or a team's id) to another, and how long they had waited."""

    before: Any
    after: Any
    n: int
    incidents: int
    wait: Spread
    """the time at `before` that this move ended"""
    back: int = 0
    """of the n, came back to a team that had it earlier, or went back to nobody"""
    back_incidents: int = 0


@dataclass(frozen=True)
class Visit:
    """How long incidents stayed at a place (a state, or a team's id)."""

    place: Any
    incidents: int
    wait: Spread
    """of the stays that have ended"""
    there: int
    """are there now"""


@dataclass(frozen=True)
class Variant:
    """A way to the end, and how many went it."""

    path: tuple[str, ...]
    n: int
    spent: Spread
    """last resolved minus reported, of those resolved"""


@dataclass(frozen=True)
class Process:
    """What the screen shows; each list has the most frequent first."""

    incidents: int
    under_way: int
    """work is still due on them: they have moves and waits, but no way to the end yet"""
    moves: list[Move]
    variants: list[Variant]
    states: list[Visit]
    """in the order of the lifecycle"""
    teams: list[Visit]
    handovers: list[Move]
    """between teams; NOBODY: it was sent back to where nobody has it"""
    handed_over: int
    """incidents that went from one team straight to another"""
    came_back: int
    """incidents that came back to a team that had them earlier"""


@dataclass(frozen=True)
class Figure:
    """One number of the screen, by what it counts: move, variant, state, there, team, held, handover or back."""

    kind: str
    places: tuple[Any, ...]
    """before and after; or the states of the way; or the one place"""


@dataclass(frozen=True)
class _Runs:
    """Stays at one place after another; `end` is -1 where it has not ended, `after` the place that followed."""

    incident: Column
    place: Column
    at: Column
    end: Column
    after: Column

    @property
    def moved(self) -> Flags:
        """The stays that have ended."""
        return self.end >= 0


def view(travel: Travel) -> Process:
    """Everything of the screen out of the steps that were read."""
    states, stays, owners = _states(travel), _stays(travel), _owners(travel)
    ways = _ways(travel, states)
    back = _back(owners)
    known = owners.moved & (owners.place != NOBODY) & (owners.after != NOBODY)
    return Process(
        incidents=len(travel.ids),
        under_way=sum(way is None for way in ways),
        moves=[_named(move) for move in _moves(states, np.zeros(len(states.at), bool))],
        variants=_variants(travel, ways),
        states=[_visit(states, place, STATES[place]) for place in range(len(STATES)) if (states.place == place).any()],
        teams=sorted(
            (_visit(stays, int(team), int(team)) for team in np.unique(stays.place) if team != NOBODY),
            key=lambda visit: (-visit.incidents, visit.place),
        ),
        handovers=[move for move in _moves(owners, back) if move.before != NOBODY],
        handed_over=_distinct(owners.incident[known]),
        came_back=_distinct(owners.incident[back & known]),
    )


def members(travel: Travel, figure: Figure) -> list[int]:
    """Ids of exactly the incidents that a number of the screen counts, newest first."""
    places = np.unique(_of(travel, figure))
    newest = np.lexsort((-travel.ids[places], -travel.reported[places]))
    return [int(id_) for id_ in travel.ids[places[newest]]]


def team_names(db: Session, actor: Actor) -> dict[int, str]:
    """Id -> name of every team there was, archived ones too."""
    access.check(actor, "trends")
    return {team_id: name for team_id, name in db.execute(select(Team.id, Team.name))}


def _of(travel: Travel, figure: Figure) -> Column:
    """Places of the incidents, some more than once."""
    kind, places = figure.kind, figure.places
    if kind == "variant":
        ways = _ways(travel, _states(travel))
        return np.array([place for place, way in enumerate(ways) if way == places], np.int64)
    if kind in ("move", "state", "there"):
        runs, places = _states(travel), tuple(STATES.index(name) for name in places)
    else:
        runs = _stays(travel) if kind in ("team", "held") else _owners(travel)
    chosen = runs.place == places[0]
    if kind in ("move", "handover", "back"):
        chosen &= runs.moved & (runs.after == places[1])
    if kind == "back":
        chosen &= _back(runs)
    if kind in ("there", "held"):
        chosen &= ~runs.moved
    return cast(Column, runs.incident[chosen])


def _states(travel: Travel) -> _Runs:
    return _runs(travel.incident, travel.state, travel.at)


def _stays(travel: Travel) -> _Runs:
    """Time with a team while work was due: a resolution ends it, a reopening begins it anew."""
    held = np.where(_WORKING[travel.state], travel.team, NOBODY)
    return _runs(travel.incident, held, travel.at)


def _owners(travel: Travel) -> _Runs:
    """The teams in turn, whatever the state; without the time before the first."""
    runs = _runs(travel.incident, travel.team, travel.at)
    first = np.concatenate([[True], runs.incident[1:] != runs.incident[:-1]]) if len(runs.at) else runs.moved
    kept = ~(first & (runs.place == NOBODY))
    return _Runs(runs.incident[kept], runs.place[kept], runs.at[kept], runs.end[kept], runs.after[kept])


def _runs(incident: Column, place: Column, at: Column) -> _Runs:
    if not len(at):
        return _Runs(incident, place, at, at, at)
    other = incident[1:] != incident[:-1]
    begins = np.flatnonzero(np.concatenate([[True], other | (place[1:] != place[:-1])]))
    incident, place, at = incident[begins], place[begins], at[begins]
    same = np.concatenate([incident[1:] == incident[:-1], [False]])
    end, after = np.full(len(at), -1), np.full(len(at), NOBODY)
    going_on = np.flatnonzero(same)
    end[going_on], after[going_on] = at[going_on + 1], place[going_on + 1]
    return _Runs(incident, place, at, end, after)


def _back(owners: _Runs) -> Flags:
    """Whether the stay ended with a return: to a team that had it earlier, or to nobody."""
    back = owners.moved & (owners.after == NOBODY)
    if not len(owners.at):
        return cast(Flags, back)
    # The first stay of each incident with each team; a later one with the same team is a return.
    _, first = np.unique(owners.incident << 32 | owners.place, return_index=True)
    again = np.ones(len(owners.at), bool)
    again[first] = False
    returned = np.concatenate([again[1:], [False]])
    return cast(Flags, back | (owners.moved & (owners.after != NOBODY) & returned))


def _moves(runs: _Runs, back: Flags) -> list[Move]:
    ended = runs.moved
    before, after, incident = runs.place[ended], runs.after[ended], runs.incident[ended]
    waits, returned = (runs.end - runs.at)[ended], back[ended]
    found = []
    for chosen in _groups(before, after):
        one = chosen[0]
        incidents, n = _distinct(incident[chosen]), len(chosen)
        spread = _spread(waits[chosen])
        again = incident[chosen][returned[chosen]]
        pair = int(before[one]), int(after[one])
        found.append(Move(*pair, n, incidents, spread, len(again), _distinct(again)))
    return sorted(found, key=lambda move: (-move.n, move.before, move.after))


def _groups(*keys: Column) -> Iterator[Column]:
    """The places of the rows that are alike in all keys, group by group."""
    if not len(keys[0]):
        return
    order = np.lexsort(keys)
    differs = np.any([key[order][1:] != key[order][:-1] for key in keys], axis=0)
    edges = [0, *(np.flatnonzero(differs) + 1).tolist(), len(order)]
    for begin, end in pairwise(edges):
        yield order[begin:end]


def _named(move: Move) -> Move:
    return Move(STATES[move.before], STATES[move.after], move.n, move.incidents, move.wait)


def _visit(runs: _Runs, place: int, name: Any) -> Visit:
    chosen = runs.place == place
    ended = chosen & runs.moved
    waits = (runs.end - runs.at)[ended]
    return Visit(name, _distinct(runs.incident[chosen]), _spread(waits), int((chosen & ~runs.moved).sum()))


def _ways(travel: Travel, states: _Runs) -> list[tuple[str, ...] | None]:
    """The way of each incident to the end; None while it is under way, also where nothing is told of it."""
    letters = states.place.astype(np.uint8).tobytes()
    counts = np.bincount(states.incident, minlength=len(travel.ids)) if len(states.at) else np.zeros(len(travel.ids))
    edges = [0, *np.cumsum(counts).astype(int).tolist()]
    known: dict[bytes, tuple[str, ...] | None] = {}
    ways = []
    for begin, end in pairwise(edges):
        way = letters[begin:end]
        if way not in known:
            known[way] = to_the_end([STATES[place] for place in way])
        ways.append(known[way])
    return ways


def _variants(travel: Travel, ways: list[tuple[str, ...] | None]) -> list[Variant]:
    counted = Counter(way for way in ways if way is not None)
    numbers = {way: number for number, way in enumerate(counted)}
    which = np.array([-1 if way is None else numbers[way] for way in ways], np.int64)
    spent: dict[int, Spread] = {}
    resolved = np.flatnonzero((which >= 0) & (travel.spent >= 0))
    for chosen in _groups(which[resolved]):
        spent[int(which[resolved][chosen[0]])] = _spread(travel.spent[resolved][chosen])
    found = [Variant(way, n, spent.get(numbers[way], NONE)) for way, n in counted.items()]
    return sorted(found, key=lambda variant: (-variant.n, variant.path))


def _distinct(ascending: Column) -> int:
    """How many different values there are."""
    return int(np.count_nonzero(np.diff(ascending))) + bool(len(ascending))


def _spread(micros: Column) -> Spread:
    if not len(micros):
        return NONE
    median, p90 = np.quantile(micros / _SECOND, (0.5, 0.9))
    return Spread(len(micros), float(median), float(p90))
