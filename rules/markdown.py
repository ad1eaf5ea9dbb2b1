"""Markdown that people write, read into pieces: what is not known here stays the text that was typed.

HTML, pictures, and whatever else a browser might act upon have no piece of their own, so nothing can come of them.
A picture becomes a link to it. A link leads to http, https or an e-mail address, or stays text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from rules import text, web_address
from rules.errors import RuleError


@dataclass(frozen=True)
class Span:
    """Words that look alike."""

    text: str
    bold: bool = False
    italic: bool = False
    code: bool = False
    url: str = ""
    """where it leads, safe to be opened; empty for words that lead nowhere"""


Spans = tuple[Span, ...]


@dataclass(frozen=True)
class Block:
    """heading, paragraph, bullet, numbered, step, quote, code or table."""

    kind: str
    spans: Spans = ()
    level: int = 0
    """of a heading from 1; how deep an item of a list stands, from 0"""
    number: int = 0
    """of a numbered item"""
    code: str = ""
    rows: tuple[tuple[Spans, ...], ...] = ()
    """of a table, its head first"""

    @property
    def words(self) -> str:
        """What it says, without how it looks."""
        return "".join(span.text for span in self.spans).strip()


_FENCE = re.compile(r"\s{0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r"\s{0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
_ITEM = re.compile(r"(\s*)(?:[-*+]|(\d{1,9})[.)])\s+(?:(\[[ xX]\])\s+(?=\S))?(\S.*)$")
_QUOTE = re.compile(r"\s{0,3}>\s?(.*)$")
_RULE = re.compile(r"\s{0,3}([-*_])(?:\s*\1){2,}\s*$")
_ROW = re.compile(r"\s{0,3}\|.*\|\s*$")
_UNDER_HEAD = re.compile(r"\s*\|(?:\s*:?-+:?\s*\|)+\s*$")
_DEEPEST = 4
_FAR = 400
"""How far the end of something may lie from its beginning, in characters: what has no end costs nothing."""
_INLINE = re.compile(
    rf"""
    \\(?P<escaped>[!-/:-@\[-`{{-~])
    | (?P<fence>`+)(?P<code>[^\n]{{1,{_FAR}}}?)(?P=fence)(?!`)
    | !?\[(?P<label>[^\[\]\n]{{0,{_FAR}}})\]\(\s*<?(?P<target>[^\s()<>]{{1,{web_address.LIMIT}}})>?[^()\n]{{0,{_FAR}}}\)
    | <(?P<pointed>[^\s<>]{{1,{web_address.LIMIT}}})>
    | (?P<bare>https?://[^\s<>\[\]"'`*]{{1,{web_address.LIMIT}}})
    | \*\*(?P<bold>(?![\s*])[^\n]{{1,{_FAR}}}?(?<!\s))\*\*(?!\*)
    | (?<!\w)__(?P<bolder>[^\s_](?:[^\n]{{0,{_FAR}}}?[^\s_])?)__(?!\w)
    | \*(?P<italic>[^\s*](?:[^*\n]{{0,{_FAR}}}?[^\s*])?)\*
    | (?<!\w)_(?P<slanted>[^\s_](?:[^_\n]{{0,{_FAR}}}?[^\s_])?)_(?!\w)
    """,
    re.VERBOSE,
)


def blocks(written: str) -> tuple[Block, ...]:
    """The pieces of a text, in order."""
    return tuple(_blocks(written.split("\n")))


def _blocks(lines: list[str]) -> Iterator[Block]:
    held: Block | None = None  # what the next line may go on with
    typed = ""
    at = 0
    while at < len(lines):
        line = lines[at]
        fence, item, quote = _FENCE.match(line), _ITEM.match(line), _QUOTE.match(line)
        if (
            not line.strip()
            or _RULE.match(line)
            or fence
            or _ROW.match(line)
            or _HEADING.match(line)
            or item
            or (quote and (held is None or held.kind != "quote"))
        ):
            if held is not None:
                yield replace(held, spans=spans(typed))
            held, typed = None, ""
        at += 1
        if not line.strip() or _RULE.match(line):
            continue
        if fence:
            code, at = _fenced(lines, at, fence.group(1))
            yield Block("code", code=code)
        elif (heading := _HEADING.match(line)) is not None:
            yield Block("heading", spans(heading.group(2)), level=len(heading.group(1)))
        elif _ROW.match(line):
            rows, at = _table(lines, at - 1)
            yield Block("table", rows=rows)
        elif item:
            deep = min(len(item.group(1).expandtabs(4)) // 2, _DEEPEST)
            kind = "step" if item.group(3) else "numbered" if item.group(2) else "bullet"
            held, typed = Block(kind, level=deep, number=int(item.group(2) or 0)), item.group(4)
        elif quote:
            held, typed = held or Block("quote"), f"{typed} {quote.group(1)}".strip()
        else:
            held, typed = held or Block("paragraph"), f"{typed} {line.strip()}".strip()
    if held is not None:
        yield replace(held, spans=spans(typed))


def _fenced(lines: list[str], at: int, fence: str) -> tuple[str, int]:
    """What stands between here and the closing fence, or the end; and where it goes on."""
    end = next((one for one in range(at, len(lines)) if _closes(lines[one], fence)), len(lines))
    return "\n".join(lines[at:end]), end + 1


def _closes(line: str, fence: str) -> bool:
    bare = line.strip()
    return len(bare) >= len(fence) and not bare.strip(fence[0])


def _table(lines: list[str], at: int) -> tuple[tuple[tuple[Spans, ...], ...], int]:
    rows = []
    while at < len(lines) and _ROW.match(lines[at]):
        if not _UNDER_HEAD.match(lines[at]):
            cells = re.split(r"(?<!\\)\|", lines[at].strip()[1:-1])
            rows.append(tuple(spans(cell.replace("\\|", "|").strip()) for cell in cells))
        at += 1
    return tuple(rows), at


def spans(line: str) -> Spans:
    """The pieces of one line."""
    return tuple(_joined(_spans(line, Span(""))))


def _joined(found: Iterator[Span]) -> Iterator[Span]:
    """Neighbours that look alike, as one."""
    last: Span | None = None
    for span in found:
        if last is not None and not (last.code or span.code) and replace(span, text="") == replace(last, text=""):
            last = replace(last, text=last.text + span.text)
            continue
        if last is not None:
            yield last
        last = span
    if last is not None:
        yield last


def _spans(line: str, looks: Span) -> Iterator[Span]:
    end = 0
    for found in _INLINE.finditer(line):
        if found.start() > end:
            yield replace(looks, text=line[end : found.start()])
        end = found.end()
        yield from _span(found, looks)
    if end < len(line):
        yield replace(looks, text=line[end:])


def _span(found: re.Match[str], looks: Span) -> Iterator[Span]:
    part = found.groupdict()
    if part["escaped"]:
        yield replace(looks, text=part["escaped"])
    elif part["code"]:
        yield replace(looks, text=part["code"].strip() or part["code"], code=True)
    elif part["target"]:
        url = safe(part["target"])
        yield replace(looks, text=(part["label"].strip() or part["target"]) if url else found.group(), url=url)
    elif part["pointed"] or part["bare"]:
        whole = part["pointed"] or part["bare"]
        shown = whole.rstrip(".,;:!?)") if part["bare"] else whole
        url = safe(shown)
        yield replace(looks, text=shown if url else found.group(), url=url)
        if url and shown != whole:
            yield replace(looks, text=whole[len(shown) :])
    elif inner := part["bold"] or part["bolder"]:
        yield from _spans(inner, replace(looks, bold=True))
    else:
        yield from _spans(part["italic"] or part["slanted"], replace(looks, italic=True))


def safe(target: str) -> str:
    """The address as a link may lead to it: http, https, or an e-mail address. Empty for any other."""
    try:
        if target.lower().startswith("mailto:") and "?" not in target:
            return f"mailto:{web_address.quoted(text.email(target[7:]))}"
        return web_address.checked(target)
    except RuleError:
        return ""
