"""Charts: data in, drawing out. Each specification is built once per process; a run only swaps its data."""

from functools import lru_cache
from typing import Any

import altair as alt

HEIGHT = 240
HEAT_HEIGHT = 220
FEW = 20
"""Below this a quantile is drawn hollow: it says little."""
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_INK = "currentColor"
_UNITS = {"hours": "h"}
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


def _x(field: str = "when") -> alt.X:
    axis = alt.Axis(**_QUIET, labelAngle=0, labelOverlap="greedy")
    return alt.X(f"{field}:O", sort=None, axis=axis)


def _y(field: str = "n", **scale: Any) -> alt.Y:
    return alt.Y(f"{field}:Q", axis=alt.Axis(**_AXIS, tickCount=4), scale=alt.Scale(zero=True, **scale))


def _done(chart: alt.Chart | alt.LayerChart | alt.FacetChart, height: int | alt.Step = HEIGHT) -> dict[str, Any]:
    spec = chart.properties(height=height, width="container").configure_view(strokeWidth=0).to_dict()
    spec.pop("datasets", None)
    for place in (spec, *spec.get("layer", ())):
        place.pop("data", None)
    return dict(spec, padding={"left": 0, "top": 4, "right": 16, "bottom": 0})


def _base() -> alt.Chart:
    return alt.Chart(alt.NamedData(name="rows"))


def _rows(field: str = "n") -> alt.Chart:
    """What is drawn of the rows themselves; limits and notes lie beside them."""
    return _base().transform_filter(f"isValid(datum.{field})")


def _pick() -> alt.Parameter:
    """A click on a mark chooses its row."""
    return alt.selection_point(name="pick", fields=["at"], on="click", toggle=False)


def _notes() -> list[alt.Chart]:
    """Words at a place of the time axis."""
    noted = _base().transform_filter("isValid(datum.note)")
    rule = noted.mark_rule(strokeDash=[2, 3], opacity=0.5, color=_INK, aria=False).encode(
        x=_x(), tooltip=["when:O", "note:N"]
    )
    words = noted.transform_filter("isValid(datum.line)").mark_text(
        align=alt.expr("datum.before ? 'right' : 'left'"),
        dx=alt.expr("datum.before ? -4 : 4"),
        dy=alt.expr("6 + 13 * datum.line"),
        fontSize=11,
        color=_INK,
        opacity=0.85,
        limit=110,
        aria=False,
    )
    told = rule.encode(x=_x(), tooltip=["when:O", "note:N"])
    return [told, words.encode(x=_x(), y=alt.value(0), text="note:N", tooltip=["when:O", "note:N"])]


def _colour(order: list[str] | None = None) -> alt.Color:
    scale = alt.Scale(domain=order) if order else alt.Undefined
    return alt.Color("kind:N", sort=order, scale=scale, legend=alt.Legend(**_LEGEND))


@lru_cache
def pairs_spec() -> dict[str, Any]:
    """Two bars per bucket: what was done, in the accent, beside what came in, in slate; dashed limits."""
    bars = _rows().mark_bar(cornerRadiusEnd=2, cursor="pointer").add_params(_pick())
    order = ["Resolved", "Opened"]
    drawn = bars.encode(
        x=_x(),
        xOffset=alt.XOffset("kind:N", sort=order[::-1]),
        y=_y(),
        color=_colour(order),
        tooltip=["when:O", "kind:N", "n:Q"],
    )
    limits = (
        _base()
        .transform_filter("isValid(datum.limit)")
        .mark_rule(strokeDash=[6, 4], opacity=0.7, color=_INK, aria=False)
    )
    return _done(alt.layer(drawn, limits.encode(y=_y("limit")), *_notes()))


@lru_cache
def level_spec() -> dict[str, Any]:
    """A level over time; the row with `words` says where it stands."""
    line = _rows().encode(x=_x(), y=_y(), tooltip=["when:O", "n:Q"])
    end = line.mark_text(align="right", dy=-10, fontSize=13, fontWeight=600, color=_INK).encode(text="words:N")
    picked = line.mark_point(size=160, opacity=0, cursor="pointer").add_params(_pick())
    return _done(alt.layer(line.mark_area(opacity=0.15), line.mark_line(strokeWidth=2), end, picked, *_notes()))


def _lines(field: str, order: list[str] | None, format_: str) -> dict[str, Any]:
    """A solid and a dashed line with dots; few cases are hollow."""
    tips = ["when:O", "kind:N", alt.Tooltip(f"{field}:Q", format=format_), "n:Q"]
    rows, colour = _rows(field), _colour(order)
    lines = [rows.mark_line(strokeWidth=2.5)]
    if order:
        solid = rows.transform_filter(f"datum.kind == '{order[0]}'").mark_line(strokeWidth=2.5)
        lines = [
            rows.transform_filter(f"datum.kind != '{order[0]}'").mark_line(strokeWidth=2, strokeDash=[5, 4]),
            solid,
        ]
    dots = rows.mark_point(size=60, opacity=1, strokeWidth=2, cursor="pointer").add_params(_pick())
    scale = alt.Scale(domain=order) if order else alt.Undefined
    filled = alt.Fill("kind:N", sort=order, scale=scale, legend=None)
    shape = alt.FillOpacity("few:N", scale=alt.Scale(domain=[False, True], range=[1, 0]), legend=None)
    told: dict[str, Any] = {"format": ".0%"} if field == "share" else {"labelExpr": f"datum.label + ' {_UNITS[field]}'"}
    axis = alt.Axis(**_AXIS, tickCount=4, **told)
    y = alt.Y(f"{field}:Q", axis=axis, scale=alt.Scale(zero=True))
    drawn = [layer.encode(x=_x(), y=y, color=colour) for layer in lines]
    return _done(
        alt.layer(
            *drawn, dots.encode(x=_x(), y=y, color=colour, fill=filled, fillOpacity=shape, tooltip=tips), *_notes()
        )
    )


@lru_cache
def quantiles_spec() -> dict[str, Any]:
    """Median over the 90th percentile, in hours."""
    return _lines("hours", ["Median", "90th percentile"], ",.1f")


@lru_cache
def shares_spec() -> dict[str, Any]:
    """Parts of a whole, in per cent."""
    return _lines("share", None, ".1%")


@lru_cache
def ranking_spec() -> dict[str, Any]:
    """Sorted bars with their number and running share; what is left over comes last and pale."""
    rows = _base().encode(
        y=alt.Y("name:N", sort=None, axis=alt.Axis(**_QUIET, labelLimit=170)),
        x=alt.X("n:Q", axis=None, scale=alt.Scale(zero=True)),
        tooltip=["name:N", "n:Q", "words:N"],
    )
    bars = rows.mark_bar(cornerRadiusEnd=2, cursor="pointer").encode(
        opacity=alt.Opacity("rest:N", scale=alt.Scale(domain=[False, True], range=[1, 0.35]), legend=None)
    )
    words = rows.mark_text(align="left", dx=6, color=_INK).encode(text="words:N")
    room = rows.mark_point(opacity=0).encode(x="reach:Q")
    return _done(bars.add_params(_pick()) + words + room)


@lru_cache
def waits_spec() -> dict[str, Any]:
    """Median and 90th percentile of the time at each place, in hours; few cases are hollow."""
    order = ["Median", "90th percentile"]
    scale = alt.Scale(domain=order)
    colour = alt.Color("kind:N", sort=order, scale=scale, legend=alt.Legend(**_LEGEND))
    hollow = alt.FillOpacity("few:N", scale=alt.Scale(domain=[False, True], range=[1, 0]), legend=None)
    across = alt.Axis(**_AXIS, values=[0.01, 0.1, 1, 10, 100, 1000], labelExpr="format(datum.value, ',~g') + ' h'")
    hours = alt.X("shown:Q", axis=across, scale=alt.Scale(type="log", nice=False, padding=14))
    base = _base().encode(y=alt.Y("name:N", sort=None, axis=alt.Axis(**_QUIET, labelLimit=150)), x=hours)
    tips = ["name:N", "kind:N", alt.Tooltip("hours:Q", format=",.1f"), "n:Q"]
    line = base.mark_line(strokeWidth=2, opacity=0.35, color=_INK).encode(detail="name:N")
    dots = base.mark_point(size=80, opacity=1, strokeWidth=2)
    filled = alt.Fill("kind:N", sort=order, scale=scale, legend=None)
    return _done(line + dots.encode(color=colour, fill=filled, fillOpacity=hollow, tooltip=tips), alt.Step(34))


@lru_cache
def interval_spec() -> dict[str, Any]:
    """A bar per step; what is `ahead` is pale and has its interval."""
    base = _base().encode(x=_x())
    faint = alt.Opacity("ahead:N", scale=alt.Scale(domain=[False, True], range=[1, 0.35]), legend=None)
    tips = ["when:O", alt.Tooltip("n:Q", format=",.0f"), "low:Q", "high:Q"]
    bars = base.mark_bar(cornerRadiusEnd=2).encode(y=_y(), opacity=faint, tooltip=tips)
    ends = base.transform_filter("datum.ahead")
    span = ends.mark_rule(strokeWidth=2, color=_INK).encode(y=_y("low"), y2="high:Q")
    caps = [ends.mark_tick(thickness=2, width=14, color=_INK).encode(y=_y(end)) for end in ("low", "high")]
    return _done(alt.layer(bars, span, *caps))


@lru_cache
def heat_spec() -> dict[str, Any]:
    """Weekday by hour."""
    hours = alt.Axis(**_QUIET, values=[0, 6, 12, 18], labelExpr="format(datum.value, '02') + ':00'", labelAngle=0)
    return _done(
        _base()
        .mark_rect(cornerRadius=3, cursor="pointer")
        .add_params(_pick())
        .encode(
            x=alt.X("hour:O", axis=hours, scale=alt.Scale(padding=0.1)),
            y=alt.Y("day:O", sort=list(WEEKDAYS), axis=alt.Axis(**_QUIET), scale=alt.Scale(padding=0.1)),
            color=alt.Color("n:Q", legend=None),
            tooltip=["day:O", "hour:O", "n:Q"],
        ),
        HEAT_HEIGHT,
    )
