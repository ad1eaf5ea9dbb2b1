"""Settings: what priority, clocks and rank are computed by. Every change is previewed, then applied to what is open."""

import streamlit as st

from db.engine import reading
from db.queries import settings as queries
from pages.admin.setting import calendars, flow, organisation, priority, targets, teams, updates
from pages.parts import address, session
from pages.parts.forms import guarded
from pages.parts.marks import gray

PARTS = {
    "organisation": ("Organisation", organisation),
    "priority": ("Priority", priority),
    "targets": ("SLA targets", targets),
    "calendars": ("Calendars", calendars),
    "teams": ("Teams", teams),
    "updates": ("Updates", updates),
}


def page() -> None:
    actor = session.require("settings")
    st.title("Settings")
    key = address.begin("settings", "part", PARTS, "organisation")
    part = st.segmented_control(
        "Which settings",
        list(PARTS),
        format_func=lambda name: gray(PARTS[name][0]),
        key=key,
        label_visibility="collapsed",
        required=True,
    )
    address.keep({"part": part if part != "organisation" else None})
    with guarded():
        with reading() as db:
            edited = queries.editable(db, actor)
        flow.progress(edited)
        _, module = PARTS[part or "organisation"]
        editor = flow.begin(part or "organisation", module.KEYS, edited)
        module.draw(editor)
        flow.end(editor)


page()
