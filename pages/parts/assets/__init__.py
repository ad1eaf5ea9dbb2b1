"""Scripts and styles of our own components, read once. Each stands on shared.js and shared.css."""

import json
from pathlib import Path

from pages.parts.marks import PRIORITIES, STATES

_HERE = Path(__file__).parent


def css(name: str) -> str:
    """The component's style, with the shared one before it."""
    return _read("shared.css") + "\n" + _read(f"{name}.css")


def js(*names: str) -> str:
    """The component's script from one or more files, with our labels and the shared functions before it."""
    marks = {
        "states": {state: {"label": mark.label, "tone": mark.tone} for state, mark in STATES.items()},
        "priorities": {priority: mark.label for priority, mark in PRIORITIES.items()},
    }
    scripts = [_read(f"{name}.js") for name in ("shared", *names)]
    return "\n".join([f"const MARKS = {json.dumps(marks)};", *scripts])


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")
