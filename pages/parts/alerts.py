"""Alerts as they are drawn: on their incident, and in lists."""

from datetime import datetime

import streamlit as st

from db.queries.alerts import STATES, AlertRow, OfIncident, SignalRow
from pages.parts import times
from pages.parts.texts import literal

COLOURS = {"firing": "red", "acknowledged": "blue", "resolved": "green"}
OUTCOMES = {
    "opened": "opened an incident",
    "joined": "joined an incident",
    "counted": "counted",
    "reopened": "reopened the incident",
    "acknowledged": "acknowledged",
    "resolved": "resolved",
    "unknown": "about no known alert",
    "maintenance": "in maintenance, nobody told",
    "storm": "joined the storm",
    "noted": "nobody looks there now; kept",
}


def box(found: OfIncident, now: datetime) -> None:
    """The alerts of one incident; nothing when it has none."""
    if not found.total:
        return
    with st.container(border=True):
        st.header("Alerts")
        told = f"**{found.firing:,} of {found.total:,} still firing**" if found.firing else "**All are resolved**"
        st.markdown(told)
        for alert in found.rows:
            one(alert, now)
        if found.total > len(found.rows):
            st.caption(f"{len(found.rows)} of {found.total:,}, those that fire first.")


def one(alert: AlertRow, now: datetime) -> None:
    """One alert in three lines: what, where from and how often, and where to look."""
    severity = f" · {literal(alert.severity)}" if alert.severity else ""
    badge = f":{COLOURS[alert.status]}-badge[{STATES[alert.status]}]"
    lines = [f"{badge} **{literal(alert.title)}**{severity}"]
    source = f"{literal(alert.source)} · " if alert.source else ""
    count = f"{alert.signals:,} signal{'' if alert.signals == 1 else 's'}"
    span = f"first {times.short(alert.first_at, now)}, last {times.short(alert.last_at, now)}"
    lines.append(f"{source}{literal(alert.integration)} · {count}, {span}")
    if alert.links:
        lines.append(" · ".join(f"[{literal(label)}]({_address(address)})" for label, address in alert.links))
    st.markdown("  \n".join(lines))


def _address(address: str) -> str:
    """An http address that stays within its brackets in Markdown."""
    return address.replace("(", "%28").replace(")", "%29").replace("\\", "%5C").replace("`", "%60")


def signals(found: list[SignalRow], now: datetime) -> None:
    """What came, the newest first, and what became of each."""
    for signal in found:
        st.markdown(
            f"{times.short(signal.received_at, now)} · {signal.status} · {OUTCOMES[signal.outcome]}  \n"
            f":gray[{literal(signal.title)}]"
        )
