"""A report on the screen, as it was computed or kept: numbers, then panels. The digest says first what is not usual."""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import streamlit as st

from pages.parts import address, panels, rows
from pages.parts.texts import literal
from rules.panels import Opens, Panel, Report, said
from rules.report_words import DIGEST, cell

WIDE = frozenset({"heat", "movers", "on_call", "load"})
"""panels that take the whole width"""


def draw(report: Report, key: str) -> None:
    """Everything that it says. `key` tells its widgets from those of others."""
    if report.view == DIGEST:
        _digest(report, key)
        return
    panels.numbers(report.numbers, report.zone)
    with st.grid(2, min_column_width=360, gap="small"):
        for panel in report.panels:
            if panel.key not in WIDE:
                panels.panel(panel, f"{key}.{panel.key}", report.zone)
    for panel in report.panels:
        if panel.key in WIDE:
            panels.panel(panel, f"{key}.{panel.key}", report.zone)


def _digest(report: Report, key: str) -> None:
    known = {panel.key: panel for panel in report.panels}
    if "changes" in known:
        changes(known["changes"], key, report.zone)
    panels.numbers(report.numbers, report.zone)
    with st.grid(2, min_column_width=360, gap="small"):
        if "breaches" in known:
            breaches(known["breaches"], key)
        if "overdue_actions" in known:
            overdue(known["overdue_actions"], key)
        for panel in report.panels:
            if panel.key not in ("changes", "breaches", "overdue_actions", *WIDE):
                panels.panel(panel, f"{key}.{panel.key}", report.zone)
    if "load" in known:
        load(known["load"])


def load(panel: Panel) -> None:
    """Who was on call how long; first, who carries more than their share."""
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"**{literal(panel.title)}**")
        st.caption(literal(panel.definition), help=panel.left_out)
        st.markdown(literal(panel.says))
        if panel.rows:
            heads = {column.field: column.heading for column in panel.columns}
            told = [{heads[each.field]: cell(row, each) for each in panel.columns} for row in panel.rows]
            st.dataframe(pd.DataFrame(told), hide_index=True, alt=f"{panel.title}: {panel.says}")


def changes(panel: Panel, key: str, zone: str) -> None:
    """What is not usual, a sentence each with its incidents; beside it what is usual of every number."""
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.header(panel.title, anchor=False, width="stretch")
            table = None
            if panel.rows:
                table = st.popover("What is usual", type="tertiary", on_change="rerun", key=f"{key}.usual")
        st.caption(literal(panel.definition), help=panel.left_out)
        unusual = [(row, opens) for row, opens in zip(panel.rows, panel.opens, strict=True) if row["says"]]
        for row, opens in unusual:
            _told(row, opens, zone)
        if not unusual:
            st.markdown(literal(panel.says))
        if table is not None and table.open:
            with table:
                st.dataframe(_usual(panel), hide_index=True, alt=f"{panel.title}: {panel.says}")


def _told(row: Mapping[str, Any], opens: Opens | None, zone: str) -> None:
    head, _, rest = str(row["says"]).partition(":")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        icon = "arrow_upward" if row["where"] == "above" else "arrow_downward"
        st.markdown(f":material/{icon}: **{literal(head)}**: {literal(rest)}", width="stretch")
        if opens is not None:
            st.page_link(
                panels.FIGURE,
                label="Show",
                icon=":material/arrow_forward:",
                icon_position="right",
                query_params=panels.address(opens, zone),
                help=f"Show what {head.lower()} counts",
            )


def _usual(panel: Panel) -> pd.DataFrame:
    """Narrow enough for a phone: from and to in one column. Reports that were kept earlier have it so in their rows."""
    known = {column.field: column for column in panel.columns}

    def cells(row: Mapping[str, Any]) -> dict[str, str]:
        told = {column.heading: column.told(row) for field, column in known.items() if field not in ("low", "high")}
        if "low" in known:
            ends = dict.fromkeys(known[field].told(row) for field in ("low", "high"))
            told = {"What": told.pop("What"), "This week": told.pop("This week"), "Usual": " to ".join(ends), **told}
        return told

    return pd.DataFrame([cells(row) for row in panel.rows])


def breaches(panel: Panel, key: str) -> None:
    """The incidents whose targets were missed by most; each leads to its room."""

    def told(row: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "priority": int(row["priority"][1:]) if row["priority"][1:] else None,
            "explanation": f"{said('hours', row['late'])} late, {row['stands']}",
            "meta": [row["number"], row["team"]],
        }

    _incidents(panel, f"{key}.breaches", told)


def overdue(panel: Panel, key: str) -> None:
    """Actions whose day is over; each leads to the incident that it follows from."""
    columns = {column.field: column for column in panel.columns}

    def told(row: Mapping[str, Any]) -> dict[str, Any]:
        return {"explanation": f"{row['owner']}, due {columns['due'].told(row)}", "meta": [row["number"]]}

    _incidents(panel, f"{key}.overdue", told)


def _incidents(panel: Panel, key: str, told: Callable[[Mapping[str, Any]], dict[str, Any]]) -> None:
    """A card with a row for each of the panel, of which several may be about one incident."""
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"**{literal(panel.title)}**")
        st.caption(literal(panel.definition), help=panel.left_out)
        if not panel.rows:
            st.markdown(f":gray[{literal(panel.says)}]")
            return
        items = [
            {"id": str(place), "reference": None, "title": row["title"], **told(row)}
            for place, row in enumerate(panel.rows)
        ]
        event = rows.rows(items, key=key, label=panel.title)
        if event is not None:
            number = panel.rows[int(event.id)]["number"]
            address.lead("responders/incident.py", {"number": number})
