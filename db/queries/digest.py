"""The weekly digest: the numbers of one week, what of them is more than noise, and what asks for attention."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from db.models import to_micros
from db.queries import digest_lists, report_causes, report_flow
from db.queries.columns import Rows
from db.queries.facts import MISSING
from db.queries.measures import bucketed, measured
from db.queries.report import first_and_last
from db.queries.report_parts import Asked, counts, spreads
from db.queries.trends import EVERYTHING, pair_names, pair_words
from rules import access
from rules import digest as rules
from rules.access import Actor
from rules.digest import Series, Usual
from rules.measures import FIGURES, LEVELS
from rules.panels import Column, Number, Opens, Panel, Report
from rules.periods import Bucket, Period
from rules.report_words import DIGEST

TITLE = "Weekly digest"
_MOVES = {"opened": "opened", "resolved": "resolved", "unresolved": "unresolved", "reopened_share": "reopened"}
"""number -> the figure whose categories say where a change comes from"""
_MISSED = "resolution_met_share"
_WHERE = {1: "above", -1: "below", 0: "usual"}
_BEGINNING = datetime.min.replace(tzinfo=UTC)


def digest(db: Session, actor: Actor, week: Bucket, zone: str, now: datetime) -> Report:
    """The digest of a week (see rules.digest.week), as of now. Forbidden without the right to trends."""
    access.check(actor, "trends")
    found = measured(db, actor, EVERYTHING, now)
    first, _ = first_and_last(db, actor)
    earlier = rules.before(week, zone, first)
    last = earlier[-1] if earlier else None
    period = Period(week.start, week.end, (last.start, last.end) if last else None)
    asked = Asked.of(db, found, actor, period, zone, EVERYTHING, now)
    weeks = [*earlier, week]
    whole = Period(weeks[0].start, week.end, None)
    long = replace(asked, period=whole, buckets=weeks, step="week")
    numbers = report_flow.numbers(asked)
    services = digest_lists.service_names(db)
    panels = [
        changes(long, numbers),
        digest_lists.breaches(db, actor, week, now),
        report_causes.repeats(asked, services),
        digest_lists.overdue_actions(db, actor, now),
        digest_lists.load(db, actor, week, now),
    ]
    span = (week.start, week.end, zone, EVERYTHING, now)
    return Report(DIGEST, TITLE, *span, numbers, panels, period.before, screen=TITLE, path="/digest")


def changes(long: Asked, numbers: Sequence[Number]) -> Panel:
    """Which of the numbers of the last week lie beyond what is usual, and what moved them."""
    by_key = {number.key: number for number in numbers}
    told, rows, opens = list[str](), list[dict[str, Any]](), list[Opens | None]()
    for series in all_series(long, by_key):
        found = rules.usual(series)
        unusual = found is not None and found.side != 0
        if found is not None and unusual:
            told.append(f"{found.sentence} {_moved(long, found)}".strip())
        rows.append(
            {
                "title": series.title,
                "now": by_key[series.key].value,
                "low": float(found.low) if found is not None else None,
                "high": float(found.high) if found is not None else None,
                "unit": series.kind,
                "where": _WHERE[found.side] if found is not None else "too few cases",
                "says": told[-1] if unusual else "",
            }
        )
        opens.append(series.opens)
    return Panel(
        "changes",
        "What changed beyond noise",
        f"Usual is the mean of the whole weeks before (at least {rules.ENOUGH}, at most {rules.WEEKS}) ± 2.66 × their "
        "mean moving range. Shares and medians count from 20 cases on.",
        rules.conclusion(told, len(long.buckets) - 1),
        "table",
        (
            Column("title", "What"),
            Column("now", "This week", "measure"),
            Column("low", "Usual from", "measure"),
            Column("high", "Usual to", "measure"),
            Column("where", "Where it is"),
        ),
        rows if len(long.buckets) > rules.ENOUGH else [],
        opens if len(long.buckets) > rules.ENOUGH else [],
        "Weeks that began before the first record.",
    )


def all_series(long: Asked, numbers: Mapping[str, Number]) -> list[Series]:
    """Every number of the digest as a value of each week."""
    weeks = long.buckets
    spread = spreads(long.found, "to_resolve", weeks)
    values: dict[str, tuple[Sequence[float | None], Sequence[int]]] = {
        "to_resolve": ([each.median for each in spread], [each.n for each in spread])
    }
    for figure in ("opened", "resolved"):
        values[figure] = _counts(counts(long, figure))
    values["unresolved"] = _counts(long.found.levels("unresolved", [week.end for week in weeks]))
    for figure, whole in (("resolution_met", "resolution_due"), ("reopened", "to_resolve")):
        part, of = counts(long, figure), counts(long, whole)
        values[f"{figure}_share"] = ([n / all_ if all_ else None for n, all_ in zip(part, of, strict=True)], of)
    return [
        Series(key, number.title, number.kind, *values[key], number.better, number.opens)
        for key, number in numbers.items()
        if key in values and number.opens is not None
    ]


def _counts(found: Sequence[int]) -> tuple[list[float | None], list[int]]:
    return [float(n) for n in found], list(found)


def _moved(long: Asked, found: Usual) -> str:
    """Which category moved it; empty where categories cannot say."""
    key = found.series.key
    if key == _MISSED and found.side < 0:
        return rules.part(_by_pair(long, "resolution_missed"), 1, 0.0, "Missed more than usual")
    if key not in _MOVES:
        return ""
    by_name = _by_pair(long, _MOVES[key])
    whole = sum(now - mean for now, mean in by_name.values())
    return rules.part(by_name, found.side, whole)


def _by_pair(long: Asked, figure: str) -> dict[str, tuple[float, float]]:
    """Category in words -> (how many in the last week, mean of the weeks before)."""
    names, weeks = pair_names(long.db), long.buckets
    if figure in LEVELS:
        came = long.found.view.between("reported", _BEGINNING, weeks[-1].end)
        went = came[LEVELS[figure]]
        left = came.where((went != MISSING) & (went < to_micros(weeks[-1].end)))
        table = np.cumsum(_table(came, "reported", weeks), axis=1)
        gone = np.cumsum(_table(left, LEVELS[figure], weeks), axis=1)
        table[: len(gone)] -= gone
    else:
        rows = long.found.rows(figure, *long.span)
        table = _table(rows, FIGURES[figure].moment, weeks)
    known = np.flatnonzero(table.any(axis=1))
    return {pair_words(names, int(pair)): (float(table[pair, -1]), float(table[pair, :-1].mean())) for pair in known}


def _table(rows: Rows, moment: str, weeks: Sequence[Bucket]) -> NDArray[np.int64]:
    """Pair x week -> how many; what lies before the first week is counted in it. None lies after the last."""
    pairs = rows["pair"].astype(np.int64)
    height = int(pairs.max(initial=0)) + 1
    cells = np.bincount(pairs * len(weeks) + bucketed(rows, moment, weeks), minlength=height * len(weeks))
    return cells.reshape(height, len(weeks))
