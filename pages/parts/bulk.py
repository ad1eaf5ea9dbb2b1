"""The same change for the marked incidents, with a result for each and the way back."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from db.commands import bulk as commands
from db.commands.bulk import Item, Result
from db.engine import reading
from db.queries import choices
from db.queries.incidents import Detail
from pages.parts import actions, merging, session, undo
from pages.parts.texts import literal
from rules.access import Actor
from rules.errors import RuleError
from rules.priority import LEVELS, RISKS
from rules.states import ACTIONS, UNDOABLE

FIELDS = "prioritise"
WAYS = {
    FIELDS: "Change fields",
    **{
        name: ACTIONS[name].label
        for name in (
            "accept",
            "assign",
            "acknowledge",
            "hold",
            "resume",
            "resolve",
            "recover",
            "close",
            "cancel",
            "merge",
        )
    },
}
_AS_IT_IS = "Leave as it is"


def ask(actor: Actor, items: Sequence[Item], way: str, after: Callable[[Sequence[Result]], None]) -> None:
    """Open the dialog that changes `items` in one of WAYS; `after` hears the results."""
    many = f"{len(items)} incident{'s' if len(items) > 1 else ''}"
    key = f"bulk.{way}"
    st.session_state.pop(f"{key}.results", None)
    st.dialog(f"{WAYS[way]}: {many}", width="medium", on_dismiss="rerun")(_dialog)(actor, list(items), way, key, after)


def _dialog(actor: Actor, items: list[Item], way: str, key: str, after: Callable[[Sequence[Result]], None]) -> None:
    results: list[Result] | None = st.session_state.get(f"{key}.results")
    if results is not None:
        _outcome(actor, results, key, after)
        return
    problem = st.session_state.get(f"{key}.problem")
    if problem:
        st.error(literal(problem), icon=":material/error:")
    if way == "merge":
        _merge(actor, items, key, after)
        return
    with st.form(f"{key}.form", border=False, enter_to_submit=False):
        drawn = _triage(key) if way in (FIELDS, "accept") else {}
        if way != FIELDS:
            drawn |= actions.fields(None, way, key, None, None)
        st.form_submit_button(
            f"{WAYS[way]}: {len(items)}", type="primary", on_click=_send, args=(actor, items, way, key, drawn, after)
        )


def _merge(actor: Actor, items: list[Item], key: str, after: Callable[[Sequence[Result]], None]) -> None:
    """All of them into one, which is shown before."""
    survivor = merging.find(actor, _title(actor, items[0]), key, "Number of the incident that goes on", None)
    if survivor is not None:
        merging.card(survivor, "Goes on")
    st.button(
        f"{WAYS['merge']}: {len(items)}",
        type="primary",
        icon=":material/call_merge:",
        disabled=survivor is None,
        on_click=_send_merge,
        args=(actor, items, survivor, key, after),
        key=f"{key}.go",
    )


def _send_merge(
    actor: Actor, items: list[Item], survivor: Detail, key: str, after: Callable[[Sequence[Result]], None]
) -> None:
    if merging.shown(key, survivor):
        _change(actor, items, "merge", key, {"duplicate_of_id": survivor.line.id}, after)


def _title(actor: Actor, item: Item) -> str:
    try:
        return actions.seen(actor, item.number).line.title
    except RuleError:
        return ""


def _triage(key: str) -> dict[str, str]:
    """Draw every field of triage, each of which may stay as it is; field -> widget key."""
    with reading() as db:
        known = choices.known(db)
    pairs = {pair.id: pair.name for pair in known.pairs.values()}
    services = {service.id: service.name for service in known.services.values()}
    drawn: dict[str, str] = {}

    def choice(label: str, name: str, options: dict[Any, str]) -> None:
        drawn[name] = f"{key}.{name}"
        known = {None: _AS_IT_IS, **options}
        st.selectbox(label, list(known), format_func=known.__getitem__, key=drawn[name])

    choice("Category", "category_pair_id", pairs)
    left, right = st.columns(2, gap="small")
    with left:
        choice("Impact", "impact", LEVELS)
        choice("Service", "service_id", services)
    with right:
        choice("Urgency", "urgency", LEVELS)
        drawn["people_affected"] = f"{key}.people_affected"
        st.number_input(
            "People affected", min_value=0, step=1, value=None, key=drawn["people_affected"], placeholder=_AS_IT_IS
        )
    with st.expander("Risks and more"):
        for name, label in (("restricted", "Restricted"), *RISKS.items()):
            choice(label.removeprefix("a ").capitalize(), name, {True: "Yes", False: "No"})
        drawn["affected"] = f"{key}.affected"
        st.text_input("What or where is affected", key=drawn["affected"], placeholder=_AS_IT_IS)
    return drawn


def _send(
    actor: Actor,
    items: list[Item],
    way: str,
    key: str,
    drawn: dict[str, str],
    after: Callable[[Sequence[Result]], None],
) -> None:
    state = st.session_state
    given = {name: value for name, value in actions.collected(actor, drawn).items() if value not in (None, "")}
    if way == FIELDS and not given:
        state[f"{key}.problem"] = "Choose at least one field to change."
        return
    _change(actor, items, way, key, given, after)


def _change(
    actor: Actor,
    items: list[Item],
    way: str,
    key: str,
    given: dict[str, Any],
    after: Callable[[Sequence[Result]], None],
) -> None:
    state = st.session_state
    state.pop(f"{key}.problem", None)
    try:
        results = commands.change(items, given, None if way == FIELDS else way, actor=actor, now=session.now())
    except RuleError as error:
        state[f"{key}.problem"] = error.sentence
        return
    state[f"{key}.results"] = results
    changed = [result.item for result in results if result.done]
    undo.done(f"{len(changed)} changed.", changed if way in UNDOABLE else ())
    after(results)


def _outcome(actor: Actor, results: list[Result], key: str, after: Callable[[Sequence[Result]], None]) -> None:
    """A result per row: how many went well in one line, each refusal with its reason."""
    changed = [result for result in results if result.done]
    left = [result for result in results if not result.done]
    if changed:
        numbers = ", ".join(result.item.number for result in changed)
        st.success(f"**{len(changed)} changed.** {literal(numbers)}", icon=":material/check_circle:")
    if left:
        st.warning(f"**{len(left)} left as they were.**", icon=":material/error:")
        st.table({literal(result.item.number): literal(result.sentence) for result in left}, border="horizontal")
    with st.container(horizontal=True):
        if st.button("Close", type="primary", key=f"{key}.close"):
            st.rerun()
        newest = st.session_state.get(undo.KEY)
        if changed and newest and newest[1]:
            st.button("Undo", icon=":material/undo:", on_click=_take_back, args=(actor, key, after), key=f"{key}.undo")


def _take_back(actor: Actor, key: str, after: Callable[[Sequence[Result]], None]) -> None:
    items = st.session_state[undo.KEY][1]
    results = commands.take_back(items, actor=actor, now=session.now())
    undo.done(f"{sum(result.done for result in results)} are as they were.")
    st.session_state[f"{key}.results"] = results
    after(results)
