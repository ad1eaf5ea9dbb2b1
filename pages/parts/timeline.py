"""The timeline of one incident: who did what when, newest where the caller puts it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NotRequired, TypedDict

import streamlit as st

from pages.parts import assets
from pages.parts.marks import KIND_TONES, Tone


class Entry(TypedDict):
    """One thing that happened. `at` is ISO 8601 with a zone and is shown in the browser's own."""

    at: str
    text: str
    who: NotRequired[str | None]
    detail: NotRequired[str | None]
    """words to quote in a box; line breaks stay"""
    kind: NotRequired[str | None]
    tone: NotRequired[Tone | None]
    """the dot's colour; found from `kind` when left out"""
    note: NotRequired[str | None]
    """a small grey word behind the text, such as 'imported' or 'corrected'"""


_TIMELINE = st.components.v2.component("incident_desk.timeline", css=assets.css("timeline"), js=assets.js("timeline"))


def timeline(entries: Sequence[Mapping[str, Any]], *, key: str, label: str = "Timeline") -> None:
    """Draw `entries` in the order given, under a heading per local day."""
    drawn = []
    for entry in entries:
        if not entry.get("at") or "text" not in entry:
            raise ValueError("A timeline entry needs a time and a text.")
        tone = entry.get("tone") or KIND_TONES.get(str(entry.get("kind")))
        drawn.append(dict(entry) | {"tone": tone})
    _TIMELINE(key=key, data={"entries": drawn, "label": label, "now": datetime.now(UTC).isoformat()})
