"""Views kept in the address, so that they can be bookmarked and sent."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlencode

import streamlit as st
from streamlit.navigation.page import StreamlitPage
from streamlit.runtime.scriptrunner import get_script_run_ctx

_LONG = 10
"""digits of a page that no list has"""
_Option = TypeVar("_Option", bound=int | str)
_AT, _LEFT = "address.at", "address.left"
_MOST_LEFT = 200


def lead(page: str | StreamlitPage, query: Mapping[str, str]) -> NoReturn:
    """Open another page at this query.

    Streamlit writes the query behind the address of the page that is left, too, and Back leads there: `arrive` knows
    it by what is kept here.
    """
    left: dict[tuple[str, str], dict[str, str]] = st.session_state.setdefault(_LEFT, {})
    left[st.session_state.get(_AT, ""), urlencode(query)] = st.query_params.to_dict()
    if len(left) > _MOST_LEFT:
        del left[next(iter(left))]
    st.switch_page(page, query_params=dict(query))


def arrive(path: str) -> None:
    """Before a page is run: what Back or Forward has led to is the page as it was left, not the query of the next."""
    st.session_state[_AT] = path
    if travelled():
        meant = st.session_state.get(_LEFT, {}).get((path, urlencode(st.query_params.to_dict())))
        if meant is not None:
            st.query_params.from_dict(meant)


def begin(page: str, name: str, allowed: Collection[str] | None, default: str) -> str:
    """The key of the page's widget for `name`, which has its value from the address on first sight.

    It has it anew when the browser went back or forward. What is not `allowed` becomes the default.
    """
    key = f"{page}.{name}"
    if key not in st.session_state or travelled():
        said = st.query_params.get(name, default)
        _set(page, key, said if allowed is None or said in allowed else default)
    return key


def travelled() -> bool:
    """True when this run shows what the browser's Back or Forward has led to: then the address decides."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def _set(page: str, key: str, value: Any) -> None:
    """Another choice begins at its first page, as it does where it is chosen."""
    if st.session_state.get(key, value) != value:
        st.session_state.pop(f"{page}.page", None)
    st.session_state[key] = value


def keep(values: Mapping[str, str | None]) -> None:
    """Write the values into the address at once, as one step to go back over; None and '' leave it.

    Changes nothing when it says so already.
    """
    said = st.query_params.to_dict()
    wanted = {name: value for name, value in said.items() if name not in values}
    wanted |= {name: value for name, value in values.items() if value}
    if wanted != said:
        st.query_params.from_dict(wanted)


def turn(page: str, name: str) -> int:
    """The page of a list that the address names, on first sight and after Back; later the one that was turned to."""
    key = f"{page}.{name}"
    if key not in st.session_state or travelled():
        said = st.query_params.get(name, "")
        st.session_state[key] = max(int(said), 1) if said.isascii() and said.isdecimal() and len(said) < _LONG else 1
    return int(st.session_state[key])


def turns(page: str, name: str, total: int, size: int) -> None:
    """The pages of the list, where it has several, with the open one kept in the address."""
    key, pages = f"{page}.{name}", max(-(-total // size), 1)
    st.session_state[key] = at = min(turn(page, name), pages)
    keep({name: str(at) if at > 1 else None})
    if pages > 1:
        st.pagination(pages, key=key)


def filters(
    page: str, offered: Mapping[str, tuple[Mapping[Any, str], str]], on_change: Callable[[], None] | None = None
) -> dict[str, Any]:
    """A popover of filters: name -> what is chosen. `offered`: name -> options (id -> words) and the word for all.

    What is chosen is kept in the address; the lists are drawn only while the popover is open.
    """
    shown = st.popover("Filter", icon=":material/filter_list:", on_change="rerun", key=f"{page}.filter")
    if not shown.open:
        return {name: _given(name, options) for name, (options, _) in offered.items()}
    with shown:
        return {
            name: choose(page, name, options, everything, on_change) for name, (options, everything) in offered.items()
        }


def choose(
    page: str, name: str, options: Mapping[_Option, str], everything: str, on_change: Callable[[], None] | None = None
) -> _Option | None:
    """A filter by one of `options` (id -> words), kept in the address as `name`; None: `everything`."""
    key = f"{page}.{name}"
    if key not in st.session_state or travelled():
        _set(page, key, _given(name, options))
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


def _given(name: str, options: Mapping[_Option, str]) -> _Option | None:
    """What the address says, if it is one of the options."""
    said = st.query_params.get(name, "")
    return next((option for option in options if str(option) == said), None)
