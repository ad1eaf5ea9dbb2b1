"""An incident between the tiers, on its page: the handover that stands first, clock, vendor, informing up."""

from datetime import datetime
from typing import Any

import streamlit as st

from db.commands import tiers as commands
from db.engine import reading
from db.queries import choices
from db.queries import tiers as queries
from db.queries.incidents import Detail
from db.queries.tiers import Standing
from pages.parts import conflict, dialogs, handover, times
from pages.parts.empty import field_problem
from pages.parts.forms import Failure, attempt
from pages.parts.texts import literal
from rules import tiers
from rules.access import Actor, may

INFORM = "inform"


def box(actor: Actor, detail: Detail, standing: Standing, now: datetime) -> None:
    """The newest handover on top until the receiving team has read it; all of them stay within reach."""
    unread = detail.handover
    key = f"tiers.{detail.line.number}"
    failure: Failure | None = st.session_state.get(f"{key}.failure")
    if unread is not None:
        with st.container(border=True, gap="small"):
            st.badge("Read this first", icon=":material/north_east:", color="orange")
            handover.said(unread, now)
            with reading() as db:
                mine = queries.receives(db, actor, unread.team_id, detail.line.assignee_id)
            if mine and detail.must_read and may(actor, "acknowledge", detail.record):
                st.button(
                    "I have read it",
                    icon=":material/check:",
                    key=f"{key}.read",
                    on_click=_confirm,
                    args=(actor, detail, key),
                )
            else:
                st.caption(f"Somebody of {literal(unread.team)} reads it before they start work.")
            field_problem(failure.sentence if failure else None)
    before = [one for one in standing.handed if unread is None or one.at != unread.at]
    if before:
        number = "What was handed over" if len(before) == 1 else f"What was handed over, {len(before)} times"
        with st.expander(number, icon=":material/north_east:"):
            for one in before:
                handover.said(one, now)
                if one.read_at is not None:
                    st.caption(f"Read by {literal(one.reader or 'somebody')} {times.ago(one.read_at, now)}")


def _confirm(actor: Actor, detail: Detail, key: str) -> None:
    st.session_state[f"{key}.failure"] = attempt(
        lambda db, now: commands.confirm(db, detail.line.id, actor=actor, now=now)
    )


def team(detail: Detail) -> str:
    """The fact's name: 'Team, tier 2'."""
    return f"Team, {tiers.NAMES[detail.line.tier]}" if detail.line.tier else "Team"


def facts(detail: Detail, standing: Standing, now: datetime) -> list[dict[str, object]]:
    """The team's own clock, for the head."""
    line, stay = detail.line, standing.stay
    if stay is None:
        return []
    clock = stay.clock(now, stopped_at=(line.paused_since or line.changed_at) if line.paused else None)
    if clock is None:
        return []
    label = "Team's time, paused" if clock.paused else f"Team's time, due {times.short(clock.due, now)}"
    return [{"label": label, "due": clock.due.isoformat(), "share": clock.share, "paused": clock.paused}]


def rows(detail: Detail, standing: Standing) -> dict[str, str]:
    """What went on between the tiers, for the table of facts."""
    found: dict[str, str] = {}
    if detail.escalations:
        found["Escalated"] = _times(detail.escalations)
    if detail.handovers:
        back = f"; came back to {literal(', '.join(standing.came_back_to))}" if standing.came_back_to else ""
        found["Handed over"] = _times(detail.handovers) + back
    if standing.informed:
        found["Informed up"] = _times(standing.informed)
    return found


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


def vendor(actor: Actor, detail: Detail) -> None:
    """How the vendor is reached and their number for it, once a vendor has to do with it."""
    if detail.line.tier != tiers.EXTERNAL and not (detail.vendor_contact or detail.vendor_reference):
        return
    key = f"vendor.{detail.line.number}"
    failure: Failure | None = st.session_state.get(f"{key}.failure")
    with st.container(border=True, gap="small"):
        st.header("Vendor")
        st.table(
            {
                "Contact": literal(detail.vendor_contact or "not said"),
                "Their reference": literal(detail.vendor_reference or "none yet"),
            },
            border="horizontal",
        )
        if not may(actor, "escalate", detail.record):
            return
        with st.expander("Vendor reference", icon=":material/edit:", expanded=failure is not None):
            if failure is not None and failure.since:
                seen, typed = st.session_state[f"{key}.asked"]
                conflict.choose(
                    actor, seen, failure, typed, None, key,
                    keep=lambda: _forget(key),
                    use=lambda now, again, _action: _set_vendor(actor, now, again, key),
                )  # fmt: skip
            else:
                _vendor_form(actor, detail, failure, key)


def _vendor_form(actor: Actor, detail: Detail, failure: Failure | None, key: str) -> None:
    """The fields stay as they are typed whatever else of the incident changes."""
    wrong = failure.fields if failure else {}
    held = {"vendor_contact": detail.vendor_contact, "vendor_reference": detail.vendor_reference}
    labels = {"vendor_contact": "Contact (optional)", "vendor_reference": "Their reference (optional)"}
    names = {name: f"{key}.{name}.{value}" for name, value in held.items()}
    with st.form(f"{key}.form", border=False, enter_to_submit=False):
        if failure is not None and not failure.fields:
            st.error(literal(failure.sentence), icon=":material/error:")
        for name, value in held.items():
            st.text_input(labels[name], value, key=names[name])
            field_problem(wrong.get(name))
        st.form_submit_button("Save", on_click=_send_vendor, args=(actor, detail, names, key))


def _send_vendor(actor: Actor, detail: Detail, names: dict[str, str], key: str) -> None:
    _set_vendor(actor, detail, {name: st.session_state[widget] or "" for name, widget in names.items()}, key)


def _set_vendor(actor: Actor, seen: Detail, typed: dict[str, Any], key: str) -> None:
    """Save what was typed over the incident as it was `seen`; what was not typed anew stays as it is there."""
    line = seen.line
    contact = typed.get("vendor_contact", seen.vendor_contact)
    reference = typed.get("vendor_reference", seen.vendor_reference)
    failure = attempt(
        lambda db, now: commands.set_vendor(db, line.id, line.version, contact, reference, actor=actor, now=now)
    )
    _forget(key)
    if failure is not None:
        st.session_state[f"{key}.failure"] = failure
        st.session_state[f"{key}.asked"] = (seen, typed)


def _forget(key: str) -> None:
    for name in ("failure", "asked"):
        st.session_state.pop(f"{key}.{name}", None)


def ask_inform(actor: Actor, detail: Detail) -> None:
    """Open the dialog that informs people up the line."""
    key = f"inform.{detail.line.number}"
    st.session_state.pop(f"{key}.failure", None)
    title = f"Inform up: {detail.line.number}"
    dialogs.show(title, _inform_dialog, actor, detail, key, icon=":material/campaign:")


def _inform_dialog(actor: Actor, detail: Detail, key: str) -> None:
    if st.session_state.pop(f"{key}.done", False):
        st.rerun()
    failure: Failure | None = st.session_state.get(f"{key}.failure")
    wrong = failure.fields if failure else {}
    with reading() as db:
        people = choices.readers(db)
    st.caption("The team keeps it. Each person chosen gets a notice, and the timeline tells who was informed.")
    if failure is not None and not failure.fields:
        st.error(literal(failure.sentence), icon=":material/error:")
    with st.form(f"{key}.form", border=False, enter_to_submit=False):
        leads = f"The leads of {literal(detail.line.team)}" if detail.line.team else "The leads of its team"
        st.checkbox(leads, key=f"{key}.leads", disabled=detail.line.team is None)
        st.checkbox("The managers", key=f"{key}.managers")
        st.multiselect(
            "People (optional)",
            [id_ for id_ in people if id_ != actor.id],
            format_func=lambda option: people[option],
            key=f"{key}.people",
            placeholder="Choose people by name",
        )
        field_problem(wrong.get("people"))
        st.text_area("What they should know", key=f"{key}.words")
        field_problem(wrong.get("words"))
        st.form_submit_button(
            "Inform", type="primary", icon=":material/send:", on_click=_inform, args=(actor, detail, key)
        )


def _inform(actor: Actor, detail: Detail, key: str) -> None:
    typed: dict[str, Any] = {
        name: st.session_state.get(f"{key}.{name}") for name in ("leads", "managers", "people", "words")
    }

    def change(db, now):  # type: ignore[no-untyped-def]
        commands.inform(
            db,
            detail.line.id,
            typed["words"] or "",
            leads=bool(typed["leads"]),
            managers=bool(typed["managers"]),
            people=typed["people"] or (),
            actor=actor,
            now=now,
        )

    failure = attempt(change)
    st.session_state[f"{key}.failure"] = failure
    st.session_state[f"{key}.done"] = failure is None
