"""Somebody else for a while: the dialog that adds an override, and the list of those that are live or to come."""

from datetime import datetime

import streamlit as st

from db.commands import overrides as commands
from db.engine import reading
from db.queries import choices
from db.queries.schedules import Override
from pages.parts import turns
from pages.parts.empty import field_problem
from pages.parts.forms import Failure, attempt
from pages.parts.texts import literal
from rules.access import Actor, may

KEY = "override"
FAILURE = f"{KEY}.failure"


@st.dialog("Somebody else for a while", icon=":material/person_add:")
def add(actor: Actor, schedule_id: int, start: datetime, end: datetime, removed_id: int | None = None) -> None:
    """The form, filled in for a turn or a gap."""
    key = f"{KEY}.{schedule_id}.{start.timestamp():.0f}.{removed_id or 0}"
    if st.session_state.pop(f"{key}.done", False):
        st.rerun()
    with reading() as db:
        people = choices.workers(db)
    failure: Failure | None = st.session_state.get(f"{key}.failure")
    wrong = failure.fields if failure else {}
    if failure is not None and not wrong:
        st.error(literal(failure.sentence), icon=":material/error:")
    nobody: dict[int | None, str] = {None: "Nobody"}
    options = nobody | people
    known = list(options)
    with st.form(f"{key}.form", border=False, enter_to_submit=False):
        st.selectbox("Who is on call then", known, format_func=options.__getitem__, key=f"{key}.added")
        field_problem(wrong.get("added_id"))
        at = known.index(removed_id) if removed_id in options else 0
        st.selectbox("In the place of (optional)", known, at, format_func=options.__getitem__, key=f"{key}.removed")
        field_problem(wrong.get("removed_id"))
        left, right = st.columns(2, gap="small")
        with left:
            st.datetime_input("From", turns.wall(start), key=f"{key}.start")
            field_problem(wrong.get("start"))
        with right:
            st.datetime_input("Until", turns.wall(end), key=f"{key}.end")
            field_problem(wrong.get("end"))
        st.text_input("Why (optional)", key=f"{key}.reason", max_chars=commands.REASON_LIMIT, autocomplete="off")
        st.caption(
            "In the place of nobody they are added. In the place of somebody they stand in for their turns only."
        )
        st.form_submit_button(
            "Save", type="primary", icon=":material/check:", on_click=_add, args=(actor, schedule_id, key)
        )


def _add(actor: Actor, schedule_id: int, key: str) -> None:
    state = st.session_state

    def change(db, now):  # type: ignore[no-untyped-def]
        start, end = turns.span(state[f"{key}.start"], state[f"{key}.end"])
        commands.add(
            db,
            schedule_id,
            start=start,
            end=end,
            added_id=state[f"{key}.added"],
            removed_id=state[f"{key}.removed"],
            reason=state[f"{key}.reason"],
            actor=actor,
            now=now,
        )

    state[f"{key}.failure"] = failure = attempt(change)
    state[f"{key}.done"] = failure is None


def listed(actor: Actor, found: list[Override], now: datetime) -> None:
    """Each with what it does, and the button that ends it."""
    failure: Failure | None = st.session_state.pop(FAILURE, None)
    if failure is not None:
        st.error(literal(failure.sentence), icon=":material/error:")
    for one in found:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            told = [turns.between(one.start, one.end, now), one.reason, f"by {one.by}" if one.by else ""]
            about = literal(" · ".join(part for part in told if part))
            st.markdown(f"{words(one)}  \n:small[:gray[{about}]]", width="stretch")
            if may(actor, "schedule") or one.by_id == actor.id:
                st.button(
                    "End" if one.start <= now else "Cancel",
                    type="tertiary",
                    icon=":material/close:",
                    on_click=_cancel,
                    args=(actor, one.id),
                    key=f"{KEY}.cancel.{one.id}",
                )


def words(one: Override) -> str:
    """Markdown: '**Bo** for **Ana**'."""
    added, removed = (f"**{literal(name)}**" if name else "" for name in (one.added, one.removed))
    if added and removed:
        return f"{added} for {removed}"
    return f"{added} is added" if added else f"{removed} is taken out"


def _cancel(actor: Actor, override_id: int) -> None:
    st.session_state[FAILURE] = attempt(lambda db, now: commands.cancel(db, override_id, actor=actor, now=now))
