"""The steps of a problem as buttons; a dialog asks for what a step needs."""

from typing import Any

import streamlit as st

from db.commands import problems as commands
from db.engine import reading
from db.models import Problem
from db.queries import problems as queries
from pages.parts import dialogs, problem_form
from pages.parts.empty import field_problem
from pages.parts.forms import Failure, attempt
from pages.parts.texts import literal
from rules.access import Actor, NotFound
from rules.problems import MOVES, REASON_LIMIT, TEXT_LIMIT, TEXTS, possible

ICONS = {
    "investigate": "search",
    "know": "lightbulb",
    "doubt": "search",
    "fix": "check_circle",
    "close": "task_alt",
    "drop": "block",
    "reopen": "replay",
}
ASKS = {"know": ("cause", "workaround", "public_words"), "fix": ("fix",)}
"""what is written with a step"""
_PRIMARY = {"open": "investigate", "investigating": "know", "known_error": "fix", "fixed": "close"}
_TOLD = {
    "know": "It is shown in triage and in the room; reporters read what was written for them.",
    "fix": "Those who work on its open incidents and those who reported them are told. What is on hold for it goes on.",
    "drop": "What is on hold for it goes on, and those who work on that are told.",
}


def buttons(actor: Actor, problem: queries.Detail, edits: bool) -> None:
    """The steps out of its state: the likely one filled, the rest in a menu."""
    failure: Failure | None = st.session_state.pop("problems.move.problem", None)
    if failure is not None:
        st.error(literal(failure.sentence), icon=":material/error:")
    if not edits:
        return
    names = possible(problem.state)
    first = _PRIMARY.get(problem.state)
    wanted = st.session_state.pop("problems.ask", None)
    with st.container(horizontal=True, gap="small"):
        for name in sorted(names, key=lambda each: each != first)[:2]:
            st.button(
                MOVES[name].label,
                type="primary" if name == first else "secondary",
                icon=f":material/{ICONS[name]}:",
                key=f"problems.move.{name}",
                on_click=_pressed,
                args=(actor, problem, name),
            )
        more = sorted(names, key=lambda each: each != first)[2:]
        if more:
            chosen = st.menu_button(
                "More",
                more,
                icon=":material/more_horiz:",
                format_func=lambda name: MOVES[name].label,
                key="problems.more",
            )
            wanted = chosen or wanted
        if not problem_form.is_open(problem):
            st.button(
                "Edit",
                icon=":material/edit:",
                type="tertiary",
                key="problems.edit",
                on_click=problem_form.edit,
                args=(problem,),
            )
    if wanted is not None:
        st.session_state.pop(f"problems.step.{wanted}.failure", None)
        title = f"{MOVES[wanted].label}: {problem.number}"
        dialogs.show(title, _dialog, actor, problem, wanted, icon=f":material/{ICONS[wanted]}:")


def _pressed(actor: Actor, problem: queries.Detail, name: str) -> None:
    if name in ASKS or MOVES[name].asks:
        st.session_state["problems.ask"] = name
    else:
        st.session_state["problems.move.problem"] = _take(actor, problem, name, "", {})


def _take(actor: Actor, problem: queries.Detail, name: str, reason: str, given: dict[str, Any]) -> Failure | None:
    moved: list[Problem] = []
    failure = attempt(
        lambda db, now: moved.append(
            commands.move(db, problem.id, problem.version, name, reason, given, actor=actor, now=now)
        )
    )
    if failure is None:
        problem_form.stepped(problem, moved[-1])
    return failure


def _dialog(actor: Actor, seen: queries.Detail, name: str) -> None:
    key = f"problems.step.{name}"
    failure: Failure | None = st.session_state.get(f"{key}.failure")
    if st.session_state.pop(f"{key}.done", False):
        st.rerun()
    try:
        with reading() as db:
            problem = queries.one(db, actor, seen.number)
            since = queries.since(db, actor, problem, seen.version)
    except NotFound as missing:
        st.error(literal(missing.sentence), icon=":material/error:")
        return
    if failure is not None and "version" in failure.fields:
        st.error(literal(failure.sentence), icon=":material/error:")
        for entry in since:
            st.markdown(f"**{literal(entry.actor_name)}** {literal(entry.text)}")
        if name not in possible(problem.state):
            st.caption(f"'{MOVES[name].label}' can no longer be done. Close this, and see how it stands.")
            return
        st.caption("What you typed is still here. Press again to send it over theirs.")
    elif failure is not None and not failure.fields:
        st.error(literal(failure.sentence), icon=":material/error:")
    wrong = failure.fields if failure else {}
    if name in _TOLD:
        st.markdown(_TOLD[name])
    with st.form(f"{key}.form", border=False, enter_to_submit=False):
        for each in ASKS.get(name, ()):
            label = TEXTS[each] + (" (optional)" if each == "public_words" else "")
            st.text_area(label, getattr(seen, each), key=f"{key}.{each}", height=110, max_chars=TEXT_LIMIT)
            field_problem(wrong.get(each))
        if MOVES[name].asks:
            st.text_area(MOVES[name].asks or "", key=f"{key}.reason", height=96, max_chars=REASON_LIMIT)
            field_problem(wrong.get("reason"))
        st.form_submit_button(MOVES[name].label, type="primary", on_click=_send, args=(actor, seen, problem, name, key))


def _send(actor: Actor, seen: queries.Detail, shown: queries.Detail, name: str, key: str) -> None:
    """Take the step. Fields left as they were first seen take back nothing that others wrote since.

    Once a conflict was shown, what is pressed again is meant for the problem as it is now.
    """
    state = st.session_state
    failure: Failure | None = state.get(f"{key}.failure")
    told = failure is not None and "version" in failure.fields
    given = {each: str(state.get(f"{key}.{each}") or "") for each in ASKS.get(name, ())}
    given = {each: words for each, words in given.items() if words != getattr(seen, each)}
    reason = str(state.get(f"{key}.reason") or "")
    failure = _take(actor, shown if told else seen, name, reason, given)
    state[f"{key}.failure"] = failure
    if failure is None:
        for each in (*ASKS.get(name, ()), "reason"):
            state.pop(f"{key}.{each}", None)
        state[f"{key}.done"] = True
