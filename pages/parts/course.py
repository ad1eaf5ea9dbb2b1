"""How an incident went as a picture: one lane of its phases, and the same as a table."""

from functools import lru_cache
from typing import Any

import streamlit as st

from db.engine import reading
from db.queries import incidents
from pages.parts import session, times
from pages.parts.texts import literal
from rules.access import Actor
from rules.errors import RuleError
from rules.phases import ACKNOWLEDGED, DETECTED, DIAGNOSING, MEANINGS, RECOVERED, RESOLVED, UNNOTICED, Course
from rules.priority import span

_PALETTE = [RESOLVED, UNNOTICED, DETECTED, ACKNOWLEDGED, DIAGNOSING]
"""Their places in the theme's colours: petrol, slate, orange, violet, blue."""
_INK = "currentColor"
_LANE = 54
_LETTER = 7.6
"""pixels that a letter needs: words that do not fit into their span are left to the legend and the table"""


@lru_cache
def spec() -> dict[str, Any]:
    """The specification, built once per process and only when somebody looks."""
    import altair as alt  # dear to load: see app.py

    axis: dict[str, Any] = {"domain": False, "ticks": False, "title": None, "labelColor": _INK, "labelOpacity": 0.75}
    base = alt.Chart(alt.NamedData(name="rows"))
    spans, ends = base.transform_filter("datum.kind == 'span'"), base.transform_filter("datum.kind == 'end'")
    clock = "timeFormat(datum.value, timeFormat(datum.value, '%H:%M') == '00:00' ? '%a %-d' : '%H:%M')"
    across = alt.X(
        "start:T",
        axis=alt.Axis(**axis, orient="top", labelExpr=clock, labelOverlap="greedy", tickCount=5, gridOpacity=0.5),
        scale=alt.Scale(nice=False),
    )
    lane = alt.Y("lane:N", axis=None)
    colours = alt.Scale(domain=_PALETTE)
    legend = alt.Legend(
        orient="bottom",
        title=None,
        columns=2,
        values=[UNNOTICED, DETECTED, ACKNOWLEDGED, DIAGNOSING, RESOLVED],
        labelColor=_INK,
        labelFontSize=12.5,
        symbolOpacity=1,
    )
    bars = spans.mark_bar(cornerRadius=4, fillOpacity=0.28, strokeWidth=1.5, height={"band": 0.78}).encode(
        x=across,
        x2="end:T",
        y=lane,
        color=alt.Color("phase:N", scale=colours, legend=legend),
        stroke=alt.Stroke("phase:N", scale=colours, legend=None),
        tooltip=[alt.Tooltip("words:N", title="Phase")],
    )
    fits = alt.condition("datum.share * width > datum.room", alt.value(1), alt.value(0))
    middle = spans.transform_calculate(middle="(datum.start + datum.end) / 2")
    named = middle.mark_text(color=_INK, fontSize=12.5).encode(x="middle:T", y=lane, text="phase:N", opacity=fits)
    mark = ends.mark_rule(strokeWidth=2, color=_INK).encode(x=across, tooltip=[alt.Tooltip("words:N", title="End")])
    chart = (bars + named + mark).properties(height=alt.Step(_LANE), width="container")
    made = dict(chart.configure_view(strokeWidth=0).to_dict())
    for name in ("datasets", "data"):
        made.pop(name, None)
    return made


def dialog(actor: Actor, number: str) -> None:
    """The picture, what it says, and the table."""
    now = session.now()
    try:
        with reading() as db:
            detail = incidents.by_number(db, actor, number)
            went = incidents.course(db, actor, detail, now)
    except RuleError as error:
        st.error(literal(error.sentence), icon=":material/error:")
        return
    if not went.spans:
        st.caption("Too little is known yet: no time lies between two of its moments.")
        return
    import pandas as pd

    sentence = says(went)
    st.caption(literal(sentence))
    st.vega_lite_chart(pd.DataFrame(rows(went)), spec(), theme="streamlit", key=f"course.{number}", alt=sentence)
    st.table(
        {
            "Phase": [f"**{each.phase}**  \n:small[:gray[{MEANINGS[each.phase]}]]" for each in went.spans],
            "From": [times.short(each.start, now) for each in went.spans],
            "For": [span(each.seconds) + (" so far" if each.running else "") for each in went.spans],
        },
        border="horizontal",
    )
    if went.recovered_at is not None:
        st.caption(f"{RECOVERED} {times.full(went.recovered_at)}. {MEANINGS[RECOVERED]}")
    if went.left_out:
        names = ", ".join(went.left_out)
        st.caption(
            f"Left out, because its time lies after what should follow it: {names}. 'Correct a time' mends that."
        )


def rows(went: Course) -> list[dict[str, Any]]:
    """What the picture is drawn from; instants in milliseconds."""
    whole = sum(each.seconds for each in went.spans)
    drawn: list[dict[str, Any]] = [
        {
            "kind": "span",
            "lane": "",
            "phase": each.phase,
            "start": int(each.start.timestamp() * 1000),
            "end": int(each.end.timestamp() * 1000),
            "share": each.seconds / whole,
            "room": len(each.phase) * _LETTER + 8,
            "words": f"{each.phase}, {times.full(each.start)}, {_lasted(each.seconds, each.running)}",
        }
        for each in went.spans
    ]
    end = int(went.spans[-1].end.timestamp() * 1000)
    words = f"{RECOVERED}, {times.full(went.recovered_at)}" if went.recovered_at else "Now"
    if went.recovered_at or went.spans[-1].running:
        drawn.append(
            {"kind": "end", "lane": "", "phase": None, "start": end, "end": end, "share": 0, "room": 0, "words": words}
        )
    return drawn


def says(went: Course) -> str:
    """The picture in a sentence."""
    parts = [f"{each.phase.lower()} {_lasted(each.seconds, each.running)}" for each in went.spans]
    return f"{', then '.join(parts).capitalize()}." + (
        f" Recovered {times.full(went.recovered_at)}." if went.recovered_at else ""
    )


def _lasted(seconds: float, running: bool) -> str:
    return f"for {span(seconds)}" + (" so far" if running else "")
