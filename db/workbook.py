"""A workbook (XLSX): a first sheet that says what it is, then a sheet for each table, with typed cells."""

import io
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from rules import period_words
from rules.cells import FIRST_YEAR, defused, fitting
from rules.exports import Book, Cell, Table
from rules.panels import NUMBERS

_FORMS = {
    "count": "#,##0",
    "change": "+#,##0;-#,##0;0",
    "hours": "#,##0.00",
    "share": "0.0%",
    "instant": "yyyy-mm-dd hh:mm",
    "day": "yyyy-mm-dd",
    "words": "@",
}
"""kind of a cell -> how a spreadsheet shows it"""
_LONGEST_NAME = 31
_NARROWEST, _WIDEST, _LOOKED_AT = 9, 60, 200
_IN_NAMES = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))


def as_xlsx(book: Book) -> bytes:
    """The workbook. No text becomes a formula, a link or a number."""
    import xlsxwriter  # for those who export alone

    out = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(out, options) as made:
        made.set_properties({"title": book.head[0][1]})
        looks = {kind: made.add_format({"num_format": form, "valign": "top"}) for kind, form in _FORMS.items()}
        looks["head"] = made.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        looks["label"] = made.add_format({"bold": True, "valign": "top"})
        looks["prose"] = made.add_format({"text_wrap": True, "valign": "top"})
        _about(made.add_worksheet("About"), book, looks)
        for name, table in zip(names(table.title for table in book.tables), book.tables, strict=True):
            _fill(made.add_worksheet(name), table, book.zone, looks)
    return out.getvalue()


def names(titles: Iterable[str]) -> list[str]:
    """Names of sheets: each once, short, and of characters that are allowed there."""
    given, taken = list[str](), {"about", "history"}  # a name that Excel keeps to itself
    for title in titles:
        name = base = " ".join(title.translate(_IN_NAMES).split())[:_LONGEST_NAME].strip() or "Table"
        again = 2
        while name.casefold() in taken:
            name = f"{base[: _LONGEST_NAME - 4]} {again}"
            again += 1
        taken.add(name.casefold())
        given.append(name)
    return given


def _about(sheet: Any, book: Book, looks: dict[str, Any]) -> None:
    """What the file is, and what each table counts."""
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 1, 100)
    line = 0
    for label, words in book.head:
        _text(sheet, line, 0, label, looks["label"])
        _text(sheet, line, 1, words, looks["prose"])
        line += 1
    for table in book.tables:
        line += 1
        for note in table.notes:
            _text(sheet, line, 0, table.title, looks["label"])
            _text(sheet, line, 1, note, looks["prose"])
            line += 1


def _fill(sheet: Any, table: Table, zone: str, looks: dict[str, Any]) -> None:
    for place, heading in enumerate(table.headings):
        _text(sheet, 0, place, heading, looks["head"])
        longest = max((len(_shown(row[place])) for row in table.rows[:_LOOKED_AT]), default=0)
        sheet.set_column(place, place, min(max(longest, len(heading), _NARROWEST) + 2, _WIDEST))
    for line, row in enumerate(table.rows, 1):
        for place, cell in enumerate(row):
            _write(sheet, line, place, cell, zone, looks)
    sheet.freeze_panes(1, 0)
    if table.rows:
        sheet.autofilter(0, 0, len(table.rows), len(table.headings) - 1)


def _shown(cell: Cell) -> str:
    return "2026-03-01 09:00" if cell.kind == "instant" else str(cell.value or "")


def _write(sheet: Any, line: int, place: int, cell: Cell, zone: str, looks: dict[str, Any]) -> None:
    look, value = looks[cell.kind], cell.value
    if value is None:
        return
    if isinstance(value, datetime):
        clock = period_words.on_clock(value, zone)
        if clock.year >= FIRST_YEAR:
            sheet.write_datetime(line, place, clock.replace(tzinfo=None), look)
        else:
            _text(sheet, line, place, clock.isoformat(), looks["words"])
    elif isinstance(value, date):
        sheet.write_datetime(line, place, value, look)
    elif cell.kind in NUMBERS:
        sheet.write_number(line, place, value, look)
    else:
        _text(sheet, line, place, str(value), look)


def _text(sheet: Any, line: int, place: int, words: str, look: Any) -> None:
    sheet.write_string(line, place, fitting(defused(words)), look)
