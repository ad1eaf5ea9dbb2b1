"""Integrations: which monitoring tools send alerts, how they are read, and with which tokens."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import streamlit as st

from db.commands import integrations as commands
from db.engine import reading
from db.queries import choices
from db.queries import integrations as queries
from db.settings import settings
from pages.parts import rows, session, snippets, times
from pages.parts.empty import field_problem
from pages.parts.forms import Failure, attempt
from pages.parts.texts import link_to, literal
from rules import severities, storm
from rules.access import Actor
from rules.priority import span
from rules.signals import FORMATS

LEFT_BEHIND = ("failure", "done", "token", "secret", "said")


def page() -> None:
    actor = session.require("integrations")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Integrations", width="stretch")
        if st.button("Add an integration", type="primary", icon=":material/add:", key="integrations.add"):
            _open(actor, None)
    archived = st.toggle("Archived", key="integrations.archived")
    with reading() as db:
        found = queries.rows(db, actor, archived=archived)
    event = rows.rows(
        [row(one) for one in found],
        key="integrations.list",
        plain=True,
        label="Integrations",
        empty=(
            "Nothing sends alerts yet." if not archived else "Nothing is archived.",
            "Add the first monitoring tool." if not archived else "",
        ),
    )
    if event is not None:
        _open(actor, int(event.id))


def row(one: queries.Row) -> dict[str, object]:
    """An integration as a row of the list."""
    now = session.now()
    told = f"last signal {times.ago(one.last_signal_at, now)}" if one.last_signal_at else "no signal yet"
    state = "In a storm" if one.storm else "Silent" if one.silent else ""
    firing = f"{one.firing:,} alert{'' if one.firing == 1 else 's'} firing" if one.firing else ""
    beat = ""
    if one.heartbeat_seconds and not one.silent:
        beat = f"calls every {span(one.heartbeat_seconds)}" if one.heartbeat_at else "has not called yet"
    return {
        "id": str(one.id),
        "reference": None,
        "title": one.name,
        "explanation": " · ".join(part for part in (state, told, firing, beat) if part).capitalize(),
        "meta": [part for part in (snippets.NAMES[one.format], one.service, one.team) if part],
        "action": "Change",
    }


def _open(actor: Actor, integration_id: int | None) -> None:
    key = f"integrations.{integration_id or 'new'}"
    for name in LEFT_BEHIND:
        st.session_state.pop(f"{key}.{name}", None)
    title = "Change an integration" if integration_id else "Add an integration"
    st.dialog(title, icon=":material/sensors:", width="medium", on_dismiss="rerun")(_dialog)(actor, integration_id, key)


def _dialog(actor: Actor, integration_id: int | None, key: str) -> None:
    state = st.session_state
    if state.pop(f"{key}.done", False):
        st.rerun()
    integration_id = state.get(f"{key}.made", integration_id) if f"{key}.token" in state else integration_id
    if integration_id is None:
        _form(actor, None, key)
        return
    with reading() as db:
        detail = queries.one(db, actor, integration_id)
    if f"{key}.token" in state:
        _shown_once(detail, state[f"{key}.token"])
        return
    failure: Failure | None = state.get(f"{key}.failure")
    with st.container():  # always there, so that what it says does not bring the first tab back
        if failure is not None and not failure.fields:
            st.error(literal(failure.sentence), icon=":material/error:")
        if f"{key}.said" in state:
            st.success(state[f"{key}.said"], icon=":material/check_circle:")
    setting, sender = st.tabs(["How it is read", "How it sends"])
    with setting:
        _form(actor, detail, key)
    with sender:
        _sender(actor, detail, key)


def base() -> str:
    """The address of this app as senders reach it."""
    if settings().base_url:
        return settings().base_url.rstrip("/")
    parts = urlsplit(st.context.url or "http://localhost:8501")
    return f"{parts.scheme}://{parts.netloc}"


def _shown_once(detail: queries.Detail, token: str) -> None:
    st.success(f"This is the token of **{literal(detail.row.name)}**. It is shown only now.", icon=":material/key:")
    st.code(token, language=None)
    _copyable(detail, token)


def _copyable(detail: queries.Detail, token: str) -> None:
    told = snippets.snippet(detail.row.format, base(), token)
    st.caption(literal(told.where))
    st.code(told.code, language=told.language, wrap_lines=True)


def _form(actor: Actor, detail: queries.Detail | None, key: str) -> None:
    with reading() as db:
        known, policies = choices.known(db), queries.policies(db)
    pairs = {pair.id: pair.name for pair in known.pairs.values()}
    values = detail.values if detail else {}
    failure: Failure | None = st.session_state.get(f"{key}.failure")
    wrong: Mapping[str, str] = failure.fields if failure else {}
    if failure is not None and not failure.fields and detail is None:
        st.error(literal(failure.sentence), icon=":material/error:")
    with st.form(f"{key}.form", border=False, enter_to_submit=False):
        st.text_input("Name", values.get("name", ""), key=f"{key}.name", max_chars=commands.NAME_LIMIT)
        field_problem(wrong.get("name"))
        _choice("What sends", "format", key, {name: snippets.NAMES[name] for name in FORMATS}, values, wrong)
        services: dict[int | None, str] = {None: "None"}
        services |= {one.id: one.name for one in known.services.values()}
        _choice("Service that its alerts are about", "service_id", key, services, values, wrong)
        _choice("Team that answers", "team_id", key, {None: "That of the service", **known.teams}, values, wrong)
        _choice("Category", "category_pair_id", key, {None: commands.MONITORING, **pairs}, values, wrong)
        if policies:
            own: dict[Any, str] = {None: "That of the service or the team", **policies}
            _choice("Who is paged", "escalation_policy_id", key, own, values, wrong)
        st.text_input(
            "Alerts that share an incident (optional)",
            values.get("grouping", ""),
            key=f"{key}.grouping",
            max_chars=commands.LABEL_LIMIT,
            placeholder="Each alert by itself",
            help="'group' for the groups that the sender makes, or the name of a label, such as cluster.",
        )
        field_problem(wrong.get("grouping"))
        st.text_area(
            "What its severities mean (optional)",
            severities.as_typed(values.get("severities", {})),
            key=f"{key}.severities",
            placeholder="critical = 1\nwarning = 3",
            help="One severity a line with its priority, 1 critical to 5 planning. What is not named follows usage: "
            + ", ".join(f"{word} {level}" for word, level in severities.SEVERITIES.items())
            + ".",
            height=96,
        )
        field_problem(wrong.get("severities"))
        st.checkbox(
            "Incidents resolve themselves when all of their alerts have",
            values.get("auto_resolve", True),
            key=f"{key}.auto_resolve",
        )
        left, right = st.columns(2)
        left.number_input(
            "New alerts a minute that are a storm",
            1,
            commands.MOST_STORM,
            values.get("storm_limit", storm.LIMIT),
            key=f"{key}.storm_limit",
            help="Past that, new alerts join one incident, until it has been calm for five minutes.",
        )
        right.number_input(
            "It calls at least every … seconds",
            0,
            commands.HEARTBEAT_SECONDS[1],
            values.get("heartbeat_seconds") or 0,
            key=f"{key}.heartbeat_seconds",
            help="Its silence then makes an incident, which ends when it calls. The first call is waited for an hour "
            "longer, so that you can set the sender up. 0: it promises nothing. Alerts and /api/v1/heartbeats count.",
        )
        field_problem(wrong.get("storm_limit") or wrong.get("heartbeat_seconds"))
        st.checkbox(
            "It signs what it sends (Standard Webhooks)",
            values.get("signed", False),
            key=f"{key}.signed",
            help="Messages without a signature of the last five minutes are then refused.",
        )
        st.form_submit_button(
            "Save" if detail else "Add",
            type="primary",
            icon=":material/check:",
            on_click=_save,
            args=(actor, detail, key),
        )


def _choice(
    label: str, name: str, key: str, options: Mapping[Any, str], values: Mapping[str, Any], wrong: Mapping[str, str]
) -> None:
    known = list(options)
    at = known.index(values.get(name)) if values.get(name) in known else 0
    st.selectbox(label, known, index=at, format_func=options.__getitem__, key=f"{key}.{name}")
    field_problem(wrong.get(name))


def _typed(key: str) -> dict[str, Any]:
    given = {name: st.session_state.get(f"{key}.{name}") for name in commands.FIELDS}
    return given | {
        "heartbeat_seconds": given["heartbeat_seconds"] or None,
        "severities": severities.typed(given["severities"] or ""),
    }


def _save(actor: Actor, detail: queries.Detail | None, key: str) -> None:
    made: dict[str, Any] = {}

    def change(db, now):  # type: ignore[no-untyped-def]
        if detail is not None:
            commands.change(db, detail.row.id, detail.version, _typed(key), actor=actor, now=now)
        else:
            added, made["token"] = commands.add(db, _typed(key), actor=actor, now=now)
            made["made"] = added.id

    failure = attempt(change)
    _finish(key, failure)
    if failure is None and made:
        st.session_state[f"{key}.done"] = False
        for name, value in made.items():
            st.session_state[f"{key}.{name}"] = value


def _finish(key: str, failure: Failure | None, said: str = "") -> None:
    st.session_state[f"{key}.failure"] = failure
    st.session_state[f"{key}.done"] = failure is None and not said
    st.session_state.pop(f"{key}.said", None)
    if failure is None and said:
        st.session_state[f"{key}.said"] = said


def _sender(actor: Actor, detail: queries.Detail, key: str) -> None:
    _copyable(detail, snippets.YOUR_TOKEN)
    now, integration = session.now(), detail.row.id
    st.markdown("**Tokens**")
    for token in detail.tokens:
        used = f"last used {times.ago(token.last_used_at, now)}" if token.last_used_at else "not used yet"
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"`…{token.ending}` made {times.ago(token.created_at, now)}, {used}", width="stretch")
            st.button(
                "End",
                key=f"{key}.end.{token.id}",
                help="Nothing more is taken with it",
                on_click=_end,
                args=(actor, integration, token.id, key),
            )
    with st.container(horizontal=True):
        st.button("New token", icon=":material/key:", on_click=_new_token, args=(actor, integration, key))
        st.button("Send a test alert", icon=":material/send:", on_click=_test, args=(actor, integration, key))
        gone = detail.row.archived_at is not None
        st.button(
            "Bring back" if gone else "Archive",
            icon=":material/unarchive:" if gone else ":material/archive:",
            help=None if gone else "Nothing more is taken from it. Its alerts and incidents stay.",
            on_click=_switch,
            args=(actor, integration, key, gone),
        )
    if detail.values["signed"]:
        _signing(actor, detail, key)


def _signing(actor: Actor, detail: queries.Detail, key: str) -> None:
    with reading() as db:
        secret = commands.secret(db, detail.row.id, actor=actor)
    st.markdown("**Signing secret**")
    st.code(secret, language=None, wrap_lines=True)
    if detail.old_secret_until is not None and detail.old_secret_until > session.now():
        st.caption(f"The secret before it is taken until {times.short(detail.old_secret_until, session.now())}.")
    st.button(
        "New secret",
        icon=":material/autorenew:",
        help="The present one is taken for a day more.",
        on_click=lambda: _finish(
            key,
            attempt(lambda db, now: commands.new_secret(db, detail.row.id, actor=actor, now=now)),
            "There is a new secret. The one before it is taken for a day more.",
        ),
    )


def _new_token(actor: Actor, integration_id: int, key: str) -> None:
    made = {}

    def change(db, now):  # type: ignore[no-untyped-def]
        made["token"] = commands.new_token(db, integration_id, actor=actor, now=now)

    failure = attempt(change)
    _finish(key, failure, "made")
    if failure is None:
        st.session_state.pop(f"{key}.said", None)
        st.session_state[f"{key}.made"] = integration_id
        st.session_state[f"{key}.token"] = made["token"]


def _end(actor: Actor, integration_id: int, token_id: int, key: str) -> None:
    change = attempt(lambda db, now: commands.revoke_token(db, integration_id, token_id, actor=actor, now=now))
    _finish(key, change, "The token is ended: nothing more is taken with it.")


def _test(actor: Actor, integration_id: int, key: str) -> None:
    sent: dict[str, str] = {}

    def change(db, now):  # type: ignore[no-untyped-def]
        incident = commands.send_test(db, integration_id, actor=actor, now=now)
        place = link_to(incident.number) if incident else "no incident: maintenance"
        sent["said"] = f"The test alert made {place}. It ends itself in some minutes."

    failure = attempt(change)
    _finish(key, failure, sent.get("said", ""))


def _switch(actor: Actor, integration_id: int, key: str, gone: bool) -> None:
    change = commands.restore if gone else commands.archive
    _finish(key, attempt(lambda db, now: change(db, integration_id, actor=actor, now=now)))


page()
