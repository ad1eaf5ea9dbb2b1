"""Escalation policies: who is asked, who next when nobody answers, and what would happen if one began."""

import secrets
from datetime import datetime
from typing import Any

import streamlit as st

from db.commands import escalation_policies as commands
from db.engine import reading
from db.queries import escalation_policies as queries
from pages.parts import dry_run, rows, session
from pages.parts.empty import empty, field_problem
from pages.parts.forms import Failure, attempt, guarded
from pages.parts.texts import literal
from rules import durations
from rules.access import Actor, NotFound, may
from rules.errors import RuleError
from rules.escalation import MOST_DELAY, MOST_REPEATS, MOST_TARGETS, Target

KEY = "escalation"
NEW = "new"
USUAL_MINUTES = 5
MOST_HERE = 15
"""steps that can be added here; more would make the page slow"""
MOVES = (("arrow_upward", "Earlier", -1), ("arrow_downward", "Later", 1), ("close", "Remove this step", None))


def page() -> None:
    actor = session.require("escalation")
    with guarded():
        wanted = st.query_params.get("policy", "")
        if wanted == NEW and may(actor, "escalation_edit"):
            one(actor, None)
        elif wanted.isdecimal() and len(wanted) < 10:
            one(actor, int(wanted))
        else:
            every(actor)


def every(actor: Actor) -> None:
    """The list."""
    _forget()
    edits = may(actor, "escalation_edit")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Escalation policies", width="stretch", anchor=False)
        archived = st.toggle("Archived", key=f"{KEY}.archived")
        if edits:
            st.button("Add a policy", type="primary", icon=":material/add:", on_click=_open, args=(NEW,))
    with reading() as db:
        found = queries.policies(db, actor, archived=archived)
        names = queries.targets(db, actor)
    if not found and not archived:
        empty(
            "No escalation policy yet.",
            "Add one, then give it to a service or a team under Catalogue. Until then nobody is paged."
            if edits
            else "A lead or an administrator adds one. Until then nobody is paged.",
            key=f"{KEY}.empty",
        )
        return
    event = rows.rows(
        [
            {
                "id": str(known.id),
                "reference": None,
                "title": known.name,
                "explanation": ", ".join(_in_words(known.steps, known.repeats, names)),
                "meta": list(known.used_by) or ["nothing pages by it"],
                "action": "Change" if edits else "Look",
            }
            for known in found
        ],
        key=f"{KEY}.list",
        plain=True,
        label="Escalation policies",
        empty=("Nothing is archived.", "What is taken out of use stays here."),
    )
    if event is not None:
        _open(event.id)
        st.rerun()


def _open(wanted: str) -> None:
    _forget()
    if wanted:
        st.query_params["policy"] = wanted
    else:
        st.query_params.pop("policy", None)


def _forget() -> None:
    for name in ("name", "order", "failure", "of"):
        st.session_state.pop(f"{KEY}.{name}", None)


def _in_words(steps: list[dict[str, Any]], repeats: int, names: dict[Target, str]) -> list[str]:
    """['On call: Network at once', 'Ana after 5 min', 'then again, 2 times']."""
    told, waited = [], 0
    for step in steps:
        asked = [names.get(Target(one["kind"], one["id"]), "somebody who is gone") for one in step["targets"]]
        after = f"after {durations.exact(waited)}" if waited else "at once"
        told.append(f"{' and '.join(asked) or 'nobody'} {after}")
        waited += step["delay"]
    if repeats:
        told.append(f"then again, {'once' if repeats == 1 else f'{repeats} times'}")
    return told


def one(actor: Actor, policy_id: int | None) -> None:
    """One policy: its steps, and beside them what would happen."""
    try:
        with reading() as db:
            known = queries.policy(db, actor, policy_id) if policy_id is not None else None
            names = queries.targets(db, actor)
    except NotFound as missing:
        st.title("Escalation policies", anchor=False)
        empty(missing.sentence, "Go back to the list.", key=f"{KEY}.missing")
        st.button("All policies", on_click=_open, args=("",))
        return
    edits = may(actor, "escalation_edit") and (known is None or known.archived_at is None)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title(literal(known.name) if known is not None else "A new policy", width="stretch", anchor=False)
        st.button("All policies", icon=":material/arrow_back:", type="tertiary", on_click=_open, args=("",))
    _told()
    if known is not None:
        used = ", ".join(literal(user) for user in known.used_by)
        st.caption(f"Pages for: {used}." if used else "Nothing pages by it yet. Give it to a service or team.")
    left, right = st.columns([1.3, 1], gap="medium")
    with left:
        if edits:
            draft = editor(actor, known, names)
        else:
            draft = (known.steps, known.repeats) if known is not None else ([], 0)
            read_only(actor, known, names)
    with right:
        dry_run.box(actor, *draft)


def _told() -> None:
    failure: Failure | None = st.session_state.get(f"{KEY}.failure")
    if failure is not None and not any(name in failure.fields for name in ("name", "acknowledge_seconds")):
        st.error(literal(failure.sentence), icon=":material/error:")
    done = st.session_state.pop(f"{KEY}.done", None)
    if done:
        st.success(done, icon=":material/check:")


def read_only(actor: Actor, known: queries.Known | None, names: dict[Target, str]) -> None:
    """The steps for those who do not edit them, and for what is archived."""
    if known is None:
        return
    lines = _in_words(known.steps, known.repeats, names)
    st.markdown("\n".join(f"{number}. {literal(line)}" for number, line in enumerate(lines, 1)))
    if known.archived_at is not None and may(actor, "escalation_edit"):
        st.button("Bring back", icon=":material/unarchive:", on_click=_switch, args=(actor, known.id, True))


def editor(actor: Actor, known: queries.Known | None, names: dict[Target, str]) -> tuple[list[dict[str, Any]], int]:
    """The steps as fields; what they say now, kept or not."""
    state = st.session_state
    of = known.id if known is not None else NEW
    if state.get(f"{KEY}.of") != of or f"{KEY}.name" not in state:
        _load(known, names)
        state[f"{KEY}.of"] = of
    failure: Failure | None = state.get(f"{KEY}.failure")
    wrong = failure.fields if failure is not None else {}
    if state.get(f"{KEY}.lost"):
        st.warning(
            "Somebody or something that it named is gone. Choose whom to ask instead.", icon=":material/warning:"
        )
    st.text_input("Name", key=f"{KEY}.name", max_chars=commands.NAME_LIMIT, autocomplete="off")
    field_problem(wrong.get("name"))
    order: list[str] = state[f"{KEY}.order"]
    for number, uid in enumerate(order):
        _step(number, uid, order, names, wrong.get(f"steps.{number}"))
    if len(order) < MOST_HERE:
        st.button("Add a step", icon=":material/add:", on_click=_more)
    st.number_input("Then repeat all steps so often", 0, MOST_REPEATS, step=1, key=f"{KEY}.repeats")
    st.text_input(
        "An answer holds for (optional)",
        key=f"{KEY}.timeout",
        placeholder="30 min for P1 and P2, for ever otherwise",
        help="Acknowledged, but firing on and untouched for so long: it pages again.",
        autocomplete="off",
    )
    field_problem(wrong.get("acknowledge_seconds"))
    with st.container(horizontal=True):
        st.button(
            "Save" if known is not None else "Add",
            type="primary",
            icon=":material/check:",
            key=f"{KEY}.save",
            on_click=_save,
            args=(actor, known),
        )
        if known is not None:
            st.button("Archive", icon=":material/archive:", on_click=_switch, args=(actor, known.id, False))
    return _steps(), int(state[f"{KEY}.repeats"])


def _load(known: queries.Known | None, names: dict[Target, str]) -> None:
    state = st.session_state
    kept: list[dict[str, Any]] = known.steps if known is not None else [{"delay": USUAL_MINUTES * 60, "targets": []}]
    state[f"{KEY}.order"], state[f"{KEY}.lost"] = [], False
    for step in kept:
        asked = [Target(target["kind"], target["id"]) for target in step["targets"]]
        uid = _add(step["delay"] // 60)
        state[f"{KEY}.{uid}.targets"] = [target for target in asked if target in names]
        state[f"{KEY}.lost"] |= any(target not in names for target in asked)
    state[f"{KEY}.name"] = known.name if known is not None else ""
    state[f"{KEY}.repeats"] = known.repeats if known is not None else 0
    seconds = known.acknowledge_seconds if known is not None else None
    state[f"{KEY}.timeout"] = durations.exact(seconds) if seconds else ""


def _add(minutes: int = USUAL_MINUTES) -> str:
    uid = secrets.token_hex(4)
    st.session_state[f"{KEY}.order"] = [*st.session_state.get(f"{KEY}.order", []), uid]
    st.session_state[f"{KEY}.{uid}.targets"] = []
    st.session_state[f"{KEY}.{uid}.minutes"] = minutes
    return uid


def _more() -> None:
    _add()


def _step(number: int, uid: str, order: list[str], names: dict[Target, str], problem: str | None) -> None:
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**Step {number + 1}**", width="stretch")
            for icon, what, by in MOVES:
                st.button(
                    "",
                    icon=f":material/{icon}:",
                    help=what,
                    type="tertiary",
                    disabled=len(order) == 1 if by is None else not 0 <= number + by < len(order),
                    key=f"{KEY}.{uid}.{icon}",
                    on_click=_move,
                    args=(uid, by),
                )
        st.multiselect(
            "Ask",
            list(names),
            format_func=lambda target: names[target],
            key=f"{KEY}.{uid}.targets",
            max_selections=MOST_TARGETS,
            placeholder="On call, people, teams",
        )
        field_problem(problem)
        last = number == len(order) - 1
        st.number_input(
            "Minutes until it begins anew or has run out" if last else "Minutes until the next step",
            1,
            MOST_DELAY // 60,
            step=1,
            key=f"{KEY}.{uid}.minutes",
        )


def _move(uid: str, by: int | None) -> None:
    order: list[str] = list(st.session_state[f"{KEY}.order"])
    at = order.index(uid)
    order.remove(uid)
    if by is not None:
        order.insert(at + by, uid)
    st.session_state[f"{KEY}.order"] = order


def _steps() -> list[dict[str, Any]]:
    state = st.session_state
    return [
        {
            "delay": int(state[f"{KEY}.{uid}.minutes"]) * 60,
            "targets": [{"kind": target.kind, "id": target.id} for target in state[f"{KEY}.{uid}.targets"]],
        }
        for uid in state[f"{KEY}.order"]
    ]


def _save(actor: Actor, known: queries.Known | None) -> None:
    state, made = st.session_state, []

    def change(db: Any, now: datetime) -> None:
        typed = str(state[f"{KEY}.timeout"] or "")
        try:
            seconds = durations.seconds_of(typed, "acknowledge_seconds", nothing=True) or None
        except RuleError as error:
            raise RuleError(error.sentence, fields={"acknowledge_seconds": error.sentence}) from None
        made.append(
            commands.save(
                db,
                known.id if known is not None else None,
                name=state[f"{KEY}.name"],
                steps=_steps(),
                repeats=int(state[f"{KEY}.repeats"]),
                acknowledge_seconds=seconds,
                version=known.version if known is not None else None,
                actor=actor,
                now=now,
            )
        )

    failure = attempt(change)
    if failure is None:
        _open(str(made[0]))
        state[f"{KEY}.done"] = "It is saved. What runs already goes on as it began."
    state[f"{KEY}.failure"] = failure


def _switch(actor: Actor, policy_id: int, back: bool) -> None:
    change = commands.restore if back else commands.archive
    failure = attempt(lambda db, now: change(db, policy_id, actor=actor, now=now))
    if failure is None:
        _open(str(policy_id) if back else "")
    st.session_state[f"{KEY}.failure"] = failure


page()
