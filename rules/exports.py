"""What leaves as a file: a head that says what it is, and tables of typed cells. The same for CSV and workbooks."""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from rules import period_words
from rules.cells import defused
from rules.panels import NUMBERS, Kind, Number, Panel, Report

UNITS = {"count": "incidents", "hours": "hours", "share": "part of 1"}
_DIGITS = 6
_TICK = timedelta.resolution


class Cell(NamedTuple):
    """A value and what it is: numbers are numbers, instants are aware, days are dates; None is an empty cell."""

    kind: Kind
    value: Any


@dataclass(frozen=True)
class Table:
    """One table, with what must be known to read it."""

    title: str
    notes: Sequence[str]
    headings: Sequence[str]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True)
class Book:
    """A file before it is written in one form or another."""

    stem: str
    """of its name: what, period, zone"""
    zone: str
    head: Sequence[tuple[str, str]]
    """what it is, period, filters, zone, moment: label and words"""
    tables: Sequence[Table]


def head(
    title: str,
    counted_in: str,
    filtered: Sequence[str],
    zone: str,
    as_of: datetime,
    compared: tuple[datetime, datetime] | None = None,
) -> list[tuple[str, str]]:
    """What every export says first."""
    return [
        ("Report", title),
        ("Period", counted_in),
        *([("Compared with", period_words.period(*compared, zone))] if compared else []),
        ("Filters", "; ".join(filtered) or "none"),
        ("Zone", zone),
        ("As of", period_words.moment(as_of, zone)),
    ]


def stem(what: str, start: datetime, end: datetime, zone: str) -> str:
    """'trends-overview-2026-03-01-to-2026-05-31-Europe-Berlin'."""
    latest = end - _TICK if start < end else start
    first, last = (period_words.on_clock(at, zone).date().isoformat() for at in (start, latest))
    return re.sub(r"[^\w.+-]+", "-", f"{what}-{first}-to-{last}-{zone}")


def of_report(report: Report, filtered: Sequence[str]) -> Book:
    """A view: its numbers, then a table for each panel. `filtered`: the filters in words."""
    counted_in = period_words.period(report.start, report.end, report.zone)
    numbers = [_numbers(report.numbers)] if report.numbers else []
    return Book(
        stem(_named(report), report.start, report.end, report.zone),
        report.zone,
        head(report.heading, counted_in, filtered, report.zone, report.as_of, report.compared),
        [*numbers, *(of_panel(panel) for panel in report.panels)],
    )


def _named(report: Report) -> str:
    """What files of it are called: 'trends-overview', or 'process'."""
    return report.view if report.title == report.screen else f"{report.screen.lower()}-{report.view}"


def omitted(left_out: str) -> str:
    """What is left out, as a sentence that says so."""
    return left_out if "left out" in left_out else f"Left out: {left_out}"


def noted(panel: Panel) -> list[str]:
    """What people wrote on the time axis."""
    return [f"Noted, {note['when']}: {note['note']}" for note in panel.marks.get("notes", ())]


def of_panel(panel: Panel) -> Table:
    """The table behind a picture; where its numbers are of several kinds, each row says which."""
    measured = any(column.kind == "measure" for column in panel.columns)
    return Table(
        panel.title,
        [panel.definition, omitted(panel.left_out), panel.says, *noted(panel)],
        [*(column.heading or "In words" for column in panel.columns), *(["Unit"] if measured else [])],
        [
            [
                *(Cell(column.kind_in(row), row.get(column.field)) for column in panel.columns),
                *([Cell("words", UNITS[row["unit"]])] if measured else []),
            ]
            for row in panel.rows
        ],
    )


def _numbers(numbers: Sequence[Number]) -> Table:
    compared = any(number.before is not None for number in numbers)
    return Table(
        "Numbers",
        ["Each with its definition" + (" and with what it was in the period before." if compared else ".")],
        ("Number", "Value", "Unit", "n", "Before", "n before", "Definition", "Left out"),
        [
            [
                Cell("words", number.title),
                Cell(number.kind, number.value),
                Cell("words", UNITS[number.kind]),
                Cell("count", number.n),
                Cell(number.kind, number.before),
                Cell("count", number.n_before),
                Cell("words", number.definition),
                Cell("words", number.left_out),
            ]
            for number in numbers
        ],
    )


def as_csv(book: Book) -> str:
    """The head, then each table under its title; blank lines between. No cell is taken for a formula."""
    out = io.StringIO()
    lines = csv.writer(out)
    lines.writerows([_written(label), _written(words)] for label, words in book.head)
    for table in book.tables:
        lines.writerow([])
        lines.writerow([_written(table.title)])
        lines.writerows([_written(note)] for note in table.notes)
        lines.writerow([_written(heading) for heading in table.headings])
        lines.writerows([_in_csv(cell, book.zone) for cell in row] for row in table.rows)
    return out.getvalue()


def _in_csv(cell: Cell, zone: str) -> str:
    if cell.value is None:
        return ""
    if isinstance(cell.value, datetime):
        return period_words.on_clock(cell.value, zone).isoformat(timespec="seconds")
    if isinstance(cell.value, date):
        return cell.value.isoformat()
    if cell.kind in NUMBERS:
        number = round(cell.value, _DIGITS)
        return repr(int(number) if cell.kind in ("count", "change") and number == int(number) else number)
    return _written(str(cell.value))


def _written(words: str) -> str:
    """On one line, and never a formula."""
    return defused(" ".join(words.split()))
