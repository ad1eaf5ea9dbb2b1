"""The steps that incidents took, read as columns: which state and which team had each of them, since when."""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from sqlalchemy import BigInteger, BindParameter, ColumnElement, Select, bindparam, case, func, select, type_coerce
from sqlalchemy.orm import Session

from db.models import Incident, TimelineEntry
from db.queries import aggregated
from db.queries.aggregated import Column
from db.queries.facts import MISSING, micros
from db.queries.measures import measured
from rules import access
from rules.access import Actor
from rules.measures import Filters
from rules.periods import Period
from rules.states import STATES

MOST = 25_000
"""The newest incidents of the period that are looked at: nobody waits for more."""
NOBODY = 0
"""the team of what no team has"""
_UNTOLD = -1
_UNDO, _STATES, _VERSIONS = 128, 256, 1 << 20
"""How a step is packed into one number: ((team + 1) * _STATES + state, and _UNDO) * _VERSIONS + version."""
_AT_ONCE = 5_000
"""incidents whose steps come out as one text"""


@dataclass(frozen=True)
class Travel:
    """Incidents and their steps. Instants and lengths are microseconds; steps are in order within each incident."""

    ids: Column
    """of the incidents, ascending"""
    reported: Column
    spent: Column
    """last resolved minus reported; -1 where it is not resolved"""
    incident: Column
    """of each step: the place of its incident in `ids`"""
    at: Column
    state: Column
    """of each step: the state it led to, as a place in rules.states.STATES"""
    team: Column
    """of each step: the team that had it then; NOBODY before one is known"""
    merged: int
    """left out: those merged into another"""
    total: int
    """incidents of the period, of which the newest MOST are here"""


def read(db: Session, actor: Actor, period: Period, filters: Filters) -> Travel:
    """The steps of what was reported in the period. Forbidden without the right to trends.

    What was taken back at once, and merges that were undone, are no steps.
    """
    access.check(actor, "trends")
    rows = measured(db, actor, filters, period.end).rows("opened", period.start, period.end)
    repeats = list(db.scalars(select(Incident.id).where(Incident.duplicate_of_id.is_not(None))))
    own = np.flatnonzero(~np.isin(rows["id"], np.array(repeats, np.int64)))
    newest = own if len(own) <= MOST else own[np.argpartition(rows["reported"][own], -MOST)[-MOST:]]
    chosen = newest[np.argsort(rows["id"][newest])]
    ids, reported, resolved = (rows[name][chosen].astype(np.int64) for name in ("id", "reported", "resolved"))
    steps = _unpacked(_packed(db, ids))
    incident = np.searchsorted(ids, steps[:, 0])
    return Travel(
        ids=ids,
        reported=reported,
        spent=np.where(resolved == MISSING, -1, np.maximum(resolved - reported, 0)),
        incident=incident,
        at=steps[:, 1],
        state=steps[:, 2],
        team=_carried(incident, steps[:, 3]),
        merged=len(rows) - len(own),
        total=len(own),
    )


def _packed(db: Session, ids: Column) -> Column:
    some = (ids[begin : begin + _AT_ONCE].tolist() for begin in range(0, len(ids), _AT_ONCE))
    parts = [aggregated.read(db, _steps(chunk), 4) for chunk in some]
    return np.concatenate([np.empty((0, 4), np.int64), *parts])


def _steps(ids: list[int]) -> Select[Any]:
    entry = TimelineEntry
    states = case({name: place for place, name in enumerate(STATES)}, value=entry.to_state)
    undone = case((entry.kind == "undo", _UNDO), else_=0)
    team = case(
        (entry.to_team_id.is_not(None), type_coerce(entry.to_team_id, BigInteger)),
        (entry.from_team_id.is_not(None), NOBODY),
        else_=_UNTOLD,
    )
    packed = ((team + 1) * _STATES + states + undone) * _VERSIONS + func.coalesce(entry.version, 0)
    numbers: list[ColumnElement[Any]] = [micros(entry.incident_id), micros(entry.at), micros(entry.id), packed]
    # A merge that was undone was none; of those that stand, the incident is not here.
    told = [entry.to_state.is_not(None), entry.kind.not_in(("merge", "unmerge"))]
    asked: BindParameter[list[int]] = bindparam("ids", ids, expanding=True, literal_execute=True)
    return aggregated.text(numbers).where(entry.incident_id.in_(asked), *told)


def _unpacked(steps: Column) -> Column:
    """Rows of incident, moment, state and team, in order, without what was taken back and without the taking back."""
    incident, at, entry = steps[:, 0], steps[:, 1], steps[:, 2]
    steps = steps[np.lexsort((entry, at, incident))]
    rest, version = np.divmod(steps[:, 3], _VERSIONS)
    team, state = np.divmod(rest, _STATES)
    undone = state >= _UNDO
    found = np.column_stack((steps[:, 0], steps[:, 1], state, team - 1))
    if not undone.any():
        return found
    key = steps[:, 0] * _VERSIONS + version
    taken_back = np.concatenate([key[undone], key[undone] - 1])
    return found[~np.isin(key, taken_back)]


def _carried(incident: Column, told: Column) -> Column:
    """The team after each step: as told, else as before; NOBODY before the first is told."""
    if not len(told):
        return told
    first = np.concatenate([[True], incident[1:] != incident[:-1]])
    team = np.where(first & (told == _UNTOLD), NOBODY, told)
    place = np.maximum.accumulate(np.where(team != _UNTOLD, np.arange(len(team)), 0))
    return cast(Column, team[place])
