"""The row list: one incident a row, with its rank, reason, state and clock. Triage, home and search draw it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, NotRequired, TypedDict

import streamlit as st

from pages.parts import assets
from pages.parts.empty import empty as empty_state
from pages.parts.marks import PRIORITIES, STATES, Clock


class Row(TypedDict):
    """One row. Only `id` and `title` must be there; a missing field leaves no gap."""

    id: str
    title: str
    reference: NotRequired[None]
    """given: the id is for us alone and is not shown"""
    rank: NotRequired[int | None]
    priority: NotRequired[int | None]
    explanation: NotRequired[str | None]
    meta: NotRequired[list[str]]
    state: NotRequired[str | None]
    clock: NotRequired[Clock | None]
    person: NotRequired[str | None]
    """a name; None (given) draws the 'Nobody yet' mark, leaving it out draws nothing"""
    action: NotRequired[str | None]
    """the row's one next action as a word ('Accept'); draws a button"""


@dataclass(frozen=True)
class Event:
    """What the person just did: opened a row ('select'), pressed its button ('action'), or a key ('command')."""

    kind: Literal["select", "action", "command"]
    id: str
    name: str = ""
    """of the command"""


_LIST = st.components.v2.component("incident_desk.rows", css=assets.css("rows"), js=assets.js("rows"))


def rows(
    items: Sequence[Mapping[str, Any]],
    *,
    key: str,
    selected: str | None = None,
    plain: bool = False,
    empty: tuple[str, str] | None = None,
    label: str = "Incidents",
    now: datetime | None = None,
    on_event: Callable[[Event], None] | None = None,
    commands: Mapping[str, tuple[str, str]] | None = None,
    marking: bool = False,
    folds: bool = False,
) -> Event | None:
    """Draw `items` (see Row) and return what was done in this run, once.

    `selected` is the id to highlight. `plain` drops chip and clock. `empty` is (sentence, next step) for no rows.
    `label` names the list for screen readers. `now` is the server's time that the clocks count from.
    `on_event` runs before the script, so that the same run can already draw the choice.
    `commands`: a letter -> (name, word); pressed while the list has the focus, and nowhere else, it is an event.
    `marking` lets rows be marked for one change of several; see marked() and mark().
    `folds`: the page is laid out by narrow().
    """
    if not items and empty is not None:
        empty_state(*empty, key=f"{key}.empty")
        return None
    prepared = [_checked(item) for item in items]

    def fire() -> None:
        event = _event(st.session_state[key].get("event"))
        if event is not None and on_event is not None:
            on_event(event)

    result = _LIST(
        key=key,
        data={
            "items": prepared,
            "selected": selected,
            "plain": plain,
            "folds": folds,
            "label": label,
            "now": (now or datetime.now(UTC)).isoformat(),
            "commands": {letter: {"name": name, "label": word} for letter, (name, word) in (commands or {}).items()},
            "marks": st.session_state.get(f"{key}.marks", {"turn": 0, "ids": []}) if marking else None,
        },
        on_event_change=fire,
        on_narrow_change=lambda: None,
        on_marked_change=lambda: None,
    )
    return _event(result.event)


def marked(key: str) -> list[str]:
    """Ids of the rows marked in the list drawn under `key`."""
    given = st.session_state.get(f"{key}.marks", {"turn": 0, "ids": []})
    state = st.session_state.get(key)
    told = state.get("marked") if state else None
    newest = told if isinstance(told, Mapping) and told.get("turn") == given["turn"] else given
    return [str(id_) for id_ in newest["ids"]]


def mark(key: str, ids: Sequence[str]) -> None:
    """Let exactly these rows be marked from the next run on."""
    turn = st.session_state.get(f"{key}.marks", {"turn": 0})["turn"] + 1
    st.session_state[f"{key}.marks"] = {"turn": turn, "ids": list(ids)}


def narrow(key: str) -> bool:
    """Whether the list drawn under `key` with `folds` has said that its window is a phone's: columns stack there."""
    state = st.session_state.get(key)
    return bool(state and state.get("narrow"))


def _event(value: object) -> Event | None:
    if not isinstance(value, Mapping):
        return None
    kind, id_ = value.get("kind"), value.get("id")
    if kind not in ("select", "action", "command") or not isinstance(id_, str):
        return None
    return Event(kind, id_, str(value.get("name") or ""))


def _checked(item: Mapping[str, Any]) -> dict[str, Any]:
    if not item.get("id") or "title" not in item:
        raise ValueError("A row needs an id and a title.")
    state, priority = item.get("state"), item.get("priority")
    if state is not None and state not in STATES:
        raise ValueError(f"There is no state called '{state}'.")
    if priority is not None and priority not in PRIORITIES:
        raise ValueError(f"There is no priority {priority}.")
    return dict(item)
