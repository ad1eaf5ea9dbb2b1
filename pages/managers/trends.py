"""Trends: what changed against the period before, why, and what to look at; every number opens its incidents."""

from datetime import datetime, timedelta

import streamlit as st

from db.engine import reading
from db.queries import report
from pages.parts import address, export, panels, period, session, times, trend_notes, views
from pages.parts.empty import empty
from pages.parts.marks import gray
from rules import trends_address
from rules.panels import Report

VIEWS = {key: title for key, (title, _) in report.VIEWS.items()}
BESIDE = {"managers/process.py": "Process", "managers/forecast.py": "Forecast"}
WIDE = frozenset({"heat", "movers", "on_call"})
"""panels that take the whole width"""


def page() -> None:
    actor = session.require("trends")
    panels.follow()
    now, zone = session.now(), str(times.zone())
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Trends", width="stretch")
        for file, title in BESIDE.items():
            st.page_link(file, label=title)
        leaving = st.empty()
    view = which()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        key = period.chooser("trends")
        chosen = None if key != period.OWN else period.own_days("trends")
        filters = period.filters("trends", period.offered())
        views.picker(actor, "trends", trends_address.NAMES)
        beside = st.empty()
    with reading() as db:
        first, last = report.first_and_last(db, actor)
    if first is None or last is None:
        empty("Nothing has been reported yet.", "Numbers appear with the first incidents.", key="trends.first")
        return
    asked = period.period(key, chosen, now, first)
    with reading() as db:
        found = report.report(db, actor, view, asked, zone, filters, now)
    with beside:
        trend_notes.notes(actor, times.local(found.start).date(), _last(found.end).date())
    with leaving:
        drawn = {each.key: each.title for each in found.panels if each.chart != "table" and each.rows}
        export.popover("/trends", found.zone, drawn)
    st.caption(_said(found))
    if _is_empty(view, found):
        empty(
            "Nothing was reported or resolved in this period.",
            f"The newest incident is from {times.day(last)}. Choose a longer period, or clear the filters.",
            key="trends.nothing",
        )
        return
    draw(found)


def _is_empty(view: str, found: Report) -> bool:
    """True when nothing of the period is counted. A backlog is of before it, too, and load is of people, too."""
    numbers = found.numbers[:2] if view == "overview" else found.numbers
    return view != "load" and not any(number.n for number in numbers)


def which() -> str:
    """The chosen view, kept in the address."""
    key = address.begin("trends", "view", VIEWS, "overview")
    chosen = st.segmented_control(
        "View",
        list(VIEWS),
        format_func=lambda option: gray(VIEWS[option]),
        key=key,
        label_visibility="collapsed",
        required=True,
    )
    address.keep({"view": chosen if chosen != "overview" else None})
    return chosen or "overview"


def _said(found: Report) -> str:
    compared = ""
    if found.compared:
        compared = f" against {_days(*found.compared)}"
    return (
        f"{_days(found.start, found.end)}{compared} · zone {found.zone} · "
        f"as of {times.local(found.as_of):%H:%M} · click a bar or a dot to see its incidents"
    )


def _days(start: datetime, end: datetime) -> str:
    return f"{times.day(start)} to {times.day(_last(end))}"


def _last(end: datetime) -> datetime:
    """The last instant before `end`: a period that ends at midnight does not reach into the next day."""
    return times.local(end - timedelta.resolution)


def draw(found: Report) -> None:
    """Numbers, then panels: two in a row where there is room."""
    panels.numbers(found.numbers, found.zone)
    narrow = [each for each in found.panels if each.key not in WIDE]
    for each in found.panels:
        if each.key == "movers":
            panels.panel(each, f"trends.{each.key}", found.zone)
    with st.grid(2, min_column_width=360, gap="small"):
        for each in narrow:
            panels.panel(each, f"trends.{each.key}", found.zone)
    for each in found.panels:
        if each.key in WIDE and each.key != "movers":
            panels.panel(each, f"trends.{each.key}", found.zone)


page()
