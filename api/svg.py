"""A drawing as SVG, for pages without scripts: a picture with a name and its conclusion for those who do not see it."""

from collections.abc import Sequence
from html import escape

from api.drawings import PAPER, Box, Dot, Drawing, Patch, Point, Shape, Stroke, Words


def svg(drawing: Drawing, key: str, title: str, says: str) -> str:
    """One element. `key`: unique on its page."""
    name = escape(key, quote=True)
    shapes = "".join(_element(shape) for shape in drawing.shapes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_number(drawing.width)} {_number(drawing.height)}" '
        f'role="img" aria-labelledby="{name}-t {name}-d">'
        f'<title id="{name}-t">{escape(title)}</title><desc id="{name}-d">{escape(says)}</desc>{shapes}</svg>'
    )


def _element(shape: Shape) -> str:
    match shape:
        case Box(x, y, width, height, fill, opacity):
            size = f'width="{_number(width)}" height="{_number(height)}"'
            return f'<rect x="{_number(x)}" y="{_number(y)}" {size} rx="2" fill="{fill}"{_seen(opacity)}/>'
        case Stroke(points, colour, width, dashed):
            dash = ' stroke-dasharray="5 4"' if dashed else ""
            path = f'points="{_path(points)}" fill="none"'
            return f'<polyline {path} stroke="{colour}" stroke-width="{_number(width)}"{dash}/>'
        case Patch(points, fill, opacity):
            return f'<polygon points="{_path(points)}" fill="{fill}"{_seen(opacity)}/>'
        case Dot(x, y, colour, hollow):
            at = f'cx="{_number(x)}" cy="{_number(y)}" r="3.5"'
            return f'<circle {at} fill="{PAPER if hollow else colour}" stroke="{colour}" stroke-width="1.5"/>'
        case Words(x, y, text, anchor, colour, bold, size):
            at = f'x="{_number(x)}" y="{_number(y)}" text-anchor="{anchor}" font-size="{_number(size)}"'
            weight = ' font-weight="600"' if bold else ""
            return f'<text {at} fill="{colour}"{weight}>{escape(text)}</text>'


def _seen(opacity: float) -> str:
    return f' fill-opacity="{_number(opacity)}"' if opacity < 1 else ""


def _path(points: Sequence[Point]) -> str:
    return " ".join(f"{_number(x)},{_number(y)}" for x, y in points)


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
