"""The steps that incidents took, read as columns: which state and which team had each of them, since when."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import numpy as np
from sqlalchemy import BigInteger, ColumnElement, Select, case, func, select, type_coerce
from sqlalchemy.orm import Session

from db.models import Incident, TimelineEntry, from_micros, to_micros
from db.queries import aggregated
from db.queries.aggregated import Column
from db.queries.facts import REPORTED, RESOLVED, micros
from db.queries.measures import Conditions, scope
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
_BLOCK = 28 * 86_400_000_000
"""microseconds of reports whose steps come out as one text"""


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
    seen = scope(db, actor, filters)
    own = [Incident.duplicate_of_id.is_(None), *seen]
    start, total = _start(db, period, own)
    chosen = [*_reported(start, period.end), *own]
    repeats = [*_reported(start, period.end), Incident.duplicate_of_id.is_not(None), *seen]
    facts = aggregated.read(db, _facts(chosen), 3)
    facts = facts[np.argsort(facts[:, 0])]
    steps = _unpacked(aggregated.read(db, _steps(chosen), 4))
    ids = facts[:, 0]
    incident = np.searchsorted(ids, steps[:, 0])
    return Travel(
        ids=ids,
        reported=facts[:, 1],
        spent=facts[:, 2],
        incident=incident,
        at=steps[:, 1],
        state=steps[:, 2],
        team=_carried(incident, steps[:, 3]),
        merged=_count(db, repeats),
        total=total or len(ids),
    )


def _start(db: Session, period: Period, own: Conditions) -> tuple[datetime, int]:
    """Since when no more than MOST were reported, and how many there are in all if that cuts the period; else 0."""
    inside = [*_reported(period.start, period.end), *own]
    last = select(REPORTED).where(*inside).order_by(REPORTED.desc()).offset(MOST).limit(1)
    cut: int | None = db.execute(last).scalar()
    if cut is None:
        return period.start, 0
    return from_micros(int(cut) + 1), _count(db, inside)


def _reported(start: datetime, end: datetime) -> Conditions:
    return [to_micros(start) <= REPORTED, to_micros(end) > REPORTED]


def _count(db: Session, conditions: Conditions) -> int:
    return db.execute(select(func.count()).select_from(Incident).where(*conditions)).scalar_one()


def _facts(chosen: Conditions) -> Select[Any]:
    spent = case((RESOLVED.is_(None), -1), (RESOLVED < REPORTED, 0), else_=RESOLVED - REPORTED)
    return aggregated.of_incidents([micros(Incident.id), REPORTED, spent], REPORTED // _BLOCK).where(*chosen)


def _steps(chosen: Conditions) -> Select[Any]:
    entry = TimelineEntry
    states = case({name: place for place, name in enumerate(STATES)}, value=entry.to_state)
    undone = case((entry.kind == "undo", _UNDO), else_=0)
    team = case(
        (entry.to_team_id.is_not(None), type_coerce(entry.to_team_id, BigInteger)),
        (entry.from_team_id.is_not(None), NOBODY),
        else_=_UNTOLD,
    )
    packed = ((team + 1) * _STATES + states + undone) * _VERSIONS + func.coalesce(entry.version, 0)
    numbers: list[ColumnElement[Any]] = [micros(Incident.id), micros(entry.at), micros(entry.id), packed]
    # A merge that was undone was none; of those that stand, the incident is not here.
    told = [entry.to_state.is_not(None), entry.kind.not_in(("merge", "unmerge"))]
    return (
        aggregated.of_incidents(numbers, REPORTED // _BLOCK)
        .join(entry, entry.incident_id == Incident.id)
        .where(*told, *chosen)
        .with_hint(entry, "INDEXED BY ix_timeline_entry_incident", "sqlite")  # nearly in the order that is wanted
    )


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
