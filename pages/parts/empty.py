"""What stands where nothing stands yet, and what stands above a form that was not sent."""

from collections.abc import Mapping

import streamlit as st

from pages.parts import assets
from pages.parts.texts import literal

_EMPTY = st.components.v2.component("incident_desk.empty", css=assets.css("empty"), js=assets.js("empty"))
_COUNTS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")


def empty(sentence: str, next_step: str = "", *, key: str) -> None:
    """Dashed outline: why nothing is here, and what to do next (first use, nothing matches, all done, or an error)."""
    _EMPTY(key=key, data={"sentence": sentence, "next": next_step})


def problem(fields: Mapping[str, str], *, outcome: str = "Nothing was sent yet.") -> None:
    """The one summary above a form; `fields` is label -> sentence. Draws nothing when there is no problem."""
    if not fields:
        return
    count = _COUNTS[len(fields)] if len(fields) < len(_COUNTS) else str(len(fields))
    what = "answer needs your eye" if len(fields) == 1 else "answers need your eye"
    names = ", ".join(f"*{literal(name)}*" for name in fields)
    st.error(f"**{literal(outcome)}** {count} {what}: {names}", icon=":material/error:")


def field_problem(sentence: str | None) -> None:
    """The sentence right beneath its field; draws nothing for None."""
    if sentence:
        st.markdown(f":red[:material/error: **{literal(sentence)}**]")
