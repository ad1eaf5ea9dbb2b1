"""Next up: take the first incident of one's teams that nobody has, and open it."""

import streamlit as st

from db.commands import ranking
from pages.parts import address
from pages.parts.forms import attempt
from pages.parts.texts import literal
from rules.access import Actor, may


def button(actor: Actor, key: str) -> None:
    """Draw it for those who work in a team."""
    if not may(actor, "next_up") or not actor.team_ids:
        return
    pressed = st.button(
        "Next up", icon=":material/skip_next:", key=key, help="Takes the first incident of your teams that nobody has."
    )
    if not pressed:
        return
    taken: list[str] = []

    def take(db, now):  # type: ignore[no-untyped-def]
        incident = ranking.next_up(db, actor=actor, now=now)
        taken.extend([incident.number] if incident else [])

    failure = attempt(take)
    if taken and failure is None:
        address.lead("responders/incident.py", {"number": taken[0]})
    st.toast(literal(failure.sentence) if failure else "Nothing waits for your teams.", icon=":material/info:")
