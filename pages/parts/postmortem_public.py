"""What the public reads of a postmortem on the status page: by choice, in words of its own."""

import streamlit as st

from db.commands import published_postmortems as commands
from db.queries.postmortems import Public, Whole
from pages.parts import times
from pages.parts.empty import field_problem
from pages.parts.forms import Failure, attempt, summary
from pages.parts.texts import literal
from rules import postmortems as rules
from rules.access import Actor
from rules.postmortems import PUBLISHED

KEY = "postmortem.public"
LABELS = {"public_title": "What the public calls it", "public_text": "What the public reads"}


def box(actor: Actor, found: Whole) -> None:
    """What is shown, and for those who may publish the words to change it; nothing where there is nothing to choose."""
    shown = found.public if found.public is not None and found.public.withdrawn_at is None else None
    if found.state != PUBLISHED or not (shown or (found.in_public and found.may_publish)):
        return
    with st.container(border=True):
        st.header("On the status page", anchor=False)
        if shown is not None:
            st.markdown(
                f":green[:material/public: **{literal(shown.title)}**]  \n{literal(shown.words)}  \n"
                f":small[:gray[Since {times.full(shown.published_at)}]]"
            )
        else:
            st.caption("The public knows of this incident and reads nothing of what was learned.")
        if not (found.may_edit and found.may_publish):
            return
        with st.expander(
            "Change the words" if shown else "Tell the public what we learned", key=f"{KEY}.fold", on_change="rerun"
        ) as folded:
            if folded.open:
                _form(actor, found, shown)


def _form(actor: Actor, found: Whole, shown: Public | None) -> None:
    key = f"{KEY}.{found.id}"
    failure: Failure | None = st.session_state.get(f"{key}.failure")
    wrong = failure.fields if failure else {}
    present = found.public.version if found.public is not None else None
    seen = st.session_state.setdefault(f"{key}.seen", present)
    if "version" in wrong and failure is not None:
        st.error(literal(failure.sentence), icon=":material/error:")
    else:
        summary(failure, LABELS, outcome="Nothing was published yet.")
    begins = (found.public.title, found.public.words) if found.public is not None else ("", "")
    for name, value in zip(LABELS, begins, strict=True):
        st.session_state.setdefault(f"{key}.{name}", value)
    st.caption("Nothing of the postmortem is shown by itself. Write for people who use the service.")
    st.text_input(
        LABELS["public_title"], key=f"{key}.public_title", max_chars=rules.PUBLIC_TITLE_LIMIT, autocomplete="off"
    )
    field_problem(wrong.get("public_title"))
    st.text_area(LABELS["public_text"], key=f"{key}.public_text", height=160, max_chars=rules.PUBLIC_TEXT_LIMIT)
    field_problem(wrong.get("public_text"))
    with st.container(horizontal=True, gap="small"):
        if "version" in wrong:
            st.button("Use mine", type="primary", key=f"{key}.mine", on_click=_publish, args=(actor, found.id, present))
            st.button("Keep theirs", key=f"{key}.theirs", on_click=_forget, args=(key,))
        else:
            st.button(
                "Change it on the status page" if shown else "Publish on the status page",
                type="primary",
                icon=":material/public:",
                key=f"{key}.publish",
                on_click=_publish,
                args=(actor, found.id, seen),
            )
            if shown:
                st.button("Take it off", key=f"{key}.withdraw", on_click=_withdraw, args=(actor, found.id))


def _publish(actor: Actor, postmortem_id: int, version: int | None) -> None:
    key = f"{KEY}.{postmortem_id}"
    title, words = (str(st.session_state.get(f"{key}.{name}") or "") for name in LABELS)
    failure = attempt(lambda db, now: commands.publish(db, postmortem_id, version, title, words, actor=actor, now=now))
    st.session_state[f"{key}.failure"] = failure
    if failure is None:
        _forget(key)


def _withdraw(actor: Actor, postmortem_id: int) -> None:
    key = f"{KEY}.{postmortem_id}"
    st.session_state[f"{key}.failure"] = failure = attempt(
        lambda db, now: commands.withdraw(db, postmortem_id, actor=actor, now=now)
    )
    if failure is None:
        _forget(key)


def _forget(key: str) -> None:
    for name in (*LABELS, "failure", "seen"):
        st.session_state.pop(f"{key}.{name}", None)
