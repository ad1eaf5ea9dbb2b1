"""'What do you need?', and the questions that follow: asked by Report, previewed by an administrator."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import streamlit as st

from db.engine import DatabaseProblem, reading
from db.queries import templates
from db.queries.incidents import Detail
from db.queries.templates import Offered
from pages.parts.empty import field_problem
from pages.parts.forms import Failure
from pages.parts.texts import literal
from rules.templates import YES_NO, Question

LABELS = {"template_id": "What do you need?"}
SOMETHING_ELSE = 0
"""The choice that is no template: not None, which a list shows as nothing chosen."""
UNSURE = "unsure"
Key = Callable[[str], str]
"""name of a field -> key of its widget"""


def choose(key: Key, wrong: Mapping[str, str]) -> Offered | None:
    """Ask what is needed, when there is anything to choose; None for something else."""
    try:
        with reading() as db:
            offered = {each.id: each for each in templates.offered(db)}
    except DatabaseProblem:
        return None  # the report can still be written; sending it says what is wrong with the database
    if not offered and not wrong.get("template_id"):
        return None
    name = key("template_id")
    names = {SOMETHING_ELSE: "Something else"} | {each.id: each.name for each in offered.values()}
    if st.session_state.get(name) not in names:
        st.session_state[name] = SOMETHING_ELSE  # what was chosen is no longer offered
    chosen_id = st.selectbox(
        f"**{LABELS['template_id']}** (optional)",
        list(names),
        format_func=lambda option: names.get(option, ""),
        key=name,
        on_change=_drop_answers_problems,
        args=(key("failure"),),
        persist_state="session",
    )
    field_problem(wrong.get("template_id"))
    chosen = offered.get(chosen_id)
    st.session_state[key("asked")] = chosen.questions if chosen else ()
    if chosen is not None and chosen.description:
        st.caption(literal(chosen.description))
    return chosen


def _drop_answers_problems(name: str) -> None:
    """Forget what was wrong with answers to questions that are no longer asked; the rest stays."""
    failure: Failure | None = st.session_state.get(name)
    if failure is not None and failure.fields:
        gone = ("template_id", "answers.")
        left = {field: said for field, said in failure.fields.items() if not field.startswith(gone)}
        st.session_state[name] = replace(failure, fields=left) if left else None


def ask(key: Key, template_id: int, questions: Sequence[Question], wrong: Mapping[str, str]) -> None:
    """Draw the questions in the order given, each with what is wrong with its answer."""
    for question in questions:
        optional = "" if question.required else " (optional)"
        label = f"**{literal(question.label)}**{optional}"
        _INPUTS[question.kind](question, label, key(_answer(template_id, question)))
        field_problem(wrong.get(question.field))


def _words(question: Question, label: str, key: str) -> None:
    st.text_input(label, key=key, placeholder=question.help or None, persist_state="session", autocomplete="off")


def _number(question: Question, label: str, key: str) -> None:
    # Not a number field: that one shows 0 before anything was said, and takes no comma.
    st.text_input(label, key=key, placeholder=question.help or "A number", persist_state="session", autocomplete="off")


def _choice(question: Question, label: str, key: str) -> None:
    if st.session_state.get(key) not in question.options:
        st.session_state[key] = None
    st.selectbox(
        label,
        question.options,
        index=None,
        key=key,
        placeholder=question.help or "Choose one",
        on_change="ignore",
        persist_state="session",
    )


def _date(question: Question, label: str, key: str) -> None:
    st.date_input(label, None, format="DD/MM/YYYY", key=key, on_change="ignore", persist_state="session")
    if question.help:
        st.caption(literal(question.help))


def _yes_no(question: Question, label: str, key: str) -> None:
    words = YES_NO if question.required else {**YES_NO, UNSURE: "I'm not sure"}
    st.radio(
        label,
        list(words),
        index=None,
        format_func=words.__getitem__,
        key=key,
        horizontal=True,
        on_change="ignore",
        persist_state="session",
    )
    if question.help:
        st.caption(literal(question.help))


_INPUTS: dict[str, Callable[[Question, str, str], None]] = {
    "text": _words,
    "choice": _choice,
    "number": _number,
    "date": _date,
    "yes_no": _yes_no,
}


def answered(detail: Detail) -> None:
    """What the reporter answered, on the incident."""
    if detail.answers:
        st.table({literal(question): literal(answer) for question, answer in detail.answers}, border="horizontal")


def labels(chosen: Offered | None) -> dict[str, str]:
    """Field -> label of the questions that are asked."""
    return LABELS | {question.field: question.label for question in (chosen.questions if chosen else ())}


def given(key: Key) -> tuple[int | None, dict[str, object]]:
    """The id of what is needed, None for something else, and the answers by key of their question."""
    template_id = st.session_state.get(key("template_id"))
    if not template_id:
        return None, {}
    asked: Sequence[Question] = st.session_state.get(key("asked"), ())
    answers = {question.key: st.session_state.get(key(_answer(template_id, question))) for question in asked}
    return template_id, {name: None if answer == UNSURE else answer for name, answer in answers.items()}


def _answer(template_id: int, question: Question) -> str:
    """The field of an answer; another one when the question takes another kind of answer meanwhile."""
    return f"answer.{template_id}.{question.key}.{question.kind}"
