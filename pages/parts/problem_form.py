"""The form of a problem. What is typed stays until it is saved or left, whoever else saves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from db.commands import problems as commands
from db.engine import reading
from db.models import Problem
from db.queries import choices
from db.queries import problems as queries
from pages.parts import times
from pages.parts.empty import field_problem
from pages.parts.forms import UNSAVED, Failure, attempt, error_title, renew, summary, token
from pages.parts.texts import literal
from rules.access import Actor
from rules.problems import TEXT_LIMIT, TEXTS, TITLE_LIMIT

LABELS = {
    "title": "What repeats",
    **TEXTS,
    "service_id": "Service",
    "category_pair_id": "Category",
    "owner_id": "Owner",
    "restricted": "Restricted",
}
_WRITTEN = ("title", *TEXTS)
SAID, TOKEN = "problems.said", "problems.form"
_DRAFT, _TURN, _OPEN = "problems.draft", "problems.turn", "problems.editing"
_HELP = {
    "cause": "Why it happens, as far as it is known. A known error has one.",
    "workaround": "What helps until it is fixed, in the words of those who work. A known error has one.",
    "public_words": "What reporters can do themselves, in their words. They read it before they send a report, once it "
    "is a known error. Leave it empty to tell them nothing.",
    "fix": "What was changed so that it does not come back. Those who work on its incidents read it.",
}
_EXAMPLES = {"title": "For example: the label printers print blank labels"}


@dataclass
class Draft:
    """A problem as it is being edited."""

    problem_id: int | None
    version: int | None
    """the one it began with"""
    values: dict[str, Any]
    """what stood in its fields last"""
    before: dict[str, Any]
    """what stood in them when it began"""
    turn: int
    """tells its fields from those of another draft"""
    incidents: dict[int, str] = field(default_factory=dict)
    """of a new one: id -> words of the incidents that it rests on"""
    failure: Failure | None = None

    def key(self, name: str) -> str:
        return f"problems.{self.turn}.{name}"


def begin_new(incidents: Mapping[int, str] | None = None, **values: Any) -> None:
    """Open the form of a new one, with what is known of it already."""
    start(incidents, **values)
    st.query_params.from_dict({"number": "new"})


def start(incidents: Mapping[int, str] | None = None, **values: Any) -> None:
    """Let the form of a new one begin with these values, and these incidents (id -> words) on it."""
    forget()
    made = _made(None, None, dict.fromkeys(_WRITTEN, "") | values)
    made.incidents = dict(incidents or {})
    renew(TOKEN)


def edit(problem: queries.Detail) -> None:
    """Open the form of one."""
    forget()
    st.session_state[_OPEN] = problem.id


def is_open(problem: queries.Detail) -> bool:
    """Whether the form of this one is open."""
    return bool(st.session_state.get(_OPEN) == problem.id)


def forget() -> None:
    """Drop what is being edited."""
    for name in (_DRAFT, _OPEN):
        st.session_state.pop(name, None)


def stepped(seen: queries.Detail, now: Problem) -> None:
    """After a step that the writer took: what they have typed goes on from there; where it is nothing, it is new."""
    held: Draft | None = st.session_state.get(_DRAFT)
    if held is None or held.problem_id != seen.id or _typed(held) == held.before:
        st.session_state.pop(_DRAFT, None)
        return
    if held.version != seen.version:  # somebody else was first, and is told of when it is saved
        return
    held.version, typed = now.version, _typed(held)
    for name in LABELS:
        if typed[name] == held.before[name]:
            held.values[name] = st.session_state[held.key(name)] = getattr(now, name)
        held.before[name] = getattr(now, name)


def draft(problem: queries.Detail | None) -> Draft:
    """What is being edited, or a new draft of `problem` (None: of a new one)."""
    held: Draft | None = st.session_state.get(_DRAFT)
    problem_id = problem.id if problem else None
    if held is not None and held.problem_id == problem_id:
        return held
    if problem is None:
        return _made(None, None, dict.fromkeys(_WRITTEN, ""))
    return _made(problem.id, problem.version, _values(problem))


def _values(problem: queries.Detail) -> dict[str, Any]:
    return {name: getattr(problem, name) for name in LABELS}


def _made(problem_id: int | None, version: int | None, values: dict[str, Any]) -> Draft:
    turn = st.session_state.get(_TURN, 0) + 1
    whole = {"service_id": None, "category_pair_id": None, "owner_id": None, "restricted": False} | values
    made = Draft(problem_id, version, whole, dict(whole), turn)
    st.session_state[_TURN], st.session_state[_DRAFT] = turn, made
    return made


def form(actor: Actor, made: Draft, problem: queries.Detail | None) -> None:
    """The fields, and what saves."""
    error_title(made.failure, problem.number if problem else "Problems")
    if made.failure is not None and "version" in made.failure.fields and problem is not None:
        _conflict(actor, made, problem)
    else:
        summary(made.failure, LABELS, outcome="Nothing was saved yet.")
    wrong = made.failure.fields if made.failure else {}
    for name, value in made.values.items():  # Streamlit forgets a field that another page did not draw
        st.session_state.setdefault(made.key(name), value)
    with st.container(border=True):
        st.text_input(
            LABELS["title"],
            key=made.key("title"),
            persist_state="session",
            max_chars=TITLE_LIMIT,
            placeholder=_EXAMPLES["title"],
            help="As people notice it. Reporters read it too, once it is a known error.",
            autocomplete="off",
        )
        field_problem(wrong.get("title"))
        _sorting(made, problem, wrong)
        for name, label in TEXTS.items():
            if name == "fix" and problem is None:
                continue
            st.text_area(
                f"{label} (optional)",
                key=made.key(name),
                height=110,
                max_chars=TEXT_LIMIT,
                help=_HELP[name],
                persist_state="session",
            )
            field_problem(wrong.get(name))
        st.checkbox(
            LABELS["restricted"],
            key=made.key("restricted"),
            help="Seen only by its owner, by who opened it and by the team of its service; never by reporters.",
        )
        if made.incidents:
            st.multiselect(
                "Its incidents",
                list(made.incidents),
                default=list(made.incidents),
                format_func=made.incidents.__getitem__,
                key=made.key("incidents"),
                help="Take out those that have another cause.",
            )
        with st.container(horizontal=True):
            st.button(
                "Save" if problem else "Open the problem",
                type="primary",
                key=made.key("save"),
                on_click=_save,
                args=(actor, made),
            )
            if problem is not None:
                st.button("Leave it as it was", type="tertiary", key=made.key("leave"), on_click=forget)
        field_problem(UNSAVED if made.failure else None)
    made.values = {name: st.session_state.get(made.key(name), made.values[name]) for name in LABELS}


def _sorting(made: Draft, problem: queries.Detail | None, wrong: Any) -> None:
    with reading() as db:
        known, owners = choices.known(db), queries.managers(db)
    offered: dict[str, dict[int, str]] = {
        "service_id": {each.id: each.name for each in known.services.values()},
        "category_pair_id": {each.id: each.name for each in known.pairs.values()},
        "owner_id": owners,
    }
    if problem is not None:  # what was archived since stays what it is until it is changed
        for field_name, name in (
            ("service_id", problem.service),
            ("category_pair_id", problem.pair),
            ("owner_id", problem.owner),
        ):
            chosen = getattr(problem, field_name)
            if chosen is not None:
                offered[field_name].setdefault(chosen, name or "")
    nothing = {"service_id": "Any service", "category_pair_id": "Any category", "owner_id": "Nobody yet"}
    places = [*st.columns(2, gap="small"), st.container()]
    for place, (field_name, options) in zip(places, offered.items(), strict=True):
        with place:
            st.selectbox(
                f"{LABELS[field_name]} (optional)",
                list(options),
                index=None,
                format_func=options.__getitem__,
                placeholder=nothing[field_name],
                key=made.key(field_name),
            )
            field_problem(wrong.get(field_name))


def _conflict(actor: Actor, made: Draft, problem: queries.Detail) -> None:
    """Somebody else was first: what they did, theirs beside what stands in the fields, and the choice."""
    with reading() as db:
        since = queries.since(db, actor, problem, made.version or 0)
    st.error(literal(made.failure.sentence) if made.failure else "", icon=":material/error:")
    for entry in since:
        st.markdown(f"**{literal(entry.actor_name)}** {literal(entry.text)}  \n:small[:gray[{times.full(entry.at)}]]")
    theirs = _values(problem)
    differ = [name for name in _WRITTEN if theirs[name] not in (made.before[name], made.values[name])]
    if differ:
        st.table(
            {
                "Now": [f"**{LABELS[name]}:** {literal(theirs[name]) or '–'}" for name in differ],
                "You wrote": [literal(made.values[name] or "") or "–" for name in differ],
            },
            border="horizontal",
        )
    with st.container(horizontal=True):
        st.button(
            "Save mine",
            type="primary",
            help="Only what you changed is saved; the rest stays as they wrote it.",
            key=made.key("mine"),
            on_click=_use_mine,
            args=(actor, made, problem),
        )
        st.button("Take theirs", key=made.key("theirs"), on_click=edit, args=(problem,))


def _typed(made: Draft) -> dict[str, Any]:
    """What stands in the fields now."""
    typed = {name: st.session_state.get(made.key(name), made.values[name]) for name in LABELS}
    return typed | {name: typed[name] or "" for name in _WRITTEN}


def _use_mine(actor: Actor, made: Draft, problem: queries.Detail) -> None:
    made.version = problem.version
    _save(actor, made)


def _save(actor: Actor, made: Draft) -> None:
    """Send what was changed since the form was opened: what others wrote in other fields stays."""
    typed = _typed(made)
    made.values = dict(typed)
    changed = {name: value for name, value in typed.items() if value != made.before[name]}
    numbers: list[str] = []
    form_token, incidents = token(TOKEN), st.session_state.get(made.key("incidents")) or ()

    def change(db, now):  # type: ignore[no-untyped-def]
        if made.problem_id is None:
            numbers.append(commands.begin(db, typed, incidents, form_token=form_token, actor=actor, now=now).number)
        else:
            problem = commands.change(db, made.problem_id, made.version, changed, actor=actor, now=now)
            numbers.append(problem.number)

    made.failure = attempt(change)
    if made.failure is None:
        st.session_state[SAID] = "Saved." if made.problem_id is not None else "The problem is open."
        forget()
        st.session_state.pop("problems.repeats", None)
        st.query_params.from_dict({"number": numbers[-1]})
