"""What is in the file of a backup: lines of JSON, the same from every database, with sums that show any damage.

    {"incident desk backup": 1, "schema": "0021", "made_at": 1772442000000000, "rows": 2}
    {"table": "team", "columns": {"id": "int", "name": "text", ...}}
    [1, "Network", ...]
    [2, "Servers", ...]
    {"end": {"team": [2, "SHA-256 of its two lines"], ...}, "sha256": "of all lines before this one"}

Instants are microseconds since 1970, bytes are base64, and JSON is its text, so that nothing is read otherwise than it
was written. The sums show damage, not forgery: that is what the chains (rules.chain) are for.
"""

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rules.errors import RuleError

FORMAT = 1
KINDS = ("int", "float", "text", "bool", "bytes", "json")
_NAME = "incident desk backup"
_DAMAGED = "This backup is damaged or was cut short{place}. Nothing was restored; use another copy of it."
_NEWER = "This backup was made by a newer version of Incident Desk. Install that version, then restore it."

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


@dataclass(frozen=True)
class Header:
    """What a backup says of itself first."""

    schema: str
    """the newest migration of the database"""
    made_at: int
    """microseconds since 1970"""
    rows: int
    """of all tables"""


@dataclass(frozen=True)
class Table:
    """A table and its columns: name -> kind, one of KINDS."""

    name: str
    columns: dict[str, str]


def damaged(place: str = "") -> RuleError:
    """The refusal of a file that is not as it was written."""
    return RuleError(_DAMAGED.format(place=place and f" ({place})"))


def encoder(table: Table) -> Callable[[Sequence[Any]], bytes]:
    """Turns a row, as a database gives it, into its line."""
    turned = [(place, _WRITTEN[kind]) for place, kind in enumerate(table.columns.values()) if kind in _WRITTEN]

    def encode(row: Sequence[Any]) -> bytes:
        values = list(row)
        for place, turn in turned:
            if values[place] is not None:
                values[place] = turn(values[place])
        return _encode(values).encode() + b"\n"

    return encode


def decoder(table: Table) -> Callable[[bytes], list[Any]]:
    """Turns a line back into its row. RuleError when it is not one of this table."""
    width = len(table.columns)
    coded = [place for place, kind in enumerate(table.columns.values()) if kind == "bytes"]

    def decode(line: bytes) -> list[Any]:
        values: list[Any] = _json(line)
        if not isinstance(values, list) or len(values) != width:
            raise damaged(f"a row of {table.name}")
        try:
            for place in coded:
                if values[place] is not None:
                    values[place] = b64decode(values[place], validate=True)
        except (ValueError, TypeError):  # it is looked at before its sum is known to be wrong
            raise damaged(f"a row of {table.name}") from None
        return values

    return decode


_WRITTEN: dict[str, Callable[[Any], Any]] = {
    "bytes": lambda value: b64encode(value).decode("ascii"),
    "bool": bool,  # SQLite keeps 0 and 1
}


class _Sums:
    """Rows and SHA-256 of each table, and of everything."""

    def __init__(self) -> None:
        self.whole = hashlib.sha256()
        self.tables: dict[str, list[Any]] = {}
        self._of_table = hashlib.sha256()

    def begin(self, name: str) -> None:
        self.tables[name] = [0, ""]
        self._of_table = hashlib.sha256()

    def add(self, table: list[Any], line: bytes) -> None:
        table[0] += 1
        self._of_table.update(line)
        self.whole.update(line)

    def finish(self, table: list[Any]) -> None:
        table[1] = self._of_table.hexdigest()


class Writer:
    """Writes a backup from its first line to its last: the header, table after table, the end."""

    def __init__(self, write: Callable[[bytes], object], header: Header) -> None:
        self._write = write
        self._sums = _Sums()
        self._note({_NAME: FORMAT, "schema": header.schema, "made_at": header.made_at, "rows": header.rows})

    def table(self, table: Table, rows: Iterator[Sequence[Any]]) -> None:
        """Write all rows of a table."""
        self._note({"table": table.name, "columns": table.columns})
        self._sums.begin(table.name)
        sum, encode = self._sums.tables[table.name], encoder(table)
        for row in rows:
            line = encode(row)
            self._sums.add(sum, line)
            self._write(line)
        self._sums.finish(sum)

    def end(self) -> None:
        """Write the sums of what was written."""
        said = {"end": self._sums.tables, "sha256": self._sums.whole.hexdigest()}
        self._write(_encode(said).encode() + b"\n")

    def _note(self, said: dict[str, Any]) -> None:
        line = _encode(said).encode() + b"\n"
        self._sums.whole.update(line)
        self._write(line)


class Reader:
    """Reads a backup line by line. RuleError wherever it is not as it was written, at its end at the latest."""

    def __init__(self, lines: Iterator[bytes], newest: str) -> None:
        """`newest` is the newest migration that this program knows."""
        self._lines = lines
        self._sums = _Sums()
        self._at = b""
        self.header = self._header(newest)

    def _header(self, newest: str) -> Header:
        first = next(self._lines, b"")
        try:
            said = json.loads(first)
            version, schema = said[_NAME], said["schema"]
            found = Header(str(schema), int(said["made_at"]), int(said["rows"]))
        except (ValueError, TypeError, KeyError):
            if b'{"' + _NAME.encode() + b'":' in first:
                raise damaged("its first line") from None
            raise RuleError("This file is not a backup of Incident Desk.") from None
        if version != FORMAT or not isinstance(schema, str) or schema > newest:
            raise RuleError(_NEWER)
        self._sums.whole.update(first)
        return found

    def tables(self) -> Iterator[tuple[Table, Iterator[bytes]]]:
        """Each table with the lines of its rows, which have to be taken before the next table is asked for."""
        self._at = next(self._lines, b"")
        while self._at.startswith(b'{"table"'):
            table = _table(_json(self._at))
            if table.name in self._sums.tables:
                raise damaged(f"the table {table.name} is in it twice")
            self._sums.whole.update(self._at)
            self._sums.begin(table.name)
            yield table, self._rows(table.name)
        self._end()

    def _rows(self, name: str) -> Iterator[bytes]:
        sum, add = self._sums.tables[name], self._sums.add
        for line in self._lines:
            if line[:1] != b"[":
                self._at = line
                break
            add(sum, line)
            yield line
        else:
            self._at = b""
        self._sums.finish(sum)

    def _end(self) -> None:
        said, sums = _json(self._at) if self._at else None, self._sums
        if not isinstance(said, dict) or not isinstance(said.get("end"), dict):
            raise damaged("its end is missing")
        for name in {**sums.tables, **said["end"]}:
            if sums.tables.get(name) != said["end"].get(name):
                raise damaged(f"the table {name}")
        if said.get("sha256") != sums.whole.hexdigest() or next(self._lines, None) is not None:
            raise damaged()


def _table(said: dict[str, Any]) -> Table:
    columns = said.get("columns")
    if not isinstance(columns, dict) or not all(kind in list(KINDS) for kind in columns.values()):
        raise damaged("what it says of a table")
    return Table(str(said["table"]), columns)


def _json(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        raise damaged("a line that cannot be read") from None
