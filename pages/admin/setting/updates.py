"""Settings: how often people hear from an incident, the words that updates begin with, and who reads them first."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.admin.setting import flow
from pages.admin.setting.flow import WIDTH, Editor
from rules.durations import exact, seconds_of
from rules.priority import LABELS
from rules.updates import FACTS, STAGES, WORDS_FOR

CADENCE, TEMPLATES, APPROVAL = KEYS = ("updates.cadence", "updates.templates", "updates.approval")


def draw(editor: Editor) -> None:
    with st.form(f"{editor.prefix}.form", width=WIDTH, enter_to_submit=False):
        st.header("How often people hear from you", anchor=False)
        st.caption("A major incident is told of like one of the highest priority, and first within five minutes.")
        for level, label in LABELS.items():
            rhythm = editor.base[CADENCE][str(level)]
            left, right = st.columns(2, gap="small")
            with left:
                first = exact(rhythm["first"], days=False) if rhythm["first"] else ""
                editor.text(f"{CADENCE}.{level}.first", f"P{level} {label}, first after (optional)", first)
            with right:
                editor.text(f"{CADENCE}.{level}.every", "Then every", exact(rhythm["every"], days=False))
        st.header("What the public reads", anchor=False)
        st.checkbox(
            "The commander reads it first", value=editor.base[APPROVAL], key=editor.key(APPROVAL),
        )  # fmt: skip
        st.header("The words updates begin with", anchor=False)
        for audience, who in WORDS_FOR.items():
            names = " · ".join(f"`{{{name}}}` {meaning}" for name, meaning in FACTS[audience].items())
            st.caption(f"{who}: {names}")
        for stage, label in STAGES.items():
            for place, (audience, who) in zip(st.columns(2, gap="small"), WORDS_FOR.items(), strict=True):
                field, name = f"{TEMPLATES}.{stage}.{audience}", f"{label}, {who.lower()}"
                with place:
                    st.text_area(name, editor.base[TEMPLATES][stage][audience], key=editor.key(field), height=130)
                    editor.problem(field, name)
        editor.preview_button(collect)


def collect(editor: Editor) -> Mapping[str, Any]:
    """The settings as typed."""
    wrong: dict[str, str] = {}
    cadence = {}
    for level in LABELS:
        rhythm = {}
        for name in ("first", "every"):
            field = f"{CADENCE}.{level}.{name}"
            rhythm[name] = flow.gathered(
                wrong,
                lambda field=field, name=name: seconds_of(editor.typed(field) or "", field, nothing=name == "first"),  # type: ignore[misc]
            )
        cadence[str(level)] = rhythm
    flow.refuse(wrong)
    templates = {
        stage: {audience: str(editor.typed(f"{TEMPLATES}.{stage}.{audience}") or "").strip() for audience in WORDS_FOR}
        for stage in STAGES
    }
    return {CADENCE: cadence, TEMPLATES: templates, APPROVAL: bool(editor.typed(APPROVAL))}
