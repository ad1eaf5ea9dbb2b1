"""Reading a CSV file, plain or gzipped: checked to its end before anything is written, then read again row by row."""

import csv
import gzip
import hashlib
import io
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, TextIO

from rules.errors import RuleError

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
_LONGEST_HEADER = 100_000
_CHUNK = 1 << 20
_TOLD_EVERY = 5_000

Row = list[str]


class BadFile(RuleError):
    """The file as a whole cannot be taken; nothing was changed."""


@dataclass
class Table:
    """A checked file. Row numbers are a spreadsheet's: the header is row 1."""

    path: Path
    sha256: str
    delimiter: str
    headings: Row
    columns: dict[str, int]
    """our name of a column -> its place; columns nobody asked for included"""
    rows: int
    last_row: dict[str, int] = field(default_factory=dict)
    """key of a group -> number of its last row; in the order in which the groups end"""
    dates: dict[str, None] = field(default_factory=dict)
    """every different value of the date columns, in the order of the file"""
    shown: Mapping[str, str] = field(default_factory=dict)
    """our name of a column -> what the file calls it, where that differs"""
    ignored: list[str] = field(default_factory=list)
    """headings that nobody asked for"""
    undated: bool = False
    """no column says when anything happened"""

    def notes(self) -> list[str]:
        """What had to be assumed, a sentence each."""
        return []

    def cells(self, *, checked: bool = True) -> Iterator[tuple[int, Row]]:
        """(row number, cells) of every row that is not blank. What has been checked once is only read."""
        with _text(self.path, checked) as lines:
            reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
            next(reader)
            for position, row in enumerate(reader, 2):
                if row:
                    yield position, row


def check(
    path: Path,
    *,
    name_of: Callable[[str], str],
    required: Sequence[str],
    known: Collection[str],
    group_by: str | None,
    dates: Sequence[str],
    told: Callable[[int], None],
    shown: Mapping[str, str] | None = None,
) -> Table:
    """Read the whole file once. BadFile, with one sentence, for anything that makes it doubtful as a whole.

    `name_of` turns a heading into our name for it, `shown` our name into theirs; `told` hears how many rows have been
    read. Without `group_by` no row belongs with another.
    """
    try:
        sha256 = _digest(path)
        delimiter, headings, columns = _header(path, name_of, required, known, shown or {})
        table = Table(path, sha256, delimiter, headings, columns, 0, shown=shown or {})
        table.ignored = [heading for heading in headings if name_of(heading) not in known]
        group = columns[group_by] if group_by else None
        _read_all(table, group, [columns[name] for name in dates if name in columns], told)
    except FileNotFoundError:
        raise BadFile(f"There is no file '{path}'.") from None
    except IsADirectoryError:
        raise BadFile(f"'{path}' is a folder. Name the file in it.") from None
    except PermissionError:
        raise BadFile(f"The file '{path}' may not be read by this account.") from None
    if not table.rows:
        raise BadFile("The file has a header but no rows.")
    return table


def _read_all(table: Table, group: int | None, dates: list[int], told: Callable[[int], None]) -> None:
    headings, width = table.headings, len(table.headings)
    last_row, values, rows, position = table.last_row, table.dates, 0, 1
    try:
        for position, row in table.cells(checked=False):
            if len(row) != width:
                what = "few" if len(row) < width else "many"
                raise BadFile(
                    f"Row {position:,} has too {what} columns: {len(row)} where the header has {width}. "
                    "The file is cut off or a quotation mark is missing; export it again."
                )
            if row[0] == headings[0] and row == headings:
                raise BadFile(f"The header appears again in row {position:,}. Import each file by itself.")
            if group is not None:
                key = row[group].strip()
                last_row.pop(key, None)
                last_row[key] = position
            for place in dates:
                values[row[place]] = None
            rows += 1
            if rows % _TOLD_EVERY == 0:
                told(rows)
    except csv.Error as error:
        if "field larger" in str(error):
            raise BadFile(
                f"A field after row {position:,} is longer than {csv.field_size_limit():,} characters. "
                "Most likely a quotation mark is never closed there."
            ) from None
        if "unexpected end" in str(error):
            raise BadFile(f"A quotation mark after row {position:,} is never closed.") from None
        raise BadFile(f"The quotation marks after row {position:,} are not those of a CSV file.") from None
    last_row.pop("", None)
    table.rows = rows
    told(rows)


def _header(
    path: Path,
    name_of: Callable[[str], str],
    required: Sequence[str],
    known: Collection[str],
    shown: Mapping[str, str],
) -> tuple[str, Row, dict[str, int]]:
    with _text(path, checked=False) as lines:
        first = _first_line(lines)
    best: tuple[int, str, Row] | None = None
    for delimiter in DELIMITERS:
        try:
            headings = next(csv.reader([first], delimiter=delimiter, strict=True), [])
        except csv.Error:
            continue
        found = sum(name_of(heading) in known for heading in headings)
        if best is None or found > best[0]:
            best = (found, delimiter, headings)
    if best is None:
        raise BadFile("The header's quotation marks are not those of a CSV file.")
    _, delimiter, headings = best
    columns: dict[str, int] = {}
    for place, heading in enumerate(headings):
        name = name_of(heading)
        if name in columns:
            raise BadFile(f"Two columns mean the same: '{headings[columns[name]]}' and '{heading}'. Remove one.")
        columns[name] = place
    lacking = [shown.get(name, name) for name in required if name not in columns]
    if lacking:
        raise BadFile(
            f"The header lacks {_listed(lacking)}; its {len(headings)} column{'s' * (len(headings) != 1)} "
            f"begin{'s' * (len(headings) == 1)} with {_listed([heading[:40] for heading in headings[:4]])}. "
            "Is it an export of incidents with field names?"
        )
    return delimiter, headings, columns


def _listed(names: Sequence[str]) -> str:
    quoted = [f"'{name}'" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def _first_line(lines: Iterator[str]) -> str:
    first = next(lines, "")
    if not first.strip():
        raise BadFile("The file is empty." if not first else "The first line is empty; it must name the columns.")
    if len(first) > _LONGEST_HEADER:
        raise BadFile("The first line is far too long for a header. Is it a CSV file?")
    return first


@contextmanager
def _text(path: Path, checked: bool) -> Iterator[Iterator[str]]:
    """The lines of the file, unpacked, decoded and free of NUL. BadFile for what is not text or is cut off."""
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        stream: BinaryIO = gzip.GzipFile(fileobj=raw) if packed else raw  # type: ignore[assignment]
        try:
            start = stream.read(4)
            stream.seek(0)
            if start.startswith((b"\xff\xfe", b"\xfe\xff")):
                raise BadFile("The file is UTF-16 text. Save it as CSV with UTF-8.")
            if start.startswith(b"PK\x03\x04"):
                raise BadFile("The file is a workbook or a zip archive. Save the sheet as CSV with UTF-8.")
            text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
            yield text if checked else _lines(text)
        except EOFError:
            raise BadFile("The gzip file is cut off: its end is missing. Fetch it again.") from None
        except (gzip.BadGzipFile, zlib.error):
            raise BadFile("The gzip file is damaged. Fetch it again.") from None


def _lines(stream: TextIO) -> Iterator[str]:
    number = 0
    try:
        for number, line in enumerate(stream, 1):
            if "\0" in line:
                raise BadFile(f"Line {number:,} holds a NUL character. The file is damaged or not text.")
            yield line
    except UnicodeDecodeError as error:
        wrong = error.object[error.start]
        raise BadFile(
            f"The file is not UTF-8 text: byte 0x{wrong:02x} soon after line {number:,} belongs to another encoding. "
            "Save it as CSV with UTF-8."
        ) from None


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as raw:
        while chunk := raw.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
