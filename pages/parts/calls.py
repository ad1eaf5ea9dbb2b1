"""The call of an incident's room: start one, paste the link of another service, join, end."""

from urllib.parse import urlsplit

import streamlit as st

from db.commands import calls as commands
from db.queries.incidents import Detail
from db.queries.rooms import Call
from db.settings import settings
from pages.parts.empty import field_problem
from pages.parts.forms import Failure, attempt
from pages.parts.texts import literal
from rules import web_address
from rules.access import Actor, may


def button(actor: Actor, detail: Detail, call: Call | None) -> None:
    """What there is to do about a call, in the row of actions."""
    works = may(actor, "note", detail.record)
    key = f"call.{detail.line.number}"
    if call is not None:
        said = f"{call.by} started it."
        st.link_button("Join the call", call.url, icon=":material/videocam:", help=literal(said))
    if not works:
        return
    failure: Failure | None = st.session_state.get(f"{key}.failure")
    label = "Call" if call else "Start a call"
    with st.popover(label, type="tertiary", icon=":material/videocam:", key=f"{key}.open"):
        if call is not None:
            st.button("End the call", icon=":material/call_end:", on_click=_end, args=(actor, detail, key))
        else:
            host = urlsplit(settings().video_url).hostname or ""
            st.button(
                f"Start on {host}",
                type="primary",
                icon=":material/videocam:",
                on_click=_start,
                args=(actor, detail, key),
            )
        with st.form(f"{key}.form", border=False, clear_on_submit=False, enter_to_submit=True):
            st.text_input(
                "Or paste the link of a call", key=f"{key}.url", placeholder="https://", max_chars=web_address.LIMIT
            )
            field_problem(failure.sentence if failure else None)
            st.form_submit_button("Use this link", on_click=_paste, args=(actor, detail, key))


def _start(actor: Actor, detail: Detail, key: str) -> None:
    template = settings().video_url
    st.session_state[f"{key}.failure"] = attempt(
        lambda db, now: commands.start(db, detail.line.id, template, actor=actor, now=now)
    )


def _paste(actor: Actor, detail: Detail, key: str) -> None:
    template, pasted = settings().video_url, str(st.session_state[f"{key}.url"] or "")
    failure = attempt(lambda db, now: commands.start(db, detail.line.id, template, pasted, actor=actor, now=now))
    st.session_state[f"{key}.failure"] = failure
    if failure is None:
        st.session_state[f"{key}.url"] = ""


def _end(actor: Actor, detail: Detail, key: str) -> None:
    st.session_state[f"{key}.failure"] = attempt(lambda db, now: commands.end(db, detail.line.id, actor=actor, now=now))
