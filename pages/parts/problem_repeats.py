"""What repeats and has no problem yet: suggested with what it rests on, opened or dismissed by a press."""

from datetime import datetime

import streamlit as st

from db.commands import repeats as commands
from db.engine import reading
from db.queries import repeats as queries
from db.queries.repeats import Repeat
from pages.parts import dialogs, problem_form, session, times
from pages.parts.empty import field_problem
from pages.parts.forms import Failure, attempt
from pages.parts.texts import link_to, literal
from rules.access import Actor
from rules.problems import LEAST, PERIOD, REASON_LIMIT

FIRST = 3
"""suggestions shown before somebody asks for the rest"""
EVIDENCE = 10
_READ = "problems.repeats"


def box(actor: Actor, edits: bool) -> None:
    """Draw the suggestions; nothing when there are none."""
    now = session.now()
    found = _suggestions(actor, now)
    if not found:
        return
    with st.container(border=True):
        st.header("It repeats", anchor=False)
        days = PERIOD.days
        st.caption(
            f"{LEAST} or more incidents of one service and category in {days} days, none of which an open problem "
            "explains. Restricted and cancelled ones and duplicates are not counted."
        )
        every = len(found) <= FIRST or st.session_state.get("problems.repeats.all", False)
        for repeat in found if every else found[:FIRST]:
            _one(actor, repeat, edits, now)
        if not every:
            st.button(
                f"Show {len(found) - FIRST} more", type="tertiary", key="problems.repeats.more", on_click=_show_all
            )


def _suggestions(actor: Actor, now: datetime) -> list[Repeat]:
    """Looked up once a minute, not again with every press."""
    asked = (actor.id, now.replace(second=0, microsecond=0))
    if st.session_state.get(_READ, (None,))[0] != asked:
        with reading() as db:
            st.session_state[_READ] = (asked, queries.suggestions(db, actor, now))
    found: list[Repeat] = st.session_state[_READ][1]
    return found


def _show_all() -> None:
    st.session_state["problems.repeats.all"] = True


def _one(actor: Actor, repeat: Repeat, edits: bool, now: datetime) -> None:
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(
                f":material/auto_awesome: **{literal(repeat.service)} · {literal(repeat.pair)}**  \n"
                f":small[:gray[{repeat.n:,} incidents in {PERIOD.days} days]]",
                width="stretch",
            )
            if edits:
                st.button(
                    "Open a problem",
                    icon=":material/troubleshoot:",
                    key=f"problems.repeat.{repeat.key}.open",
                    on_click=_open,
                    args=(actor, repeat),
                )
                if st.button("Not a problem", type="tertiary", key=f"problems.repeat.{repeat.key}.no"):
                    st.session_state.pop("problems.dismiss.failure", None)
                    dialogs.show(f"Not a problem: {literal(repeat.service)}", dismiss, actor, repeat)
        with st.expander(
            "What it rests on", type="compact", key=f"problems.repeat.{repeat.key}.why", on_change="rerun"
        ) as folded:
            if folded.open:
                _evidence(actor, repeat, now)


def _evidence(actor: Actor, repeat: Repeat, now: datetime) -> None:
    with reading() as db:
        shared = queries.of_repeat(db, actor, repeat.service_id, repeat.category_pair_id, now)
    if shared.words:
        st.markdown(f"They share: {', '.join(f'**{literal(word)}**' for word in shared.words)}.")
    else:
        st.markdown("Their titles share no words: they may have different causes.")
    lines = [
        f"- {link_to(each.number)} {literal(each.title)} :small[:gray[{times.ago(each.reported_at, now)}]]"
        for each in shared.incidents[:EVIDENCE]
    ]
    if len(shared.incidents) > EVIDENCE:
        lines.append(f"- :gray[and {repeat.n - EVIDENCE:,} more]")
    st.markdown("\n".join(lines))


def _open(actor: Actor, repeat: Repeat) -> None:
    """The form of a new problem with what is known: nothing is kept before it is sent."""
    with reading() as db:
        shared = queries.of_repeat(db, actor, repeat.service_id, repeat.category_pair_id, session.now())
    title = shared.incidents[0].title if shared.incidents else ""
    problem_form.begin_new(
        {each.id: f"{each.number} {each.title}" for each in shared.incidents},
        title=title,
        service_id=repeat.service_id,
        category_pair_id=repeat.category_pair_id,
    )


def dismiss(actor: Actor, repeat: Repeat) -> None:
    """The dialog that asks why it is none."""
    key = "problems.dismiss"
    if st.session_state.pop(f"{key}.done", False):
        st.rerun()
    failure: Failure | None = st.session_state.get(f"{key}.failure")
    st.markdown(f"**{literal(repeat.service)} · {literal(repeat.pair)}**, {repeat.n:,} incidents")
    st.caption(f"It is suggested again when {LEAST} more have come.")
    with st.form(f"{key}.form", border=False, enter_to_submit=False):
        st.text_area("Why it is no problem", key=f"{key}.reason", height=96, max_chars=REASON_LIMIT)
        field_problem(failure.sentence if failure else None)
        st.form_submit_button("Not a problem", type="primary", on_click=_dismiss, args=(actor, repeat, key))


def _dismiss(actor: Actor, repeat: Repeat, key: str) -> None:
    reason = str(st.session_state.get(f"{key}.reason") or "")
    failure = attempt(
        lambda db, now: commands.dismiss(db, repeat.service_id, repeat.category_pair_id, reason, actor=actor, now=now)
    )
    st.session_state[f"{key}.failure"] = failure
    if failure is None:
        st.session_state.pop(f"{key}.reason", None)
        st.session_state.pop(_READ, None)
        st.session_state[f"{key}.done"] = True
