"""What is known of a problem: its words, its numbers with their definitions, its incidents, its history."""

from collections.abc import Mapping

import streamlit as st

from db.commands import problem_links
from db.engine import reading
from db.queries import incidents as incident_queries
from db.queries import problems as queries
from db.queries import repeats
from pages.parts import address, problem_form, rows, session, times
from pages.parts.empty import field_problem
from pages.parts.forms import Failure, attempt
from pages.parts.texts import literal
from rules.access import Actor, NotFound
from rules.priority import span
from rules.problems import TEXTS, Cost
from rules.states import LABELS, OPEN

PAGE_SIZE = 10
_CLOSED = "closed"
_EMPTY = {
    "cause": "Not known yet.",
    "workaround": "None yet.",
    "public_words": "Nothing: they are not shown this problem.",
    "fix": "None yet.",
}


def numbers(problem: queries.Detail, cost: Cost, states: Mapping[str, int], rate: tuple[float, str]) -> None:
    """How many incidents it has and what they cost, each number with its definition."""
    still = sum(number for state, number in states.items() if state in OPEN)
    named = ", ".join(f"{number:,} {LABELS[state].lower()}" for state, number in states.items())
    left = f" {cost.left_out:,} cancelled or duplicate are left out." if cost.left_out else ""
    running = f" {cost.running:,} not restored yet count until now." if cost.running else ""
    unsaid = f" {cost.unsaid:,} of {cost.n:,} do not say how many, and count as one person." if cost.unsaid else ""
    basis = f" n {cost.n:,}, of the incidents that you may read."
    with st.grid("auto", min_column_width=138):
        _metric(
            "Incidents",
            f"{cost.n:,}",
            f"{still:,} still open",
            f"Incidents linked with it, of those that you may read: {named or 'none yet'}.{left}",
        )
        _metric("People affected", f"{cost.people:,}", "added up", f"As each incident says.{unsaid}{basis}")
        _metric(
            "Out of order",
            _hours(cost.outage),
            f"{_hours(cost.held)} on hold",
            f"From the report until the service was restored, elapsed, added up.{running}{basis}",
        )
        _metric(
            "Person-hours",
            f"{cost.person_hours:,.0f}",
            f"{cost.handling:,.0f} of them handling",
            "People affected times the hours until the service was restored, plus handling: from the start of work to "
            f"the fix, without what was on hold, one person each.{running}{basis}",
        )
        money = cost.money(rate[0])
        if money is not None:
            per = f"{rate[0]:,.2f} {rate[1]} per person-hour"
            _metric("Cost", f"{money:,.0f} {rate[1]}", per, "Person-hours times what one costs, as set in Settings.")
        if problem.helped:
            _metric(
                "Reports saved",
                f"{problem.helped:,}",
                "its words helped",
                "People who read its words while they reported, said that it helped, and sent no report.",
            )


def _metric(label: str, value: str, beside: str, definition: str) -> None:
    st.metric(label, value, help=definition, border=True, delta_description=beside)


def _hours(hours: float) -> str:
    return span(hours * 3600) if hours else "0 h"


def known(problem: queries.Detail, edits: bool) -> None:
    """Its words as they are read."""
    with st.container(border=True):
        for name, label in TEXTS.items():
            words = getattr(problem, name)
            st.markdown(f"**{label}**")
            if words:
                st.text(words)
            else:
                st.caption(_EMPTY[name])
        if edits and not (problem.cause or problem.workaround):
            st.button(
                "Write what is known",
                icon=":material/edit:",
                key="problems.write",
                on_click=problem_form.edit,
                args=(problem,),
            )


def incidents(actor: Actor, problem: queries.Detail, edits: bool) -> None:
    """Its incidents a page at a time, and what links more of them."""
    place = st.session_state.get("problems.incidents.page", 1)
    with reading() as db:
        found, total = queries.incidents(db, actor, problem, limit=PAGE_SIZE, offset=(place - 1) * PAGE_SIZE)
    now = session.now()
    with st.container(border=True):
        st.header("Its incidents", anchor=False)
        event = rows.rows(
            [
                {
                    "id": line.number,
                    "title": line.title,
                    "priority": line.priority,
                    "state": line.state,
                    "meta": [times.ago(line.reported_at, now)],
                    "action": "Take out" if edits else None,
                }
                for line in found
            ],
            key="problems.incidents",
            label="Its incidents",
            now=now,
            empty=("No incident is linked yet.", "Link one by its number, or from its room."),
        )
        pages = -(-total // PAGE_SIZE)
        if pages > 1:
            st.pagination(pages, key="problems.incidents.page")
        problem_said()
        if edits and problem.state != _CLOSED:
            _more(actor, problem)
    if event is not None and event.kind == "action":
        for line in found:  # none, where somebody else took it out since the list was drawn
            if line.number == event.id:
                _take_out(actor, problem, line.id)
    elif event is not None:
        address.lead("responders/incident.py", {"number": event.id})


def problem_said() -> None:
    """What could not be linked or taken out, beneath the list."""
    failure: Failure | None = st.session_state.pop("problems.link.problem", None)
    field_problem(failure.sentence if failure else None)


def _take_out(actor: Actor, problem: queries.Detail, incident_id: int) -> None:
    st.session_state["problems.link.problem"] = attempt(
        lambda db, now: problem_links.unlink(db, problem.id, incident_id, actor=actor, now=now)
    )
    st.rerun()


def _more(actor: Actor, problem: queries.Detail) -> None:
    with st.form("problems.link", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input("Number", key="problems.link.number", placeholder="INC-000123", max_chars=40)
        st.form_submit_button("Link", icon=":material/add_link:", on_click=_link_number, args=(actor, problem))
    if problem.service_id is None or problem.category_pair_id is None:
        return
    with st.expander("Others of its service and category", key="problems.others", on_change="rerun") as folded:
        if not folded.open:
            return
        with reading() as db:
            shared = repeats.of_repeat(db, actor, problem.service_id, problem.category_pair_id, session.now())
        if not shared.incidents:
            st.caption("Every one of the last 90 days belongs to a problem already.")
            return
        words = {each.id: f"{each.number} {each.title}" for each in shared.incidents}
        st.multiselect(
            "Of the last 90 days, without a problem",
            list(words),
            format_func=words.__getitem__,
            key="problems.others.chosen",
            placeholder="Choose",
        )
        st.button(
            "Link them",
            icon=":material/add_link:",
            on_click=_link_others,
            args=(actor, problem),
            key="problems.others.go",
        )


def _link_number(actor: Actor, problem: queries.Detail) -> None:
    number = str(st.session_state.get("problems.link.number") or "").strip()

    def change(db, now):  # type: ignore[no-untyped-def]
        if not number:
            raise NotFound("Give the number of an incident.")
        incident = incident_queries.by_number(db, actor, number).line.id
        problem_links.link(db, problem.id, [incident], actor=actor, now=now)

    failure = attempt(change)
    st.session_state["problems.link.problem"] = failure
    if failure is None:
        st.session_state["problems.link.number"] = ""


def _link_others(actor: Actor, problem: queries.Detail) -> None:
    chosen = st.session_state.get("problems.others.chosen") or []
    failure = attempt(lambda db, now: problem_links.link(db, problem.id, chosen, actor=actor, now=now))
    st.session_state["problems.link.problem"] = failure
    if failure is None:
        st.session_state["problems.others.chosen"] = []


def history(actor: Actor, problem: queries.Detail) -> None:
    """What happened to it, newest first."""
    place = st.session_state.get("problems.history.page", 1)
    with reading() as db:
        found, total = queries.history(db, actor, problem, limit=PAGE_SIZE, offset=(place - 1) * PAGE_SIZE)
    with st.container(border=True):
        st.header("What happened", anchor=False)
        for entry in found:
            words = f"  \n{literal(entry.detail)}" if entry.detail else ""
            st.markdown(
                f"**{literal(entry.actor_name)}** {literal(entry.text)}{words}  \n:small[:gray[{times.full(entry.at)}]]"
            )
            _compared(entry)
        pages = -(-total // PAGE_SIZE)
        if pages > 1:
            st.pagination(pages, key="problems.history.page")


def _compared(entry: queries.Entry) -> None:
    """The words before and after, folded."""
    changed = {name: both for name, both in (entry.changes or {}).items() if name in TEXTS or name == "title"}
    if not changed:
        return
    with st.expander("Compare", type="compact", key=f"problems.entry.{entry.id}", on_change="rerun") as folded:
        if not folded.open:
            return
        st.table(
            {
                "Before": [
                    f"**{problem_form.LABELS[name]}:** {literal(before) or '–'}"
                    for name, (before, _) in changed.items()
                ],
                "After": [literal(after) or "–" for _, after in changed.values()],
            },
            border="horizontal",
        )
