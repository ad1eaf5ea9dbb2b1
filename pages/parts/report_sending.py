"""Having a saved view of trends sent: when, by whose clock, and to whom."""

from calendar import day_name

import streamlit as st

from db.commands import report_schedules as commands
from db.engine import reading
from db.queries import report_schedules as queries
from db.queries.report_schedules import Sending
from db.queries.views import View
from pages.parts import times
from pages.parts.empty import field_problem
from pages.parts.forms import Failure, attempt
from pages.parts.texts import literal
from rules.access import Actor, may
from rules.report_times import EVERY, MONDAY_AT_EIGHT

KEY = "reports.send"


def form(actor: Actor, view: View, now_sent: Sending | None) -> None:
    """The form, filled in with how it is sent now."""
    key = f"{KEY}.{view.id}"
    failure: Failure | None = st.session_state.get(f"{key}.failure")
    wrong = failure.fields if failure else {}
    if failure is not None and not wrong:
        st.error(literal(failure.sentence), icon=":material/error:")
    kept = now_sent.times if now_sent is not None else None
    every = st.radio(
        "How often",
        list(EVERY),
        list(EVERY).index(kept.every if kept else "week"),
        format_func=EVERY.__getitem__,
        key=f"{key}.every",
    )
    if every == "week":
        day = kept.weekday if kept is not None and kept.weekday is not None else MONDAY_AT_EIGHT[1]
        st.selectbox("Day", range(len(day_name)), day, format_func=day_name.__getitem__, key=f"{key}.weekday")
        field_problem(wrong.get("weekday"))
    st.selectbox(
        "Hour",
        range(24),
        kept.hour if kept else MONDAY_AT_EIGHT[2],
        format_func=lambda hour: f"{hour:02d}:00",
        key=f"{key}.hour",
    )
    field_problem(wrong.get("hour"))
    readers(actor, now_sent, key, wrong.get("readers"))
    st.caption(f"By your clock, zone {times.zone()}. Each gets the numbers that are open to them, and keeps them.")
    with st.container(horizontal=True):
        st.button(
            "Save", type="primary", icon=":material/check:", on_click=_save, args=(actor, view.id, key), key=f"{key}.ok"
        )
        if now_sent is not None:
            st.button("Send it no more", on_click=_end, args=(actor, now_sent.id, key), key=f"{key}.end")


def readers(actor: Actor, now_sent: Sending | None, key: str, wrong: str | None) -> None:
    """To whom; oneself alone where the actor may not have reports sent to others."""
    if not may(actor, "send_reports"):
        st.caption("It is sent to you. Leads, managers and administrators can have it sent to others.")
        return
    with reading() as db:
        known = queries.may_read(db, actor)
    chosen = now_sent.reader_ids if now_sent is not None else (actor.id,)
    st.multiselect(
        "To whom",
        list(known),
        [person for person in chosen if person in known],
        format_func=known.__getitem__,
        key=f"{key}.readers",
        placeholder="Choose people by name",
        help="People who may read trends.",
    )
    field_problem(wrong)


def _save(actor: Actor, view_id: int, key: str) -> None:
    state = st.session_state
    zone = str(times.zone())
    state[f"{key}.failure"] = failure = attempt(
        lambda db, now: commands.save(
            db,
            view_id,
            every=state[f"{key}.every"],
            weekday=state.get(f"{key}.weekday"),
            hour=state[f"{key}.hour"],
            zone=zone,
            reader_ids=state.get(f"{key}.readers", [actor.id]),
            actor=actor,
            now=now,
        )
    )
    if failure is None:
        state["reports.done"] = "It is sent as you chose."


def _end(actor: Actor, schedule_id: int, key: str) -> None:
    state = st.session_state
    state[f"{key}.failure"] = failure = attempt(lambda db, now: commands.end(db, schedule_id, actor=actor, now=now))
    if failure is None:
        state["reports.done"] = "It is sent no more."
