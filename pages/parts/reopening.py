"""What was closed and is back: its reporter opens it again for a while, and reports it anew after that."""

from datetime import datetime, timedelta

import streamlit as st

from db.commands import incidents as commands
from db.queries.incidents import Detail
from pages.parts import address, session, times
from pages.parts.empty import field_problem
from pages.parts.forms import Failure, attempt, summary
from pages.parts.texts import literal
from rules.access import Actor
from rules.states import REOPEN_WINDOW

LABELS = {"reason": "What is wrong again?"}
_WORDLESS = "Say what is wrong again."
NEW = "staff/report.py"


def box(actor: Actor, detail: Detail, closed_at: datetime | None, now: datetime) -> None:
    """Draw it for the reporter of what is closed; `closed_at`: when that was done, whatever was corrected since."""
    line = detail.line
    key = f"my.reopen.{line.number}"
    failure: Failure | None = st.session_state.get(f"{key}.failure")
    if line.state != "closed":
        if st.session_state.pop(f"{key}.failure", None) is not None and failure is not None:
            words = str(st.session_state.get(f"{key}.reason") or "")
            st.error(f"{literal(failure.sentence)} You wrote: *{literal(words)}*", icon=":material/error:")
        return
    if line.reporter_id != actor.id or "reopen" not in detail.allowed:
        return
    until = (closed_at or now) + REOPEN_WINDOW
    with st.container(border=True, gap="small"):
        st.header("Is it back?", anchor=False)
        if now > until:
            st.markdown(
                f"It was closed more than {REOPEN_WINDOW // timedelta(days=1)} days ago and stays so. "
                f"Report it anew: the team sees that it belongs with {line.number}."
            )
            if st.button("Report it anew", type="primary", icon=":material/edit_square:", key=f"{key}.anew"):
                address.lead(NEW, {"again": line.number})
            return
        if failure is not None and not failure.fields:
            summary(failure, LABELS)
        with st.form(f"{key}.form", border=False, enter_to_submit=False):
            st.text_area(f"**{LABELS['reason']}**", key=f"{key}.reason", height=96)
            field_problem(failure.fields.get("reason") if failure else None)
            st.form_submit_button("Open it again", icon=":material/replay:", on_click=_reopen, args=(detail, key))
        st.caption(f"You can open it again until {times.full(until)}.")


def _reopen(detail: Detail, key: str) -> None:
    actor, line = session.require("report"), detail.line
    words = str(st.session_state.get(f"{key}.reason") or "").strip()
    failure: Failure | None = Failure(_WORDLESS, {"reason": _WORDLESS})
    if words:
        # It is opened again whatever else was changed since it was read.
        failure = attempt(
            lambda db, now: commands.perform(db, line.id, None, "reopen", {"reason": words}, actor=actor, now=now)
        )
    st.session_state[f"{key}.failure"] = failure
    if failure is None:
        st.session_state["my.said"] = f"**{line.number} is open again.** The team has what you wrote."
