"""Problems where an incident is worked on: those it is linked with, those that may be behind it, and the link."""

from datetime import datetime

import streamlit as st

from db.commands import problem_links
from db.engine import Session, reading
from db.queries import known_errors
from db.queries import problems as queries
from db.queries.incidents import Detail
from db.queries.known_errors import Known
from pages.parts import address, dialogs, problem_form
from pages.parts.empty import field_problem
from pages.parts.forms import Failure, attempt
from pages.parts.problem_marks import badge, link_to
from pages.parts.texts import literal
from rules.access import Actor, may
from rules.states import UNCLOSED

_ASKED = "problem_cards.asked"
Standing = tuple[list[Known], list[Known]]
"""the problems that an incident is linked with, and those that may be behind it"""


def standing(db: Session, actor: Actor, detail: Detail) -> Standing:
    """What box() draws. What is closed is not asked about again."""
    linked = known_errors.of_incident(db, actor, detail)
    asked = not linked and detail.line.state in UNCLOSED and links(actor, detail)
    return linked, known_errors.like(db, actor, detail) if asked else []


def links(actor: Actor, detail: Detail) -> bool:
    """Whether the actor works on the incident, and may link it with problems."""
    return may(actor, "problem_edit") and may(actor, "relate", detail.record)


def hint(actor: Actor, detail: Detail, now: datetime) -> None:
    """In triage: the same, looked up once a minute, not again with every choice in its form."""
    asked = (detail.line.number, detail.line.version, now.replace(second=0, microsecond=0))
    if st.session_state.get("triage.problems", (None,))[0] != asked:
        with reading() as db:
            st.session_state["triage.problems"] = (asked, standing(db, actor, detail))
    found: Standing = st.session_state["triage.problems"][1]
    _draw(actor, detail, found)


def box(actor: Actor, detail: Detail, found: Standing) -> None:
    """In the room: the problems with what helps, or what may be behind it; and the button that links with one."""
    _draw(actor, detail, found)
    key = f"problem_cards.{detail.line.number}"
    if links(actor, detail):
        st.button(
            "Link to a problem",
            icon=":material/troubleshoot:",
            type="tertiary",
            key=f"{key}.ask",
            on_click=_ask,
            args=(key,),
        )
    if st.session_state.pop(_ASKED, False):
        dialogs.show(f"Link {detail.line.number} to a problem", _dialog, actor, detail, icon=":material/troubleshoot:")


def _draw(actor: Actor, detail: Detail, found: Standing) -> None:
    linked, like = found
    failure: Failure | None = st.session_state.pop("problem_cards.failure", None)
    for known in linked:
        with st.container(border=True, gap="small"):
            _known(known)
    for known in like:
        with st.container(border=True, gap="small"):
            st.markdown(f":material/auto_awesome: :small[:gray[{_why(known)}]]")
            _known(known)
            st.button(
                "Link to this problem",
                icon=":material/add_link:",
                key=f"problem_cards.{detail.line.number}.{known.id}",
                on_click=_link,
                args=(actor, detail, known.id),
            )
    field_problem(failure.sentence if failure else None)


def _why(known: Known) -> str:
    return "This known error may be behind it." if known.state == "known_error" else "This problem may be behind it."


def _known(known: Known) -> None:
    st.markdown(f"{badge(known.state)} **{link_to(known.number)} {literal(known.title)}**")
    if known.state in ("fixed", "closed") and known.fix:
        st.markdown(f"**Fixed:** {literal(known.fix)}")
        return
    if known.workaround:
        st.markdown(f"**What helps:** {literal(known.workaround)}")
    if known.cause:
        st.markdown(f":small[:gray[Cause: {literal(known.cause)}]]")


def _ask(key: str) -> None:
    st.session_state[_ASKED] = True
    for name in ("failure", "done"):
        st.session_state.pop(f"{key}.{name}", None)


def _link(actor: Actor, detail: Detail, problem_id: int) -> None:
    st.session_state["problem_cards.failure"] = attempt(
        lambda db, now: problem_links.link(db, problem_id, [detail.line.id], actor=actor, now=now)
    )
    st.session_state.pop("triage.problems", None)


def _dialog(actor: Actor, detail: Detail) -> None:
    key = f"problem_cards.{detail.line.number}"
    if st.session_state.pop(f"{key}.done", False):
        st.rerun()
    failure: Failure | None = st.session_state.get(f"{key}.failure")
    with reading() as db:
        offered = queries.choices(db, actor, detail.service_id, detail.category_pair_id)
    if offered:
        st.selectbox(
            "Problem",
            list(offered),
            index=None,
            format_func=offered.__getitem__,
            key=f"{key}.problem",
            placeholder="Choose an open one",
        )
    else:
        st.caption("No problem is open.")
    field_problem(failure.sentence if failure else None)
    with st.container(horizontal=True):
        if offered:
            st.button(
                "Link",
                type="primary",
                icon=":material/add_link:",
                key=f"{key}.link",
                on_click=_send,
                args=(actor, detail, key),
            )
        if st.button("Open a new one", icon=":material/add:", key=f"{key}.new"):
            _begin(detail)
            address.lead("managers/problems.py", {"number": "new"})


def _begin(detail: Detail) -> None:
    line = detail.line
    problem_form.start(
        {line.id: f"{line.number} {line.title}"},
        title=line.title,
        service_id=detail.service_id,
        category_pair_id=detail.category_pair_id,
        restricted=line.restricted,
    )


def choose(actor: Actor, detail: Detail, key: str) -> dict[str, str]:
    """In the form that puts an incident on hold: which problem it waits for; field -> widget key."""
    if not links(actor, detail):
        return {}
    with reading() as db:
        offered = queries.choices(db, actor, detail.service_id, detail.category_pair_id)
    if not offered:
        return {}
    st.selectbox(
        "Which problem (optional)",
        list(offered),
        index=None,
        format_func=offered.__getitem__,
        key=f"{key}.problem_id",
        placeholder="Choose an open one",
        help="When it waits for a problem to be solved: it is linked with it, and its team is told of the fix.",
    )
    return {"problem_id": f"{key}.problem_id"}


def _send(actor: Actor, detail: Detail, key: str) -> None:
    problem_id = st.session_state.get(f"{key}.problem")
    if problem_id is None:
        st.session_state[f"{key}.failure"] = Failure("Choose a problem from the list.")
        return
    failure = attempt(lambda db, now: problem_links.link(db, problem_id, [detail.line.id], actor=actor, now=now))
    st.session_state[f"{key}.failure"] = failure
    st.session_state[f"{key}.done"] = failure is None
