"""The head of an incident's room: what it is, how bad, where it stands, and the facts that run out."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, NotRequired, TypedDict

import streamlit as st

from pages.parts import assets
from pages.parts.marks import PRIORITIES, STATES

Flag = Literal["major", "security", "restricted", "imported"]
FLAGS: dict[str, str] = {
    "major": "Major incident",
    "security": "Security",
    "restricted": "Restricted",
    "imported": "Imported",
}
MOST_FACTS = 6


class Fact(TypedDict):
    """One cell. Give `value`, or `person`, or `due` (ISO 8601, counted in the browser)."""

    label: str
    value: NotRequired[str | None]
    person: NotRequired[str | None]
    """a name, or None (given) for 'Nobody yet'"""
    tone: NotRequired[Literal["warning", "late"] | None]
    """fixes the cell's colour; a `due` fact finds its own"""
    share: NotRequired[float | None]
    """bar, 0..1. With `due`: '3 h 06 min left', orange from 75 %, red when late. `due` alone: 'in 5 min', orange
    within ten minutes"""
    due: NotRequired[str | None]
    paused: NotRequired[bool]


_HEAD = st.components.v2.component("incident_desk.head", css=assets.css("head"), js=assets.js("head"))


def incident_head(
    number: str,
    title: str,
    *,
    key: str,
    state: str | None = None,
    priority: int | None = None,
    flags: Sequence[Flag] = (),
    caption: Sequence[str] | str = (),
    facts: Sequence[Mapping[str, Any]] = (),
    now: datetime | None = None,
) -> None:
    """Draw the page's one h1 with its number, chips, caption (parts are joined by dots) and at most six facts."""
    if state is not None and state not in STATES:
        raise ValueError(f"There is no state called '{state}'.")
    if priority is not None and priority not in PRIORITIES:
        raise ValueError(f"There is no priority {priority}.")
    if len(facts) > MOST_FACTS:
        raise ValueError(f"A head has at most {MOST_FACTS} facts.")
    parts = [caption] if isinstance(caption, str) else list(caption)
    _HEAD(
        key=key,
        data={
            "number": number,
            "title": title,
            "state": state,
            "priority": priority,
            "flags": [{"kind": flag, "label": FLAGS[flag]} for flag in flags],
            "caption": [part for part in parts if part],
            "facts": [dict(fact) for fact in facts],
            "now": (now or datetime.now(UTC)).isoformat(),
        },
    )
