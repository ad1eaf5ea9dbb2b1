"""Where an incident stands with its reporter: they say it is not fixed, or they are asked whether it is."""

from datetime import datetime

import streamlit as st

from db.commands import answers
from db.engine import reading
from db.queries import incidents, settings
from db.queries.lines import Line
from pages.parts import times
from pages.parts.empty import field_problem
from pages.parts.forms import Failure, attempt, summary
from pages.parts.texts import literal
from rules.access import Actor, may
from rules.verification import Patience


def standing(actor: Actor, detail: incidents.Detail, now: datetime) -> None:
    """Above everything else: the reporter's 'not fixed' in their words, or whether they have answered yet."""
    denied(detail, now)
    line = detail.line
    if line.state != "recovered" or line.verification is not None:
        return
    with reading() as db:
        patience = settings.policies(db).patience
    with st.container(border=True, gap="small"):
        st.markdown(
            f":material/question_answer: **{literal(asked_of(detail))}.** {literal(waited(line, patience, now))}"
        )
        if may(actor, "remind", detail.record):
            _remind(actor, detail)


def denied(detail: incidents.Detail, now: datetime) -> None:
    """'Not fixed', by whom and in which words, until it is resolved again."""
    line = detail.line
    if line.denied_at is None:
        return
    who = literal(line.reporter or "The reporter")
    words = f"\n\n*{literal(detail.denied_words)}*" if detail.denied_words else ""
    st.error(f"**{who} says it is not fixed**, {times.ago(line.denied_at, now)}.{words}", icon=":material/error:")


def asked_of(detail: incidents.Detail) -> str:
    """Who is asked, and where."""
    line = detail.line
    who = line.reporter or "The reporter"
    if detail.record.account:
        return f"{who} is asked whether it works"
    if detail.contact:
        return f"Ask {who if line.reporter else 'the reporter'} whether it works: {detail.contact}"
    return f"{who} is asked on the page of their link" if detail.tracked else f"{who} has no account: ask them"


def waited(line: Line, patience: Patience, now: datetime) -> str:
    """How long the answer has been waited for, and from when on silence is enough to close."""
    if line.imported:
        return "It came with an import and may be closed without an answer."
    if line.reminded_at is not None:
        over = patience.over_at(line.reminded_at)
        may_close = "Without an answer it may be closed now"
        if over > now:
            may_close = f"Without an answer it may be closed from {times.short(over, now)} on"
        return f"Reminded {times.ago(line.reminded_at, now)}. {may_close}."
    if line.recovered_at is None:
        return ""
    planned = patience.remind_at(line.recovered_at)
    if planned > now and line.reporter_id is not None:
        return f"The reminder is due {times.short(planned, now)}."
    return "Not reminded yet."


def _remind(actor: Actor, detail: incidents.Detail) -> None:
    key = f"remind.{detail.line.number}"
    failure: Failure | None = st.session_state.get(f"{key}.failure")
    if failure is not None and not failure.fields:
        summary(failure, {})
    if detail.record.account:
        st.button("Remind now", key=f"{key}.now", icon=":material/notifications_active:", on_click=_send,
                  args=(actor, detail, key))  # fmt: skip
        return
    with st.form(f"{key}.form", border=False, enter_to_submit=False):
        st.text_input("Nobody answers? Say how you tried to reach them", key=f"{key}.words", max_chars=500)
        field_problem(failure.fields.get("words") if failure else None)
        st.form_submit_button("Note that you asked", on_click=_send, args=(actor, detail, key))


def _send(actor: Actor, detail: incidents.Detail, key: str) -> None:
    line = detail.line
    words = str(st.session_state.get(f"{key}.words") or "")
    st.session_state[f"{key}.failure"] = attempt(
        lambda db, now: answers.remind(db, line.id, line.version, words, actor=actor, now=now)
    )
