"""While somebody writes a report: known errors like it, with what helps. Whoever is helped need not send anything."""

from collections.abc import Callable

import streamlit as st

from db.commands import deflections
from db.engine import DatabaseProblem, reading
from db.queries import known_errors as queries
from db.queries.known_errors import Help
from pages.parts import affected_services, session
from pages.parts.forms import Failure, attempt, summary, token
from pages.parts.texts import literal

MOST = 2

Key = Callable[[str], str]
"""makes the key of a widget of this report"""


def offer(key: Key, title: str, affected: str) -> None:
    """Draw the known errors like what is typed, or of the service that is named; nothing when there are none.

    Once one has helped, only that is said: nobody is asked again.
    """
    state = st.session_state
    failure: Failure | None = state.pop(key("known.failure"), None)
    helped: str | None = state.get(key("known.helped"))
    if helped is not None:
        with st.container(border=True, gap="small"):
            st.success("**Good that it helped.** You need send nothing.", icon=":material/check_circle:")
            st.button("I need help after all", type="tertiary", key=key("known.undo"), on_click=_take_back, args=(key,))
            summary(failure, {})
        return
    found = _found(title, affected)
    if not found:
        summary(failure, {})
        return
    ids = frozenset(each.id for each in found)
    folded = ids <= state.get(key("known.anyway"), frozenset())
    with st.container(border=True, gap="small"):
        said = "You go on with your report." if folded else "This may help you at once."
        st.markdown(f"**We know of this.** {said}")
        for each in found if not folded else ():
            _one(each, key)
        # The button stays where it is, so that the keyboard does too.
        st.button(
            "Show again" if folded else "Report it anyway",
            type="tertiary",
            key=key("known.go_on"),
            on_click=_go_on,
            args=(key, frozenset() if folded else ids),
        )
        summary(failure, {})


def _found(title: str, affected: str) -> list[Help]:
    try:
        with reading() as db:
            service = affected_services.named(db, affected) if affected.strip() else None
            return queries.for_reporters(db, title, service.id if service else None, MOST)
    except DatabaseProblem:
        return []  # the report itself can still be written; sending it says what is wrong with the database


def _one(known: Help, key: Key) -> None:
    about = f"  \n:small[:gray[{literal(known.service)}]]" if known.service else ""
    with st.container(border=True, gap="small"):
        st.markdown(f":material/lightbulb: **{literal(known.title)}**{about}")
        st.text(known.words)
        st.button(
            "This helped, I need nothing more",
            icon=":material/check:",
            key=key(f"known.{known.id}"),
            on_click=_helped,
            args=(key, known),
        )


def _helped(key: Key, known: Help) -> None:
    actor, form_token = session.require("report"), token(key("form"))
    failure = attempt(lambda db, now: deflections.helped(db, known.id, form_token, actor=actor, now=now))
    st.session_state[key("known.failure")] = failure
    if failure is None:
        st.session_state[key("known.helped")] = known.title


def _take_back(key: Key) -> None:
    actor, form_token = session.require("report"), token(key("form"))
    failure = attempt(lambda db, now: deflections.not_helped(db, form_token, actor=actor))
    st.session_state[key("known.failure")] = failure
    if failure is None:
        st.session_state.pop(key("known.helped"), None)


def _go_on(key: Key, ids: frozenset[int]) -> None:
    st.session_state[key("known.anyway")] = ids
