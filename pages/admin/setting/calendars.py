"""Settings: business calendars: weekly hours, zone, public holidays, other days, and the next days that differ."""

from collections.abc import Mapping
from datetime import date
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from db import holidays
from db.queries.settings import OddDay, odd_days
from pages.admin.setting import flow
from pages.admin.setting.flow import DRAFT, WIDTH, Editor, gathered, refuse
from pages.admin.setting.organisation import zones
from pages.parts import session
from pages.parts.empty import field_problem
from pages.parts.texts import literal
from rules.business_time import DAYS
from rules.durations import days_of, days_words, spans_of, spans_words
from rules.errors import RuleError
from rules.policy_checks import DAY_NAMES
from rules.targets import DEFAULT_HOURS

(CALENDARS,) = KEYS = ("sla.calendars",)
CHOSEN = "settings.calendars.chosen"
EMPTY = {
    "name": "",
    "zone": "",
    "hours": DEFAULT_HOURS,
    "country": "",
    "region": "",
    "closed": [],
    "exceptions": {},
}


def draw(editor: Editor) -> None:
    known = editor.base[CALENDARS]
    name = _choose(known)
    data = known.get(name, EMPTY)
    path = f"{CALENDARS}.{name}"
    countries = {"": "No country"} | holidays.countries()
    country = editor.choice(
        f"{path}.country", "Public holidays of", countries, data["country"], on_change=flow.discard, width=WIDTH // 2
    )
    with st.form(f"{editor.key(path)}.{country}.form", width=WIDTH, enter_to_submit=False):
        _form(editor, path, data, country)
    editor.bottom = st.container()
    if name in known:
        st.button(
            "Remove this calendar",
            icon=":material/delete:",
            type="tertiary",
            on_click=flow.look,
            args=(editor, lambda one: {CALENDARS: {key: one.base[CALENDARS][key] for key in known if key != name}}),
            key=f"{editor.key(path)}.remove",
        )
    _next_days(editor, name, data | {"country": country, "region": editor.typed(f"{path}.{country}.region") or ""})


def _choose(known: Mapping[str, Mapping[str, Any]]) -> str:
    """The id of the calendar to edit; a new id for a new one."""
    new = next(name for number in count(1) if (name := f"calendar-{number}") not in known)
    names = {name: calendar["name"] for name, calendar in known.items()} | {new: "New calendar"}
    if st.session_state.get(CHOSEN) not in names:
        st.session_state[CHOSEN] = next(iter(names))
    return st.selectbox(
        "Calendar",
        list(names),
        format_func=lambda name: names[name],
        key=CHOSEN,
        on_change=flow.discard,
        width=WIDTH // 2,
    )


def _form(editor: Editor, path: str, data: Mapping[str, Any], country: str) -> None:
    left, right = st.columns(2, gap="small")
    with left:
        editor.text(f"{path}.name", "Name", data["name"])
    with right:
        home = editor.edited.values["organisation.zone"]
        options = {"": f"The organisation's ({home})"} | {zone: zone for zone in zones()}
        editor.choice(f"{path}.zone", "Zone", options, data["zone"])
    regions = holidays.regions(country) if country else {}
    if regions:
        kept = data["region"] if country == data["country"] else ""
        # The key names the country: another country begins with no region chosen.
        key = f"{path}.{country}.region"
        editor.choice(key, "Region (optional)", {"": f"All of {holidays.countries()[country]}"} | regions, kept)
        editor.labels[f"{path}.region"] = "Region"
    st.markdown("**Open hours**  \n:small[:gray[09:00-17:00, or 09:00-12:00, 13:00-17:00; empty is closed]]")
    with st.grid(2, min_column_width=220):
        for day in DAYS:
            with st.container():
                editor.text(f"{path}.hours.{day}", DAY_NAMES[day], spans_words(data["hours"].get(day, [])))
    editor.labels[f"{path}.hours"] = "Open hours"
    if editor.failure is not None:
        field_problem(editor.failure.fields.get(f"{path}.hours"))
    st.text_area(
        "Other days (optional)",
        days_words(data["closed"], data["exceptions"]),
        key=editor.key(f"{path}.closed"),
        height=120,
        placeholder="2026-12-24 closed\n2026-12-31 09:00-12:00",
        help="One a line: a date, then 'closed' or its own hours. They go before public holidays.",
    )
    editor.problem(f"{path}.closed", "Other days")
    editor.preview_button(lambda one: collect(one, path))


def collect(editor: Editor, path: str) -> Mapping[str, Any]:
    """All calendars, this one as typed. RuleError names everything that cannot be read."""
    wrong: dict[str, str] = {}
    country = editor.typed(f"{path}.country") or ""
    hours = {
        day: gathered(wrong, lambda field=f"{path}.hours.{day}": spans_of(str(editor.typed(field) or ""), field))  # type: ignore[misc]
        for day in DAYS
    }
    days = gathered(wrong, lambda: days_of(str(editor.typed(f"{path}.closed") or ""), f"{path}.closed"))
    refuse(wrong)
    closed, exceptions = days
    data = {
        "name": " ".join(str(editor.typed(f"{path}.name") or "").split()),
        "zone": editor.typed(f"{path}.zone") or "",
        "hours": {day: spans for day, spans in hours.items() if spans},
        "country": country,
        "region": editor.typed(f"{path}.{country}.region") or "",
        "closed": closed,
        "exceptions": exceptions,
    }
    return {CALENDARS: editor.base[CALENDARS] | {path.removeprefix(f"{CALENDARS}."): data}}


def _next_days(editor: Editor, name: str, data: Mapping[str, Any]) -> None:
    """The next days that are closed or open otherwise, as previewed or as chosen above."""
    draft: flow.Draft | None = st.session_state.get(DRAFT)
    if draft is not None and draft.part == editor.part:
        data = draft.values[CALENDARS].get(name, data)
    home = editor.edited.values["organisation.zone"]
    today = session.now().astimezone(ZoneInfo(data["zone"] or home)).date()
    try:
        found = odd_days(data, home, today)
    except RuleError:
        return
    st.header("Next days with other hours", anchor=False)
    if not found:
        st.caption("None within two years. Choose a country above, or write other days.")
        return
    st.markdown("\n".join(f"- {_odd(odd)}" for odd in found))


def _odd(odd: OddDay) -> str:
    hours = spans_words([[_clock(opens), _clock(shuts)] for opens, shuts in odd.hours])
    name = f" :gray[· {literal(odd.name)}]" if odd.name else ""
    return f"{_day(odd.day)}: {literal(hours) if hours else 'closed'}{name}"


def _day(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b %Y}"


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
