"""Text that people typed, as a part of a Markdown file: whatever opens the file shows it as it was typed."""

import re

_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]*://|www\.|mailto:)[^\s]+|[^\s@]+@[^\s@]+", re.IGNORECASE)
"""what programs make links of even where no Markdown says so"""
_MARKS = re.compile(r"([\\`*_{}\[\]|~$^]|:(?=[\w+-]+:))")
_AT_ITS_BEGINNING = re.compile(r"^(?:(\d{1,9})(?=[.)])|(?=[-+#>=]))")
"""what makes a list, a heading or a quotation of a line"""
_TURNING = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F])


def plain(text: str) -> str:
    """One line of it: it formats, links, embeds and hides nothing. Addresses stand as code, which nothing links."""
    parts = []
    end = 0
    line = " ".join(text.translate(_TURNING).split())
    for found in _ADDRESS.finditer(line):
        parts += [_marked(line[end : found.start()]), code(found.group())]
        end = found.end()
    return _AT_ITS_BEGINNING.sub(r"\1\\", "".join([*parts, _marked(line[end:])]))


def quoted(text: str) -> str:
    """Several lines of it, as a quotation."""
    lines = [plain(line) for line in text.splitlines()]
    return "\n".join(f"> {line}  " if line else ">" for line in lines)


def code(text: str) -> str:
    """As code within a line, whatever is in it."""
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _marked(text: str) -> str:
    return _MARKS.sub(r"\\\1", text.replace("&", "&amp;").replace("<", "&lt;"))
