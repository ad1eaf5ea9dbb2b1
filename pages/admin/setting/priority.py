"""Settings: the matrix that makes a priority of impact and urgency, and the head starts that make the rank."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.admin.setting.flow import WIDTH, Editor, gathered, refuse
from pages.parts.marks import priority_words
from rules.durations import exact, seconds_of
from rules.policy_checks import CELLS
from rules.priority import LABELS, LEVELS

MATRIX, STARTS = KEYS = ("priority.matrix", "rank.head_starts")
NAMES = {
    "major": "Major incident",
    **{f"priority.{level}": priority_words(level) for level in LABELS},
    "risk": "Each risk",
    "people": "Ten times the people",
}
"""head start -> its label, in the order in which they are drawn"""


def draw(editor: Editor) -> None:
    with st.form(f"{editor.prefix}.form", width=WIDTH, enter_to_submit=False):
        st.header("Priority from impact and urgency", anchor=False)
        options = {level: priority_words(level) for level in LABELS}
        for impact in LEVELS:
            for urgency, column in zip(LEVELS, st.columns(3, gap="small"), strict=True):
                cell = f"{impact}{urgency}"
                label = f"{LEVELS[impact]} impact, {LEVELS[urgency].lower()} urgency"
                with column:
                    editor.choice(f"{MATRIX}.{cell}", label, options, editor.base[MATRIX][cell])
        st.header("Head starts in the queue", anchor=False)
        st.caption(
            "Open incidents rank by their due time minus their head starts. Write 5 d, 12 h or 30 min; 0 for none. "
            "The last one counts again for every ten times as many people affected."
        )
        with st.grid(3, min_column_width=160):
            for name, label in NAMES.items():
                with st.container():
                    editor.text(f"{STARTS}.{name}", label, exact(_start(editor.base[STARTS], name)))
        editor.preview_button(collect)


def _start(starts: Mapping[str, Any], name: str) -> int:
    part, _, level = name.partition(".")
    return int(starts[part][level] if level else starts[part])


def collect(editor: Editor) -> Mapping[str, Any]:
    """The settings as typed. RuleError names every length that cannot be read."""
    wrong: dict[str, str] = {}
    seconds = {
        name: gathered(
            wrong,
            lambda name=name: seconds_of(  # type: ignore[misc]
                str(editor.typed(f"{STARTS}.{name}") or ""), f"{STARTS}.{name}", nothing=True
            ),
        )
        for name in NAMES
    }
    refuse(wrong)
    return {
        MATRIX: {cell: editor.typed(f"{MATRIX}.{cell}") for cell in CELLS},
        STARTS: {
            "major": seconds["major"],
            "priority": {str(level): seconds[f"priority.{level}"] for level in LABELS},
            "risk": seconds["risk"],
            "people": seconds["people"],
        },
    }
