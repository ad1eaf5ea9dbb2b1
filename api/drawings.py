"""The panels of a report as drawings: a few shapes on a sheet, the same for SVG and PNG. Always for light paper."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, log
from typing import Literal

from rules.panels import Panel, said

# The tokens of .streamlit/config.toml, light.
INK, SOFT, GRID, PAPER = "#17191e", "#4a505c", "#e4e6ea", "#ffffff"
ACCENT, SLATE = "#0b6b74", "#7c8698"
HEAT = (
    "#eef6f6",
    "#d6eaeb",
    "#b7dadc",
    "#93c7ca",
    "#6cb1b6",
    "#46999f",
    "#278188",
    "#0b6b74",
    "#07525a",
    "#043a40",
)
WIDTH, HEIGHT = 720, 250
SIZE = 12
"""of the letters"""
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 12, 34, 28
_BAR, _CELL_HEIGHT = 26, 24
_NAMES, _WORDS = 190, 120
_LABEL_WIDTH, _APART, _LETTER, _NOTE = 54, 8, 6.4, 150
_PALE = 0.35
_FLOW, _FLOW_WORDS = 42, 210
MOST_FLOWS, MOST_WAITS = 20, 40
"""rows of a picture; the table has all"""
_SPENT = (1 / 60, 1 / 6, 1, 24, 168, 720, 8760, 87_600)
"""hours: steps of an axis on which times of minutes and of months are told apart"""
_HOURS = (0.25, 0.5, 1, 2, 3, 6, 12, 24, 48, 72, 168, 336, 720, 1440, 2880, 8760)
"""steps of an axis of hours that people read at once"""
_SHARES = (0.01, 0.02, 0.05, 0.1, 0.25)
_DIGITS = 6

Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A filled rectangle."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    opacity: float = 1.0


@dataclass(frozen=True)
class Stroke:
    """A line through points."""

    points: Sequence[Point]
    colour: str
    width: float = 1.0
    dashed: bool = False


@dataclass(frozen=True)
class Patch:
    """A filled area within points."""

    points: Sequence[Point]
    fill: str
    opacity: float


@dataclass(frozen=True)
class Dot:
    """A point; hollow where it rests on few cases."""

    x: float
    y: float
    colour: str
    hollow: bool = False


@dataclass(frozen=True)
class Words:
    """A line of text; y is its baseline."""

    x: float
    y: float
    text: str
    anchor: Literal["start", "middle", "end"] = "start"
    colour: str = SOFT
    bold: bool = False
    size: float = SIZE


Shape = Box | Stroke | Patch | Dot | Words


@dataclass(frozen=True)
class Drawing:
    """Shapes on a sheet."""

    width: float
    height: float
    shapes: Sequence[Shape]


def drawing(panel: Panel) -> Drawing | None:
    """The panel's picture; None where it is a table alone, or has nothing to draw."""
    if not panel.rows:
        return None
    if panel.chart == "pairs":
        return _pairs(panel)
    if panel.chart == "level":
        return _level(panel)
    if panel.chart == "quantiles":
        return _lines(panel, "hours", "hours")
    if panel.chart == "shares":
        return _lines(panel, "share", "share")
    drawn_by = {"ranking": _ranking, "heat": _heat, "flows": _flows, "waits": _waits, "interval": _interval}
    return drawn_by[panel.chart](panel) if panel.chart in drawn_by else None


def cut(text: str, width: float, size: float = SIZE) -> str:
    """The text as far as it fits, about."""
    room = max(1, int(width / (_LETTER * size / SIZE)))
    return text if len(text) <= room else f"{text[: room - 1].rstrip()}…"


class Axes:
    """The ground of a picture over time: a scale upwards from zero with its grid, and names below."""

    def __init__(self, names: Sequence[str], most: float, kind: str) -> None:
        step = _step(most, kind)
        self.top = step * max(1, ceil(round(most / step, _DIGITS)))
        self.names, self.kind, self.step = names, kind, step
        self.wide = (WIDTH - _LEFT - _RIGHT) / max(1, len(names))

    def y(self, value: float) -> float:
        """How far down a value lies."""
        return HEIGHT - _BOTTOM - value / self.top * (HEIGHT - _TOP - _BOTTOM)

    def x(self, place: int) -> float:
        """The middle of a bucket."""
        return _LEFT + (place + 0.5) * self.wide

    def shapes(self) -> list[Shape]:
        """Grid and names."""
        made: list[Shape] = []
        for number in range(round(self.top / self.step) + 1):
            value = number * self.step
            y = self.y(value)
            made.append(Stroke([(_LEFT, y), (WIDTH - _RIGHT, y)], GRID))
            label = f"{value:.0%}".replace("%", " %") if self.kind == "share" else said(self.kind, value)
            made.append(Words(_LEFT - 8, y + 4, label, "end"))
        widest = max(_LABEL_WIDTH, _LETTER * max((len(name) for name in self.names), default=0) + _APART)
        every = max(1, ceil(len(self.names) * widest / (WIDTH - _LEFT - _RIGHT)))
        for place in range(0, len(self.names), every):
            made.append(Words(self.x(place), HEIGHT - 8, self.names[place], "middle"))
        return made


def _step(most: float, kind: str) -> float:
    wanted = most / 4
    if kind == "share":
        return next((step for step in _SHARES if step >= wanted), _SHARES[-1])
    if kind == "hours":
        return next((step for step in _HOURS if step >= wanted), _HOURS[-1] * max(1, round(wanted / _HOURS[-1])))
    return next(step for step in _counts() if step >= wanted)


def _counts() -> Iterator[int]:
    """1, 2, 5, 10, 20, 50 and so on."""
    ten = 1
    while True:
        yield from (ten, 2 * ten, 5 * ten)
        ten *= 10


def _legend(kinds: Sequence[tuple[str, str]], left: float = _LEFT) -> list[Shape]:
    made, x = list[Shape](), left
    for name, colour in kinds:
        made += [Box(x, 8, 10, 10, colour), Words(x + 16, 18, name, colour=INK)]
        x += 40 + _LETTER * len(name)
    return made


def _kinds(panel: Panel) -> list[str]:
    return list(dict.fromkeys(str(row["kind"]) for row in panel.rows))


def in_time(panel: Panel) -> list[tuple[str, list[int]]]:
    """The steps of time in order, each by its name and with the numbers of its rows."""
    timed = bool(panel.opens) and all(panel.opens)
    keys = (
        [opens.start.isoformat() for opens in panel.opens if opens] if timed else [str(r["when"]) for r in panel.rows]
    )
    places: dict[str, list[int]] = {}
    for number, key in enumerate(keys):
        places.setdefault(key, []).append(number)
    order = sorted(places) if timed else list(places)
    return [(str(panel.rows[places[key][0]]["when"]), places[key]) for key in order]


def _in_time(panel: Panel) -> tuple[list[str], list[int]]:
    """The names of the steps, and of each row the number of its step."""
    steps = in_time(panel)
    step_of = {row: number for number, (_, rows) in enumerate(steps) for row in rows}
    return [name for name, _ in steps], [step_of[row] for row in range(len(panel.rows))]


def _notes(panel: Panel, axes: "Axes") -> list[Shape]:
    """What people wrote on the time axis: a line where it happened, and its words above."""
    made: list[Shape] = []
    for note in panel.marks.get("notes", ()):
        if note["when"] in axes.names:
            x = axes.x(axes.names.index(note["when"]))
            made.append(Stroke([(x, _TOP), (x, HEIGHT - _BOTTOM)], INK, dashed=True))
            right = x > WIDTH - _NOTE
            made.append(Words(x, _TOP - 4, cut(note["note"], _NOTE), "end" if right else "start", INK))
    return made


def _pairs(panel: Panel) -> Drawing:
    names, places = _in_time(panel)
    kinds = _kinds(panel)
    colours = dict(zip(kinds, (SLATE, ACCENT), strict=False))
    limits = [float(panel.marks[name]) for name in ("low", "high") if panel.marks.get(name)]
    axes = Axes(names, max([float(row["n"]) for row in panel.rows] + limits), "count")
    shapes = axes.shapes()
    width = axes.wide * 0.76 / len(kinds)
    for row, place in zip(panel.rows, places, strict=True):
        x = axes.x(place) + (kinds.index(str(row["kind"])) - len(kinds) / 2) * width
        y = axes.y(row["n"])
        shapes.append(Box(x, y, max(0.5, width * 0.92), axes.y(0) - y, colours[str(row["kind"])]))
    shapes += [
        Stroke([(_LEFT, axes.y(limit)), (WIDTH - _RIGHT, axes.y(limit))], SOFT, 1.2, dashed=True) for limit in limits
    ]
    return Drawing(WIDTH, HEIGHT, [*shapes, *_legend(list(colours.items())), *_notes(panel, axes)])


def _level(panel: Panel) -> Drawing:
    names = [str(row["when"]) for row in panel.rows]
    values = [float(row["n"]) for row in panel.rows]
    axes = Axes(names, max(values), "count")
    line = [(axes.x(place), axes.y(value)) for place, value in enumerate(values)]
    ground = axes.y(0)
    shapes = axes.shapes()
    shapes.append(Patch([(line[0][0], ground), *line, (line[-1][0], ground)], ACCENT, 0.15))
    shapes.append(Stroke(line, ACCENT, 2) if len(line) > 1 else Dot(*line[0], ACCENT))
    last = panel.rows[-1].get("words")
    if last:
        shapes.append(Words(line[-1][0], line[-1][1] - 8, str(last), "end", INK, bold=True))
    return Drawing(WIDTH, HEIGHT, [*shapes, *_notes(panel, axes)])


def _lines(panel: Panel, field: str, kind: str) -> Drawing:
    names, places = _in_time(panel)
    kinds = _kinds(panel)
    axes = Axes(names, max(float(row[field]) for row in panel.rows), kind)
    shapes = axes.shapes()
    for number, name in enumerate(kinds):
        colour = (ACCENT, SLATE)[number % 2]
        found = [(place, row) for place, row in zip(places, panel.rows, strict=True) if row["kind"] == name]
        line = [(axes.x(place), axes.y(row[field])) for place, row in found]
        if len(line) > 1:
            shapes.append(Stroke(line, colour, 2 if number else 2.5, dashed=bool(number)))
        shapes += [Dot(x, y, colour, hollow=bool(row.get("few"))) for (x, y), (_, row) in zip(line, found, strict=True)]
    legend = _legend([(name, (ACCENT, SLATE)[number % 2]) for number, name in enumerate(kinds)])
    return Drawing(WIDTH, HEIGHT, [*shapes, *legend, *_notes(panel, axes)])


def _ranking(panel: Panel) -> Drawing:
    most = max(float(row["n"]) for row in panel.rows) or 1
    room = WIDTH - _NAMES - _WORDS
    shapes: list[Shape] = []
    for place, row in enumerate(panel.rows):
        y = place * _BAR + 4
        long = max(1.0, float(row["n"]) / most * room)
        shapes.append(Words(_NAMES - 10, y + 14, cut(str(row["name"]), _NAMES - 10), "end", INK))
        shapes.append(Box(_NAMES, y, long, _BAR - 8, ACCENT, _PALE if row.get("rest") else 1.0))
        shapes.append(Words(_NAMES + long + 6, y + 14, str(row.get("words") or row["n"])))
    return Drawing(WIDTH, len(panel.rows) * _BAR + 8, shapes)


def _heat(panel: Panel) -> Drawing:
    days = list(dict.fromkeys(str(row["day"]) for row in panel.rows))
    most = max(int(row["n"]) for row in panel.rows)
    left, top = 44, 22
    wide = (WIDTH - left) / 24
    shapes: list[Shape] = [Words(left + hour * wide, 14, f"{hour:02d}:00") for hour in range(0, 24, 6)]
    for place, day in enumerate(days):
        shapes.append(Words(left - 8, top + place * _CELL_HEIGHT + 16, day, "end"))
    for row in panel.rows:
        shade = HEAT[round(int(row["n"]) / most * (len(HEAT) - 1))] if most else HEAT[0]
        x, y = left + int(row["hour"]) * wide, top + days.index(str(row["day"])) * _CELL_HEIGHT
        shapes.append(Box(x + 1, y + 1, wide - 2, _CELL_HEIGHT - 2, shade))
    return Drawing(WIDTH, top + len(days) * _CELL_HEIGHT + 4, shapes)


def _flows(panel: Panel) -> Drawing:
    """From where to where, how often, and how many of these came back: two names need a line of their own."""
    rows = panel.rows[:MOST_FLOWS]
    most, room = max(float(row["n"]) for row in rows) or 1, WIDTH - _FLOW_WORDS
    shapes = _legend([("Handed on", ACCENT), ("Sent back to whoever had it before", SLATE)], 0)
    for place, row in enumerate(rows):
        y = _TOP + place * _FLOW
        long, back = (max(0.0, float(row[field]) / most * room) for field in ("n", "back"))
        shapes.append(Words(0, y + 12, cut(str(row["name"]), WIDTH), colour=INK))
        shapes += [Box(0, y + 18, long - back, _BAR - 12, ACCENT), Box(long - back, y + 18, back, _BAR - 12, SLATE)]
        shapes.append(Words(long + 6, y + 29, str(row["words"])))
    return _with_rest(shapes, _TOP + len(rows) * _FLOW, len(panel.rows) - len(rows))


def _waits(panel: Panel) -> Drawing | None:
    """Median and 90th percentile of the time at each place; few cases are hollow."""
    known = [row for row in panel.rows if row["median"] is not None]
    if not known:
        return None
    rows = known[:MOST_WAITS]
    spent = [max(_SPENT[0], float(row[field])) for row in rows for field in ("median", "p90")]
    first = max(step for step in _SPENT if step <= min(spent))
    last = next((step for step in _SPENT if step > first and step >= max(spent)), max(spent))
    left, room, foot = _NAMES, WIDTH - _NAMES - _FLOW_WORDS, _TOP + len(rows) * _BAR

    def x(hours: float) -> float:
        return left + log(max(hours, first) / first) / log(last / first) * room

    shapes: list[Shape] = []
    for step in (step for step in _SPENT if first <= step <= last):
        shapes.append(Stroke([(x(step), _TOP), (x(step), foot)], GRID))
        shapes.append(Words(x(step), foot + 16, said("hours", step), "middle"))
    for place, row in enumerate(rows):
        y = _TOP + place * _BAR + _BAR / 2
        median, p90, hollow = x(float(row["median"])), x(float(row["p90"])), bool(row["few"])
        shapes.append(Words(left - 14, y + 4, cut(str(row["name"]), left - 14), "end", INK))
        shapes.append(Stroke([(median, y), (p90, y)], SLATE, 1.5))
        shapes += [Dot(p90, y, SLATE, hollow), Dot(median, y, ACCENT, hollow)]
        told = f"{said('hours', row['median'])} · {said('hours', row['p90'])} · n {row['ended']:,}"
        shapes.append(Words(left + room + 14, y + 4, told))
    legend = _legend([("Median", ACCENT), ("90th percentile", SLATE)], left)
    return _with_rest([*shapes, *legend], foot + 20, len(known) - len(rows))


def _interval(panel: Panel) -> Drawing:
    """A bar a step; what is to come is pale and has its interval."""
    axes = Axes(
        [str(row["when"]) for row in panel.rows], max(float(row["high"] or row["n"]) for row in panel.rows), "count"
    )
    shapes = axes.shapes()
    width = axes.wide * 0.76
    for place, row in enumerate(panel.rows):
        middle, y = axes.x(place), axes.y(float(row["n"]))
        shapes.append(Box(middle - width / 2, y, width, axes.y(0) - y, ACCENT, _PALE if row["ahead"] else 1.0))
        if row["ahead"]:
            low, high = axes.y(float(row["low"])), axes.y(float(row["high"]))
            cap = min(7.0, width / 2)
            shapes.append(Stroke([(middle, low), (middle, high)], INK, 2))
            shapes += [Stroke([(middle - cap, end), (middle + cap, end)], INK, 2) for end in (low, high)]
            told = f"{row['low']:,} to {row['high']:,}"
            shapes.append(Words(WIDTH - _RIGHT, high - 8, told, "end", INK, bold=True))
    shapes += _legend([("Reported", ACCENT)])
    coming = _LEFT + 96
    shapes.append(Box(coming, 8, 10, 10, ACCENT, _PALE))
    shapes.append(Words(coming + 16, 18, "Expected, with its interval", colour=INK))
    return Drawing(WIDTH, HEIGHT, shapes)


def _with_rest(shapes: Sequence[Shape], height: float, left: int) -> Drawing:
    """With a word about the rows that there was no room for."""
    if not left:
        return Drawing(WIDTH, height + 4, shapes)
    said_so = Words(0, height + 14, f"{left:,} more are in the table.")
    return Drawing(WIDTH, height + 22, [*shapes, said_so])
