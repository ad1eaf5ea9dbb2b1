"""The talk in an incident's room: it speaks with the server by itself, and runs the page when the incident changes."""

import streamlit as st

from db.queries.incidents import Detail
from db.queries.rooms import Talk
from pages.parts import assets
from pages.parts.session import now
from pages.parts.texts import literal
from rules.access import Actor, may

_CHAT = st.components.v2.component("incident_desk.chat", css=assets.css("chat"), js=assets.js("chat", "chat_composer"))


def chat(actor: Actor, detail: Detail, talk: Talk) -> None:
    """Draw it inside the part of the page that is to run again when somebody changes the incident."""
    _CHAT(
        key=f"chat.{detail.line.number}",
        data={
            "number": detail.line.number,
            "mark": talk.mark,
            "people": talk.people,
            "me": actor.id,
            "may": may(actor, "note", detail.record),
            "mirrored": talk.mirrored,
            "now": now().isoformat(),
        },
        on_change_change=lambda: None,
    )
    if talk.mirrored:
        st.caption(f"What is said here goes to {literal(talk.mirrored)} too.")
