"""The checklist of an incident: what is to do, who did what, and room for one step more."""

from collections.abc import Callable
from datetime import datetime

import streamlit as st

from db.commands import tasks as commands
from db.engine import Session
from db.queries.incidents import Detail
from db.queries.tasks import Checklist, Step
from pages.parts import session, times
from pages.parts.empty import field_problem
from pages.parts.forms import Failure, attempt
from pages.parts.texts import literal
from rules.access import Actor, may
from rules.templates import STEP_LIMIT


def box(actor: Actor, detail: Detail, found: Checklist, *, whole: bool = True) -> None:
    """Draw the checklist for those who work on the incident; others see it when there is one.

    `whole`: steps can be added and removed too, also the first.
    """
    works = may(actor, "note", detail.record)
    if not (found.steps or (works and (whole or found.offered))):
        return
    key = f"tasks.{detail.line.number}"
    failure: Failure | None = st.session_state.pop(f"{key}.failure", None)
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.header("Checklist", width="stretch", anchor=False)
            if found.steps:
                done = len(found.steps) - found.waiting
                st.caption(f"{done} of {len(found.steps)} done" if found.waiting else "All done", width="content")
        with st.container(gap="xsmall"):
            for step in found.steps:
                _step(actor, detail, step, key, works)
        if failure is not None and not failure.fields:
            field_problem(failure.sentence)
        if works:
            _offer(actor, detail, found.offered, key)
        if works and whole:
            _add(actor, detail, key, failure.fields.get("step") if failure else None)
            _remove(actor, detail, found, key)


def _step(actor: Actor, detail: Detail, step: Step, key: str, works: bool) -> None:
    name = f"{key}.{step.id}"
    st.session_state[name] = step.done_at is not None  # others tick too: what is kept counts, not what was drawn
    who = f" :small[:gray[{literal(step.done_by or 'Somebody')}, {_when(step)}]]" if step.done_at else ""
    st.checkbox(
        f"{literal(step.text)}{who}",
        key=name,
        on_change=_tick,
        args=(actor, detail, step.id, key),
        disabled=not works,
    )


def _when(step: Step) -> str:
    return times.short(step.done_at, session.now()) if step.done_at else ""


def _offer(actor: Actor, detail: Detail, offered: str | None, key: str) -> None:
    """The steps that go with the category, added by a press."""
    if offered is None:
        return
    st.button(
        f"Add the checklist '{literal(offered)}'",
        icon=":material/playlist_add:",
        key=f"{key}.offered",
        help=f"It goes with the category {literal(detail.line.pair or '')}.",
        on_click=_do,
        args=(key, lambda db, now: commands.add_checklist(db, detail.line.id, actor=actor, now=now)),
    )


def _add(actor: Actor, detail: Detail, key: str, wrong: str | None) -> None:
    with st.form(f"{key}.form", border=False, enter_to_submit=False):
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            st.text_input(
                "Add a step",
                key=f"{key}.new",
                max_chars=STEP_LIMIT,
                autocomplete="off",
                placeholder="What else is to do?",
                label_visibility="collapsed",
            )
            st.form_submit_button("Add step", on_click=_send, args=(actor, detail, key))
        field_problem(wrong)


def _remove(actor: Actor, detail: Detail, found: Checklist, key: str) -> None:
    """A menu of the steps that nobody did."""
    waiting = {step.id: step.text for step in found.steps if step.done_at is None}
    if not waiting:
        return
    chosen = st.menu_button(
        "Remove a step", list(waiting), type="tertiary", format_func=waiting.__getitem__, key=f"{key}.remove"
    )
    if chosen is not None:
        _do(key, lambda db, now: commands.remove(db, detail.line.id, chosen, actor=actor, now=now))
        st.rerun()


def _tick(actor: Actor, detail: Detail, step_id: int, key: str) -> None:
    done = bool(st.session_state[f"{key}.{step_id}"])
    _do(key, lambda db, now: commands.tick(db, detail.line.id, step_id, done, actor=actor, now=now))


def _send(actor: Actor, detail: Detail, key: str) -> None:
    words = str(st.session_state[f"{key}.new"] or "")
    _do(key, lambda db, now: commands.add(db, detail.line.id, words, actor=actor, now=now))
    if st.session_state[f"{key}.failure"] is None:
        st.session_state[f"{key}.new"] = ""


def _do(key: str, change: Callable[[Session, datetime], object]) -> None:
    st.session_state[f"{key}.failure"] = attempt(change)
