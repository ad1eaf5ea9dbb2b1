"""The pieces of rules.markdown as a file again: only what is known there, whatever the program that opens it knows."""

from collections.abc import Sequence

from rules.markdown import Block, Span
from rules.markdown_text import code, plain

_LISTED = frozenset({"bullet", "numbered", "step"})


def written(blocks: Sequence[Block], *, under: int = 0) -> str:
    """Markdown of the pieces. `under` is the level of the heading they stand beneath: theirs come after it."""
    lines: list[str] = []
    before = ""
    for block in blocks:
        if lines and not (block.kind in _LISTED and before in _LISTED):
            lines.append("")
        lines += _lines(block, under)
        before = block.kind
    return "\n".join(lines)


def _lines(block: Block, under: int) -> list[str]:
    if block.kind == "code":
        fence = "`" * max(3, 1 + max((len(line) - len(line.lstrip("`")) for line in block.code.split("\n")), default=0))
        return [fence, *block.code.split("\n"), fence]
    if block.kind == "table":
        return _table(block)
    words = inline(block.spans)
    if block.kind == "heading":
        return [f"{'#' * min(under + block.level, 6)} {words}"]
    if block.kind == "quote":
        return [f"> {words}"]
    if block.kind in _LISTED:
        mark = {"bullet": "-", "step": "- [ ]"}.get(block.kind, f"{block.number}.")
        return [f"{'    ' * block.level}{mark} {words}"]
    return [words]


def _table(block: Block) -> list[str]:
    width = max(len(row) for row in block.rows)
    head, *rest = [[inline(cell) for cell in row] + [""] * (width - len(row)) for row in block.rows]
    return [_row(head), "|" + " --- |" * width, *map(_row, rest)]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def inline(spans: Sequence[Span]) -> str:
    """One line of it."""
    return "".join(_span(span) for span in spans)


def _span(span: Span) -> str:
    words = span.text.strip()
    if not words:
        return " " if span.text else ""
    before, after = (" " if edge.isspace() else "" for edge in (span.text[0], span.text[-1]))
    if span.code:
        return f"{before}{code(words)}{after}"
    shown = plain(words)
    if span.url:
        shown = f"[{shown}](<{span.url}>)"
    marks = "**" * span.bold + "*" * span.italic
    return f"{before}{marks}{shown}{marks[::-1]}{after}"
