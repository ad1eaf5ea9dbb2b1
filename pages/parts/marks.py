"""Labels, icons and tones of priorities and states; what native widgets and our own components both draw from."""

from dataclasses import dataclass
from typing import Literal, NotRequired, TypedDict

from pages.parts.texts import literal as literal

Tone = Literal["red", "orange", "yellow", "green", "blue", "violet", "gray"]


@dataclass(frozen=True)
class Mark:
    """How one state or priority looks: its word, the Material Symbol for native places, and its colour."""

    label: str
    tone: Tone
    icon: str = ""


STATES: dict[str, Mark] = {
    "new": Mark("New", "violet", "radio_button_unchecked"),
    "assigned": Mark("Assigned", "blue", "circle"),
    "in_progress": Mark("In progress", "blue", "contrast"),
    "on_hold": Mark("On hold", "yellow", "pause_circle"),
    "resolved": Mark("Resolved", "green", "clock_loader_60"),
    "recovered": Mark("Recovered", "green", "check_circle"),
    "closed": Mark("Closed", "gray", "task_alt"),
    "cancelled": Mark("Cancelled", "gray", "cancel"),
}
PRIORITIES: dict[int, Mark] = {
    1: Mark("Critical", "red"),
    2: Mark("High", "orange"),
    3: Mark("Moderate", "yellow"),
    4: Mark("Low", "gray"),
    5: Mark("Planning", "gray"),
}
KIND_TONES: dict[str, Tone] = {
    "report": "red",
    "alert": "red",
    "reject": "red",
    "reopen": "red",
    "sla": "orange",
    "page": "orange",
    "escalate": "orange",
    "hold": "yellow",
    "hold_over": "yellow",
    "accept": "blue",
    "assign": "blue",
    "acknowledge": "blue",
    "resume": "blue",
    "major": "blue",
    "update": "violet",
    "comment": "violet",
    "resolve": "green",
    "recover": "green",
    "verify": "green",
    "close": "green",
}
"""Timeline kind -> colour of its dot. Any other kind is an open grey ring."""


class Clock(TypedDict):
    """One promise, counted in the browser. Instants are ISO 8601 with a zone."""

    due: str
    start: NotRequired[str]
    share: NotRequired[float]
    """part of the target used so far, 0..1 or above; without it the share of start..due is taken"""
    paused: NotRequired[bool]
    done: NotRequired[bool]
    """stopped for good; `label` says how ("Met in 2 h")"""
    label: NotRequired[str]
    """said instead of the counted words"""


def priority_words(priority: int) -> str:
    """'P2 High'."""
    return f"P{priority} {PRIORITIES[priority].label}"


def priority_badge(priority: int) -> str:
    """Markdown badge for a native place: coloured 'P2 High'."""
    return f":{PRIORITIES[priority].tone}-badge[{priority_words(priority)}]"


def state_badge(state: str) -> str:
    """Markdown badge for a native place: coloured icon and word."""
    mark = STATES[state]
    return f":{mark.tone}-badge[:material/{mark.icon}: {mark.label}]"


def gray(option: object) -> str:
    """`format_func` of every segmented control: the chosen label's contrast is too low without it."""
    return f":gray[{option}]"
