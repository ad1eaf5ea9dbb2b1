"""A lead's pin: how far an incident is moved in the queue, why, and until when."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from db.commands import ranking
from db.commands.bulk import Item
from db.engine import Session
from db.models import Incident
from db.queries import incidents
from pages.parts import conflict, session, times, undo
from pages.parts.empty import field_problem
from pages.parts.forms import Failure, attempt
from pages.parts.texts import literal
from rules.access import Actor
from rules.priority import span

DAY = 86_400
TOP = 0
REACHES = (TOP, DAY, 7 * DAY, 30 * DAY, -DAY, -7 * DAY, -30 * DAY)
"""seconds of a pin that are offered; TOP: before every other"""


def label(pinned: bool) -> str:
    return "Take the pin away" if pinned else "Pin"


def ask(actor: Actor, detail: incidents.Detail) -> None:
    """Open the dialog that pins an open incident, without what came of it when it was opened before."""
    _forget(f"pin.{detail.line.number}")
    st.dialog(f"Pin: {detail.line.number}", icon=":material/keep:")(_dialog)(actor, detail)


def take_away(actor: Actor, detail: incidents.Detail) -> Failure | None:
    """Let it rank by its own merits again."""
    return _change(
        detail,
        "Pin taken away.",
        lambda db, now: ranking.unpin(db, detail.line.id, detail.line.version, actor=actor, now=now),
    )


def _change(detail: incidents.Detail, said: str, change: Callable[[Session, datetime], Incident]) -> Failure | None:
    """Make it, as the newest change of this screen."""
    made: dict[str, Incident] = {}
    failure = attempt(lambda db, now: made.update({"is": change(db, now)}))
    if failure is None:
        line = detail.line
        undo.done(f"{line.number}: {said}", [Item(line.id, line.number, made["is"].version)])
    return failure


def _words(seconds: int) -> str:
    if seconds == TOP:
        return "To the top of the queue"
    return f"{span(abs(seconds))} {'ahead' if seconds > 0 else 'back'}"


def _dialog(actor: Actor, detail: incidents.Detail) -> None:
    key = f"pin.{detail.line.number}"
    failure: Failure | None = st.session_state.get(f"{key}.failure")
    if st.session_state.pop(f"{key}.done", False):
        st.rerun()
    st.markdown(f"**{literal(detail.line.title)}**")
    if failure is not None and failure.since:
        seen, seconds, reason, until = st.session_state[f"{key}.asked"]
        mine = {"pin_seconds": _words(seconds), "pin_until": until, "pin_reason": reason}
        conflict.choose(
            actor, seen, failure, mine, None, key,
            keep=lambda: _done(key),
            use=lambda now, _again, _action: _pin(actor, now, seconds, reason, until, key),
        )  # fmt: skip
        return
    if failure is not None:
        st.error(literal(failure.sentence), icon=":material/error:")
    wrong = failure.fields if failure else {}
    today = times.local(session.now()).date()
    with st.form(f"{key}.form", border=False, enter_to_submit=False):
        st.selectbox("How far", list(REACHES), format_func=_words, key=f"{key}.seconds")
        field_problem(wrong.get("seconds"))
        st.text_input("Why", key=f"{key}.reason", max_chars=ranking.REASON_LIMIT)
        field_problem(wrong.get("reason"))
        st.date_input(
            "Until the end of",
            today + timedelta(days=1),
            min_value=today,
            max_value=today + ranking.LONGEST_PIN - timedelta(days=1),
            key=f"{key}.until",
        )
        field_problem(wrong.get("until"))
        st.form_submit_button("Pin", type="primary", icon=":material/keep:", on_click=_send, args=(actor, detail, key))


def _send(actor: Actor, detail: incidents.Detail, key: str) -> None:
    state = st.session_state
    day = state[f"{key}.until"] or times.local(session.now()).date()
    until = datetime.combine(day + timedelta(days=1), time(0), ZoneInfo(actor.zone))
    _pin(actor, detail, state[f"{key}.seconds"], state[f"{key}.reason"] or "", until, key)


def _pin(actor: Actor, detail: incidents.Detail, seconds: int, reason: str, until: datetime, key: str) -> None:
    line = detail.line

    def change(db, now):  # type: ignore[no-untyped-def]
        far = seconds or ranking.to_the_top(db, line.id)
        return ranking.pin(db, line.id, line.version, far, reason, until, actor=actor, now=now)

    failure = _change(detail, "Pinned.", change)
    if failure is None:
        _done(key)
    else:
        st.session_state[f"{key}.failure"] = failure
        st.session_state[f"{key}.asked"] = (detail, seconds, reason, until)


def _forget(key: str) -> None:
    for name in ("failure", "asked"):
        st.session_state.pop(f"{key}.{name}", None)


def _done(key: str) -> None:
    _forget(key)
    st.session_state[f"{key}.done"] = True
