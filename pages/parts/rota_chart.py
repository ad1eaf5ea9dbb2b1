"""A schedule as a picture: one lane for who is on call, one for each layer; gaps in red, with words."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from db.queries.schedules import Calendar, first_names
from pages.parts import times

YOU, OTHERS, STANDS_IN, NOBODY = "You", "Others", "Stands in", "Nobody"
_PALETTE = [YOU, OTHERS, STANDS_IN, "", " ", "  ", NOBODY]
"""Their places in the theme's colours: petrol, slate, orange and, last of seven, red."""
_INK = "currentColor"
_QUIET: dict[str, Any] = {"domain": False, "ticks": False, "title": None, "labelColor": _INK, "labelOpacity": 0.75}
_LANE = 38
_WIDTH, _LETTER = 820, 7.3
"""What the picture is likely to have, and a letter needs, in pixels: a name that does not fit is left out."""
FIRST_LANE = "On call"


@lru_cache
def spec() -> dict[str, Any]:
    """The specification, built once per process."""
    base = alt.Chart(alt.NamedData(name="rows"))
    spans = base.transform_filter("datum.kind != 'now'")
    days = alt.Axis(
        **_QUIET,
        orient="top",
        format="%a %-d",
        labelFlush=False,
        labelOverlap="greedy",
        tickCount="day",
        gridOpacity=0.5,
    )
    across = alt.X("start:T", axis=days, scale=alt.Scale(nice=False))
    lanes = alt.Y("lane:N", sort=None, axis=alt.Axis(**_QUIET, grid=False, labelPadding=8, labelLimit=130))
    colours = alt.Scale(domain=_PALETTE)
    legend = alt.Legend(
        orient="bottom",
        title=None,
        values=[YOU, OTHERS, STANDS_IN, NOBODY],
        labelColor=_INK,
        labelFontSize=12.5,
        symbolOpacity=1,
    )
    bars = spans.mark_bar(cornerRadius=4, fillOpacity=0.28, strokeWidth=1.5, height={"band": 0.78}).encode(
        x=across,
        x2="end:T",
        y=lanes,
        color=alt.Color("kind:N", scale=colours, legend=legend),
        stroke=alt.Stroke("kind:N", scale=colours, legend=None),
        tooltip=[alt.Tooltip("lane:N", title="Lane"), alt.Tooltip("words:N", title="Turn")],
    )
    names = spans.mark_text(align="left", dx=5, color=_INK, fontSize=12.5).encode(x=across, y=lanes, text="text:N")
    now = base.transform_filter("datum.kind == 'now'")
    line = now.mark_rule(strokeWidth=2, color=_INK).encode(x=across)
    chart = (bars + names + line).properties(height=alt.Step(_LANE), width="container")
    made = dict(chart.configure_view(strokeWidth=0).to_dict())
    for name in ("datasets", "data"):
        made.pop(name, None)
    return made


def draw(found: Calendar, me: str, now: datetime, *, says: str, key: str) -> None:
    """Draw it; `me` is the reader's id as text. `says` is what it shows, for those who do not see it."""
    st.vega_lite_chart(pd.DataFrame(rows(found, me, now)), spec(), theme="streamlit", key=key, alt=says)


def rows(found: Calendar, me: str, now: datetime) -> list[dict[str, Any]]:
    """What the picture is drawn from: spans with their lane, text, kind and words; instants in milliseconds."""
    short = first_names(found.names.values())
    drawn: list[dict[str, Any]] = []

    def add(lane: str, kind: str, name: str, start: datetime, end: datetime) -> None:
        room = int(((end - start) / (found.end - found.start) * _WIDTH - 9) // _LETTER)
        drawn.append(
            {
                "lane": lane,
                "kind": kind,
                "text": _fitting(name, short.get(name, name), room),
                "words": f"{name}, {times.full(start)} to {times.full(end)}",
                "start": _millis(start),
                "end": _millis(end),
            }
        )

    lanes: list[datetime] = []
    spans = [(one.start, one.end, one.person, one.stands_in) for one in found.segments]
    gaps = [(start, end, "", False) for start, end in found.missing]
    for start, end, person, stands_in in sorted(spans + gaps):
        number = next((number for number, free in enumerate(lanes) if free <= start), len(lanes))
        lanes[number : number + 1] = [end]
        lane = FIRST_LANE if number == 0 else f"and {'also ' * (number - 1)}also"
        if not person:
            add(lane, NOBODY, NOBODY, start, end)
        else:
            kind = YOU if person == me else STANDS_IN if stands_in else OTHERS
            add(lane, kind, found.names[person], start, end)
    drawn.sort(key=lambda row: (row["lane"] != FIRST_LANE, row["lane"].count("also")))
    several = {turn.layer for turn in found.turns}
    if len(several) > 1 or any(one.stands_in for one in found.segments):
        for turn in found.turns:
            lane = turn.layer if turn.layer != FIRST_LANE else f"{turn.layer} (layer)"
            add(lane, YOU if turn.person == me else OTHERS, found.names[turn.person], turn.start, turn.end)
    if drawn and found.start <= now < found.end:
        drawn.append({"lane": FIRST_LANE, "kind": "now", "text": "", "words": "Now", "start": _millis(now)})
    return drawn


def _fitting(name: str, short: str, room: int) -> str:
    parts = name.split()
    initials = (parts[0][0] + parts[-1][0]) if len(parts) > 1 else name[:2]
    return next((text for text in (name, short, initials) if len(text) <= room), "")


def _millis(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)


def says(found: Calendar, names: Mapping[str, str]) -> str:
    """The picture in a sentence or two."""
    spans = [f"{names[one.person]} {times.full(one.start)} to {times.full(one.end)}" for one in found.segments[:6]]
    more = f", and {len(found.segments) - 6} more turns" if len(found.segments) > 6 else ""
    gaps = f" Nobody is on call {len(found.missing)} times." if found.missing else ""
    return f"Who is on call: {'; '.join(spans)}{more}.{gaps}"
