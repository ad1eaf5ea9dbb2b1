"""Dialogs that outlive a change of the page beneath them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import streamlit as st

_LIVE, _WAITING = "dialogs.live", "dialogs.waiting"


@contextmanager
def live() -> Iterator[None]:
    """Around a part of a page that runs again by itself: a dialog opened in it would be shut by its next run.

    Dialogs that are asked for inside are opened by `draw`, which the page calls after that part.
    """
    st.session_state[_LIVE] = True
    try:
        yield
    finally:
        st.session_state.pop(_LIVE, None)


def show(title: str, body: Callable[..., None], *given: Any, **looks: Any) -> None:
    """Open a dialog that draws `body(*given)`; `looks` as of st.dialog."""
    if st.session_state.get(_LIVE):
        st.session_state[_WAITING] = (title, body, given, looks)
        st.rerun()
    st.dialog(title, **looks)(body)(*given)


def draw() -> None:
    """Open the dialog that a live part has asked for."""
    waiting = st.session_state.pop(_WAITING, None)
    if waiting is not None:
        title, body, given, looks = waiting
        st.dialog(title, **looks)(body)(*given)
