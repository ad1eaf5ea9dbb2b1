"""Views kept in the address, so that they can be bookmarked and sent."""

from collections.abc import Callable, Collection, Mapping

import streamlit as st


def begin(page: str, name: str, allowed: Collection[str] | None, default: str) -> str:
    """The key of the page's widget for `name`, which has its value from the address on first sight.

    What is not `allowed` becomes the default.
    """
    key = f"{page}.{name}"
    if key not in st.session_state:
        said = st.query_params.get(name, default)
        st.session_state[key] = said if allowed is None or said in allowed else default
    return key


def keep(values: Mapping[str, str | None]) -> None:
    """Write the values into the address; None and '' leave it. Changes nothing when it says so already."""
    for key, value in values.items():
        if value:
            if st.query_params.get(key) != value:
                st.query_params[key] = value
        elif key in st.query_params:
            del st.query_params[key]


def choose(
    page: str, name: str, options: Mapping[int, str], everything: str, on_change: Callable[[], None] | None = None
) -> int | None:
    """A filter by one of `options` (id -> words), kept in the address as `name`; None: `everything`."""
    key = f"{page}.{name}"
    if key not in st.session_state:
        said = st.query_params.get(name, "")
        st.session_state[key] = int(said) if said.isdecimal() and len(said) < 10 and int(said) in options else None
    chosen = st.selectbox(
        name.capitalize(),
        [None, *options],
        format_func=lambda option: everything if option is None else options[option],
        placeholder=everything,
        key=key,
        on_change=on_change,
    )
    keep({name: str(chosen) if chosen is not None else None})
    return chosen
