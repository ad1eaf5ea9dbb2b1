"""A view of numbers on paper: plain HTML without scripts, each picture with its table; and a picture for itself."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from api.drawings import drawing, in_time
from api.forms import TEMPLATES
from api.svg import svg
from rules import exports, period_words
from rules.panels import NUMBERS, Column, Opens, Panel, Report, said

STYLE = (Path(__file__).parent / "templates" / "print.css").read_text("utf-8")
CONTENT_SECURITY = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'; "
    "img-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGES = TEMPLATES.overlay(trim_blocks=True, lstrip_blocks=True)
_ACROSS, _SHORTEST = 9, 12
"""columns of all tables beside each other, and rows of one of them"""
_MOST_ROWS = 400
"""of one table on paper; the files have all"""


class Cell(NamedTuple):
    """A cell of a table on paper."""

    words: str
    link: str = ""
    number: bool = False


class Shown(NamedTuple):
    """A panel on paper."""

    panel: Panel
    picture: Markup | None
    headings: Sequence[Cell]
    tables: Sequence[Sequence[Sequence[Cell]]]
    """the rows, of a long and narrow table beside each other"""
    left: int
    """rows that the files have beside these"""
    png: str
    notes: Sequence[str]


def response(report: Report, filtered: Sequence[str], asked: Mapping[str, str]) -> Response:
    """The page. `filtered`: the filters in words; `asked`: its own address, zone included."""
    query, path = urlencode(asked), report.path
    body = _PAGES.get_template("print.html").render(
        style=Markup(STYLE),
        report=report,
        head=head(report, filtered),
        numbers=[(number, _link(number.opens, asked)) for number in report.numbers],
        panels=[shown(panel, asked, path) for panel in report.panels],
        said=said,
        omitted=exports.omitted,
        back=f"{path}?{query}",
        files={form.upper(): f"{path}/report.{form}?{query}" for form in ("csv", "xlsx")},
    )
    return HTMLResponse(
        body,
        headers={
            "content-security-policy": CONTENT_SECURITY,
            "cache-control": "private, no-store",
            "x-robots-tag": "noindex",
        },
    )


def head(report: Report, filtered: Sequence[str]) -> list[tuple[str, str]]:
    """Period, filters, zone and moment."""
    return list(exports.of_report(report, filtered).head[1:])


def picture(report: Report, panel: Panel, filtered: Sequence[str]) -> bytes | None:
    """The panel as PNG with all that defends it; None when there is nothing to draw."""
    from api.png import framed, png  # brings Pillow, for those who ask for a picture

    drawn = drawing(panel)
    if drawn is None:
        return None
    about = " · ".join(f"{label}: {words}" for label, words in head(report, filtered))
    return png(
        framed(drawn, panel.title, [panel.definition, exports.omitted(panel.left_out), *exports.noted(panel), about])
    )


def shown(panel: Panel, asked: Mapping[str, str], path: str) -> Shown:
    """The panel with its picture and its table. `path`: of the screen it is from."""
    drawn = drawing(panel)
    if panel.chart == "heat":
        headings, rows = _hours_across(panel, asked)
    elif any(column.field == "kind" for column in panel.columns) and panel.chart != "table":
        headings, rows = _kinds_across(panel, asked)
    else:
        headings, rows = _table(panel, asked)
    return Shown(
        panel,
        Markup(svg(drawn, panel.key, panel.title, panel.says)) if drawn else None,
        headings,
        beside(rows[:_MOST_ROWS], len(headings)),
        max(0, len(rows) - _MOST_ROWS),
        f"{path}/chart.png?{urlencode(dict(asked) | {'panel': panel.key})}" if drawn else "",
        exports.noted(panel),
    )


def beside(rows: Sequence[Sequence[Cell]], columns: int) -> list[Sequence[Sequence[Cell]]]:
    """The rows in as many tables as stand beside each other on paper, none of them short."""
    number = max(1, min(_ACROSS // columns, -(-len(rows) // _SHORTEST)))
    length = -(-len(rows) // number)
    return [rows[begun : begun + length] for begun in range(0, len(rows), length)] if rows else []


def _kinds_across(panel: Panel, asked: Mapping[str, str]) -> tuple[list[Cell], list[list[Cell]]]:
    """A row for each step of time, and for each kind its number, which opens the incidents, with what it rests on."""
    kinds = list(dict.fromkeys(str(row["kind"]) for row in panel.rows))
    value, *rests = [column for column in panel.columns if column.field not in ("when", "kind")]
    blank, rows = Cell("–", number=True), list[list[Cell]]()
    for when, places in in_time(panel):
        cells = dict[str, Cell]()
        for place in places:
            row = panel.rows[place]
            on = " of ".join(f"{row[rest.field]:,}" for rest in rests)
            words = f"{said(value.kind, row[value.field])}{f' ({on})' if on else ''}"
            link = _link(panel.opens[place], asked) if panel.opens else ""
            cells[str(row["kind"])] = Cell(words, link, number=True)
        rows.append([Cell(when), *(cells.get(kind, blank) for kind in kinds)])
    note = {0: "", 1: " (n)"}.get(len(rests), " (n of all)")
    headings = [Cell("From"), *(Cell(f"{kind}{note}", number=True) for kind in kinds)]
    return headings, rows


def _table(panel: Panel, asked: Mapping[str, str]) -> tuple[list[Cell], list[list[Cell]]]:
    """A row for each of the panel's; the first cell opens the incidents."""
    headings = [Cell(column.heading or "In words", number=_is_number(column)) for column in panel.columns]
    rows = []
    for place, row in enumerate(panel.rows):
        opens = panel.opens[place] if panel.opens else None
        cells = [Cell(_words(row, c, asked["zone"]), number=_is_number(c)) for c in panel.columns]
        rows.append([cells[0]._replace(link=_link(opens, asked)), *cells[1:]])
    return headings, rows


def _hours_across(panel: Panel, asked: Mapping[str, str]) -> tuple[list[Cell], list[list[Cell]]]:
    """The hours of a week: a row a day, a column an hour."""
    days: dict[str, list[Cell]] = {}
    for place, row in enumerate(panel.rows):
        link = _link(panel.opens[place], asked) if panel.opens and row["n"] else ""
        days.setdefault(str(row["day"]), []).append(Cell(f"{row['n']:,}", link, number=True))
    headings = [Cell("Day"), *(Cell(f"{hour:02d}", number=True) for hour in range(24))]
    return headings, [[Cell(day), *cells] for day, cells in days.items()]


def _is_number(column: Column) -> bool:
    return column.kind in NUMBERS or column.kind == "measure"


def _words(row: Mapping[str, Any], column: Column, zone: str) -> str:
    value = row.get(column.field)
    return period_words.moment(value, zone) if isinstance(value, datetime) else column.told(row)


def _link(opens: Opens | None, asked: Mapping[str, str]) -> str:
    """To the incidents, from where the way back leads to the same view."""
    if opens is None:
        return ""
    back = urlencode({name: value for name, value in asked.items() if name != "zone"})
    return f"/figure?{urlencode(opens.address() | {'zone': asked['zone'], 'trends': back})}"
