"""A moment that was written down wrongly, corrected with a reason."""

from datetime import UTC, datetime
from typing import Any

import streamlit as st

from db.commands import corrections as commands
from db.queries.incidents import Detail
from pages.parts import conflict, dialogs, times
from pages.parts.empty import field_problem
from pages.parts.forms import Failure, attempt
from pages.parts.texts import literal
from rules.access import Actor, may
from rules.moments import FREE, MOMENTS, advice


def button(actor: Actor, detail: Detail) -> None:
    """Offer it to those who may; the dialog shows every moment that has happened."""
    if not may(actor, "correct", detail.record):
        return
    if st.button("Correct a time", icon=":material/edit_calendar:", type="tertiary", key="incident.correct"):
        ask(actor, detail)


def ask(actor: Actor, detail: Detail) -> None:
    """Open the dialog."""
    st.session_state.pop(f"correct.{detail.line.number}.failure", None)
    title = f"Correct a time: {detail.line.number}"
    dialogs.show(title, dialog, actor, detail, icon=":material/edit_calendar:")


def moments(detail: Detail) -> dict[str, datetime | None]:
    """Name -> moment of all that may be corrected: what has happened, and what nobody pressed a button for."""
    held = {name: getattr(detail.line, name, None) or getattr(detail, name, None) for name in MOMENTS}
    return {name: moment for name, moment in held.items() if moment is not None or name in FREE}


def dialog(actor: Actor, detail: Detail) -> None:
    key = f"correct.{detail.line.number}"
    failure: Failure | None = st.session_state.get(f"{key}.failure")
    if st.session_state.pop(f"{key}.done", False):
        st.rerun()
    if failure is not None and failure.since:
        seen, given, reason = st.session_state[f"{key}.asked"]
        conflict.choose(
            actor, seen, failure, {**given, "reason": reason}, None, key,
            keep=lambda: _done(key, detail),
            use=lambda now, again, action: _correct(actor, now, given, reason, key),
        )  # fmt: skip
        return
    wrong = failure.fields if failure else {}
    if failure is not None and not wrong:
        st.error(literal(failure.sentence), icon=":material/error:")
    st.caption(f"Times are {times.zone()}. The timeline keeps the old ones too.")
    held = moments(detail)
    for name, moment in held.items():
        st.datetime_input(
            MOMENTS[name] + (" (optional)" if name in FREE else ""),
            _shown(moment),
            step=60,
            key=_key(key, detail, name),
        )
        field_problem(wrong.get(name))
    for sentence in advice(held | _changed(key, detail)):
        st.warning(sentence, icon=":material/schedule:")
    st.text_area("Why it is corrected", key=f"{key}.reason", height=96)
    field_problem(wrong.get("reason"))
    st.button("Correct", type="primary", on_click=_send, args=(actor, detail, key), key=f"{key}.go")


def _key(key: str, detail: Detail, name: str) -> str:
    return f"{key}.{detail.line.version}.{name}"


def _shown(moment: datetime | None) -> datetime | None:
    """On the reader's clock, to the minute, as the field holds it."""
    return times.local(moment).replace(second=0, microsecond=0, tzinfo=None) if moment else None


def _changed(key: str, detail: Detail) -> dict[str, datetime | None]:
    """Name -> moment of the fields that were changed; one that only lacks its seconds was not."""
    changed: dict[str, datetime | None] = {}
    for name, moment in moments(detail).items():
        typed = st.session_state.get(_key(key, detail, name), _shown(moment))
        if typed != _shown(moment):
            changed[name] = typed.replace(tzinfo=times.zone()).astimezone(UTC) if typed else None
    return changed


def _send(actor: Actor, detail: Detail, key: str) -> None:
    given = _changed(key, detail)
    if not given:
        st.session_state[f"{key}.failure"] = Failure("Change at least one time.")
        return
    _correct(actor, detail, given, st.session_state.get(f"{key}.reason") or "", key)


def _correct(actor: Actor, detail: Detail, given: dict[str, Any], reason: str, key: str) -> None:
    line = detail.line
    failure = attempt(lambda db, now: commands.correct(db, line.id, line.version, given, reason, actor=actor, now=now))
    if failure is None:
        _done(key, detail)
        return
    st.session_state[f"{key}.failure"] = failure
    st.session_state[f"{key}.asked"] = (detail, given, reason)


def _done(key: str, detail: Detail) -> None:
    for name in ("failure", "asked", "reason", *(f"{detail.line.version}.{name}" for name in MOMENTS)):
        st.session_state.pop(f"{key}.{name}", None)
    st.session_state[f"{key}.done"] = True
