"""Trends, overview: what came in and went out, what waits, how long it took, which promises held, what stands out."""

from collections.abc import Sequence
from typing import Any

from db.queries.measures import measured, tally
from db.queries.report_parts import (
    KIND,
    WHEN,
    Asked,
    counted,
    counts,
    median,
    quantile_panel,
    share,
    share_panel,
)
from db.queries.trends import pair_names, pair_words
from rules import xmr
from rules.measures import FIGURES, NO_TARGET, Filters
from rules.panels import Column, Number, Opens, Panel
from rules.periods import days, weeks

MOST_DAYS_OF_LEVELS = 100
MOST_MOVERS = 8


def view(asked: Asked) -> tuple[list[Number], list[Panel]]:
    """The first screen of a manager's Monday."""
    panels = [flow(asked), backlog(asked), quantile_panel(asked, "to_resolve"), promises(asked)]
    return numbers(asked), [movers(asked), *panels] if asked.period.before else panels


def numbers(asked: Asked) -> list[Number]:
    """What came, went and waits, how long it took, which promises held, and what came back."""
    return [
        counted(asked, "opened"),
        counted(asked, "resolved", "up"),
        counted(asked, "unresolved", "down"),
        median(asked, "to_resolve"),
        share(asked, "resolution_met", "resolution_due", "up", "Fixed in time"),
        share(asked, "reopened", "to_resolve", "down"),
    ]


def flow(asked: Asked) -> Panel:
    """Opened and resolved in each bucket, with the limits that what is opened usually keeps to."""
    came, went = counts(asked, "opened"), counts(asked, "resolved")
    rows, opens = list[dict[str, Any]](), list[Opens | None]()
    for bucket, opened, resolved in zip(asked.buckets, came, went, strict=True):
        for kind, figure, n in (("Opened", "opened", opened), ("Resolved", "resolved", resolved)):
            rows.append({"when": asked.name(bucket), "kind": kind, "n": n})
            opens.append(asked.opens(figure, bucket))
    whole = _whole(asked, came)
    usual = xmr.limits(whole)
    over = f"{len(came)} {asked.step}{'' if len(came) == 1 else 's'}"
    says = f"{sum(came):,} opened and {sum(went):,} resolved over {over}."
    if usual:
        odd = sum(usual.outside(n) for n in whole)
        says += (
            f" A usual {asked.step} brings {usual.low:,.0f} to {usual.high:,.0f}; "
            f"{odd or 'none'} of {len(whole)} {'lies' if odd <= 1 else 'lie'} outside."
        )
    marks: dict[str, Any] = {"low": usual.low, "high": usual.high} if usual else {}
    marks["notes"] = asked.noted(asked.buckets)
    definition = f"Incidents per {asked.step}; the first and last may be cut by the period."
    if usual:
        definition += " Dashed: where what is opened usually lies (mean ± 2.66 × mean moving range)."
    columns = (WHEN, KIND, Column("n", "Incidents", "count"))
    return Panel("flow", "Opened and resolved", definition, says, "pairs", columns, rows, opens, marks=marks)


def _whole(asked: Asked, came: Sequence[int]) -> list[int]:
    """What came in the buckets that show what is usual: not cut by the period, nor begun before the first record."""
    whole = list(zip(asked.buckets, came, strict=True))[1:-1]
    if whole and not whole[0][1]:
        first, _ = measured(asked.db, asked.actor, Filters(), asked.now).view.ends("reported")
        whole = [(bucket, n) for bucket, n in whole if first is not None and bucket.start >= first]
    return [n for _, n in whole]


def backlog(asked: Asked) -> Panel:
    """What was not resolved, at the end of each day or week."""
    start, end = asked.span
    short = (end - start).days <= MOST_DAYS_OF_LEVELS
    fine = (days if short else weeks)(start, end, asked.zone)
    before, *levels = asked.found.levels("unresolved", [start, *(bucket.end for bucket in fine)])
    rows: list[dict[str, Any]] = [
        {"when": asked.name(bucket), "n": n, "words": ""} for bucket, n in zip(fine, levels, strict=True)
    ]
    if rows:
        rows[-1]["words"] = f"{levels[-1]:,}"
    return Panel(
        "backlog",
        "Backlog",
        f"Reported and not yet resolved, closed or cancelled, at the end of each {'day' if short else 'week'}.",
        f"The backlog went from {before:,} to {levels[-1]:,}." if rows else "There is nothing to count.",
        "level",
        (WHEN, Column("n", "Open at its end", "count")),
        rows,
        [asked.opens("unresolved", bucket) for bucket in fine],
        marks={"notes": asked.noted(fine)},
    )


def promises(asked: Asked) -> Panel:
    """Which part of the promises was kept."""
    parts = {
        "Answered": ("response_met", "response_due"),
        "Resolved": ("resolution_met", "resolution_due"),
    }
    definition = f"Answered and resolved by their due times, of what was reported in each {asked.step}."
    return share_panel(asked, "promises", "Promises kept", definition, parts, NO_TARGET)


def movers(asked: Asked) -> Panel:
    """Categories that came more or less often than chance explains, against the period before."""
    before = asked.period.before or asked.span
    now_counts = tally(asked.found.rows("opened", *asked.span), "pair")
    before_counts = tally(asked.found.rows("opened", *before), "pair")
    names = pair_names(asked.db)
    moved = [
        (now_counts.get(pair, 0) - before_counts.get(pair, 0), pair)
        for pair in sorted(now_counts.keys() | before_counts.keys())
        if xmr.beyond_chance(before_counts.get(pair, 0), now_counts.get(pair, 0))
    ]
    moved.sort(key=lambda each: (-abs(each[0]), each[1]))
    rows, opens = list[dict[str, Any]](), list[Opens | None]()
    for change, pair in moved[:MOST_MOVERS]:
        n, was = now_counts.get(pair, 0), before_counts.get(pair, 0)
        name = pair_words(names, pair)
        told = f"{name} · {change:+,} · {was:,} before, {n:,} now"
        rows.append({"name": name, "n": n, "before": was, "change": change, "told": told})
        opens.append(asked.opens("opened", pair_id=pair))
    most = "; ".join(f"{row['name']} {row['change']:+,}" for row in rows[:3])
    return Panel(
        "movers",
        "What stands out",
        "Categories that came more or less often than in the period before, by more than chance explains.",
        f"{most}." if rows else "No category came more or less often than chance explains.",
        "table",
        (
            Column("name", "Category"),
            Column("before", "Before", "count"),
            Column("n", "Now", "count"),
            Column("change", "Change", "change"),
        ),
        rows,
        opens,
        FIGURES["opened"].left_out,
    )
