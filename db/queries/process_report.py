"""The screen of the process as a report, for what leaves it: every move, way, wait and handover as a table."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from db.queries import process
from db.queries.process import Move, Process, Spread, Variant, Visit
from db.queries.travel import NOBODY
from rules.access import Actor
from rules.measures import Filters
from rules.panels import Column, Number, Panel, Report, incidents, said
from rules.periods import Period
from rules.process import FEW
from rules.states import LABELS, UNDO_WINDOW

SCREEN, PATH = "Process", "/trends-process"
STATES_DRAWN, TEAMS_DRAWN = "Between the states", "Between the teams"
STATES, TEAMS = "In a state", "With a team"
IN_A_STATE = "Time from coming into a state to leaving it."
WITH_A_TEAM = "Time from getting it to handing it on or resolving it; a reopening begins anew."
_MOVES = (
    Column("before", "From"),
    Column("after", "To"),
    Column("n", "Times", "count"),
    Column("incidents", "Incidents", "count"),
    Column("median", "Median, hours", "hours"),
    Column("p90", "90th percentile, hours", "hours"),
)
_BACK = (Column("back", "Sent back", "count"), Column("back_incidents", "Incidents sent back", "count"))
_WAYS = (
    Column("way", "Way"),
    Column("n", "Incidents", "count"),
    Column("share", "Share", "share"),
    Column("resolved", "Resolved", "count"),
    Column("median", "Median, hours", "hours"),
    Column("p90", "90th percentile, hours", "hours"),
)


def report(db: Session, actor: Actor, period: Period, zone: str, filters: Filters, now: datetime) -> Report:
    """What was reported in the period and the ways it took. Forbidden without the right to trends."""
    found = process.seen(db, actor, period, filters)
    names = place_names(db, actor)
    panels = [
        _moves(found.moves, LABELS),
        _ways(found),
        _visits(found.states, LABELS, "states", STATES, "State", IN_A_STATE),
        _visits(found.teams, names, "teams", TEAMS, "Team", WITH_A_TEAM),
        _handovers(found.handovers, names),
    ]
    numbers = _numbers(found)
    view = SCREEN.lower()
    return Report(view, SCREEN, period.start, period.end, zone, filters, now, numbers, panels, screen=SCREEN, path=PATH)


def place_names(db: Session, actor: Actor) -> dict[int, str]:
    """Of every team there was, and of where nobody has it."""
    return process.team_names(db, actor) | {NOBODY: "Nobody, back in triage"}


def pictures(found: Process) -> dict[str, str]:
    """The titles of the panels that have something to draw, by key."""
    some = {
        "moves": (STATES_DRAWN, bool(found.moves)),
        "states": (STATES, any(visit.wait.n for visit in found.states)),
        "teams": (TEAMS, any(visit.wait.n for visit in found.teams)),
        "handovers": (TEAMS_DRAWN, bool(found.handovers)),
    }
    return {key: title for key, (title, drawn) in some.items() if drawn}


def left_out(found: Process) -> str:
    """What is not looked at."""
    minutes = int(UNDO_WINDOW.total_seconds() // 60)
    merged = f"without {found.merged:,} merged into another · " if found.merged else ""
    return f"{merged}what was taken back within {minutes} minutes is no move"


def most_often(moves: Sequence[Move], names: Mapping[Any, str]) -> str:
    """Which move was made most often."""
    if not moves:
        return "No moves."
    most = moves[0]
    words = f"{names[most.before]} to {names[most.after]}, {_times(most.n)}, after a median of {_median(most.wait)}"
    return f"The most frequent of {len(moves)} moves: {words}."


def _times(n: int) -> str:
    return "once" if n == 1 else f"{n:,} times"


def _median(spread: Spread) -> str:
    return said("hours", _hours(spread.median))


def _hours(seconds: float | None) -> float | None:
    return None if seconds is None else seconds / 3600


def _numbers(found: Process) -> list[Number]:
    def number(key: str, title: str, value: int, definition: str, of: str) -> Number:
        return Number(key, title, "count", value, found.incidents, definition, of)

    newest = ""
    if found.total > found.incidents:
        newest = f" Only the newest {found.incidents:,} of {found.total:,} are looked at."
    return [
        number(
            "reported", "Reported", found.incidents, f"Reported in the period.{newest}", f"Left out: {left_out(found)}."
        ),
        number("under_way", "Under way", found.under_way, "Work is still due on them.", ""),
        number("handed_over", "Handed over", found.handed_over, "Went from one team to another.", ""),
        number("came_back", "Came back", found.came_back, "Came back to a team that had them before.", ""),
    ]


def _move(move: Move, names: Mapping[Any, str]) -> dict[str, Any]:
    before, after = names[move.before], names[move.after]
    return {
        "name": f"{before} to {after}",
        "words": f"{move.n:,} · {_median(move.wait)}",
        "before": before,
        "after": after,
        "n": move.n,
        "incidents": move.incidents,
        "median": _hours(move.wait.median),
        "p90": _hours(move.wait.p90),
        "back": move.back,
        "back_incidents": move.back_incidents,
    }


def _moves(moves: Sequence[Move], names: Mapping[Any, str]) -> Panel:
    return Panel(
        "moves",
        STATES_DRAWN,
        "How often incidents went from one state to another, and the median time they had waited before it.",
        most_often(moves, names),
        "ranking",
        _MOVES,
        [_move(move, names) for move in moves],
    )


def _handovers(moves: Sequence[Move], names: Mapping[Any, str]) -> Panel:
    return Panel(
        "handovers",
        TEAMS_DRAWN,
        "How often a team handed incidents on, how long it had had them, and how many came back to a team that had "
        "them before.",
        most_often(moves, names),
        "flows",
        (*_MOVES, *_BACK),
        [row | {"words": f"{row['words']}{_came_back(row['back'])}"} for row in (_move(move, names) for move in moves)],
    )


def _came_back(back: int) -> str:
    return f" · {back:,} back" if back else ""


def _ways(found: Process) -> Panel:
    whole = sum(variant.n for variant in found.variants)
    most = found.variants[0] if found.variants else None
    says = "None has come to an end yet."
    if most is not None:
        says = f"The most common of {len(found.variants):,} ways was taken by {incidents(most.n)} of {whole:,}."
    return Panel(
        "ways",
        "Ways to the end",
        "The states up to the last resolution or cancellation; the times are from report to resolution.",
        says,
        "table",
        _WAYS,
        [_way(variant, whole) for variant in found.variants],
        left_out=f"{found.under_way:,} still under way.",
    )


def _way(variant: Variant, whole: int) -> dict[str, Any]:
    return {
        "way": " → ".join(LABELS[state] for state in variant.path),
        "n": variant.n,
        "share": variant.n / whole,
        "resolved": variant.spent.n,
        "median": _hours(variant.spent.median),
        "p90": _hours(variant.spent.p90),
    }


def _visits(
    visits: Sequence[Visit], names: Mapping[Any, str], key: str, title: str, place: str, definition: str
) -> Panel:
    columns = (
        Column("name", place),
        Column("incidents", "Incidents", "count"),
        Column("ended", "Stays that ended", "count"),
        Column("median", "Median, hours", "hours"),
        Column("p90", "90th percentile, hours", "hours"),
        Column("there", "There now", "count"),
    )
    rows = [
        {
            "name": names[visit.place],
            "incidents": visit.incidents,
            "ended": visit.wait.n,
            "median": _hours(visit.wait.median),
            "p90": _hours(visit.wait.p90),
            "there": visit.there,
            "few": visit.wait.n < FEW,
        }
        for visit in visits
    ]
    longest = max(visits, key=lambda visit: visit.wait.median or 0.0, default=None)
    return Panel(
        key,
        title,
        f"{definition} Hollow: fewer than {FEW}.",
        longest_of(longest, names) if longest is not None and longest.wait.n else "None has left yet.",
        "waits",
        columns,
        rows,
        left_out="Stays that have not ended are left out of the times.",
    )


def longest_of(visit: Visit, names: Mapping[Any, str]) -> str:
    """Where they stay longest."""
    return f"The longest median: {names[visit.place]} with {_median(visit.wait)}."
