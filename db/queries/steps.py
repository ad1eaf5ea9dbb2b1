"""The steps that incidents took: which state and which team had each, since when. Defined here, once.

The timelines alone are the truth. What was taken back at once, and merges that were undone, are no steps; neither is
what changed neither the state nor the team.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import BigInteger, BindParameter, ColumnElement, Select, bindparam, case, func, type_coerce
from sqlalchemy.orm import Session

from db.models import TimelineEntry
from db.queries import aggregated
from db.queries.aggregated import Column
from db.queries.facts import micros
from rules.states import STATES

NOBODY = 0
"""the team of what no team has"""
_UNTOLD = -1
_UNDO, _STATES, _VERSIONS = 128, 256, 1 << 20
"""How a step is told as one number: ((team + 1) * _STATES + state, and _UNDO) * _VERSIONS + version."""
_AT_ONCE = 5_000
"""incidents whose steps come out as one text"""
_EDITION = 1
"""Goes up when `_walked` makes something else of what timelines tell."""


@dataclass(frozen=True)
class Steps:
    """Incidents and their steps, incident by incident, the steps of each in order."""

    ids: NDArray[np.int64]
    """of the incidents"""
    counts: NDArray[np.int32]
    """of each incident: how many steps"""
    at: NDArray[np.int64]
    """microseconds"""
    state: NDArray[np.uint8]
    """that it led to, as a place in rules.states.STATES"""
    team: NDArray[np.int32]
    """that had it then; NOBODY before one is known"""

    def of(self, ids: Column) -> "Steps":
        """Those of incidents that are here, in ascending order like these themselves; of others there are none."""
        if np.array_equal(ids, self.ids):
            return self
        places = np.searchsorted(self.ids, ids)
        known = places < len(self.ids)
        known[known] = self.ids[places[known]] == ids[known]
        places = places[known]
        counts = np.zeros(len(ids), np.int32)
        counts[known] = self.counts[places]
        ends = np.cumsum(self.counts, dtype=np.int64)[places]
        taken = np.arange(counts.sum()) + np.repeat(ends - np.cumsum(counts[known], dtype=np.int64), counts[known])
        return Steps(ids, counts, self.at[taken], self.state[taken], self.team[taken])


_KINDS: dict[str, np.dtype[Any]] = {
    name: np.dtype(kind)
    for name, kind in {"ids": "<i8", "at": "<i8", "counts": "<i4", "team": "<i4", "state": "u1"}.items()
}
"""the widest first: so each begins where a number of its width may"""
_OF_INCIDENTS = ("ids", "counts")


def between(db: Session, first: int, last: int) -> Steps:
    """The steps of the incidents with ids from `first` up to, not including, `last`, in the order of their ids."""
    entry = TimelineEntry.incident_id
    return _walked(aggregated.read(db, _TOLD.where(entry >= first, entry < last), 4))


def of(db: Session, ids: Sequence[int]) -> Steps:
    """The steps of the incidents with these ids, as far as there are any, in the order of their ids."""
    chosen = sorted(ids)
    return joined([_of(db, chosen[begin : begin + _AT_ONCE]) for begin in range(0, len(chosen), _AT_ONCE)])


def joined(parts: Sequence[Steps]) -> Steps:
    """The steps of all parts, one part after the other."""
    together = {
        name: np.concatenate([np.empty(0, kind), *(getattr(part, name) for part in parts)])
        for name, kind in _KINDS.items()
    }
    return Steps(**together)


def packed(steps: Steps) -> bytes:
    """How many incidents and steps, and the columns one after the other, little-endian."""
    sizes = np.array([len(steps.ids), len(steps.at)], "<i8")
    return b"".join([sizes.tobytes(), *(getattr(steps, name).astype(kind).tobytes() for name, kind in _KINDS.items())])


def unpacked(content: bytes) -> Steps:
    """What `packed` made into bytes."""
    incidents, steps = (int(size) for size in np.frombuffer(content, "<i8", 2))
    place, columns = 16, {}
    for name, kind in _KINDS.items():
        count = incidents if name in _OF_INCIDENTS else steps
        columns[name] = np.frombuffer(content, kind, count, place)
        place += count * kind.itemsize
    return Steps(**columns)


def differing(one: Steps, other: Steps) -> Column:
    """Ids of the incidents that went another way in one than in the other; both are in the order of their ids."""
    apart = np.setxor1d(one.ids, other.ids)
    both, left, right = np.intersect1d(one.ids, other.ids, return_indices=True)
    same = one.counts[left] == other.counts[right]
    mine, theirs = one.of(both[same]), other.of(both[same])
    differs = (mine.at != theirs.at) | (mine.state != theirs.state) | (mine.team != theirs.team)
    return np.unique(np.concatenate([apart, both[~same], np.repeat(mine.ids, mine.counts)[differs]]))


def _of(db: Session, ids: list[int]) -> Steps:
    asked: BindParameter[list[int]] = bindparam("ids", ids, expanding=True, literal_execute=True)
    return _walked(aggregated.read(db, _TOLD.where(TimelineEntry.incident_id.in_(asked)), 4))


def _told() -> Select[Any]:
    """What timelines tell of states and teams: incident, moment, entry, and the rest as one number."""
    entry = TimelineEntry
    states = case({name: place for place, name in enumerate(STATES)}, value=entry.to_state)
    undone = case((entry.kind == "undo", _UNDO), else_=0)
    team = case(
        (entry.to_team_id.is_not(None), type_coerce(entry.to_team_id, BigInteger)),
        (entry.from_team_id.is_not(None), NOBODY),
        else_=_UNTOLD,
    )
    rest = ((team + 1) * _STATES + states + undone) * _VERSIONS + func.coalesce(entry.version, 0)
    numbers: list[ColumnElement[Any]] = [micros(entry.incident_id), micros(entry.at), micros(entry.id), rest]
    # A merge that was undone was none; of those that stand, the incident is not looked at.
    return aggregated.text(numbers).where(entry.to_state.is_not(None), entry.kind.not_in(("merge", "unmerge")))


_TOLD = _told()
SHAPE = hashlib.sha256(
    f"{_TOLD.compile(compile_kwargs={'literal_binds': True})} {_KINDS} {_EDITION}".encode()
).hexdigest()[:16]
"""Of the definition: what was packed by another one is packed anew."""


def _walked(told: Column) -> Steps:
    """The steps that these entries tell; rows of incident, moment, entry and the rest, in no order."""
    told = _kept(told[np.lexsort((told[:, 2], told[:, 1], told[:, 0]))])
    incident, at = told[:, 0], told[:, 1]
    team, state = np.divmod(told[:, 3] // _VERSIONS, _STATES)
    first = np.concatenate([np.ones(min(len(told), 1), bool), incident[1:] != incident[:-1]])
    team = _carried(first, team - 1)
    moved = first.copy()
    moved[1:] |= (state[1:] != state[:-1]) | (team[1:] != team[:-1])
    ids, counts = np.unique(incident[moved], return_counts=True)
    return Steps(ids, counts.astype(np.int32), at[moved], state[moved].astype(np.uint8), team[moved].astype(np.int32))


def _kept(told: Column) -> Column:
    """Without what was taken back and without the taking back."""
    rest, version = np.divmod(told[:, 3], _VERSIONS)
    undone = rest % _STATES >= _UNDO
    if not undone.any():
        return told
    key = told[:, 0] * _VERSIONS + version
    return told[~np.isin(key, np.concatenate([key[undone], key[undone] - 1]))]


def _carried(first: NDArray[np.bool_], told: Column) -> Column:
    """The team after each step: as told, else as before; NOBODY before the first is told."""
    if not len(told):
        return told
    team = np.where(first & (told == _UNTOLD), NOBODY, told)
    return np.asarray(team[np.maximum.accumulate(np.where(team != _UNTOLD, np.arange(len(team)), 0))])
