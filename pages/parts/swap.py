"""Swaps on the screen: asking somebody to take a turn, and answering."""

from datetime import datetime

import streamlit as st

from db.commands import swaps as commands
from db.engine import reading
from db.queries import choices
from db.queries.oncall import MyShift
from db.queries.schedules import SwapRow
from pages.parts import session, turns
from pages.parts.empty import field_problem
from pages.parts.forms import Failure, attempt
from pages.parts.texts import literal
from rules.access import Actor
from rules.errors import RuleError

KEY = "swap"
FAILURE = f"{KEY}.failure"
VERBS = {
    "accept": ("Accept", "check"),
    "decline": ("Decline", "close"),
    "withdraw": ("Withdraw", "undo"),
}


@st.dialog("Ask somebody to take your turn", icon=":material/swap_horiz:")
def ask(actor: Actor, shift: MyShift) -> None:
    """The form; `shift` is what may be given away, whole or in part."""
    key = f"{KEY}.{shift.schedule_id}.{shift.start.timestamp():.0f}"
    if st.session_state.pop(f"{key}.done", False):
        st.rerun()
    now = session.now()
    with reading() as db:
        people = {id_: name for id_, name in choices.workers(db).items() if id_ != actor.id}
    failure: Failure | None = st.session_state.get(f"{key}.failure")
    wrong = failure.fields if failure else {}
    if failure is not None and not wrong:
        st.error(literal(failure.sentence), icon=":material/error:")
    st.markdown(f"**{literal(shift.schedule)}**, {literal(turns.between(shift.start, shift.end, now))}")
    with st.form(f"{key}.form", border=False, enter_to_submit=False):
        st.selectbox(
            "Who", [None, *people], format_func=lambda one: people.get(one, "Choose a person"), key=f"{key}.to"
        )
        field_problem(wrong.get("to_id"))
        left, right = st.columns(2, gap="small")
        with left:
            st.datetime_input("From", turns.wall(max(shift.start, now)), key=f"{key}.start")
            field_problem(wrong.get("start"))
        with right:
            st.datetime_input("Until", turns.wall(shift.end), key=f"{key}.end")
            field_problem(wrong.get("end"))
        st.text_area("A word to them (optional)", key=f"{key}.words", max_chars=commands.WORDS_LIMIT, height=80)
        st.caption("You stay on call until they accept.")
        st.form_submit_button("Ask", type="primary", icon=":material/send:", on_click=_ask, args=(actor, shift, key))


def _ask(actor: Actor, shift: MyShift, key: str) -> None:
    state = st.session_state

    def change(db, now):  # type: ignore[no-untyped-def]
        if state[f"{key}.to"] is None:
            raise RuleError("Choose who is to take it.", field="to_id")
        start, end = turns.span(state[f"{key}.start"], state[f"{key}.end"])
        # The field shows whole minutes; a turn that has begun is given away from now on.
        start = max(start, shift.start, now) if start <= max(shift.start, now) else start
        commands.ask(
            db,
            shift.schedule_id,
            to_id=state[f"{key}.to"],
            start=start,
            end=end,
            words=state[f"{key}.words"],
            actor=actor,
            now=now,
        )

    state[f"{key}.failure"] = failure = attempt(change)
    state[f"{key}.done"] = failure is None


def waiting(actor: Actor, found: list[SwapRow], now: datetime) -> None:
    """Swaps that wait for an answer, with what the actor may do about them. Draws nothing when there are none."""
    failure: Failure | None = st.session_state.pop(FAILURE, None)
    if failure is not None:
        st.error(literal(failure.sentence), icon=":material/error:")
    for row in found:
        mine, asked = row.from_id == actor.id, row.to_id == actor.id
        said = f"**{literal(row.from_name)}** asks **{literal(row.to_name)}** to take a turn"
        if mine:
            said = f"You asked **{literal(row.to_name)}** to take your turn"
        elif asked:
            said = f"**{literal(row.from_name)}** asks you to take a turn"
        when = literal(f"{row.schedule}, {turns.between(row.start, row.end, now)}")
        words = f"  \n{literal(row.words)}" if row.words else ""
        with st.container(border=True, gap="small"):
            st.markdown(f":material/swap_horiz: {said}  \n:small[:gray[{when}]]{words}")
            verbs = ("accept", "decline") if asked else ("withdraw",) if mine else ()
            if verbs:
                with st.container(horizontal=True):
                    for verb in verbs:
                        label, icon = VERBS[verb]
                        st.button(
                            label,
                            icon=f":material/{icon}:",
                            type="primary" if verb == "accept" else "secondary",
                            on_click=_answer,
                            args=(actor, row.id, verb),
                            key=f"{KEY}.{verb}.{row.id}",
                        )


def _answer(actor: Actor, swap_id: int, verb: str) -> None:
    answer = {"accept": commands.accept, "decline": commands.decline, "withdraw": commands.withdraw}[verb]
    st.session_state[FAILURE] = attempt(lambda db, now: answer(db, swap_id, actor=actor, now=now))
