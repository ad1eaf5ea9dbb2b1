"""Who was asked to answer for an incident, who is next, and paging somebody by hand."""

from datetime import datetime
from typing import Literal

import streamlit as st

from db.commands import calling
from db.engine import reading
from db.queries import escalation as queries
from db.queries import escalation_policies
from db.queries.incidents import Detail
from pages.parts import dialogs, times
from pages.parts.empty import field_problem
from pages.parts.forms import Failure, attempt
from pages.parts.texts import literal
from rules.access import Actor, may
from rules.escalation import Target
from rules.states import OPEN

KEY = "paging"
WORDS_LIMIT = 120
SHOWN = 5
ENDS = {
    "acknowledged": ":green[:material/check:] Somebody has answered.",
    "held": ":material/pause_circle: It was put on hold.",
    "resolved": ":green[:material/check:] It was over.",
    "exhausted": ":red[:material/error: **Nobody has answered; the steps have run out.**] The lead and the desk know.",
    "maintenance": ":material/build: Maintenance has begun. It asks again when that is over.",
    "handed_over": ":material/north_east: It was handed over.",
}


def may_page(actor: Actor, detail: Detail) -> bool:
    """Whether the actor may page somebody for it by hand."""
    return may(actor, "page", detail.record) and detail.line.state in OPEN


def box(actor: Actor, detail: Detail, found: queries.Standing, now: datetime) -> None:
    """Draw how the escalation stands, whom it asked, and the button that pages somebody."""
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.header("Who was asked", width="stretch", anchor=False)
            if may_page(actor, detail):
                button(actor, detail)
        st.markdown(standing(found, now))
        for paged in found.pages[:SHOWN]:
            why = f" :gray[{literal(paged.why)}]" if paged.why else ""
            none = "" if paged.channels else "  :red[:material/error: no way to be reached]"
            st.markdown(f"**{literal(paged.name)}** {times.short(paged.at, now)}{why}{none}")
        if len(found.pages) > SHOWN:
            st.caption(f"{len(found.pages) - SHOWN} more before; the timeline has them all.")


def standing(found: queries.Standing, now: datetime) -> str:
    """'Network. Next: Cy at 14:12.', or why it has ended."""
    if found.policy is None:
        return "Asked by hand."
    policy = literal(found.policy)
    if not found.running:
        return f"{ENDS.get(found.ended_by, 'It has ended.')} :gray[{policy}]"
    if found.next_at is None:
        return f"{policy}."
    when = times.short(found.next_at, now) if found.next_at > now else "any moment"
    if found.next_names:
        return f"**Next: {literal(', '.join(found.next_names))} at {when}**, unless somebody answers. :gray[{policy}]"
    if found.next_missing:
        gone = literal(", ".join(found.next_missing))
        return f"**Next, at {when}:** :red[:material/error: {gone}]. :gray[{policy}]"
    return f"It was the last step: the lead and the desk are told at {when}. :gray[{policy}]"


def button(actor: Actor, detail: Detail, looks: Literal["secondary", "tertiary"] = "secondary") -> None:
    """Page somebody by hand, in a dialog."""
    if st.button("Page somebody now", icon=":material/notifications_active:", key=f"{KEY}.ask", type=looks):
        for name in ("failure", "done"):
            st.session_state.pop(f"{KEY}.{name}", None)
        dialogs.show("Page somebody now", _dialog, actor, detail, icon=":material/notifications_active:")


def _dialog(actor: Actor, detail: Detail) -> None:
    if st.session_state.pop(f"{KEY}.done", False):
        st.rerun()
    with reading() as db:
        names: dict[Target | None, str] = {None: "Choose"}
        for target, name in escalation_policies.targets(db, actor).items():
            names[target] = name
    failure: Failure | None = st.session_state.get(f"{KEY}.failure")
    st.markdown(f"**{literal(detail.line.number)}** {literal(detail.line.title)}")
    if failure is not None and not failure.fields:
        st.error(literal(failure.sentence), icon=":material/error:")
    with st.form(f"{KEY}.form", border=False, enter_to_submit=False):
        st.selectbox("Whom", list(names), format_func=lambda target: names[target], key=f"{KEY}.target")
        field_problem(failure.fields.get("target") if failure is not None else None)
        st.text_input("What for (optional)", key=f"{KEY}.words", max_chars=WORDS_LIMIT, autocomplete="off")
        st.form_submit_button("Page", type="primary", on_click=_page, args=(actor, detail.line.id))


def _page(actor: Actor, incident_id: int) -> None:
    state = st.session_state
    state[f"{KEY}.failure"] = failure = attempt(
        lambda db, now: calling.by_hand(
            db, incident_id, state[f"{KEY}.target"], state[f"{KEY}.words"] or "", actor=actor, now=now
        )
    )
    state[f"{KEY}.done"] = failure is None
