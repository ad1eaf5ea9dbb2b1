"""Two reports of one problem, side by side: which goes on, and the other merged into it."""

from typing import Any

import streamlit as st

from db.commands import incidents as commands
from db.commands.bulk import Item
from db.engine import reading
from db.queries import incidents, similar
from db.queries.incidents import Detail
from db.queries.lines import Line
from pages.parts import conflict, session, times, undo
from pages.parts.empty import field_problem
from pages.parts.forms import Failure, attempt
from pages.parts.texts import literal
from rules.access import Actor, NotFound
from rules.priority import LABELS as PRIORITIES
from rules.states import LABELS

CANDIDATES = 3
_LINES, _LETTERS = 4, 280
"""how much of a text is shown to judge by"""


def dialog(actor: Actor, detail: Detail) -> None:
    """Choose the other incident, see both, swap them if need be, and merge."""
    line, state = detail.line, st.session_state
    key = f"act.merge.{line.number}"
    failure: Failure | None = state.get(f"{key}.failure")
    if state.pop(f"{key}.done", False):
        st.rerun()
    if failure is not None and failure.since:
        loser, survivor = state[f"{key}.both"]
        conflict.choose(
            actor, loser, failure, {}, "merge", key,
            keep=lambda: _done(key),
            use=lambda now, own, taken: _merge(actor, now, survivor, key),
        )  # fmt: skip
        return
    wrong = (failure.fields.get("duplicate_of_id") or failure.sentence) if failure else None
    other = find(actor, line.title, key, "Number of the other incident", wrong, without=(line.number,))
    if other is None:
        st.button("Merge", type="primary", icon=":material/call_merge:", disabled=True, key=f"{key}.go")
        return
    swapped = bool(state.get(f"{key}.swapped"))
    loser, survivor = (other, detail) if swapped else (detail, other)
    left, right = st.columns(2, gap="small")
    with left:
        card(survivor, "Goes on")
    with right:
        card(loser, "Is merged into it")
    st.button("Swap", icon=":material/swap_horiz:", on_click=_swap, args=(key,), key=f"{key}.swap")
    if "merge" not in loser.allowed:
        why = f"It is {LABELS[loser.line.state].lower()}" if loser.line.state != "new" else "You may not merge it"
        st.caption(f"{loser.line.number} cannot be merged. {why}; swap them, or choose another.")
    else:
        st.caption("Its text, its files and everybody who follows it come along. It can be undone.")
    st.button(
        f"Merge {loser.line.number} into {survivor.line.number}",
        type="primary",
        icon=":material/call_merge:",
        disabled="merge" not in loser.allowed,
        on_click=_press,
        args=(actor, loser, survivor, other, key),
        key=f"{key}.go",
    )


def find(
    actor: Actor, title: str, key: str, label: str, wrong: str | None, *, without: tuple[str, ...] = ()
) -> Detail | None:
    """Ask for an incident by its number, offering open ones that read like `title`; the one chosen.

    The number stays in the session under `key`.number.
    """
    typed = _typed(st.text_input(label, placeholder="INC-000123", key=f"{key}.number"))
    found = None
    problem = wrong
    if typed:
        try:
            with reading() as db:
                found = incidents.by_number(db, actor, typed)
        except NotFound as missing:
            problem = missing.sentence
        if found is not None and found.line.number in without:
            found, problem = None, "Choose another incident: this is the one you came from."
    field_problem(problem)
    if found is None:
        _offer(_alike(actor, title, key, without), key)
    return found


def shown(key: str, other: Detail) -> bool:
    """Whether the number in the field is that of `other`, and not another one, typed since and not yet drawn."""
    typed = _typed(st.session_state.get(f"{key}.number"))
    return other.line.number in (typed, typed.upper())


def _typed(number: str | None) -> str:
    return (number or "").strip()


def _offer(alike: list[Line], key: str) -> None:
    if not alike:
        return
    st.markdown(":small[:gray[These read alike:]]")
    for line in alike:
        st.button(
            f"{line.number} · {literal(line.title)}",
            help=f"{LABELS[line.state]}, {literal(line.about or 'nothing named')}",
            icon=":material/call_merge:",
            type="tertiary",
            on_click=_take,
            args=(key, line.number),
            key=f"{key}.alike.{line.number}",
        )


def _alike(actor: Actor, title: str, key: str, without: tuple[str, ...]) -> list[Line]:
    """Searched once for each title, not with every choice in the dialog."""
    if st.session_state.get(f"{key}.alike", (None,))[0] != title:
        with reading() as db:
            found = similar.similar(db, actor, title, session.now(), limit=CANDIDATES + len(without))
        st.session_state[f"{key}.alike"] = (title, found)
    return [line for line in st.session_state[f"{key}.alike"][1] if line.number not in without][:CANDIDATES]


def _take(key: str, number: str) -> None:
    st.session_state[f"{key}.number"] = number
    st.session_state.pop(f"{key}.failure", None)


def card(detail: Detail, heading: str) -> None:
    """Enough of one incident to judge whether it is the same."""
    line = detail.line
    with st.container(border=True, gap="xsmall"):
        st.markdown(f":small[:gray[{heading}]]  \n**{line.number}**")
        st.markdown(f"**{literal(line.title)}**")
        level = f" · P{line.priority} {PRIORITIES[line.priority]}" if line.priority else ""
        st.markdown(f":small[{LABELS[line.state]}{level}]")
        reporter = literal(line.reporter or "unknown")
        st.markdown(f":small[:gray[{reporter} · {times.full(line.reported_at)}]]")
        text = excerpt(detail.description)
        if text:
            st.text(text)


def excerpt(text: str) -> str:
    """The first lines of a text, with a sign that there is more."""
    lines = [line for line in text.splitlines() if line.strip()]
    short = "\n".join(lines[:_LINES])[:_LETTERS]
    return short if len(short) == len("\n".join(lines)) else f"{short.rstrip()} …"


def _swap(key: str) -> None:
    st.session_state[f"{key}.swapped"] = not st.session_state.get(f"{key}.swapped")


def _press(actor: Actor, loser: Detail, survivor: Detail, other: Detail, key: str) -> None:
    if shown(key, other):
        _merge(actor, loser, survivor, key)


def _merge(actor: Actor, loser: Detail, survivor: Detail, key: str) -> None:
    made: dict[str, Any] = {}

    def change(db, now):  # type: ignore[no-untyped-def]
        given = {"duplicate_of_id": survivor.line.id}
        made["is"] = commands.perform(db, loser.line.id, loser.line.version, "merge", given, actor=actor, now=now)

    failure = attempt(change)
    if failure is not None:
        st.session_state[f"{key}.failure"] = failure
        st.session_state[f"{key}.both"] = (loser, survivor)
        return
    item = Item(loser.line.id, loser.line.number, made["is"].version)
    undo.done(f"{loser.line.number} merged into {survivor.line.number}.", [item])
    _done(key)


def _done(key: str) -> None:
    for name in ("failure", "both", "swapped", "number"):
        st.session_state.pop(f"{key}.{name}", None)
    st.session_state[f"{key}.done"] = True
