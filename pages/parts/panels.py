"""Numbers and panels of trends on the screen: each with its definition, its table, and a way to its incidents."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from pages.parts import charts
from pages.parts.address import lead
from pages.parts.texts import literal
from rules.panels import Number, Opens, Panel

FIGURE = "managers/figure.py"
FORMS = {"csv": "CSV, for any spreadsheet", "xlsx": "XLSX, for Excel and LibreOffice"}
"""of files to export: ending -> words"""
_GO = "panels.go"
_WIDTH = 132
_IN_A_ROW = {8: 4}
"""how many numbers there are -> how many of them stand in a row, where there is room"""
_RANKING_REACH = 1.8
"""How far the scale goes beyond the longest bar, for its words."""
_NOTE_LINES = 3
_NOTE_REACH = 0.4
"""of the time axis, that the words of a note take on a phone"""
_SPECS = {
    "pairs": charts.pairs_spec,
    "level": charts.level_spec,
    "quantiles": charts.quantiles_spec,
    "shares": charts.shares_spec,
    "ranking": charts.ranking_spec,
    "heat": charts.heat_spec,
}


def follow() -> None:
    """Lead on to the incidents of a mark that was clicked; call it before anything is drawn."""
    opens, zone = st.session_state.pop(_GO, (None, ""))
    if opens is not None:
        lead(FIGURE, address(opens, zone))


def address(opens: Opens, zone: str) -> dict[str, str]:
    """Of the incidents, on the clock of the numbers; the way back leads to the view as it stands."""
    view = urlencode(st.query_params.to_dict())
    return opens.address() | {"zone": zone} | ({"trends": view} if view else {})


def numbers(shown: Sequence[Number], zone: str) -> None:
    """Cards with the value, the change against the period before, and a link to what is counted.

    `zone`: on whose clock it was, whoever follows the link.
    """
    with st.grid(_IN_A_ROW.get(len(shown), "auto"), min_column_width=_WIDTH):
        for number in shown:
            with st.container(border=True, gap="xsmall", height="stretch"):
                # A metric cuts its own title and what stands beside its change.
                st.markdown(number.title, help=f"{number.definition} {number.left_out}")
                st.metric(
                    number.title,
                    # Hours and minutes together are as wide as two cards beside each other on a phone let them be.
                    number.words.replace(" min", " m") if " h " in number.words else number.words,
                    number.change,
                    delta_color="off" if number.better is None else "normal" if number.better == "up" else "inverse",
                    label_visibility="collapsed",
                )
                if beside := _beside(number):
                    st.caption(beside)
                if number.opens is not None and number.cases:
                    _link(f"Show {number.cases:,}", number.opens, zone)


def _beside(number: Number) -> str:
    if number.kind != "count":
        return f"n {number.n:,}"
    return f"{number.before:,.0f} before" if number.before is not None else ""


def _link(words: str, opens: Opens, zone: str) -> None:
    st.page_link(
        FIGURE,
        label=words,
        icon=":material/arrow_forward:",
        icon_position="right",
        query_params=address(opens, zone),
    )


def panel(shown: Panel, key: str, zone: str) -> None:
    """A card with a chart or a list; `zone` as of numbers()."""
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{literal(shown.title)}**", width="stretch")
            table = st.popover("Table", type="tertiary", on_change="rerun", key=f"{key}.table") if shown.rows else None
        st.caption(literal(shown.definition), help=shown.left_out)
        if not shown.rows:
            st.markdown(f":gray[{literal(shown.says)}]")
        elif shown.chart == "table":
            _list(shown, zone)
        else:
            st.vega_lite_chart(
                pd.DataFrame(_data(shown)),
                _SPECS[shown.chart](),
                theme="streamlit",
                key=key,
                alt=f"{shown.title}: {shown.says}",
                on_select=lambda: _clicked(shown, key, zone),
                selection_mode="pick",
            )
        if table is not None and table.open:
            with table:
                _table(shown, key, zone)


def _data(shown: Panel) -> list[dict[str, Any]]:
    rows = [{**row, "at": at} for at, row in enumerate(shown.rows)]
    if shown.chart == "ranking":
        most = max((float(row["n"]) for row in shown.rows), default=0)
        return [row | {"reach": _RANKING_REACH * most} for row in rows]
    beside = [{"limit": shown.marks[name]} for name in ("low", "high") if name in shown.marks]
    return rows + beside + noted(shown)


def noted(shown: Panel) -> list[dict[str, Any]]:
    """What people wrote on the time axis, each with its `line` of those above each other where its words have room.

    Words that have none are told by their mark. Towards the end they stand `before` it: beyond the axis, a chart would
    become narrow for them.
    """
    order = {when: at for at, when in enumerate(dict.fromkeys(row.get("when") for row in shown.rows))}
    taken: list[list[tuple[float, float]]] = [[] for _ in range(_NOTE_LINES)]
    placed = []
    for note in reversed(shown.marks.get("notes", ())):  # the newest first, so that they have room
        at = order.get(note["when"], 0) / max(1, len(order))
        before = at > 1 - _NOTE_REACH
        first, last = (at - _NOTE_REACH, at) if before else (at, at + _NOTE_REACH)
        free = (line for line, spans in enumerate(taken) if all(last <= start or first >= end for start, end in spans))
        line = next(free, None)
        if line is not None:
            taken[line].append((first, last))
        placed.append({**note, "line": line, "before": before})
    return placed


def _clicked(shown: Panel, key: str, zone: str) -> None:
    """Remember what the clicked mark counts; the next run goes there."""
    picked = st.session_state[key]["selection"].get("pick") or []
    at = picked[0].get("at") if picked else None
    if isinstance(at, int) and 0 <= at < len(shown.opens):
        st.session_state[_GO] = (shown.opens[at], zone)


def _list(shown: Panel, zone: str) -> None:
    """A row each, as links to the incidents where they count some."""
    if not shown.opens:
        st.dataframe(_frame(shown), hide_index=True, alt=f"{shown.title}: {shown.says}")
        return
    for row, opens in zip(shown.rows, shown.opens, strict=True):
        words = literal(_sentence(shown, row))
        if opens is None:
            st.markdown(words)
        else:
            _link(words, opens, zone)


def _sentence(shown: Panel, row: Mapping[str, Any]) -> str:
    """A row in words: its own, else its columns."""
    if "told" in row:
        return str(row["told"])
    named = [str(row[column.field]) for column in shown.columns if column.kind == "words" and column.heading]
    counted = [f"{column.told(row)} {column.heading.lower()}" for column in shown.columns if column.kind != "words"]
    return f"{' · '.join(named)} · {', '.join(counted)}"


def _table(shown: Panel, key: str, zone: str) -> None:
    st.dataframe(_frame(shown), hide_index=True, alt=f"{shown.title}: {shown.says}")
    if not any(shown.opens):
        return
    named = {
        at: " · ".join(str(row[column.field]) for column in shown.columns[:2])
        for at, row in enumerate(shown.rows)
        if shown.opens[at] is not None
    }
    chosen = st.selectbox(
        "Show the incidents of", list(named), None, format_func=lambda at: named[at], key=f"{key}.choose"
    )
    opens = shown.opens[chosen] if chosen is not None else None
    if opens is not None:
        _link("Show them", opens, zone)


def _frame(shown: Panel) -> pd.DataFrame:
    known = [column for column in shown.columns if column.heading]
    return pd.DataFrame([{column.heading: column.told(row) for column in known} for row in shown.rows])
