"""Notes on the time axis of trends: written for a day, taken away again."""

from datetime import date

import streamlit as st

from db.commands import trend_notes as commands
from db.engine import reading
from db.queries import trend_notes as queries
from pages.parts import session, times
from pages.parts.empty import field_problem
from pages.parts.forms import Failure, attempt
from pages.parts.texts import literal
from rules.access import Actor, may
from rules.periods import FIRST_DAY

KEY = "trends.notes"


def notes(actor: Actor, first: date, last: date) -> None:
    """A popover with the notes of the days shown, and a form for one more."""
    shown = st.popover("Notes", icon=":material/sticky_note_2:", on_change="rerun", key=KEY)
    if not shown.open:
        return
    with reading() as db:
        known = queries.notes(db, actor, first, last)
    writes = may(actor, "trend_note")
    with shown:
        for note in known:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.markdown(
                    f"{note.day.day} {note.day:%b %Y} · {literal(note.text)}",
                    width="stretch",
                    help=literal(note.author),
                )
                if writes:
                    st.button(
                        "Remove",
                        help=f"Remove the note {literal(note.text)}",
                        type="tertiary",
                        on_click=_remove,
                        args=(actor, note.id),
                        key=f"{KEY}.remove.{note.id}",
                    )
        if not known:
            st.caption("Nothing is noted in this period. A note, such as 'New release', explains what numbers do.")
        if writes:
            _form(actor)


def _form(actor: Actor) -> None:
    failure: Failure | None = st.session_state.get(f"{KEY}.failure")
    with st.form(f"{KEY}.form", border=False):
        today = times.local(session.now()).date()
        st.date_input("Day", today, min_value=FIRST_DAY, max_value=today, key=f"{KEY}.day")
        field_problem(failure.fields.get("day") if failure else None)
        st.text_input("What happened", key=f"{KEY}.text", max_chars=commands.LIMIT)
        field_problem((failure.fields.get("text") or ("" if failure.fields else failure.sentence)) if failure else None)
        st.form_submit_button("Note it", icon=":material/add:", on_click=_add, args=(actor,))


def _add(actor: Actor) -> None:
    day, words = st.session_state[f"{KEY}.day"], st.session_state[f"{KEY}.text"]
    failure = attempt(lambda db, now: commands.add(db, day, words, actor=actor, now=now))
    st.session_state[f"{KEY}.failure"] = failure
    if failure is None:
        st.session_state[f"{KEY}.text"] = ""


def _remove(actor: Actor, note_id: int) -> None:
    st.session_state[f"{KEY}.failure"] = attempt(lambda db, now: commands.remove(db, note_id, actor=actor, now=now))
