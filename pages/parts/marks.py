"""Labels, icons and tones of priorities and states; what native widgets and our own components both draw from."""

from dataclasses import dataclass
from typing import Literal, NotRequired, TypedDict

from rules import priority, states

Tone = Literal["red", "orange", "yellow", "green", "blue", "violet", "gray"]


@dataclass(frozen=True)
class Mark:
    """How one state or priority looks: its word, the Material Symbol for native places, and its colour."""

    label: str
    tone: Tone
    icon: str = ""


_STATE_LOOKS: dict[str, tuple[Tone, str]] = {
    "new": ("violet", "radio_button_unchecked"),
    "assigned": ("blue", "circle"),
    "in_progress": ("blue", "contrast"),
    "on_hold": ("yellow", "pause_circle"),
    "resolved": ("green", "clock_loader_60"),
    "recovered": ("green", "check_circle"),
    "closed": ("gray", "task_alt"),
    "cancelled": ("gray", "cancel"),
}
_PRIORITY_TONES: dict[int, Tone] = {1: "red", 2: "orange", 3: "yellow", 4: "gray", 5: "gray"}
STATES = {state: Mark(states.LABELS[state], tone, icon) for state, (tone, icon) in _STATE_LOOKS.items()}
PRIORITIES = {level: Mark(priority.LABELS[level], tone) for level, tone in _PRIORITY_TONES.items()}
KIND_TONES: dict[str, Tone] = {
    "report": "red",
    "detected": "red",
    "alert": "red",
    "reject": "red",
    "reopen": "red",
    "sla": "orange",
    "ola": "orange",
    "inform": "orange",
    "page": "orange",
    "escalate": "orange",
    "hold": "yellow",
    "hold_over": "yellow",
    "accept": "blue",
    "assign": "blue",
    "acknowledge": "blue",
    "resume": "blue",
    "declare": "red",
    "stand_down": "blue",
    "chase": "orange",
    "update": "violet",
    "comment": "violet",
    "happened": "violet",
    "hypothesis": "blue",
    "runbook": "blue",
    "calm": "green",
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


def priority_words(level: int) -> str:
    """'P2 High'."""
    return f"P{level} {PRIORITIES[level].label}"


def priority_badge(level: int) -> str:
    """Markdown badge for a native place: coloured 'P2 High'."""
    return f":{PRIORITIES[level].tone}-badge[{priority_words(level)}]"


def state_badge(state: str) -> str:
    """Markdown badge for a native place: coloured icon and word."""
    mark = STATES[state]
    return f":{mark.tone}-badge[:material/{mark.icon}: {mark.label}]"


def gray(option: object) -> str:
    """`format_func` of every segmented control: the chosen label's contrast is too low without it."""
    return f":gray[{option}]"
