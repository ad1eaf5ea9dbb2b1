"""The actions of a postmortem: who does what by when, what is overdue, what was seen once it was done."""

from datetime import timedelta

import streamlit as st

from db.commands import postmortem_actions as commands
from db.engine import reading
from db.queries import choices
from db.queries.postmortem_actions import Action
from db.queries.postmortems import Whole
from pages.parts import dialogs, times
from pages.parts.empty import field_problem
from pages.parts.forms import Failure, attempt, begun, send
from pages.parts.texts import literal
from rules import postmortems as rules
from rules.access import Actor
from rules.postmortem_export import day
from rules.postmortems import DISCARDED

KEY = "postmortem.action"
_ASKED, _FAILED = f"{KEY}.asked", f"{KEY}.failure"
_NEW = "new"
VERBS = {
    _NEW: "Add an action",
    "change": "Change",
    "verify": "Say what it changed",
    "drop": "Drop",
    "again": "To be done again",
}
_ICONS = {_NEW: "add_task", "change": "edit", "verify": "verified", "drop": "cancel", "again": "restart_alt"}
_SOON = timedelta(days=14)
_TYPED = ("text", "owner", "due", "words")
"""how far off the day is that is offered first"""


def box(actor: Actor, found: Whole) -> None:
    """All of them, those to be done first."""
    edits = found.may_edit and found.state != DISCARDED
    failure: Failure | None = st.session_state.pop(_FAILED, None)
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.header("Actions", width="stretch", anchor=False)
            if edits:
                st.button("Add", icon=":material/add:", key=f"{KEY}.add", on_click=_ask, args=(_NEW, 0))
        if failure is not None:
            field_problem(failure.sentence)
        if not found.actions:
            none = "What is done so that it does not happen again, or is over sooner? Each has a person and a day."
            st.caption(none if not found.words["no_action"] else "None: see the reason under 'No action because'.")
        for action in found.actions:
            _one(actor, action, edits)


def _one(actor: Actor, action: Action, edits: bool) -> None:
    tone, icon, word = _looks(action)
    words = literal(action.text)
    with st.container(gap=None):
        lines = [
            f":{tone}-badge[:material/{icon}: {word}] {f':gray[{words}]' if action.dropped_why else f'**{words}**'}",
            f":small[:gray[{_told(action)}]]",
        ]
        if action.effect:
            lines.insert(1, f"{literal(action.effect)}")
        if action.dropped_why:
            lines.insert(1, f":gray[{literal(action.dropped_why)}]")
        st.markdown("  \n".join(lines))
        if edits:
            with st.container(horizontal=True, gap="small"):
                if action.open:
                    st.button(
                        "Done",
                        icon=":material/check:",
                        key=f"{KEY}.{action.id}.done",
                        help=f"'{words}' is done",
                        on_click=_finish,
                        args=(actor, action),
                    )
                elif action.done_at is not None and action.verified_at is None:
                    st.button(
                        VERBS["verify"],
                        icon=":material/verified:",
                        key=f"{KEY}.{action.id}.verify",
                        on_click=_ask,
                        args=("verify", action.id),
                    )
                chosen = st.menu_button(
                    "More",
                    ["change", "drop"] if action.open else ["again"],
                    type="tertiary",
                    format_func=VERBS.__getitem__,
                    key=f"{KEY}.{action.id}.menu",
                )
                if chosen:
                    _ask(chosen, action.id)


def _looks(action: Action) -> tuple[str, str, str]:
    if action.dropped_why:
        return "gray", "cancel", "Dropped"
    if action.verified_at is not None:
        return "green", "verified", "Verified"
    if action.done_at is not None:
        return "green", "check", "Done"
    if action.overdue:
        return "red", "error", f"Overdue since {day(action.due_on)}"
    return "blue", "event", f"Due {day(action.due_on)}"


def _told(action: Action) -> str:
    told = [literal(action.owner)]
    if action.done_at is not None:
        told.append(f"done by {literal(action.done_by)}, {times.day(action.done_at)}")
    if action.verified_at is not None:
        told.append(f"seen by {literal(action.verified_by)}, {times.day(action.verified_at)}")
    return "; ".join(told)


def _ask(what: str, action_id: int) -> None:
    for name in ("failure", "done"):
        st.session_state.pop(f"{KEY}.{what}.{name}", None)
    st.session_state[_ASKED] = (what, action_id)


def _finish(actor: Actor, action: Action) -> None:
    st.session_state[_FAILED] = attempt(
        lambda db, now: commands.finish(db, action.id, action.version, actor=actor, now=now)
    )


def open_asked(actor: Actor, found: Whole) -> None:
    """The dialog that was asked for, if any."""
    what, action_id = st.session_state.pop(_ASKED, (None, 0))
    if what is None:
        return
    action = next((one for one in found.actions if one.id == action_id), None)
    if what in (_NEW, "change"):
        dialogs.show(VERBS[what], plan, actor, found, action, icon=f":material/{_ICONS[what]}:")
    elif action is not None:
        dialogs.show(VERBS[what], decide, actor, what, action, icon=f":material/{_ICONS[what]}:")


def plan(actor: Actor, found: Whole, action: Action | None) -> None:
    """The dialog that adds one, or changes `action`."""
    what = "change" if action is not None else _NEW
    key = f"{KEY}.{what}"
    failure = begun(key, {"text", "owner_id", "due_on"})
    wrong = failure.fields if failure else {}
    with reading() as db:
        people = choices.readers(db)
    if action is not None:
        people.setdefault(action.owner_id, action.owner)
    chosen, due = (action.owner_id, action.due_on) if action is not None else (None, found.today + _SOON)
    with st.form(f"{key}.form", border=False, enter_to_submit=False):
        st.text_area(
            "What is to be done",
            action.text if action is not None else "",
            key=f"{key}.text",
            height=80,
            max_chars=rules.ACTION_LIMIT,
        )
        field_problem(wrong.get("text"))
        st.selectbox(
            "Who does it",
            list(people),
            index=list(people).index(chosen) if chosen is not None else None,
            format_func=people.__getitem__,
            placeholder="Choose a person",
            key=f"{key}.owner",
        )
        field_problem(wrong.get("owner_id"))
        st.date_input(
            "By which day",
            due,
            min_value=min(found.today, due),
            max_value=max(found.today + rules.LATEST, due),
            key=f"{key}.due",
            format="YYYY-MM-DD",
        )
        field_problem(wrong.get("due_on"))
        st.form_submit_button(
            "Save" if action is not None else "Add", type="primary", on_click=_plan, args=(actor, found.id, action, key)
        )


def _plan(actor: Actor, postmortem_id: int, action: Action | None, key: str) -> None:
    text = str(st.session_state.get(f"{key}.text") or "")
    owner, due = st.session_state.get(f"{key}.owner"), st.session_state.get(f"{key}.due")
    if action is None:
        send(key, _TYPED, lambda db, now: commands.add(db, postmortem_id, text, owner, due, actor=actor, now=now))
        return
    send(
        key,
        _TYPED,
        lambda db, now: commands.change(db, action.id, action.version, text, owner, due, actor=actor, now=now),
    )


def decide(actor: Actor, what: str, action: Action) -> None:
    """The dialog for a step that needs words."""
    key = f"{KEY}.{what}"
    field = "effect" if what == "verify" else "reason"
    failure = begun(key, {field})
    st.markdown(f"**{literal(action.text)}**  \n:small[:gray[{_told(action)}]]")
    asks = {
        "verify": "What you saw that shows it works",
        "drop": "Why it is not to be done",
        "again": "Why it is to be done again",
    }
    with st.form(f"{key}.form", border=False, enter_to_submit=False):
        limit = rules.EFFECT_LIMIT if what == "verify" else rules.WHY_LIMIT
        st.text_area(asks[what], key=f"{key}.words", height=96, max_chars=limit)
        field_problem(failure.fields.get(field) if failure else None)
        label = "Save" if what == "verify" else VERBS[what]
        st.form_submit_button(label, type="primary", on_click=_decide, args=(actor, what, action, key))


def _decide(actor: Actor, what: str, action: Action, key: str) -> None:
    words = str(st.session_state.get(f"{key}.words") or "")
    command = {"verify": commands.verify, "drop": commands.drop, "again": commands.take_up}[what]
    send(key, _TYPED, lambda db, now: command(db, action.id, action.version, words, actor=actor, now=now))
