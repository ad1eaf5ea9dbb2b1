"""A screen of numbers as files, on paper and as pictures: each is made anew when it is asked for."""

from collections.abc import Mapping
from urllib.parse import quote, urlencode

import streamlit as st

from pages.parts import panels
from pages.parts.texts import literal


def popover(path: str, zone: str, pictures: Mapping[str, str] | None = None) -> None:
    """The ways out of the screen at `path`, as its address stands. `pictures`: key -> title of what can be drawn."""
    shown = st.popover("Export", icon=":material/download:", on_change="rerun", key=f"{path[1:]}.export")
    if not shown.open:
        return
    query = urlencode(st.query_params.to_dict() | {"zone": zone})
    with shown:
        st.markdown(f":material/print: [Print view]({path}/print?{query})")
        for form, words in panels.FORMS.items():
            st.markdown(f":material/download: [{words}]({path}/report.{form}?{query})")
        if pictures:
            st.caption("Pictures (PNG), with period, filters, zone and moment")
        for key, title in (pictures or {}).items():
            st.markdown(f":material/image: [{literal(title)}]({path}/chart.png?{query}&panel={quote(key)})")
