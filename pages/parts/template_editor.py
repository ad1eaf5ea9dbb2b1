"""The form of a template: its words, how its incidents begin, its questions one by one, its checklist, a preview.

What is typed is kept in a draft until it is saved. One question is open at a time, so that the page stays short.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from db.commands import templates as commands
from db.queries.choices import Known
from db.queries.templates import FIELDS, Kept
from pages.parts import template_questions
from pages.parts.empty import field_problem
from pages.parts.forms import Failure, attempt, error_title, summary
from pages.parts.texts import literal
from rules.access import Actor
from rules.priority import LABELS as PRIORITIES
from rules.priority import LEVELS, Matrix, priority
from rules.templates import HELP_LIMIT, KINDS, LABEL_LIMIT, MOST_QUESTIONS, Question

LABELS = {
    "name": "Name",
    "description": "What it is for",
    "service_id": "Service",
    "category_pair_id": "Category",
    "team_id": "Team",
    "impact": "Impact",
    "urgency": "Urgency",
    "questions": "Questions",
    "checklist": "Checklist",
}
_TITLES = {"label": "Question", "kind": "Kind of answer", "options": "Answers to choose from", "help": "Hint"}
_DRAFT = "templates.draft"


@dataclass
class Draft:
    """A template as it is being edited."""

    template_id: int | None
    version: int | None
    archived: bool
    values: dict[str, Any]
    checklist: list[str]
    questions: list[dict[str, Any]]
    """as stored, each with 'uid', its name on this page, and 'wrong', what is wrong with it"""
    turn: int
    """tells its fields from those of another draft"""
    open: int | None = None
    """uid of the question that is open"""
    made: int = 0
    """how many questions were made here; the next one's uid"""
    failure: Failure | None = None

    def key(self, name: str) -> str:
        return f"templates.{self.turn}.{name}"


def draft(kept: Kept | None) -> Draft:
    """What is being edited, or a new draft of `kept` (None: of a new template)."""
    held: Draft | None = st.session_state.get(_DRAFT)
    template_id = kept.id if kept else None
    if held is not None and held.template_id == template_id:
        return held
    turn = st.session_state.get("templates.turn", 0) + 1
    st.session_state["templates.turn"] = turn
    made = Draft(
        template_id,
        kept.version if kept else None,
        kept is not None and kept.archived_at is not None,
        dict(kept.values) if kept else {},
        list(kept.checklist) if kept else [],
        [{**each, "uid": uid, "wrong": {}} for uid, each in enumerate(kept.questions if kept else ())],
        turn,
    )
    made.made = len(made.questions)
    st.session_state[_DRAFT] = made
    return made


def leave() -> None:
    """Forget what is being edited and go to the list."""
    st.session_state.pop(_DRAFT, None)
    st.query_params.clear()


def problems(draft: Draft) -> None:
    """Why it was not saved."""
    labels = dict(LABELS)
    for place in range(len(draft.questions)):
        for name, title in _TITLES.items():
            labels[f"questions.{place}.{name}"] = f"Question {place + 1}, {title.lower()}"
    error_title(draft.failure, "Templates")
    summary(draft.failure, labels, outcome="Nothing was saved yet.")


def form(draft: Draft, known: Known, pairs: dict[int, str], matrix: Matrix) -> None:
    """Everything but the buttons."""
    wrong = draft.failure.fields if draft.failure else {}
    values = draft.values
    st.text_input(
        "Name, as people would say what they need",
        values.get("name", ""),
        key=draft.key("name"),
        max_chars=commands.NAME_LIMIT,
        autocomplete="off",
        placeholder="For example: a device does not work",
    )
    field_problem(wrong.get("name"))
    st.text_input(
        "What it is for (optional)",
        values.get("description", ""),
        key=draft.key("description"),
        max_chars=commands.TEXT_LIMIT,
        autocomplete="off",
    )
    field_problem(wrong.get("description"))
    _questions(draft, wrong)
    with st.container(border=True):
        st.header("Checklist", anchor=False)
        st.text_area(
            "Steps for those who work on it, one on each line (optional)",
            "\n".join(draft.checklist),
            key=draft.key("checklist"),
            height=120,
        )
        field_problem(wrong.get("checklist"))
    _begins(draft, known, pairs, matrix, wrong)


def _begins(draft: Draft, known: Known, pairs: dict[int, str], matrix: Matrix, wrong: Mapping[str, str]) -> None:
    with st.container(border=True):
        st.header("How its incidents begin", anchor=False)
        st.caption(
            "Triage finds them sorted so, and confirms or changes it. The reporter never sees this. "
            "What the reporter says can raise impact and urgency, never lower them."
        )
        services = {service.id: service.name for service in known.services.values()}
        _choice(draft, "service_id", {0: "What the reporter says", **services}, wrong)
        _choice(draft, "category_pair_id", {0: "Chosen in triage", **pairs}, wrong)
        levels = {0: "What the reporter says", **LEVELS}
        left, right = st.columns(2, gap="small")
        with left:
            impact = _choice(draft, "impact", levels, wrong)
        with right:
            urgency = _choice(draft, "urgency", levels, wrong)
        if impact and urgency:
            level = priority(impact, urgency, matrix)
            st.markdown(f":small[:gray[Together they make **P{level} {PRIORITIES[level]}**.]]")
        _choice(draft, "team_id", {0: "Chosen in triage", **known.teams}, wrong)


def _choice(draft: Draft, name: str, options: dict[int, str], wrong: Mapping[str, str]) -> int:
    """The id chosen from the list; 0 for the first, which leaves it open."""
    known = list(options)
    value = draft.values.get(name) or 0
    chosen: int = st.selectbox(
        LABELS[name],
        known,
        index=known.index(value) if value in options else 0,
        format_func=lambda option: options.get(option, ""),
        key=draft.key(name),
    )
    field_problem(wrong.get(name))
    return chosen


def _questions(draft: Draft, wrong: Mapping[str, str]) -> None:
    with st.container(border=True):
        st.header("Questions", anchor=False)
        st.caption("Asked besides what is wrong and what is affected. Those that need an answer are asked first.")
        for place, question in enumerate(draft.questions):
            _question(draft, place, question)
        field_problem(wrong.get("questions"))
        st.button(
            "Add a question",
            icon=":material/add:",
            key=draft.key("add"),
            disabled=len(draft.questions) >= MOST_QUESTIONS,
            help=f"At most {MOST_QUESTIONS}: a report takes a minute.",
            on_click=_add,
            args=(draft,),
        )


def _question(draft: Draft, place: int, question: dict[str, Any]) -> None:
    uid = question["uid"]
    opened = draft.open == uid
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            about = f"{KINDS[question['kind']]}{', needs an answer' if question['required'] else ''}"
            title = literal(question["label"]) or "New question"
            st.markdown(f"**{place + 1}. {title}**  \n:small[:gray[{about}]]", width="stretch")
            with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
                _order(draft, place, uid)
                st.button(
                    "Done" if opened else "Change",
                    key=draft.key(f"{uid}.open"),
                    on_click=_open,
                    args=(draft, None if opened else uid),
                )
        if opened:
            _fields(draft, question)
        else:
            for said in question["wrong"].values():
                field_problem(said)


def _order(draft: Draft, place: int, uid: int) -> None:
    for name, by, at_end in (("Up", -1, place == 0), ("Down", 1, place == len(draft.questions) - 1)):
        st.button(
            name,
            type="tertiary",
            key=draft.key(f"{uid}.{name.lower()}"),
            help=f"Move question {place + 1} {name.lower()}",
            disabled=at_end,
            on_click=_move,
            args=(draft, uid, by),
        )


def _fields(draft: Draft, question: dict[str, Any]) -> None:
    uid, wrong = question["uid"], question["wrong"]
    st.text_input(
        _TITLES["label"],
        question["label"],
        key=draft.key(f"{uid}.label"),
        max_chars=LABEL_LIMIT,
        autocomplete="off",
        placeholder="For example: what does the label on the device say?",
    )
    field_problem(wrong.get("label"))
    kind = st.selectbox(
        _TITLES["kind"],
        list(KINDS),
        index=list(KINDS).index(question["kind"]),
        format_func=KINDS.__getitem__,
        key=draft.key(f"{uid}.kind"),
    )
    field_problem(wrong.get("kind"))
    if kind == "choice":
        st.text_area(
            f"{_TITLES['options']}, one on each line",
            "\n".join(question["options"]),
            key=draft.key(f"{uid}.options"),
            height=120,
        )
        field_problem(wrong.get("options"))
    st.text_input(
        "Hint (optional)", question["help"], key=draft.key(f"{uid}.help"), max_chars=HELP_LIMIT, autocomplete="off"
    )
    field_problem(wrong.get("help"))
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.checkbox("Needs an answer", question["required"], key=draft.key(f"{uid}.required"))
        st.button(
            "Remove this question",
            icon=":material/delete:",
            type="tertiary",
            key=draft.key(f"{uid}.remove"),
            on_click=_remove,
            args=(draft, uid),
        )
    _take_open(draft)


def _take_open(draft: Draft) -> None:
    """Bring what the fields of the open question hold into the draft."""
    for question in draft.questions:
        if question["uid"] != draft.open:
            continue
        for name in ("label", "kind", "help", "required", "options"):
            key = draft.key(f"{question['uid']}.{name}")
            if key in st.session_state:
                typed = st.session_state[key]
                question[name] = (typed or "").splitlines() if name == "options" else typed


def _add(draft: Draft) -> None:
    _take_open(draft)
    uid, draft.made = draft.made, draft.made + 1
    new = {"key": "", "label": "", "kind": "text", "required": False, "options": [], "help": ""}
    draft.questions.append(new | {"uid": uid, "wrong": {}})
    draft.open = uid


def _open(draft: Draft, uid: int | None) -> None:
    _take_open(draft)
    draft.open = uid


def _move(draft: Draft, uid: int, by: int) -> None:
    _take_open(draft)
    at = next(place for place, question in enumerate(draft.questions) if question["uid"] == uid)
    to = min(max(at + by, 0), len(draft.questions) - 1)
    draft.questions.insert(to, draft.questions.pop(at))


def _remove(draft: Draft, uid: int) -> None:
    draft.questions = [question for question in draft.questions if question["uid"] != uid]
    draft.open = None


def buttons(actor: Actor, draft: Draft) -> None:
    """Save; archive or bring back."""
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        new = draft.template_id is None
        st.button(
            "Add" if new else "Save",
            type="primary",
            icon=":material/check:",
            key=draft.key("save"),
            on_click=_save,
            args=(actor, draft),
        )
        if not new:
            st.button(
                "Bring back" if draft.archived else "Archive",
                icon=":material/unarchive:" if draft.archived else ":material/archive:",
                help=None if draft.archived else "It leaves Report and stays on the incidents that used it.",
                key=draft.key("archive"),
                on_click=_switch,
                args=(actor, draft),
            )


def _save(actor: Actor, draft: Draft) -> None:
    _take_open(draft)
    state = st.session_state
    values: dict[str, Any] = {name: state.get(draft.key(name)) or None for name in FIELDS}
    values |= {name: values[name] or "" for name in ("name", "description")}
    steps = (state.get(draft.key("checklist")) or "").splitlines()
    draft.failure = attempt(
        lambda db, now: commands.save(
            db,
            draft.template_id,
            draft.version,
            **values,
            questions=draft.questions,
            checklist=steps,
            actor=actor,
            now=now,
        )
    )
    if draft.failure is None:
        _done(f"{values['name']} is saved.")
        return
    for place, question in enumerate(draft.questions):
        begin = f"questions.{place}."
        told = draft.failure.fields.items()
        question["wrong"] = {name.removeprefix(begin): said for name, said in told if name.startswith(begin)}
    draft.open = next((question["uid"] for question in draft.questions if question["wrong"]), draft.open)


def _switch(actor: Actor, draft: Draft) -> None:
    template_id = draft.template_id
    if template_id is None:
        return
    change = commands.restore if draft.archived else commands.archive
    draft.failure = attempt(lambda db, now: change(db, template_id, actor=actor, now=now))
    if draft.failure is None:
        _done(f"{draft.values['name']} is {'offered again' if draft.archived else 'archived'}.")


def _done(said: str) -> None:
    st.session_state["templates.said"] = said
    leave()


def preview(draft: Draft) -> None:
    """The form as the reporter will see it, with what is typed now."""
    asked = [
        Question(
            str(each["uid"]),
            each["label"].strip() or "New question",
            each["kind"],
            each["required"],
            tuple(dict.fromkeys(option.strip() for option in each["options"] if option.strip())),
            each["help"],
        )
        for each in draft.questions
    ]
    name = st.session_state.get(draft.key("name")) or "…"
    with st.container(border=True):
        st.header("As the reporter sees it", anchor=False)
        st.markdown(f"**What do you need?**  \n{literal(name)}")
        about = st.session_state.get(draft.key("description"))
        if about:
            st.caption(literal(about))
        for label in ("What is wrong?", "What or where is affected?"):
            optional = " (optional)" if "affected" in label and st.session_state.get(draft.key("service_id")) else ""
            st.text_input(f"**{label}**{optional}", key=draft.key(f"preview.{label}"), disabled=True)
        asked.sort(key=lambda question: not question.required)
        template_questions.ask(lambda name: draft.key(f"preview.{name}"), 0, asked, {})
