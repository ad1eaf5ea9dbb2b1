"""The postmortem in the room of its incident: how far it is, or the way to begin one."""

import streamlit as st

from db.commands import postmortems as commands
from db.queries.incidents import Detail
from pages.parts import address
from pages.parts.empty import field_problem
from pages.parts.forms import Failure, attempt
from pages.parts.postmortem import LOOKS
from rules.access import Actor, may
from rules.postmortems import DISCARDED, FOR_ALL, LABELS, due

PAGE = "managers/postmortems.py"


def box(actor: Actor, detail: Detail, found: tuple[int, str] | None) -> None:
    """Draw it for those who may read it; nothing for an incident that is not resolved and has none."""
    if not may(actor, "postmortems", detail.record):
        return
    begins = may(actor, "postmortem_edit", detail.record) and detail.line.state in FOR_ALL
    if found is None and not begins:
        return
    key = f"learned.{detail.line.number}"
    failure: Failure | None = st.session_state.pop(f"{key}.failure", None)
    made: int | None = st.session_state.pop(f"{key}.made", None)
    if made is not None:
        _open(made)
    if failure is not None:
        field_problem(failure.sentence)
    if found is None and not due(major=detail.line.major, priority=detail.line.priority):
        if not may(actor, "note", detail.record):
            return
        st.button(
            "Write a postmortem",
            icon=":material/history_edu:",
            key=f"{key}.begin",
            on_click=_begin,
            args=(actor, detail, key),
        )
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        if found is None:
            st.markdown(":material/history_edu: **Postmortem** :gray[is due and not begun]", width="stretch")
        else:
            tone, icon = LOOKS[found[1]]
            st.markdown(
                f":material/history_edu: **Postmortem** :{tone}-badge[:material/{icon}: {LABELS[found[1]]}]",
                width="stretch",
            )
        if found is None or (found[1] == DISCARDED and begins):
            label = "Begin" if found is None else "Take it up again"
            st.button(label, key=f"{key}.begin", on_click=_begin, args=(actor, detail, key))
        if found is not None and st.button("Open", key=f"{key}.open", help="Open the postmortem"):
            _open(found[0])


def _begin(actor: Actor, detail: Detail, key: str) -> None:
    made: list[int] = []
    failure = attempt(lambda db, now: made.append(commands.start(db, detail.line.id, actor=actor, now=now)))
    st.session_state[f"{key}.failure"] = failure
    if failure is None:
        st.session_state[f"{key}.made"] = made[-1]


def _open(postmortem_id: int) -> None:
    address.lead(PAGE, {"id": str(postmortem_id)})
