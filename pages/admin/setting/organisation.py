"""Settings: the organisation's name, its zone, and the telephone of its service desk."""

from collections.abc import Mapping
from functools import cache
from typing import Any
from zoneinfo import available_timezones

import streamlit as st

from pages.admin.setting.flow import WIDTH, Editor

KEYS = ("organisation.name", "organisation.zone", "organisation.desk_phone")


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
        editor.preview_button(collect)


def collect(editor: Editor) -> Mapping[str, Any]:
    """The settings as typed."""
    return {key: " ".join(str(editor.typed(key) or "").split()) for key in KEYS}
