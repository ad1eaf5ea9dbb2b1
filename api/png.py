"""A drawing as PNG, twice as large for sharp print, with the words that defend it around it."""

import io
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from api.drawings import INK, PAPER, SOFT, Box, Dot, Drawing, Patch, Point, Shape, Stroke, Words

SCALE = 2
_FONTS = Path(__file__).resolve().parent.parent / "pages" / "static"
_MARGIN, _TITLE, _LINE = 24, 17, 18
_DASH, _GAP = 5.0, 4.0
_WIDEST = 110
"""characters of a line beneath the picture"""
_BOLD, _PLAIN = 620, 400
# Which file holds which letters, as .streamlit/config.toml says it to browsers.
_SUBSETS = (
    ("cyrillic", ((0x400, 0x52F), (0x1C80, 0x1C8A), (0x2DE0, 0x2DFF), (0xA640, 0xA69F))),
    ("greek", ((0x370, 0x3FF),)),
    (
        "latin-ext",
        ((0x100, 0x130), (0x132, 0x151), (0x154, 0x2BA), (0x1E00, 0x1EFF), (0x20A0, 0x20AB), (0x20AD, 0x20C0)),
    ),
)


def framed(drawing: Drawing, title: str, beneath: Sequence[str]) -> Drawing:
    """The drawing with its title above and lines of words beneath."""
    lines = [line for words in beneath for line in _wrapped(words)]
    top = _MARGIN + _TITLE + 14
    foot = top + drawing.height + 14
    shapes: list[Shape] = [Words(_MARGIN, _MARGIN + _TITLE - 3, title, colour=INK, bold=True, size=_TITLE)]
    shapes += [_moved(shape, _MARGIN, top) for shape in drawing.shapes]
    shapes += [Words(_MARGIN, foot + number * _LINE + 12, line, colour=SOFT) for number, line in enumerate(lines)]
    return Drawing(drawing.width + 2 * _MARGIN, foot + len(lines) * _LINE + _MARGIN - 6, shapes)


def png(drawing: Drawing) -> bytes:
    """The picture on white."""
    size = (round(drawing.width * SCALE), round(drawing.height * SCALE))
    sheet = Image.new("RGB", size, PAPER)
    pen = ImageDraw.Draw(sheet, "RGBA")
    for shape in drawing.shapes:
        _draw(pen, shape)
    out = io.BytesIO()
    sheet.save(out, "PNG", optimize=True)
    return out.getvalue()


def _wrapped(words: str) -> Iterator[str]:
    line = ""
    for word in words.split():
        if line and len(line) + 1 + len(word) > _WIDEST:
            yield line
            line = ""
        line = f"{line} {word}" if line else word
    if line:
        yield line


def _moved(shape: Shape, x: float, y: float) -> Shape:
    match shape:
        case Box(left, top, width, height, fill, opacity):
            return Box(left + x, top + y, width, height, fill, opacity)
        case Stroke(points, colour, width, dashed):
            return Stroke([(a + x, b + y) for a, b in points], colour, width, dashed)
        case Patch(points, fill, opacity):
            return Patch([(a + x, b + y) for a, b in points], fill, opacity)
        case Dot(left, top, colour, hollow):
            return Dot(left + x, top + y, colour, hollow)
        case Words(left, top, text, anchor, colour, bold, size):
            return Words(left + x, top + y, text, anchor, colour, bold, size)


def _draw(pen: ImageDraw.ImageDraw, shape: Shape) -> None:
    match shape:
        case Box(x, y, width, height, fill, opacity):
            if width > 0 and height > 0:
                corners = [x * SCALE, y * SCALE, (x + width) * SCALE, (y + height) * SCALE]
                pen.rounded_rectangle(corners, 2 * SCALE, _paint(fill, opacity))
        case Stroke(points, colour, width, dashed):
            for part in _dashes(points) if dashed else [points]:
                pen.line([(x * SCALE, y * SCALE) for x, y in part], colour, round(width * SCALE), "curve")
        case Patch(points, fill, opacity):
            pen.polygon([(x * SCALE, y * SCALE) for x, y in points], _paint(fill, opacity))
        case Dot(x, y, colour, hollow):
            pen.circle((x * SCALE, y * SCALE), 3.5 * SCALE, PAPER if hollow else colour, colour, round(1.5 * SCALE))
        case Words():
            _say(pen, shape)


def _paint(colour: str, opacity: float) -> str:
    return f"{colour}{round(opacity * 255):02x}"


def _dashes(points: Sequence[Point]) -> Iterator[list[Point]]:
    """The line in dashes, which go on around its corners."""
    gone = 0.0
    for (x, y), (to_x, to_y) in pairwise(points):
        length = ((to_x - x) ** 2 + (to_y - y) ** 2) ** 0.5
        at = 0.0
        while at < length:
            within = (gone + at) % (_DASH + _GAP)
            reach = min(length, at + (_DASH - within if within < _DASH else _DASH + _GAP - within))
            if within < _DASH:
                yield [(x + (to_x - x) * part / length, y + (to_y - y) * part / length) for part in (at, reach)]
            at = max(reach, at + 1e-6)
        gone += length


def _say(pen: ImageDraw.ImageDraw, words: Words) -> None:
    """Each run of letters in the file that holds them."""
    runs = [("".join(run), name) for name, run in groupby(words.text, _subset)]
    fonts = [(text, _font(name, words.size, words.bold)) for text, name in runs]
    whole = sum(font.getlength(text) for text, font in fonts)
    x = words.x * SCALE - {"start": 0.0, "middle": whole / 2, "end": whole}[words.anchor]
    for text, font in fonts:
        pen.text((x, words.y * SCALE), text, words.colour, font, "ls")
        x += font.getlength(text)


def _subset(letter: str) -> str:
    place = ord(letter)
    return next((name for name, ranges in _SUBSETS if any(low <= place <= high for low, high in ranges)), "latin")


@lru_cache(maxsize=64)
def _font(name: str, size: float, bold: bool) -> Any:
    """Inter as the app shows it; Pillow's own font where this Pillow cannot read WOFF2."""
    try:
        font = ImageFont.truetype(_FONTS / f"inter-{name}-opsz-normal.woff2", size * SCALE)
        font.set_variation_by_axes([min(32, max(14, size)), _BOLD if bold else _PLAIN])
    except OSError:
        return ImageFont.load_default(size * SCALE)
    return font
