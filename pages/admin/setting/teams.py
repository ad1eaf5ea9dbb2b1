"""Settings: what each tier promises the others (OLA), and how long a reporter has to say whether it is fixed."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.admin.setting.flow import WIDTH, Editor
from rules.policies import TIERS
from rules.policy_checks import MOST_DAYS

SHARES, REMIND, CLOSE = KEYS = ("sla.ola", "verification.remind_days", "verification.close_days")


def draw(editor: Editor) -> None:
    with st.form(f"{editor.prefix}.form", width=WIDTH, enter_to_submit=False):
        st.header("What teams promise each other", anchor=False)
        st.caption(
            "A team's own clock runs from the moment it received the incident, for this share of the time to resolve."
        )
        with st.grid(2, min_column_width=220):
            for tier, name in TIERS.items():
                with st.container():
                    editor.number(f"{SHARES}.{tier}", f"{name}, %", round(editor.base[SHARES][tier] * 100), 100)
        st.header("Confirmation by the reporter", anchor=False)
        left, right = st.columns(2, gap="small")
        with left:
            editor.number(REMIND, "Days until the reporter is reminded", editor.base[REMIND], MOST_DAYS)
        with right:
            editor.number(
                CLOSE, "Days after the reminder until no answer is enough to close", editor.base[CLOSE], MOST_DAYS
            )
        editor.preview_button(collect)


def collect(editor: Editor) -> Mapping[str, Any]:
    """The settings as typed."""
    shares = {tier: (editor.typed(f"{SHARES}.{tier}") or 0) / 100 for tier in TIERS}
    return {SHARES: shares, REMIND: editor.typed(REMIND), CLOSE: editor.typed(CLOSE)}
