"""The board: columns of cards that move by drag, by keyboard or by menu."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, NotRequired, TypedDict

import streamlit as st

from pages.parts import assets
from pages.parts.empty import empty as empty_state
from pages.parts.marks import PRIORITIES, STATES, Clock


class Column(TypedDict):
    """One column, in the order given."""

    state: str
    label: NotRequired[str]
    count: NotRequired[int]
    over: NotRequired[bool]
    """there are more than were counted"""
    """how many there are; `shown` of them are among the cards (both default to what was given)"""
    shown: NotRequired[int]
    allowed: NotRequired[bool]
    """False: nothing may be moved here by hand"""
    reason: NotRequired[str]
    """why not, in a few words; shown in the column while a card is dragged"""
    more: NotRequired[bool]
    """draw a 'Show more' button under the cards when fewer are shown than there are (event 'more')"""


class Card(TypedDict):
    """One card. Only `id`, `title` and `state` must be there."""

    id: str
    title: str
    state: str
    service: NotRequired[str | None]
    priority: NotRequired[int | None]
    person: NotRequired[str | None]
    clock: NotRequired[Clock | None]
    age: NotRequired[str | None]
    """said when there is no clock: '3 days old'"""
    awaits: NotRequired[str | None]
    """what a resolved card waits for; stands instead of the clock"""
    moves: NotRequired[list[str]]
    """states the person looking may move it to"""


@dataclass(frozen=True)
class BoardEvent:
    """'move' (id, origin, to), 'open' (id), or 'more' (id is the column's state)."""

    kind: Literal["move", "open", "more"]
    id: str
    origin: str | None = None
    to: str | None = None


_BOARD = st.components.v2.component(
    "incident_desk.board", css=assets.css("kanban"), js=assets.js("kanban", "kanban_hands")
)


def board(
    columns: Sequence[Mapping[str, Any]],
    cards: Sequence[Mapping[str, Any]],
    *,
    key: str,
    empty: tuple[str, str] | None = None,
    now: datetime | None = None,
    on_event: Callable[[BoardEvent], None] | None = None,
) -> BoardEvent | None:
    """Draw the board and return what was done in this run, once.

    A moved card stands in its new column at once and goes back when the next data still has it in the old one.
    `empty` is (sentence, next step) when there is no card at all. `on_event` runs before the script: make the move
    there and the same run draws the result. A page that makes it after the call must st.rerun().
    """
    if not cards and empty is not None:
        empty_state(*empty, key=f"{key}.empty")
        return None
    drawn = [_column(column, cards) for column in columns]
    states = {column["state"] for column in drawn}
    prepared = [_card(card) for card in cards if card.get("state") in states]
    answered = f"{key}.answered"

    def fire() -> None:
        value = st.session_state[key].get("event")
        if isinstance(value, Mapping):
            st.session_state[answered] = value.get("turn")
        event = _event(value)
        if event is not None and on_event is not None:
            on_event(event)

    result = _BOARD(
        key=key,
        data={
            "columns": drawn,
            "cards": prepared,
            "answered": st.session_state.get(answered),
            "now": (now or datetime.now(UTC)).isoformat(),
        },
        on_event_change=fire,
    )
    return _event(result.event)


def _event(value: object) -> BoardEvent | None:
    if not isinstance(value, Mapping):
        return None
    kind, id_, origin, to = (value.get(name) for name in ("kind", "id", "origin", "to"))
    if kind not in ("move", "open", "more") or not isinstance(id_, str):
        return None
    if kind == "move" and (origin not in STATES or to not in STATES):
        return None
    return BoardEvent(kind, id_, origin, to)


def _column(column: Mapping[str, Any], cards: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    state = column.get("state")
    if state not in STATES:
        raise ValueError(f"There is no state called '{state}'.")
    here = sum(card.get("state") == state for card in cards)
    return {"label": STATES[state].label, "count": here, "shown": here, "allowed": True} | dict(column)


def _card(card: Mapping[str, Any]) -> dict[str, Any]:
    if not card.get("id") or "title" not in card:
        raise ValueError("A card needs an id and a title.")
    priority = card.get("priority")
    if priority is not None and priority not in PRIORITIES:
        raise ValueError(f"There is no priority {priority}.")
    unknown = [state for state in card.get("moves", ()) if state not in STATES]
    if unknown:
        raise ValueError(f"There is no state called '{unknown[0]}'.")
    return dict(card)
