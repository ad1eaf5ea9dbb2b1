"""The export itself: one moment of the database, streamed into a CSV file, a workbook, or lines of JSON."""

import csv
import io
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Engine

from db.appearing import appearing
from db.engine import reading
from db.exports.columns import AT_A_TIME, COLUMNS, count, rows
from db.verify.records import one_moment
from rules import cells
from rules.errors import RuleError

Progress = Callable[[str, int, int], None]
_HEADINGS = [heading for heading, _, _ in COLUMNS]
_INSTANTS = [place for place, heading in enumerate(_HEADINGS) if heading.endswith(("_at", "_until"))]
_SHEET_ROWS = 1_048_575
"""what a sheet holds beneath its headings"""


@dataclass(frozen=True)
class Written:
    incidents: int
    bytes: int
    sheets: int
    """of a workbook; 0 for others"""


def export(engine: Engine, place: Path, *, over: bool, progress: Progress) -> Written:
    """Write every incident into `place`, in the form that its ending names. RuleError when it is not to be written."""
    write = _WRITERS.get(place.suffix.lower())
    if write is None:
        raise RuleError(f"End the name with {', '.join(_WRITERS)}: the ending says what is written.")
    with reading(engine) as db:
        one_moment(db)
        total = count(db)
        with appearing(place, over=over) as file:
            sheets = write(file, _told(rows(db), progress, total), place.parent)
    return Written(total, place.stat().st_size, sheets)


def _told(found: Iterator[Sequence[Any]], progress: Progress, total: int) -> Iterator[Sequence[Any]]:
    for number, row in enumerate(found, 1):
        yield row
        if number % AT_A_TIME == 0:
            progress("write", number, total)


def _plain(value: Any) -> str | int | bool | None:
    return cells.instant(value) if isinstance(value, datetime) else value


def _cell(value: Any) -> str | int:
    plain = _plain(value)
    if plain is None:
        return ""
    if isinstance(plain, bool):
        return "yes" if plain else "no"
    return plain


def _csv(file: IO[bytes], found: Iterable[Sequence[Any]], _folder: Path) -> int:
    """RFC 4180 in UTF-8, with the mark that lets spreadsheets see it is that; nothing in it runs as a formula."""
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=False)
    writer = csv.writer(text)
    writer.writerow(_HEADINGS)
    for row in found:
        written = (_cell(value) for value in row)
        writer.writerow([cells.defused(value) if isinstance(value, str) else value for value in written])
    text.flush()
    text.detach()
    return 0


def _jsonl(file: IO[bytes], found: Iterable[Sequence[Any]], _folder: Path) -> int:
    """One object a line, in UTF-8; nothing is left out, null is null."""
    for row in found:
        told = dict(zip(_HEADINGS, (_plain(value) for value in row), strict=True))
        told = {
            name: None if value == "" and name.endswith(("_at", "_until")) else value for name, value in told.items()
        }
        file.write(json.dumps(told, ensure_ascii=False).encode() + b"\n")
    return 0


def _xlsx(file: IO[bytes], found: Iterable[Sequence[Any]], folder: Path) -> int:
    """A workbook whose cells are text, numbers and instants in UTC; a sheet more where one is full."""
    import xlsxwriter  # for those who export alone

    with tempfile.TemporaryDirectory(prefix=".export-", dir=folder or None) as beside:
        options = {"constant_memory": True, "tmpdir": beside}
        book = xlsxwriter.Workbook(file, options)
        heading, sheet, at, sheets = book.add_format({"bold": True}), None, 0, 0
        instant = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        for row in _at_least_one(found):
            if sheet is None or at == _SHEET_ROWS:
                sheets, at = sheets + 1, 0
                sheet = book.add_worksheet("Incidents" if sheets == 1 else f"Incidents {sheets}")
                sheet.freeze_panes(1, 2)
                sheet.set_column(1, 1, 50)
                for column in _INSTANTS:
                    sheet.set_column(column, column, 19)
                sheet.write_row(0, 0, _HEADINGS, heading)
            if row is None:
                break
            at += 1
            for column, each in enumerate(row):
                value = _cell(each)
                if isinstance(each, datetime) and each.year >= cells.FIRST_YEAR:
                    clock = each.astimezone(UTC).replace(tzinfo=None, microsecond=0)
                    sheet.write_datetime(at, column, clock, instant)
                elif isinstance(value, int):
                    sheet.write_number(at, column, value)
                elif value:
                    sheet.write_string(at, column, cells.fitting(value))  # write() would make formulas
        book.close()
    return sheets


def _at_least_one(found: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any] | None]:
    """The rows and then None, so that an empty export has its headings too."""
    yield from found
    yield None


_WRITERS = {".csv": _csv, ".xlsx": _xlsx, ".jsonl": _jsonl}
"""ending of the file's name -> what writes it"""
