"""The services on the list that may be meant by what somebody types as affected."""

from collections.abc import Callable

import streamlit as st

from db.engine import DatabaseProblem, Session, reading
from db.queries import choices
from pages.parts.marks import gray
from pages.parts.texts import literal

ALL_CHIPS = 8
"""so many services are all offered; of more, those that match what is typed"""
CHIPS = 5


def offer(key: Callable[[str], str], typed: str) -> None:
    """Services as buttons that fill the field 'affected' of the form. One's own words do as well."""
    names = [service.name for service in _services()]
    chosen = next((name for name in names if _same(name, typed)), None)
    offered = names if len(names) <= ALL_CHIPS else _matching(names, typed)[:CHIPS]
    if not offered:
        return
    st.session_state[key("service")] = chosen
    st.pills(
        "Or choose a service",
        offered,
        format_func=lambda name: gray(literal(name)),
        key=key("service"),
        on_change=_take,
        args=(key("service"), key("affected")),
        label_visibility="collapsed",
    )


def named(db: Session, typed: str) -> choices.ServiceChoice | None:
    """The service that is called so, however it is written."""
    return next((known for known in choices.services(db) if _same(known.name, typed)), None)


def _take(service: str, affected: str) -> None:
    chosen = st.session_state.get(service)
    if chosen:
        st.session_state[affected] = chosen


def _same(name: str, typed: str) -> bool:
    return " ".join(typed.split()).casefold() == " ".join(name.split()).casefold()


def _matching(names: list[str], typed: str) -> list[str]:
    """The names with a word that begins like one of the typed words, most such words first."""
    wanted = [word for word in typed[:200].casefold().split() if len(word) > 1]
    scored = [
        (sum(part.startswith(word) for part in name.casefold().split() for word in wanted), name) for name in names
    ]
    return [name for score, name in sorted(scored, key=lambda pair: -pair[0]) if score]


def _services() -> list[choices.ServiceChoice]:
    try:
        with reading() as db:
            return choices.services(db)
    except DatabaseProblem:
        return []
