"""One layer of a schedule, as people fill it in: its members in order, how long a turn is, at which hours."""

import secrets
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import streamlit as st

from pages.parts import session
from pages.parts.marks import gray
from pages.parts.texts import literal
from rules import wall_clock
from rules.business_time import DAYS
from rules.roster import MOST_MEMBERS

UNITS = {"hour": "hours", "day": "days", "week": "weeks", "month": "months"}
LONGEST = {"hour": 168, "day": 60, "week": 26, "month": 12}
ALWAYS, HOURS = "always", "hours"
LABELS = {ALWAYS: "Round the clock", HOURS: "Only at certain hours"}
MOST_WINDOWS = 4
NAME_LIMIT = 60

Layer = dict[str, Any]
"""{"uid", "name", "priority", "members": [id], "start": on the schedule's clock, "unit", "length", "when",
"windows": [{"uid", "days", "from", "to"}]}"""


@lru_cache
def zones() -> list[str]:
    """Names of zones as people know them: Region/City, and UTC."""
    return ["UTC", *sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))]


def new(name: str, zone: str) -> Layer:
    """A layer that hands over weekly, from last Monday at nine on."""
    today = session.now().astimezone(ZoneInfo(zone)).date()
    start = datetime.combine(today - timedelta(days=today.weekday()), time(9))
    return {
        "uid": secrets.token_hex(4),
        "name": name,
        "priority": 0,
        "members": [],
        "start": start,
        "unit": "week",
        "length": 1,
        "when": ALWAYS,
        "windows": [_window(DAYS[:5], time(9), time(17))],
    }


def of_definition(data: dict[str, Any], zone: str) -> Layer:
    """The layer of a definition of rules.oncall."""
    start = datetime.fromisoformat(str(data["start"])).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    windows = [
        _window([day for day in DAYS if day in (one.get("days") or DAYS)], _time(one["from"]), _time(one["to"]))
        for one in data.get("windows") or ()
    ]
    plain = new(data["name"], zone)
    return plain | {
        "priority": data.get("priority", 0),
        "members": [int(member) for member in data["members"]],
        "start": start,
        "unit": data["unit"],
        "length": data.get("length", 1),
        "when": HOURS if windows else ALWAYS,
        "windows": windows or plain["windows"],
    }


def as_data(layer: Layer, zone: str) -> dict[str, Any]:
    """The layer in the terms of rules.oncall."""
    start = wall_clock.first(layer["start"], ZoneInfo(zone))
    windows = [
        {"days": list(one["days"]), "from": f"{one['from']:%H:%M}", "to": f"{one['to']:%H:%M}"}
        for one in layer["windows"]
    ]
    return {
        "name": " ".join(layer["name"].split()),
        "priority": layer["priority"],
        "members": [str(member) for member in layer["members"]],
        "start": start.isoformat(),
        "unit": layer["unit"],
        "length": layer["length"],
        "windows": windows if layer["when"] == HOURS else [],
    }


def take(layer: Layer, key: str) -> None:
    """Keep in `layer` what its fields hold now: those of a layer that is not shown forget theirs."""

    def held(name: str, kept: Any) -> Any:
        return st.session_state.get(f"{key}.{name}", kept)

    layer["name"], layer["priority"] = held("name", layer["name"]), int(held("priority", layer["priority"]))
    layer["unit"] = held("unit", layer["unit"])
    layer["length"] = int(held(f"length.{layer['unit']}", layer["length"]))
    day = held("start", None) or layer["start"].date()
    layer["start"] = datetime.combine(day, held("start.at", layer["start"].time()))
    layer["when"] = held("when", layer["when"])
    for window in layer["windows"]:
        field = window["uid"]
        window["days"] = [one for one in DAYS if one in held(f"{field}.days", window["days"])]
        window["from"], window["to"] = held(f"{field}.from", window["from"]), held(f"{field}.to", window["to"])


def draw(layer: Layer, key: str, people: dict[int, str], zone: str, *, several: bool) -> None:
    """Draw its fields; `take` keeps what they hold."""
    with st.container(border=True, gap="small"):
        left, right = st.columns([2, 1], gap="small")
        with left:
            st.text_input("Layer", layer["name"], key=f"{key}.name", max_chars=NAME_LIMIT, autocomplete="off")
        if several:
            with right:
                st.number_input(
                    "Rank",
                    -9,
                    9,
                    min(max(layer["priority"], -9), 9),
                    key=f"{key}.priority",
                    help="At each moment only the layers with the highest rank count. The same rank: all of them.",
                )
        _members(layer, key, people)
        _rotation(layer, key, zone)
        _hours(layer, key)


def _members(layer: Layer, key: str, people: dict[int, str]) -> None:
    members: list[int] = layer["members"]
    st.markdown("**Who takes turns, in this order**")
    for place, member in enumerate(members):
        name = people.get(member)
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            known = literal(name) if name else ":red[No longer here]"
            st.markdown(f"{place + 1}\\. {known}", width="stretch")
            said = literal(name or "them")
            for label, step in (("Up", -1), ("Down", 1)):
                st.button(
                    label,
                    type="tertiary",
                    help=f"Move {said} {label.lower()}",
                    disabled=not 0 <= place + step < len(members),
                    on_click=_swap,
                    args=(members, place, place + step),
                    key=f"{key}.{label.lower()}.{place}",
                )
            st.button(
                "Take out",
                type="tertiary",
                help=f"Take {said} out",
                on_click=_take_out,
                args=(members, place),
                key=f"{key}.out.{place}",
            )
    if len(members) < MOST_MEMBERS:
        options: dict[int | None, str] = {None: "Choose a person"}
        options |= {id_: name for id_, name in people.items() if id_ not in members}
        field = f"{key}.add.{len(members)}"
        st.selectbox(
            "Add somebody",
            list(options),
            format_func=options.__getitem__,
            key=field,
            on_change=_add,
            args=(members, field),
        )


def _add(members: list[int], field: str) -> None:
    person = st.session_state.get(field)
    if person is not None and person not in members:
        members.append(person)


def _take_out(many: list[Any], place: int) -> None:
    del many[place]


def _swap(members: list[int], one: int, other: int) -> None:
    members[one], members[other] = members[other], members[one]


def _rotation(layer: Layer, key: str, zone: str) -> None:
    with st.grid(4, min_column_width=130):
        with st.container():
            most = LONGEST[layer["unit"]]
            value = min(max(layer["length"], 1), most)
            st.number_input("A turn lasts", 1, most, value, key=f"{key}.length.{layer['unit']}")
        with st.container():
            units = list(UNITS)
            st.selectbox("Unit", units, units.index(layer["unit"]), format_func=UNITS.__getitem__, key=f"{key}.unit")
        with st.container():
            st.date_input(
                "First turn begins",
                layer["start"].date(),
                min_value=date(2000, 1, 1),
                key=f"{key}.start",
                help=f"The first in the list begins then, on the clock of {zone}; handovers follow from it.",
            )
        with st.container():
            _clock("At", layer["start"].time(), f"{key}.start.at")


def _clock(label: str, value: time, key: str, help: str | None = None) -> None:
    """A time of day; Streamlit's own field for one is too small to touch."""
    known = sorted({time(quarter // 4, quarter % 4 * 15) for quarter in range(96)} | {value})
    st.selectbox(label, known, known.index(value), format_func=lambda one: f"{one:%H:%M}", key=key, help=help)


def _hours(layer: Layer, key: str) -> None:
    st.segmented_control(
        "Hours",
        list(LABELS),
        format_func=lambda one: gray(LABELS[one]),
        default=layer["when"],
        key=f"{key}.when",
        required=True,
    )
    if layer["when"] != HOURS:
        return
    windows: list[dict[str, Any]] = layer["windows"]
    for number, window in enumerate(list(windows)):
        field = f"{key}.{window['uid']}"
        st.pills(
            "Days",
            list(DAYS),
            selection_mode="multi",
            default=window["days"],
            format_func=lambda day: gray(day.capitalize()),
            key=f"{field}.days",
        )
        left, right = st.columns(2, gap="small")
        with left:
            _clock("From", window["from"], f"{field}.from")
        with right:
            _clock("Until", window["to"], f"{field}.to", "Earlier than from: on the next day.")
        if len(windows) > 1:
            st.button(
                "Remove these hours", type="tertiary", on_click=_take_out, args=(windows, number), key=f"{field}.remove"
            )
    if len(windows) < MOST_WINDOWS:
        st.button(
            "Add hours",
            type="tertiary",
            icon=":material/add:",
            on_click=_add_window,
            args=(windows,),
            key=f"{key}.more",
        )


def _add_window(windows: list[dict[str, Any]]) -> None:
    windows.append(_window(DAYS[5:], time(9), time(17)))


def _window(days: Any, opens: time, shuts: time) -> dict[str, Any]:
    return {"uid": secrets.token_hex(4), "days": list(days), "from": opens, "to": shuts}


def _time(written: str) -> time:
    minutes = wall_clock.minutes_of(written) % (24 * 60)
    return time(minutes // 60, minutes % 60)
