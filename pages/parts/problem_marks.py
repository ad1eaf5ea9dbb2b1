"""How problems look: the badge of a state, and the link to one."""

from pages.parts import texts
from pages.parts.marks import Tone
from rules.problems import LABELS

_LOOKS: dict[str, tuple[Tone, str]] = {
    "open": ("violet", "radio_button_unchecked"),
    "investigating": ("blue", "contrast"),
    "known_error": ("yellow", "lightbulb"),
    "fixed": ("green", "check_circle"),
    "closed": ("gray", "task_alt"),
}


def badge(state: str) -> str:
    """Markdown badge of a problem's state: coloured icon and word."""
    tone, icon = _LOOKS[state]
    return f":{tone}-badge[:material/{icon}: {LABELS[state]}]"


def link_to(number: str) -> str:
    """Markdown link that opens a problem."""
    return texts.link_to(number, "problems")
