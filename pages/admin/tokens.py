"""API tokens: which programs use the HTTP API, what each may do, and until when."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlsplit

import streamlit as st

from db.commands import tokens as commands
from db.engine import reading
from db.queries import tokens as queries
from db.settings import settings
from pages.parts import rows, session, times
from pages.parts.empty import field_problem
from pages.parts.forms import Failure, attempt
from pages.parts.texts import literal
from rules.access import Actor
from rules.tokens import NAME_LIMIT, SCOPES

LEFT_BEHIND = ("failure", "done", "token", "named")


def page() -> None:
    actor = session.require("tokens")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("API tokens", width="stretch")
        if st.button("Add a token", type="primary", icon=":material/add:", key="tokens.add"):
            _open(actor, None)
    revoked = st.toggle("Revoked", key="tokens.revoked")
    with reading() as db:
        found = queries.rows(db, actor, revoked=revoked)
    event = rows.rows(
        [row(one) for one in found],
        key="tokens.list",
        plain=True,
        label="API tokens",
        empty=(
            "No program uses the API yet." if not revoked else "No token was revoked.",
            "Add a token for the first one." if not revoked else "",
        ),
    )
    if event is not None:
        chosen = next((one for one in found if str(one.id) == event.id), None)
        if chosen is not None:
            _open(actor, chosen)


def row(one: queries.Row) -> dict[str, object]:
    """A token as a row of the list."""
    now = session.now()
    used = f"last used {times.ago(one.last_used_at, now)}" if one.last_used_at else "not used yet"
    end = ""
    if one.revoked_at is not None:
        end = f"revoked {times.ago(one.revoked_at, now)}"
    elif one.expires_at is not None:
        end = f"{'expired' if one.expires_at <= now else 'expires'} {times.short(one.expires_at, now)}"
    return {
        "id": str(one.id),
        "reference": None,
        "title": one.name,
        "explanation": " · ".join(part for part in (end, used) if part).capitalize(),
        "meta": [*one.scopes, f"…{one.ending}"],
        "action": "Open",
    }


def _open(actor: Actor, chosen: queries.Row | None) -> None:
    key = f"tokens.{chosen.id if chosen else 'new'}"
    for name in LEFT_BEHIND:
        st.session_state.pop(f"{key}.{name}", None)
    draw = st.dialog(
        literal(chosen.name) if chosen else "Add a token", icon=":material/key:", width="medium", on_dismiss="rerun"
    )
    draw(_dialog)(actor, chosen, key)


def _dialog(actor: Actor, chosen: queries.Row | None, key: str) -> None:
    if st.session_state.pop(f"{key}.done", False):
        st.rerun()
    if f"{key}.token" in st.session_state:
        _shown_once(st.session_state[f"{key}.named"], st.session_state[f"{key}.token"])
    elif chosen is None:
        _form(actor, key)
    else:
        _existing(actor, chosen, key)


def _shown_once(name: str, token: str) -> None:
    st.success(f"This is the token **{literal(name)}**. It is shown only now.", icon=":material/key:")
    st.code(token, language=None, wrap_lines=True)
    st.caption("It goes into a header, never into an address:")
    st.code(
        f'curl -H "Authorization: Bearer {token}" \\\n  {_base()}/api/v1/incidents', language="bash", wrap_lines=True
    )
    st.caption(f"Everything that there is, is described at {literal(_base())}/api/openapi.json.")


def _base() -> str:
    """The address of this app as programs reach it."""
    if settings().base_url:
        return settings().base_url.rstrip("/")
    parts = urlsplit(st.context.url or "http://localhost:8501")
    return f"{parts.scheme}://{parts.netloc}"


def _form(actor: Actor, key: str) -> None:
    failure: Failure | None = st.session_state.get(f"{key}.failure")
    wrong: Mapping[str, str] = failure.fields if failure else {}
    if failure is not None and not failure.fields:
        st.error(literal(failure.sentence), icon=":material/error:")
    with st.form(f"{key}.form", border=False, enter_to_submit=False):
        st.text_input("Name", key=f"{key}.name", max_chars=NAME_LIMIT, help="What timelines call the program.")
        field_problem(wrong.get("name"))
        st.markdown("**What it may do**")
        for scope, known in SCOPES.items():
            st.checkbox(known.words, key=f"{key}.{scope}", help=scope)
        field_problem(wrong.get("scopes"))
        st.caption("Restricted incidents are open to no program.")
        today = times.local(session.now()).date()
        st.date_input(
            "Its last day (optional)",
            None,
            min_value=today,
            max_value=today + commands.LONGEST - timedelta(days=2),
            key=f"{key}.until",
        )
        field_problem(wrong.get("expires_at"))
        st.form_submit_button("Add", type="primary", icon=":material/check:", on_click=_add, args=(actor, key))


def _end(day: date | None) -> datetime | None:
    """When the day ends for whoever chose it."""
    if day is None:
        return None
    return datetime.combine(day + timedelta(days=1), time.min, times.zone()).astimezone(UTC)


def _add(actor: Actor, key: str) -> None:
    state = st.session_state
    made: dict[str, Any] = {}

    def change(db, now):  # type: ignore[no-untyped-def]
        chosen = [scope for scope in SCOPES if state.get(f"{key}.{scope}")]
        until = _end(state.get(f"{key}.until"))
        token, made["token"] = commands.add(db, state.get(f"{key}.name") or "", chosen, until, actor=actor, now=now)
        made["named"] = token.name

    state[f"{key}.failure"] = failure = attempt(change)
    if failure is None:
        for name, value in made.items():
            state[f"{key}.{name}"] = value


def _existing(actor: Actor, chosen: queries.Row, key: str) -> None:
    now = session.now()
    failure: Failure | None = st.session_state.get(f"{key}.failure")
    if failure is not None:
        st.error(literal(failure.sentence), icon=":material/error:")
    st.markdown("\n".join(f"- {SCOPES[scope].words} (`{scope}`)" for scope in chosen.scopes if scope in SCOPES))
    by = f" by {chosen.created_by}" if chosen.created_by else " on the command line"
    told = [f"Made {times.ago(chosen.created_at, now)}{by}"]
    if chosen.expires_at is not None:
        told.append(f"{'expired' if chosen.expires_at <= now else 'expires'} {times.short(chosen.expires_at, now)}")
    told.append(f"last used {times.ago(chosen.last_used_at, now)}" if chosen.last_used_at else "not used yet")
    st.caption(literal(" · ".join(told)))
    if chosen.revoked_at is not None:
        st.caption(f"Revoked {times.ago(chosen.revoked_at, now)}.")
        return
    st.button(
        "Revoke",
        icon=":material/block:",
        key=f"{key}.revoke",
        help="Nothing more is taken with it. What it did keeps its name.",
        on_click=_revoke,
        args=(actor, chosen.id, key),
    )


def _revoke(actor: Actor, token_id: int, key: str) -> None:
    failure = attempt(lambda db, now: commands.revoke(db, token_id, actor=actor, now=now))
    st.session_state[f"{key}.failure"] = failure
    st.session_state[f"{key}.done"] = failure is None


page()
