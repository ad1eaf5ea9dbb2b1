"""The process as it really went: moves between states and teams, ways to the end, waits, and who sends back."""

import threading
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import Team
from db.queries.aggregated import Column
from db.queries.travel import NOBODY, Travel, reported, taken
from rules import access
from rules.access import Actor
from rules.measures import Filters
from rules.periods import Period
from rules.process import to_the_end
from rules.states import OPEN, STATES

Flags = NDArray[np.bool_]
Numbers = NDArray[Any]

_SECOND = 1_000_000
_WORKING = np.array([state in OPEN for state in STATES])
_BITS, _ANY, _LETTERS = 4, 15, 16
"""A way of up to so many states is spelt as one number, so many bits each."""
_LONG = _ANY << 60
"""No way is spelt as this or more: longer ones are."""
_THERE_AND_BACK = 3
_MADE = "process"
_making = threading.Lock()


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
    total: int
    """of the period, of which the newest are these"""
    merged: int
    """left out: those merged into another"""
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
    """Stays at one place after another."""

    incident: NDArray[np.int32]
    place: Numbers
    wait: Column
    """how long each took, microseconds; -1 where it has not ended"""

    @property
    def moved(self) -> Flags:
        """The stays that have ended."""
        return self.wait >= 0

    @property
    def after(self) -> Numbers:
        """The place that followed; NOBODY where it has not ended."""
        return np.where(self.moved, np.roll(self.place, -1), NOBODY)


def seen(db: Session, actor: Actor, period: Period, filters: Filters) -> Process:
    """Everything of the screen. Made once per process, until anything of an incident changes or other ones are meant.

    Forbidden without the right to trends.
    """
    rows = reported(db, actor, period, filters)
    # One at a time: a million incidents take some hundred megabytes meanwhile, and who waits finds it made.
    with nullcontext() if rows.has(_MADE) else _making:
        return rows.kept(_MADE, lambda chosen: view(taken(db, chosen)))


def view(travel: Travel) -> Process:
    """Everything of the screen out of the steps that were read."""
    # One after the other: of a million incidents each takes some hundred megabytes while it is looked at.
    states = _states(travel)
    moves, visits = _counted(states)
    ways, which = _ways(travel, states)
    del states
    _, teams = _counted(_stays(travel))
    owners = _owners(travel)
    back, known = _back(owners), owners.moved & (owners.place != NOBODY) & (owners.after != NOBODY)
    handovers, _ = _counted(owners, back)
    return Process(
        incidents=len(travel.ids),
        total=travel.total,
        merged=travel.merged,
        under_way=int(np.count_nonzero(which < 0)),
        moves=[replace(move, before=STATES[move.before], after=STATES[move.after]) for move in moves],
        variants=_variants(travel, ways, which),
        states=[replace(visit, place=STATES[visit.place]) for visit in visits],
        teams=sorted(
            (visit for visit in teams if visit.place != NOBODY),
            key=lambda visit: (-visit.incidents, visit.place),
        ),
        handovers=[move for move in handovers if move.before != NOBODY],
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


def _of(travel: Travel, figure: Figure) -> Numbers:
    """Places of the incidents, some more than once."""
    kind, places = figure.kind, figure.places
    if kind == "variant":
        ways, which = _ways(travel, _states(travel))
        return np.flatnonzero(which == ways.index(places)) if places in ways else np.empty(0, np.int64)
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
    return cast(Numbers, runs.incident[chosen])


def _states(travel: Travel) -> _Runs:
    return _runs(travel.incident, travel.state, travel.at)


def _stays(travel: Travel) -> _Runs:
    """Time with a team while work was due: a resolution ends it, a reopening begins it anew."""
    return _runs(travel.incident, travel.team * _WORKING[travel.state], travel.at)


def _owners(travel: Travel) -> _Runs:
    """The teams in turn, whatever the state; without the time before the first."""
    runs = _runs(travel.incident, travel.team, travel.at)
    known = ~(_begins(runs.incident) & (runs.place == NOBODY))
    return _Runs(runs.incident[known], runs.place[known], runs.wait[known])


def _begins(*columns: Numbers) -> Flags:
    """Where a row differs from the one before it."""
    differs = np.ones(len(columns[0]), bool)
    differs[1:] = columns[0][1:] != columns[0][:-1]
    for column in columns[1:]:
        differs[1:] |= column[1:] != column[:-1]
    return differs


def _runs(incident: NDArray[np.int32], place: Numbers, at: Column) -> _Runs:
    begins = _begins(incident, place)
    incident, place, at = incident[begins], place[begins], at[begins]
    wait = np.empty_like(at)
    np.subtract(at[1:], at[:-1], out=wait[:-1])
    wait[np.roll(_begins(incident), -1)] = -1  # the last stay of each incident
    return _Runs(incident, place, wait)


def _back(owners: _Runs) -> Flags:
    """Whether the stay ended with a return: to a team that had it earlier, or to nobody."""
    after = owners.after
    back: Flags = owners.moved & (after == NOBODY)
    # Who comes back has been elsewhere: such an incident has three stays or more.
    first = np.flatnonzero(_begins(owners.incident))
    counts = np.diff(first, append=len(owners.incident))
    some = np.flatnonzero(np.repeat(counts >= _THERE_AND_BACK, counts))
    # The first stay of each incident with each team; a later one with the same team is a return.
    key = owners.incident[some].astype(np.int64) << 32 | owners.place[some]
    again = np.ones(len(some), bool)
    again[np.unique(key, return_index=True)[1]] = False
    returned = some[again] - 1
    back[returned] |= after[returned] != NOBODY
    return back


def _counted(runs: _Runs, back: Flags | None = None) -> tuple[list[Move], list[Visit]]:
    """The moves, most frequent first, and the places, in their order; `back`: which moves were returns."""
    order, places, counts = _sorted(runs)
    wait, incident = runs.wait[order], runs.incident[order]
    back = np.zeros(len(order), bool) if back is None else back[order]
    moves, visits, end = list[Move](), list[Visit](), 0
    for place, (*moved, there) in zip(places, counts, strict=True):
        begin = end
        for after, n in zip(places, moved, strict=True):
            if n:
                some = slice(end, end + n)
                again, incidents, spread = incident[some][back[some]], _distinct(incident[some]), _spread(wait[some])
                moves.append(Move(place, after, n, incidents, spread, len(again), _distinct(again)))
                end += n
        waited = _spread(wait[begin:end])
        end += there
        everyone = np.sort(incident[begin:end], kind="stable")
        visits.append(Visit(place, _distinct(everyone), waited, there))
    return sorted(moves, key=lambda move: (-move.n, move.before, move.after)), visits


def _sorted(runs: _Runs) -> tuple[Numbers, list[int], list[list[int]]]:
    """The stays by their place and by the place that followed, those that have not ended last, else as they were.

    With the places, and how many stays there are at each, by what followed. There are less than 2 ** 16 places; ids of
    teams are small.
    """
    places = np.flatnonzero(np.bincount(runs.place))
    numbers = np.zeros(int(places[-1]) + 1 if len(places) else 1, np.uint16)
    numbers[places] = np.arange(len(places))
    place = numbers[runs.place]
    after = np.where(runs.moved, np.roll(place, -1), np.uint16(len(places)))
    shape = (len(places), len(places) + 1)
    # Numbers of up to 16 bits are sorted in a moment, as most of these are.
    kind = np.min_scalar_type(shape[0] * shape[1])
    code = place.astype(kind) * kind.type(shape[1]) + after.astype(kind)
    counts = np.bincount(code, minlength=shape[0] * shape[1]).reshape(shape)
    return np.argsort(code, kind="stable"), places.tolist(), counts.tolist()


def _ways(travel: Travel, states: _Runs) -> tuple[list[tuple[str, ...]], NDArray[np.int64]]:
    """The ways to the end that were gone, and the number of that of each incident.

    -1 while it is under way, also where nothing is told of it.
    """
    first = np.flatnonzero(_begins(states.incident))
    counts = np.diff(first, append=len(states.place))
    words = np.zeros(len(first), np.uint64)
    for letter in range(min(_LETTERS, int(counts.max(initial=0)))):
        some = np.flatnonzero(counts > letter)
        words[some] |= (states.place[first[some] + letter] + np.uint64(1)) << np.uint64(letter * _BITS)
    spelt: dict[bytes, int] = {}
    for long in np.flatnonzero(counts > _LETTERS).tolist():
        path = states.place[first[long] : first[long] + counts[long]].tobytes()
        words[long] = spelt.setdefault(path, _LONG + len(spelt))
    known = np.unique(words)
    paths = {word: list(path) for path, word in spelt.items()}
    ways: dict[tuple[str, ...], int] = {}
    of_word = np.full(len(known), -1)
    for number, word in enumerate(known.tolist()):
        way = to_the_end([STATES[letter] for letter in paths.get(word) or _letters(word)])
        if way is not None:
            of_word[number] = ways.setdefault(way, len(ways))
    which = np.full(len(travel.ids), -1)
    which[states.incident[first]] = of_word[np.searchsorted(known, words)]
    return list(ways), which


def _letters(word: int) -> list[int]:
    return [(word >> shift & _ANY) - 1 for shift in range(0, word.bit_length(), _BITS)]


def _variants(travel: Travel, ways: list[tuple[str, ...]], which: NDArray[np.int64]) -> list[Variant]:
    over = which >= 0
    spent, which = travel.spent[over], which[over]
    order = np.argsort(which.astype(np.min_scalar_type(len(ways))), kind="stable")
    edges = np.cumsum(np.bincount(which, minlength=len(ways)))[:-1]
    found = []
    for way, times in zip(ways, np.split(spent[order], edges), strict=False):
        found.append(Variant(way, len(times), _spread(times[times >= 0])))
    return sorted(found, key=lambda variant: (-variant.n, variant.path))


def _distinct(ascending: Numbers) -> int:
    """How many different values there are."""
    return int(np.count_nonzero(np.diff(ascending))) + bool(len(ascending))


def _spread(micros: Column) -> Spread:
    if not len(micros):
        return NONE
    median, p90 = np.quantile(micros / _SECOND, (0.5, 0.9))
    return Spread(len(micros), float(median), float(p90))
