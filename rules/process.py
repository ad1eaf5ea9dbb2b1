"""The ways incidents really went: what counts as a way to the end, as a step back, and what a drawing leaves out."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from rules.states import OPEN

FEW = 20
"""Below this a median says little."""
MOST_DRAWN = 16
THIN = 0.01
"""moves made by a smaller share of the incidents are left out of the drawing"""
_AFTER = frozenset({"resolved", "recovered", "closed"})
_STAGE = {
    "new": 0,
    "assigned": 1,
    "in_progress": 2,
    "on_hold": 2,
    "resolved": 3,
    "recovered": 4,
    "closed": 5,
    "cancelled": 5,
}


class Counted(Protocol):
    """A move, as far as it is drawn by how often it was made."""

    @property
    def n(self) -> int: ...


_Move = TypeVar("_Move", bound=Counted)


def to_the_end(path: Sequence[str]) -> tuple[str, ...] | None:
    """The states up to the last resolution or cancellation; None while work is still due.

    What follows a resolution, restored and closed, is the same for nearly all and would only split the ways by age.
    """
    if not path or path[-1] in OPEN:
        return None
    end = len(path)
    while end > 1 and path[end - 1] in _AFTER and path[end - 2] in _AFTER:
        end -= 1
    return tuple(path[:end])


def goes_back(before: str, after: str) -> bool:
    """True when the move leads to an earlier stage of the lifecycle, such as from resolved to in progress."""
    return _STAGE[after] < _STAGE[before]


def drawn(moves: Sequence[_Move], incidents: int) -> list[_Move]:
    """The moves that a drawing shows, most frequent first: none made by less than THIN of the incidents."""
    thick = [move for move in moves if move.n >= THIN * incidents]
    return sorted(thick, key=lambda move: -move.n)[:MOST_DRAWN]
