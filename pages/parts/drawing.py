"""Who goes where, drawn: places, arrows between them, thicker for what is done more often."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

_MARKUP = re.compile(r"[!-+:-@\[-^`{-~]")
"""ASCII marks that may mean something to Mermaid; comma, hyphen, full stop, slash and underscore do not"""
_WIDE = 0xFEE0
"""from an ASCII mark to the same mark in full width, which means nothing to Mermaid"""
_CLOSE = (
    '%%{init: {"flowchart": {"nodeSpacing": 12, "rankSpacing": 24, "padding": 5, "diagramPadding": 1, '
    '"minNodeWidth": 10, "wrappingWidth": 96}}}%%'
)
"""Narrow places close together, so that it can be read on a phone, where it is shrunk to the width."""
_THINNEST, _THICKEST = 1.5, 6.0
"""pixels"""
_FAINT = 0.45
"""Words stand on the lines and show them through."""


@dataclass(frozen=True)
class Arrow:
    """`words` stand on it, a line each; one that leads `back` is dashed."""

    before: Any
    after: Any
    n: int
    words: tuple[str, ...]
    back: bool = False


def draw(places: Mapping[Any, str], arrows: Sequence[Arrow], *, says: str) -> None:
    """Draw the places (in this order) and the arrows. `says` is what it shows, for those who do not see it."""
    st.mermaid_chart(diagram(places, arrows), width="content", alt=says)


def diagram(places: Mapping[Any, str], arrows: Sequence[Arrow]) -> str:
    """The drawing in Mermaid's words; whatever people named their teams, it stays a name."""
    names = {place: f"p{number}" for number, place in enumerate(places)}
    lines = [_CLOSE, "flowchart TB"]
    lines += [f'{names[place]}["{escaped(words)}"]' for place, words in places.items()]
    most = max((arrow.n for arrow in arrows), default=1)
    for number, arrow in enumerate(arrows):
        line = "-.->" if arrow.back else "-->"
        lines.append(f'{names[arrow.before]} {line}|"{"<br/>".join(map(escaped, arrow.words))}"| {names[arrow.after]}')
        width = _THINNEST + (_THICKEST - _THINNEST) * arrow.n / most
        lines.append(f"linkStyle {number} stroke-width:{width:.1f}px,stroke-opacity:{_FAINT}")
    return "\n".join(lines)


def escaped(words: str) -> str:
    """Words as Mermaid shows them and reads nothing into them."""
    return _MARKUP.sub(lambda found: chr(ord(found[0]) + _WIDE), " ".join(words.split()))
