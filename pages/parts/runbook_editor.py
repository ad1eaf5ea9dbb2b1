"""The form of a runbook with its preview. What is typed stays until it is saved or left, whoever else saves."""

from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from db.commands import runbooks as commands
from db.engine import reading
from db.queries import runbooks as queries
from db.queries.choices import Known as Choices
from pages.parts import prose, times
from pages.parts.empty import field_problem
from pages.parts.forms import Failure, attempt, error_title, summary
from pages.parts.texts import literal
from rules import runbooks as rules
from rules.access import Actor

LABELS = {"name": "Name", "text": "What to do", "service_id": "Service", "category_pair_id": "Category"}
_DRAFT, _TURN, SAID = "runbooks.draft", "runbooks.turn", "runbooks.said"
EXAMPLE = """What to look at first, and when to call for help.

- [ ] Look at the queue: `mailq | tail`
- [ ] Longer than 100? Restart the relay
- [ ] Tell the desk what you saw"""


@dataclass
class Draft:
    """A runbook as it is being edited."""

    runbook_id: int | None
    version: int | None
    """the one it began with"""
    values: dict[str, Any]
    """what stood in its fields last"""
    turn: int
    """tells its fields from those of another draft"""
    failure: Failure | None = field(default=None)

    def key(self, name: str) -> str:
        return f"runbooks.{self.turn}.{name}"


def draft(known: queries.Known | None, text: str) -> Draft:
    """What is being edited, or a new draft of `known` (None: of a new runbook)."""
    held: Draft | None = st.session_state.get(_DRAFT)
    runbook_id = known.id if known else None
    if held is not None and held.runbook_id == runbook_id:
        return held
    turn = st.session_state.get(_TURN, 0) + 1
    values: dict[str, Any] = {"name": "", "text": text, "service_id": None, "category_pair_id": None}
    if known is not None:
        values |= {"name": known.name, "service_id": known.service_id, "category_pair_id": known.category_pair_id}
    made = Draft(runbook_id, known.version if known else None, values, turn)
    st.session_state[_TURN], st.session_state[_DRAFT] = turn, made
    return made


def forget() -> None:
    """Drop what is being edited."""
    st.session_state.pop(_DRAFT, None)


def form(actor: Actor, made: Draft, known: queries.Known | None, choices: Choices) -> None:
    """The fields, the preview beside them, and what saves."""
    error_title(made.failure, "Runbooks")
    if made.failure is not None and "version" in made.failure.fields and known is not None:
        _conflict(actor, made, known)
    else:
        summary(made.failure, LABELS, outcome="Nothing was saved yet.")
    wrong = made.failure.fields if made.failure else {}
    for name, value in made.values.items():  # Streamlit forgets a field that another page did not draw
        st.session_state.setdefault(made.key(name), value)
    left, right = st.columns(2, gap="medium")
    with left:
        st.text_input(
            "Name", key=made.key("name"), max_chars=rules.NAME_LIMIT, autocomplete="off", persist_state="session"
        )
        field_problem(wrong.get("name"))
        _goes_with(made, known, choices, wrong)
        st.text_area(
            "What to do",
            key=made.key("text"),
            persist_state="session",
            height=420,
            placeholder=EXAMPLE,
            help="Markdown. Lines that begin with '- [ ] ' are steps to tick. HTML and pictures stay text.",
        )
        field_problem(wrong.get("text"))
        label = f"Save as version {made.version + 1}" if made.version else "Save"
        st.button(label, type="primary", key=made.key("save"), on_click=_save, args=(actor, made))
    made.values = {name: st.session_state[made.key(name)] for name in LABELS}
    with right:
        _preview(made.values["text"] or "")


def _goes_with(made: Draft, known: queries.Known | None, choices: Choices, wrong: Any) -> None:
    services = {each.id: each.name for each in choices.services.values()}
    pairs = {each.id: each.name for each in choices.pairs.values()}
    if known is not None:  # what was archived since stays what it is until it is changed
        for names, chosen, name in (
            (services, known.service_id, known.service),
            (pairs, known.category_pair_id, known.pair),
        ):
            if chosen is not None:
                names.setdefault(chosen, name or "")
    for name, label, offered, nothing in (
        ("service_id", "Service (optional)", services, "Any service"),
        ("category_pair_id", "Category (optional)", pairs, "Any category"),
    ):
        st.selectbox(
            label,
            list(offered),
            index=None,
            format_func=offered.__getitem__,
            placeholder=nothing,
            key=made.key(name),
        )
        field_problem(wrong.get(name))
    st.caption(
        "It is offered on incidents of this service and category, the one that names most first. "
        "To give a category its usual runbook, name the category here."
    )


def _preview(text: str) -> None:
    with st.container(border=True):
        st.markdown("**As it is read**")
        if not text.strip():
            st.caption("What you write is shown here when you leave the field.")
            return
        steps = len(rules.steps(text))
        st.caption(f"{steps} step{'' if steps == 1 else 's'} to tick" if steps else "No steps to tick yet: '- [ ] '.")
        read(text)


def read(text: str) -> None:
    """A text as it is read, its steps as boxes that nobody ticks here."""
    for part in rules.parts(text):
        prose.draw(part.blocks)


def _conflict(actor: Actor, made: Draft, known: queries.Known) -> None:
    """Somebody else saved first: what it says now, and the choice."""
    with reading() as db:
        theirs, text = queries.one(db, actor, known.id)
    st.error(literal(made.failure.sentence) if made.failure else "", icon=":material/error:")
    with st.expander(
        f"Version {theirs.version}, {literal(theirs.saved_by)}, {times.full(theirs.saved_at)}", expanded=True
    ):
        st.markdown(f"**{literal(theirs.name)}** :gray[{literal(theirs.about)}]")
        read(text)
    with st.container(horizontal=True):
        st.button(
            f"Save mine as version {theirs.version + 1}",
            type="primary",
            key=made.key("mine"),
            on_click=_use_mine,
            args=(actor, made, theirs.version),
        )
        st.button("Take theirs", key=made.key("theirs"), on_click=forget)


def _use_mine(actor: Actor, made: Draft, version: int) -> None:
    made.version = version
    _save(actor, made)


def _save(actor: Actor, made: Draft) -> None:
    given: dict[str, Any] = {name: st.session_state.get(made.key(name)) for name in LABELS}
    given |= {name: given[name] or "" for name in ("name", "text")}
    kept: list[int] = []

    def change(db, now):  # type: ignore[no-untyped-def]
        kept.append(commands.save(db, made.runbook_id, made.version, **given, actor=actor, now=now))

    made.failure = attempt(change)
    if made.failure is None:
        forget()
        st.session_state[SAID] = "Saved. It is offered from now on; where it is open already, the old version stays."
        st.query_params["id"] = str(kept[-1])
