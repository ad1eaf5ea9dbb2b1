"""Problems: what repeats, its cause, what helps until it is fixed, and what it costs."""

import streamlit as st

from db.engine import reading
from db.queries import problem_cost
from db.queries import problems as queries
from pages.parts import address, problem_facts, problem_form, problem_moves, problem_repeats, rows, session, times
from pages.parts.empty import empty
from pages.parts.marks import gray
from pages.parts.problem_marks import badge
from pages.parts.texts import literal
from rules.access import Actor, NotFound, may
from rules.problems import LABELS, OPEN

NEW = "new"
PAGE_SIZE = 20
UNSOLVED = "unsolved"


def page() -> None:
    actor = session.require("problems")
    asked = st.query_params.get("number", "").strip()
    edits = may(actor, "problem_edit")
    if asked == NEW and edits:
        new(actor)
    elif asked and asked != NEW:
        try:
            one(actor, asked, edits)
        except NotFound as missing:
            st.title("Problems")
            empty(missing.sentence, "Go back to the list.", key="problems.missing")
            _back()
    else:
        every(actor, edits)


def every(actor: Actor, edits: bool) -> None:
    """What repeats without a problem, then the list."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Problems", width="stretch", anchor=False)
        if edits:
            st.button("Open a problem", icon=":material/add:", on_click=problem_form.begin_new, key="problems.new")
    st.markdown("The causes behind several incidents. A known error is shown where it helps, until it is fixed.")
    problem_repeats.box(actor, edits)
    with reading() as db:
        counts = queries.counts(db, actor)
    words = {UNSOLVED: "Unsolved", **LABELS}
    numbers = {UNSOLVED: sum(counts[state] for state in OPEN), **counts}
    key = address.begin("problems", "state", words, UNSOLVED)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        state = st.segmented_control(
            "State",
            list(words),
            format_func=lambda option: gray(f"{words[option]} {numbers[option]:,}"),
            key=key,
            label_visibility="collapsed",
            required=True,
            on_change=_first_page,
        )
        text = st.text_input(
            "Find",
            key=address.begin("problems", "q", None, ""),
            label_visibility="collapsed",
            placeholder="Find by number or words",
            icon=":material/search:",
            width=300,
            max_chars=200,
            on_change=_first_page,
        )
    address.keep({"state": state if state != UNSOLVED else None, "q": text})
    _list(actor, state or UNSOLVED, text, sum(counts.values()), edits)


def _list(actor: Actor, state: str, text: str, total: int, edits: bool) -> None:
    states = sorted(OPEN) if state == UNSOLVED else [state]
    place = st.session_state.get("problems.page", 1)
    with reading() as db:
        found, count = queries.everything(db, actor, states, text, limit=PAGE_SIZE, offset=(place - 1) * PAGE_SIZE)
    if not total:
        first = "Open one when the same thing breaks again and again." if edits else "Who works on incidents opens one."
        nothing = ("There are no problems yet.", first)
    elif text:
        nothing = ("Nothing matches.", "Change the words, or choose another state.")
    else:
        nothing = ("Nothing is here." if state != UNSOLVED else "Every problem is solved.", "Choose another state.")
    rows.rows(
        [_row(each) for each in found],
        key="problems.list",
        plain=True,
        label="Problems",
        empty=nothing,
        on_event=lambda event: _open(event.id),
    )
    pages = -(-count // PAGE_SIZE)
    if pages > 1:
        st.pagination(pages, key="problems.page")


def _row(each: queries.Row) -> dict[str, object]:
    now = session.now()
    many = f"{each.incidents:,} incident{'' if each.incidents == 1 else 's'}"
    newest = f"newest {times.ago(each.newest, now)}" if each.newest else ""
    about = " · ".join(part for part in (each.service, each.pair) if part)
    return {
        "id": each.number,
        "title": each.title,
        "explanation": " · ".join(part for part in (LABELS[each.state], about) if part),
        "meta": [
            part
            for part in (
                many,
                f"{each.still_open:,} still open" if each.still_open else "",
                newest,
                "restricted" if each.restricted else "",
            )
            if part
        ],
        "person": each.owner,
    }


def _first_page() -> None:
    st.session_state.pop("problems.page", None)


def _open(number: str) -> None:
    problem_form.forget()
    if number:
        st.query_params["number"] = number
    else:
        st.query_params.clear()


def _back() -> None:
    st.button(
        "All problems", icon=":material/arrow_back:", type="tertiary", on_click=_open, args=("",), key="problems.back"
    )


def new(actor: Actor) -> None:
    """The form of a new one."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("A new problem", width="stretch", anchor=False)
        _back()
    problem_form.form(actor, problem_form.draft(None), None)


def one(actor: Actor, number: str, edits: bool) -> None:
    """One problem: where it stands, what is known, its incidents and what they cost, what happened."""
    now = session.now()
    with reading() as db:
        problem = queries.one(db, actor, number)
        states = problem_cost.by_state(db, actor, problem)
        cost = problem_cost.cost(db, actor, problem, now)
        rate = problem_cost.rate(db)
    st.set_page_config(page_title=f"{problem.number} · Incident Desk")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{problem.number}** {badge(problem.state)}{_flags(problem)}", width="stretch")
        _back()
    st.title(literal(problem.title), anchor=False)
    owner = literal(problem.owner) if problem.owner else "nobody yet"
    about = f"{literal(problem.about)} · " if problem.about else ""
    opened = f"opened by {literal(problem.opener)} {times.ago(problem.opened_at, now)}"
    st.markdown(f":small[:gray[{about}owner: {owner} · {opened}]]")
    said = st.session_state.pop(problem_form.SAID, None)
    if said:
        st.success(said, icon=":material/check_circle:")
    problem_moves.buttons(actor, problem, edits)
    problem_facts.numbers(problem, cost, states, rate)
    left, right = st.columns([1.25, 1], gap="medium")
    with left:
        if edits and problem_form.is_open(problem):
            problem_form.form(actor, problem_form.draft(problem), problem)
        else:
            problem_facts.known(problem, edits)
    with right:
        problem_facts.incidents(actor, problem, edits)
        problem_facts.history(actor, problem)


def _flags(problem: queries.Detail) -> str:
    return " :gray-badge[:material/lock: Restricted]" if problem.restricted else ""


page()
