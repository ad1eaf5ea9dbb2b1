"""Trends: what changed, against the period before; every number with its definition."""

from typing import Literal

import streamlit as st

from db.engine import reading
from db.queries import choices, overview
from db.queries.measures import Quantiles
from db.queries.overview import Figures, Overview
from pages.parts import address, charts, session, times
from pages.parts.empty import empty
from pages.parts.marks import gray, priority_words
from rules.measures import Filters
from rules.periods import PRESETS, Bucket, preset
from rules.priority import LABELS, span

MOST_CATEGORIES = 8
FEW_BEFORE = 10
"""A change against fewer than these says nothing in per cent."""


def page() -> None:
    actor = session.require("trends")
    now, zone = session.now(), str(times.zone())
    with reading() as db:
        teams = {team.id: team.name for team in choices.teams(db)}
        categories = choices.categories(db)
        first, last = overview.first_and_last(db, actor)
    st.title("Trends")
    key, filters = toolbar(teams, categories)
    if first is None or last is None:
        empty("Nothing has been reported yet.", "Numbers appear with the first incidents.", key="trends.first")
        return
    period = preset(key, now, zone, first)
    with reading() as db:
        found = overview.overview(db, actor, period, zone, filters, now)
    compared = f" against the {PRESETS[key]} before" if period.before else ""
    st.caption(
        f"{times.day(period.start)} to {times.day(now)}{compared} · times leave out cancelled and duplicates · "
        f"zone {zone} · as of {times.local(now):%H:%M}"
    )
    if not found.now.opened and not found.now.resolved:
        empty(
            "Nothing was reported or resolved in this period.",
            f"The newest incident is from {times.day(last)}. Choose a longer period, or clear the filters.",
            key="trends.nothing",
        )
        return
    numbers(found.now, found.before)
    pictures(found)


def toolbar(teams: dict[int, str], categories: dict[int, str]) -> tuple[str, Filters]:
    """Period and filters, all in the address."""
    period_key = address.begin("trends", "period", PRESETS, "90")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        key = st.segmented_control(
            "Period",
            list(PRESETS),
            format_func=lambda option: gray(PRESETS[option]),
            key=period_key,
            label_visibility="collapsed",
            required=True,
        )
        chosen = address.filters(
            "trends",
            {
                "team": (teams, "All teams"),
                "priority": ({level: priority_words(level) for level in LABELS}, "All priorities"),
                "category": (categories, "All categories"),
            },
        )
    address.keep({"period": key if key != "90" else None})
    return key or "90", Filters(team_id=chosen["team"], priority=chosen["priority"], category_id=chosen["category"])


def numbers(now: Figures, before: Figures | None) -> None:
    """The figures, each with its definition and what it was before."""
    kept, reopened = _share(now.sla), _share(now.reopened)
    kept_before = _share(before.sla) if before else None
    reopened_before = _share(before.reopened) if before else None
    spread_before = before.to_resolve if before else None
    with st.grid("auto", min_column_width=138):
        _metric(
            "Opened",
            f"{now.opened:,}",
            _change(now.opened, before.opened if before else None),
            f"{before.opened:,} before" if before else None,
            "Incidents reported in the period.",
            "off",
        )
        _metric(
            "Resolved",
            f"{now.resolved:,}",
            _change(now.resolved, before.resolved if before else None),
            f"{before.resolved:,} before" if before else None,
            "Incidents whose last resolution lies in the period.",
            "normal",
        )
        _metric(
            "To resolve",
            _hours(now.to_resolve),
            _longer(now.to_resolve, spread_before),
            f"median of {now.to_resolve.n:,}",
            "Last resolved minus reported, in elapsed time, of those resolved in the period. Half took less.",
            "inverse",
        )
        _metric(
            "Fixed in time",
            _percent(kept),
            _points(kept, kept_before),
            f"n {sum(now.sla.values()):,}",
            "Resolved by its due time, of those reported in the period. Running and late counts as missed; running in "
            "time, cancelled, and imported ones without a target are left out.",
            "normal",
        )
        _metric(
            "Reopened",
            _percent(reopened),
            _points(reopened, reopened_before),
            f"{now.reopened['n']:,} of {now.reopened['of']:,}",
            "Reopened at least once, of those resolved in the period.",
            "inverse",
        )


def _metric(
    label: str,
    value: str,
    delta: str | None,
    beside: str | None,
    definition: str,
    colour: Literal["normal", "inverse", "off"],
) -> None:
    st.metric(label, value, delta, delta_color=colour, help=definition, border=True, delta_description=beside)


def _change(now: int, before: int | None) -> str | None:
    if before is None or before < FEW_BEFORE:
        return None
    return f"{(now - before) / before:+.0%}".replace("%", " %")


def _hours(found: Quantiles) -> str:
    return span(found.median * 3600) if found.median is not None else "–"


def _longer(now: Quantiles, before: Quantiles | None) -> str | None:
    if before is None or now.median is None or before.median is None:
        return None
    difference = now.median - before.median
    return f"{'-' if difference < 0 else '+'}{span(abs(difference) * 3600)}"


def _share(counts: dict[str, int]) -> float | None:
    """The first of two counts as a part of their sum (met, breached), or of the second where that is the whole (of)."""
    first, second = counts.values()
    whole = second if "of" in counts else first + second
    return first / whole if whole else None


def _percent(share: float | None) -> str:
    return f"{share:.1%}".replace("%", " %") if share is not None else "–"


def _points(now: float | None, before: float | None) -> str | None:
    if now is None or before is None:
        return None
    return f"{(now - before) * 100:+.1f} pts"


def pictures(found: Overview) -> None:
    """The charts, two in a row where there is room."""
    names = [_name(bucket, found.by_month) for bucket in found.buckets]
    step = "month" if found.by_month else "week"
    left, right = st.columns(2, gap="small")
    with left:
        flow(found, names, step)
        times_to_resolve(found, names, step)
        levels(found)
    with right:
        waiting(found)
        sources(found)
        hours(found)


def _name(bucket: Bucket, by_month: bool) -> str:
    begun = times.local(bucket.start)
    return f"{begun:%b %y}" if by_month else f"{begun.day} {begun:%b}"


def flow(found: Overview, names: list[str], step: str) -> None:
    rows = [
        {"when": name, "kind": kind, "n": n}
        for name, opened, resolved in zip(names, found.opened, found.resolved, strict=True)
        for kind, n in (("Opened", opened), ("Resolved", resolved))
    ]
    charts.figure(
        "Opened and resolved",
        f"Incidents per {step}; the first and last may be cut by the period.",
        charts.pairs_spec,
        rows,
        says=f"{sum(found.opened):,} opened and {sum(found.resolved):,} resolved over {len(names)} {step}s.",
        key="trends.flow",
        columns={"when": step.capitalize(), "kind": "What", "n": "Incidents"},
    )


def waiting(found: Overview) -> None:
    rows = [
        {"when": f"{times.local(bucket.start).day} {times.local(bucket.start):%b}", "n": n, "words": ""}
        for bucket, n in found.levels
    ]
    first, last = (found.levels[0][1], found.levels[-1][1]) if found.levels else (0, 0)
    before = f", {found.before.backlog:,} when the period before ended" if found.before else ""
    if rows:
        rows[-1]["words"] = f"{last:,}"
    charts.figure(
        "Backlog",
        f"Reported and not yet resolved, at each step's end: {last:,} at last{before}.",
        charts.level_spec,
        rows,
        says=f"The backlog went from {first:,} to {last:,}.",
        key="trends.backlog",
        columns={"when": "From", "n": "Open at its end"},
    )


def times_to_resolve(found: Overview, names: list[str], step: str) -> None:
    rows = [
        {"when": name, "kind": kind, "hours": value, "n": spread.n, "few": spread.n < charts.FEW}
        for name, spread in zip(names, found.spread, strict=True)
        for kind, value in (("Median", spread.median), ("90th percentile", spread.p90))
        if value is not None
    ]
    whole = found.now.to_resolve
    charts.figure(
        "Time to resolve",
        f"Last resolved minus reported, elapsed hours, by {step} of resolution. Hollow: fewer than {charts.FEW}.",
        charts.quantiles_spec,
        rows or [{"when": names[0], "kind": "Median", "hours": None, "n": 0, "few": True}],
        says=f"Median {_hours(whole)}, 90th percentile {span((whole.p90 or 0) * 3600)}, n {whole.n:,}.",
        key="trends.spread",
        columns={"when": step.capitalize(), "kind": "What", "hours": "Hours", "n": "n"},
    )


def sources(found: Overview) -> None:
    total = sum(row["n"] for row in found.categories) or 1
    rows, running = [], 0
    for row in found.categories[:MOST_CATEGORIES]:
        running += row["n"]
        name = " › ".join(part for part in (row["category"], row["subcategory"]) if part) or "Not sorted yet"
        rows.append({"name": name, "n": row["n"], "words": f"{row['n']:,} · {running / total:.0%}", "rest": False})
    others = found.categories[MOST_CATEGORIES:]
    if others:
        left = sum(row["n"] for row in others)
        rows.append({"name": f"All others ({len(others)})", "n": left, "words": f"{left:,} · 100%", "rest": True})
    _ranking("Where they come from", "Incidents by category, and the running share.", rows, "trends.categories")


def levels(found: Overview) -> None:
    total = sum(found.priorities.values()) or 1
    rows = [
        {"name": priority_words(level), "n": n, "words": f"{n:,} · {n / total:.0%}", "rest": False}
        for level, n in found.priorities.items()
    ]
    _ranking("How bad they are", "Incidents reported, by present priority.", rows, "trends.priorities")


def _ranking(title: str, definition: str, rows: list[dict[str, object]], key: str) -> None:
    if not rows:
        return
    most = max(int(str(row["n"])) for row in rows)
    charts.figure(
        title,
        definition,
        charts.ranking_spec,
        [row | {"reach": 1.55 * most} for row in rows],
        says=f"Most: {rows[0]['name']} with {rows[0]['words']}.",
        key=key,
        columns={"name": "Name", "n": "Incidents", "words": "Share"},
    )


def hours(found: Overview) -> None:
    rows = [
        {"day": charts.WEEKDAYS[day], "hour": hour, "n": found.heat.get((day, hour), 0)}
        for day in range(7)
        for hour in range(24)
    ]
    busiest = max(found.heat, key=lambda cell: found.heat[cell], default=(0, 0))
    charts.figure(
        "When they come in",
        "Incidents reported, by weekday and hour of your clock.",
        charts.heat_spec,
        rows,
        says=f"Most come on {charts.WEEKDAYS[busiest[0]]} at {busiest[1]:02d}:00.",
        key="trends.heat",
        columns={"day": "Day", "hour": "Hour", "n": "Incidents"},
    )


page()
