"""Histories for tests of the process view: steps put straight on timelines, and the same figures by other means."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Engine, insert, update

from db.engine import writing
from db.models import Incident, Team, TimelineEntry

OPEN = ["new", "assigned", "in_progress", "on_hold"]
ENDED = ["resolved", "recovered", "closed"]


@dataclass(frozen=True)
class Step:
    """What an entry says: when, the state it led to, and the team before and after it."""

    at: datetime
    state: str
    team: int | None = None
    former: int | None = None
    kind: str = "change"
    version: int = 1


def put(engine: Engine, histories: list[list[Step]], first_id: int = 1, **more: Any) -> None:
    """An incident for each history, reported with its first step; the incident's ids begin with `first_id`."""
    with writing(engine) as db:
        if db.get(Team, 1) is None:
            db.add_all(Team(id=number, name=f"Team {number}", tier="2") for number in range(1, 5))
            db.flush()
        for id_, steps in enumerate(histories, first_id):
            resolved = [step.at for step in steps if step.state == "resolved"]
            values = {
                "id": id_,
                "number": f"T{id_}",
                "title": "t",
                "state": steps[-1].state,
                "reported_at": steps[0].at,
                "changed_at": steps[-1].at,
                "rank_at": steps[0].at,
                "resolved_at": resolved[-1] if resolved and steps[-1].state in ENDED else None,
            }
            db.execute(insert(Incident.__table__), [values | more])
            db.execute(insert(TimelineEntry.__table__), [_entry(id_, step) for step in steps])


def go_on(engine: Engine, id_: int, step: Step) -> None:
    """One more step of an incident that is there."""
    with writing(engine) as db:
        db.execute(update(Incident).where(Incident.id == id_).values(state=step.state))
        db.execute(insert(TimelineEntry.__table__), [_entry(id_, step)])


def _entry(id_: int, step: Step) -> dict[str, Any]:
    return {
        "incident_id": id_,
        "at": step.at,
        "recorded_at": step.at,
        "kind": step.kind,
        "text": "t",
        "to_state": step.state,
        "from_team_id": step.former,
        "to_team_id": step.team,
        "version": step.version,
    }


def log_of(histories: list[list[Step]]) -> pd.DataFrame:
    """The steps as a log: a row each, in the order they were written."""
    rows = [
        {"incident": number, "at": step.at, "state": step.state, "team": step.team}
        for number, steps in enumerate(histories)
        for step in steps
    ]
    return pd.DataFrame(rows, columns=["incident", "at", "state", "team"])


def quantiles(seconds: list[float]) -> tuple[int, float | None, float | None]:
    if not seconds:
        return 0, None, None
    return len(seconds), float(np.quantile(seconds, 0.5)), float(np.quantile(seconds, 0.9))


def by_other_means(log: pd.DataFrame) -> dict[str, Any]:
    """Every figure of the process view from a log with the columns incident, at, state and team (None: not told)."""
    moves, visits, there = defaultdict(list), defaultdict(list), Counter()
    handovers, teams, held = defaultdict(list), defaultdict(list), Counter()
    variants: Counter[tuple[str, ...]] = Counter()
    handed, back = set(), set()
    returns: Counter[tuple[Any, Any]] = Counter()
    log = log.assign(order=range(len(log))).sort_values(["incident", "at", "order"])
    for incident, steps in log.groupby("incident", sort=False):
        rows = list(zip(steps["at"], steps["state"], steps["team"].ffill(), strict=True))
        path = [rows[0]] + [row for before, row in pairwise(rows) if row[1] != before[1]]
        for (at, state, _), (then, after, _) in pairwise(path):
            seconds = (then - at).total_seconds()
            moves[state, after].append(seconds)
            visits[state].append(seconds)
        there[path[-1][1]] += 1
        way = [state for _, state, _ in path]
        if way[-1] not in OPEN:
            while len(way) > 1 and way[-1] in ENDED and way[-2] in ENDED:
                way.pop()
            variants[tuple(way)] += 1
        owner, since, had = None, None, []
        holder, begun = None, None
        for at, state, team in rows:
            team = None if team is None or pd.isna(team) else team
            if team is not None and team != owner:
                if owner is not None:
                    handovers[owner, team].append((at - since).total_seconds())
                    handed.add(incident)
                    if team in had:
                        returns[owner, team] += 1
                        back.add(incident)
                had.append(team)
                owner, since = team, at
            now = team if state in OPEN else None
            if now != holder:
                if holder is not None:
                    teams[holder].append((at - begun).total_seconds())
                holder, begun = now, at
        if holder is not None:
            held[holder] += 1
    return {
        "moves": {pair: quantiles(seconds) for pair, seconds in moves.items()},
        "states": {state: (quantiles(visits[state]), there[state]) for state in {*visits, *there}},
        "variants": dict(variants),
        "handovers": {pair: (quantiles(seconds), returns[pair]) for pair, seconds in handovers.items()},
        "teams": {team: (quantiles(teams[team]), held[team]) for team in {*teams, *held}},
        "handed_over": len(handed),
        "came_back": len(back),
    }
