"""Alerts: what monitoring says, now and lately, and which incident each led to."""

import streamlit as st

from db.engine import reading
from db.queries import alerts as queries
from pages.parts import address, alerts, rows, session, times
from pages.parts.marks import gray
from rules.access import Actor

ALL = "all"


def page() -> None:
    actor = session.require("alerts")
    state_key = address.begin("alerts", "state", [*queries.STATES, ALL], ALL)
    st.title("Alerts")
    with reading() as db:
        names = queries.integrations(db, actor)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.segmented_control(
            "State",
            [ALL, *queries.STATES],
            format_func=lambda option: gray("All" if option == ALL else queries.STATES[option]),
            key=state_key,
            label_visibility="collapsed",
            required=True,
            on_change=_first_page,
        )
        with st.container(width=260):
            integration = address.choose("alerts", "integration", names, "All integrations", _first_page)
    state = st.session_state[state_key] or ALL
    address.keep({"state": state if state != ALL else None})
    wanted = st.session_state.get("alerts.page", 1)
    with reading() as db:
        found, total = queries.listed(
            db, actor, integration_id=integration, state=state if state != ALL else None, page=wanted
        )
        stray = queries.unknown(db, actor, integration) if integration is not None else []
    shown = f"{queries.MANY - 1:,}+" if total == queries.MANY else f"{total:,}"
    st.caption(f"{shown} alert{'' if total == 1 else 's'}")
    event = rows.rows(
        [row(alert) for alert in found],
        key="alerts.list",
        plain=True,
        label="Alerts",
        empty=_nothing(bool(names), state != ALL or integration is not None),
    )
    pages = -(-total // queries.PAGE_SIZE)
    if pages > 1:
        st.pagination(pages, key="alerts.page")
    if stray:
        with st.expander("Signals about no known alert", icon=":material/help:"):
            alerts.signals(stray, session.now())
    if event is not None:
        look(actor, int(event.id))


def _nothing(any_sender: bool, filtered: bool) -> tuple[str, str]:
    if not any_sender:
        return "Nothing sends alerts yet.", "An administrator adds a monitoring tool under Integrations."
    if filtered:
        return "No alert matches.", "Choose another state or integration."
    return "No alert has come.", "A test alert can be sent under Integrations."


def _first_page() -> None:
    st.session_state["alerts.page"] = 1


def row(alert: queries.AlertRow) -> dict[str, object]:
    """An alert as a row of the list."""
    now = session.now()
    count = f"{alert.signals:,} signal{'' if alert.signals == 1 else 's'}"
    state = queries.STATES[alert.status] if alert.live else "Over"
    return {
        "id": str(alert.id),
        "reference": None,
        "title": alert.title,
        "explanation": f"{state} · last {times.ago(alert.last_at, now)} · {count}",
        "meta": [part for part in (alert.severity, alert.source, alert.integration, alert.number) if part],
        "action": "Look",
    }


@st.dialog("Alert", icon=":material/notifications_active:")
def look(actor: Actor, alert_id: int) -> None:
    """One alert, its incident, and what came of it."""
    now = session.now()
    with reading() as db:
        alert, signals = queries.one(db, actor, alert_id)
    alerts.one(alert, now)
    if alert.number is not None:
        st.page_link(
            "responders/incident.py",
            label=f"Open {alert.number}",
            icon=":material/confirmation_number:",
            query_params={"number": alert.number},
        )
    else:
        st.caption("It has no incident: it came in maintenance.")
    with st.expander("What was received", icon=":material/history:"):
        alerts.signals(signals, now)


page()
