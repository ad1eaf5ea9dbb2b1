"""Markdown that people wrote, drawn: only what rules.markdown knows, and nothing that loads from elsewhere."""

from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

import streamlit as st

from pages.parts.texts import literal
from rules.markdown import Block, Span
from rules.markdown_text import code

_LISTED = frozenset({"bullet", "numbered", "step"})


def draw(blocks: Sequence[Block]) -> None:
    """Draw the pieces one beneath the other."""
    lines: list[str] = []
    above: list[int] = []  # how deep the items stand under which the next one may stand
    for block in blocks:
        if block.kind not in _LISTED:
            above.clear()
        if block.kind == "code":
            _flush(lines)
            st.code(block.code, language=None, wrap_lines=True)
        elif block.kind in _LISTED:
            while above and above[-1] >= block.level:
                above.pop()
            lines.append(_item(block, len(above)))
            above.append(block.level)
        else:  # an empty line before and after: what stands apart ends a list
            lines += ["", *_apart(block), ""]
    _flush(lines)


def inline(spans: Iterable[Span]) -> str:
    """One line as Markdown for a native place. Behind a link stands where it leads."""
    return "".join(_span(span) for span in spans)


def _flush(lines: list[str]) -> None:
    if lines:
        st.markdown("\n".join(lines))
        lines.clear()


def _item(block: Block, depth: int) -> str:
    mark = f"{block.number}." if block.kind == "numbered" else "-"
    box = ":material/check_box_outline_blank: " if block.kind == "step" else ""
    return f"{'    ' * depth}{mark} {box}{inline(block.spans)}"


def _apart(block: Block) -> list[str]:
    if block.kind == "table":
        return _table(block)
    written = inline(block.spans)
    if block.kind == "heading":
        return [f"**{written}**"]
    return [f"> {written}" if block.kind == "quote" else written]


def _table(block: Block) -> list[str]:
    width = max(len(row) for row in block.rows)
    rows = [["".join(_span(span, in_table=True) for span in cell) for cell in row] for row in block.rows]
    rows = [row + [""] * (width - len(row)) for row in rows]
    head, *rest = [f"| {' | '.join(row)} |" for row in rows]
    return [head, "|" + " --- |" * width, *rest]


def _span(span: Span, *, in_table: bool = False) -> str:
    if span.code:
        return code(span.text.replace("|", "\\|") if in_table else span.text)
    words = span.text.strip()
    if not words:
        return " " if span.text else ""
    written = literal(words)
    if span.url:
        shown = _target(span.url)
        written = f"[{written}]({span.url})" + ("" if words in (span.url, shown) else f" :gray[({literal(shown)})]")
    marks = "**" * span.bold + "*" * span.italic
    before = " " if span.text[0].isspace() else ""
    after = " " if span.text[-1].isspace() else ""
    return f"{before}{marks}{written}{marks[::-1]}{after}"


def _target(url: str) -> str:
    """Where a link leads: the host, or the address of e-mail."""
    return url.removeprefix("mailto:") if url.startswith("mailto:") else urlsplit(url).netloc
