"""For whom somebody reports who answers the telephone: a person with an account, or a name and how to reach them."""

from collections.abc import Callable, Mapping

import streamlit as st

from db.commands.checks import Caller
from db.engine import DatabaseProblem, reading
from db.queries import choices
from pages.parts.empty import field_problem
from pages.parts.marks import gray
from rules.callers import SOURCES

LABELS = {
    "caller_id": "Who has the problem?",
    "caller_name": "Their name",
    "caller_contact": "How to reach them",
    "source": "How did they reach you?",
}


def ask(key: Callable[[str], str], wrong: Mapping[str, str]) -> None:
    """Draw the questions; `key` gives the key of a field of the form."""
    if not st.toggle("I report for somebody else", key=key("for_other"), persist_state="session"):
        return
    people: dict[int | None, str] = {None: "Somebody without an account"}
    try:
        with reading() as db:
            people.update(choices.people(db).items())
    except DatabaseProblem:
        pass  # sending says what is wrong with the database
    with st.container(border=True):
        person_id = st.selectbox(
            f"**{LABELS['caller_id']}**",
            list(people),
            format_func=lambda option: people.get(option, "?"),
            key=key("caller_id"),
            persist_state="session",
        )
        field_problem(wrong.get("caller_id"))
        if person_id is None:
            for name in ("caller_name", "caller_contact"):
                st.text_input(f"**{LABELS[name]}**", key=key(name), max_chars=200, persist_state="session")
                field_problem(wrong.get(name))
        st.segmented_control(
            f"**{LABELS['source']}**",
            list(SOURCES),
            default="phone",
            format_func=lambda option: gray(SOURCES[option]),
            key=key("source"),
            required=True,
            persist_state="session",
        )
        field_problem(wrong.get("source"))


def chosen(key: Callable[[str], str]) -> Caller | None:
    """For whom it is; None for oneself."""
    state = st.session_state
    if not state.get(key("for_other")):
        return None
    name, contact = (str(state.get(key(field)) or "") for field in ("caller_name", "caller_contact"))
    return Caller(state.get(key("caller_id")), name, contact, state.get(key("source")) or "phone")
