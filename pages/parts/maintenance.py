"""What an incident says while its service is under maintenance."""

from datetime import datetime

import streamlit as st

from db.queries.maintenance_windows import Running
from pages.parts import times
from pages.parts.texts import literal


def hint(running: Running | None, service: str | None, now: datetime) -> None:
    """One calm line; nothing when no maintenance runs."""
    if running is None:
        return
    st.markdown(
        f":small[:material/build: :gray[{literal(service or 'Its service')} is under maintenance until "
        f"{times.short(running.until, now)}:] [{literal(running.name)}](/maintenance?id={running.id}):gray[. "
        "Its signals page nobody.]]"
    )
