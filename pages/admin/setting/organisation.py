"""Settings: the organisation's name, its zone, the telephone of its service desk, and what an hour costs."""

from collections.abc import Mapping
from functools import cache
from typing import Any
from zoneinfo import available_timezones

import streamlit as st

from pages.admin.setting.flow import WIDTH, Editor
from rules.policy_checks import MOST_COST

_WORDS = ("organisation.name", "organisation.zone", "organisation.desk_phone", "cost.currency")
RATE = "cost.person_hour"
KEYS = (*_WORDS, RATE)


@cache
def zones() -> tuple[str, ...]:
    """Every zone by name."""
    return tuple(sorted(available_timezones()))


def draw(editor: Editor) -> None:
    with st.form(f"{editor.prefix}.form", width=WIDTH, enter_to_submit=False):
        editor.text("organisation.name", "Name", editor.base["organisation.name"])
        editor.choice(
            "organisation.zone",
            "Zone",
            {zone: zone for zone in zones()},
            editor.base["organisation.zone"],
            help="Calendars without a zone of their own keep this one's clock.",
        )
        editor.text(
            "organisation.desk_phone",
            "Telephone of the service desk (optional)",
            editor.base["organisation.desk_phone"],
        )
        left, right = st.columns(2)
        with left:
            st.number_input(
                "Cost of a person-hour (optional)",
                min_value=0.0,
                max_value=float(MOST_COST),
                value=float(editor.base[RATE]) or None,
                step=1.0,
                key=editor.key(RATE),
                help="What an hour of somebody's work costs. Problems then show what their incidents cost in money.",
            )
            editor.problem(RATE, "Cost of a person-hour")
        with right:
            editor.text("cost.currency", "Currency", editor.base["cost.currency"], max_chars=3)
        editor.preview_button(collect)


def collect(editor: Editor) -> Mapping[str, Any]:
    """The settings as typed."""
    given: dict[str, Any] = {key: " ".join(str(editor.typed(key) or "").split()) for key in _WORDS}
    return given | {"cost.currency": given["cost.currency"].upper(), RATE: editor.typed(RATE) or 0}
