"""Charts: data in, drawing out. Each specification is built once per process; a run only swaps its data."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from pages.parts.texts import literal

HEIGHT = 240
HEAT_HEIGHT = 220
FEW = 20
"""Below this a quantile is drawn hollow: it says little."""
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_INK = "currentColor"
_AXIS: dict[str, Any] = {
    "domain": False,
    "ticks": False,
    "labelPadding": 6,
    "labelColor": _INK,
    "labelOpacity": 0.75,
    "title": None,
    "gridOpacity": 0.6,
}
_LEGEND: dict[str, Any] = {"orient": "top", "title": None, "labelFontSize": 12.5, "labelColor": _INK, "symbolSize": 80}
_QUIET = {**_AXIS, "grid": False}

Rows = Sequence[Mapping[str, Any]]


def _x(field: str = "when") -> alt.X:
    axis = alt.Axis(**_QUIET, labelAngle=0, labelOverlap="greedy")
    return alt.X(f"{field}:O", sort=None, axis=axis)


def _y(field: str = "n", **scale: Any) -> alt.Y:
    return alt.Y(f"{field}:Q", axis=alt.Axis(**_AXIS, tickCount=4), scale=alt.Scale(zero=True, **scale))


def _done(chart: alt.Chart | alt.LayerChart | alt.FacetChart, height: int = HEIGHT) -> dict[str, Any]:
    spec = chart.properties(height=height, width="container").configure_view(strokeWidth=0).to_dict()
    spec.pop("datasets", None)
    spec.pop("data", None)
    return dict(spec)


def _base() -> alt.Chart:
    return alt.Chart(alt.NamedData(name="rows"))


@lru_cache
def pairs_spec() -> dict[str, Any]:
    """Two bars per bucket: what was done, in the accent, beside what came in, in slate."""
    bars = _base().mark_bar(cornerRadiusEnd=2)
    order = ["Resolved", "Opened"]
    return _done(
        bars.encode(
            x=_x(),
            xOffset=alt.XOffset("kind:N", sort=order[::-1]),
            y=_y(),
            color=alt.Color("kind:N", sort=order, scale=alt.Scale(domain=order), legend=alt.Legend(**_LEGEND)),
            tooltip=["when:O", "kind:N", "n:Q"],
        )
    )


@lru_cache
def level_spec() -> dict[str, Any]:
    """A level over time; the row with `words` says where it stands."""
    line = _base().encode(x=_x(), y=_y(), tooltip=["when:O", "n:Q"])
    end = line.mark_text(align="right", dy=-10, fontSize=13, fontWeight=600, color=_INK).encode(text="words:N")
    return _done(line.mark_area(opacity=0.15) + line.mark_line(strokeWidth=2) + end)


@lru_cache
def quantiles_spec() -> dict[str, Any]:
    """Median over the 90th percentile, in hours; few cases are hollow."""
    tips = ["when:O", "kind:N", alt.Tooltip("hours:Q", format=",.1f"), "n:Q"]
    order = ["Median", "90th percentile"]
    colour = alt.Color("kind:N", sort=order, scale=alt.Scale(domain=order), legend=alt.Legend(**_LEGEND))
    base = _base()
    median = base.transform_filter("datum.kind == 'Median'").mark_line(strokeWidth=2.5)
    high = base.transform_filter("datum.kind != 'Median'").mark_line(strokeWidth=2, strokeDash=[5, 4])
    dots = base.mark_point(filled=True, size=40, opacity=1)
    shape = alt.FillOpacity("few:N", scale=alt.Scale(domain=[False, True], range=[1, 0]), legend=None)
    encoded = [layer.encode(x=_x(), y=_y("hours"), color=colour) for layer in (high, median)]
    return _done(alt.layer(*encoded, dots.encode(x=_x(), y=_y("hours"), color=colour, fillOpacity=shape, tooltip=tips)))


@lru_cache
def ranking_spec() -> dict[str, Any]:
    """Sorted bars with their number and running share; what is left over comes last and pale."""
    rows = _base().encode(
        y=alt.Y("name:N", sort=None, axis=alt.Axis(**_QUIET, labelLimit=170)),
        x=alt.X("n:Q", axis=None, scale=alt.Scale(zero=True)),
        tooltip=["name:N", "n:Q", "words:N"],
    )
    bars = rows.mark_bar(cornerRadiusEnd=2).encode(
        opacity=alt.Opacity("rest:N", scale=alt.Scale(domain=[False, True], range=[1, 0.35]), legend=None)
    )
    words = rows.mark_text(align="left", dx=6, color=_INK).encode(text="words:N")
    room = rows.mark_point(opacity=0).encode(x="reach:Q")
    return _done(bars + words + room)


@lru_cache
def heat_spec() -> dict[str, Any]:
    """Weekday by hour."""
    hours = alt.Axis(**_QUIET, values=[0, 6, 12, 18], labelExpr="format(datum.value, '02') + ':00'", labelAngle=0)
    return _done(
        _base()
        .mark_rect(cornerRadius=3)
        .encode(
            x=alt.X("hour:O", axis=hours, scale=alt.Scale(padding=0.1)),
            y=alt.Y("day:O", sort=list(WEEKDAYS), axis=alt.Axis(**_QUIET), scale=alt.Scale(padding=0.1)),
            color=alt.Color("n:Q", legend=None),
            tooltip=["day:O", "hour:O", "n:Q"],
        ),
        HEAT_HEIGHT,
    )


def figure(
    title: str,
    definition: str,
    spec: Callable[[], dict[str, Any]],
    rows: Rows,
    *,
    says: str,
    key: str,
    columns: Mapping[str, str],
) -> None:
    """A card with its title, its definition, the chart, and the same as a table one click away.

    `says` is the chart's conclusion, for those who do not see it. `columns`: field -> heading of the table.
    """
    table = pd.DataFrame(rows)
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{literal(title)}**", width="stretch")
            shown = st.popover("Table", type="tertiary", on_change="rerun", key=f"{key}.table")
        st.caption(literal(definition))
        st.vega_lite_chart(table, spec(), theme="streamlit", key=key, alt=says)
        if shown.open:
            with shown:
                st.dataframe(
                    table[list(columns)].rename(columns=dict(columns)), hide_index=True, alt=f"{title}: {says}"
                )
