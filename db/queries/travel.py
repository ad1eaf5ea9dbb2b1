"""The steps that the incidents of a period took: which state and which team had each of them, since when."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import Incident
from db.queries import walked
from db.queries.aggregated import Column
from db.queries.columns import Rows
from db.queries.facts import MISSING
from db.queries.measures import measured
from db.queries.steps import NOBODY as NOBODY
from rules import access
from rules.access import Actor
from rules.measures import Filters
from rules.periods import Period

MOST = 1_000_000
"""The newest incidents of the period that are looked at: a process has no memory for more."""


@dataclass(frozen=True)
class Travel:
    """Incidents and their steps. Instants and lengths are microseconds; steps are in order within each incident."""

    ids: Column
    """of the incidents"""
    reported: Column
    spent: Column
    """last resolved minus reported; -1 where it is not resolved"""
    incident: NDArray[np.int32]
    """of each step: the place of its incident in `ids`, ascending"""
    at: Column
    state: NDArray[np.uint8]
    """of each step: the state it led to, as a place in rules.states.STATES"""
    team: NDArray[np.int32]
    """of each step: the team that had it then; NOBODY before one is known"""
    merged: int
    """left out: those merged into another"""
    total: int
    """incidents of the period, of which the newest MOST are here"""


def reported(db: Session, actor: Actor, period: Period, filters: Filters) -> Rows:
    """What was reported in the period. Forbidden without the right to trends."""
    access.check(actor, "trends")
    return measured(db, actor, filters, period.end).rows("opened", period.start, period.end)


def read(db: Session, actor: Actor, period: Period, filters: Filters) -> Travel:
    """The steps of what was reported in the period. Forbidden without the right to trends."""
    return taken(db, reported(db, actor, period, filters))


def taken(db: Session, rows: Rows) -> Travel:
    """The steps of these incidents, without those that were merged into another."""
    repeats = list(db.scalars(select(Incident.id).where(Incident.duplicate_of_id.is_not(None))))
    own = np.flatnonzero(~np.isin(rows["id"], np.array(repeats, np.int64)))
    newest = own if len(own) <= MOST else own[np.argpartition(rows["reported"][own], -MOST)[-MOST:]]
    chosen = newest[np.argsort(rows["id"][newest])]
    ids = rows["id"][chosen]
    steps = walked.read(db, ids)
    chosen = chosen[np.searchsorted(ids, steps.ids)]
    came, resolved = rows["reported"][chosen], rows["resolved"][chosen]
    return Travel(
        ids=steps.ids,
        reported=came,
        spent=np.where(resolved == MISSING, -1, np.maximum(resolved - came, 0)),
        incident=np.repeat(np.arange(len(steps.ids), dtype=np.int32), steps.counts),
        at=steps.at,
        state=steps.state,
        team=steps.team,
        merged=len(rows) - len(own),
        total=len(own),
    )
