"""Who may see a restricted incident, and how to change that."""

import streamlit as st

from db.commands import naming
from db.engine import reading
from db.queries import access, choices
from db.queries.incidents import Detail
from pages.parts.empty import field_problem
from pages.parts.forms import Failure, attempt
from pages.parts.texts import literal
from rules.access import Actor, may


def box(actor: Actor, detail: Detail) -> None:
    """Draw it for a restricted incident and those who may triage it; nothing otherwise."""
    if not detail.line.restricted or not may(actor, "prioritise", detail.record):
        return
    key = f"named.{detail.line.number}"
    with reading() as db:
        named = access.named_on(db, detail.line.id)
        people = choices.people(db)
    failure: Failure | None = st.session_state.get(f"{key}.failure")
    with st.container(border=True):
        st.header("Who may see it")
        st.caption("Its reporter, its team, and these people:")
        for person_id, name in named.items():
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(literal(name), width="stretch")
                st.button(
                    "Remove",
                    type="tertiary",
                    help=f"{literal(name)} no longer sees it",
                    on_click=_remove,
                    args=(actor, detail.line.id, person_id, key),
                    key=f"{key}.remove.{person_id}",
                )
        with st.form(f"{key}.form", border=False, clear_on_submit=True):
            others: dict[int | None, str] = {None: "Choose a person"}
            others |= {id_: name for id_, name in people.items() if id_ not in named}
            st.selectbox("Name somebody", list(others), format_func=others.__getitem__, key=f"{key}.person")
            field_problem(failure.sentence if failure else None)
            st.form_submit_button("Add", on_click=_add, args=(actor, detail.line.id, key))


def _add(actor: Actor, incident_id: int, key: str) -> None:
    person_id = st.session_state[f"{key}.person"]
    st.session_state[f"{key}.failure"] = attempt(
        lambda db, now: naming.name(db, incident_id, person_id, actor=actor, now=now)
    )


def _remove(actor: Actor, incident_id: int, person_id: int, key: str) -> None:
    st.session_state[f"{key}.failure"] = attempt(
        lambda db, now: naming.unname(db, incident_id, person_id, actor=actor, now=now)
    )
