"""A CSV file of any tool, read through a map: the table that the reader of imports sees speaks its language."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from db.imports import rows
from db.imports.rows import BadFile, Row, Table
from rules.import_map import DATES, FIELDS, ImportMap
from rules.imports import MISSING

TITLE_LENGTH = 120


class MappedTable(Table):
    """A checked file whose rows are given in the columns of FIELDS.

    A row without a number of its own is known by what it says, so that the same file again changes nothing. A row
    without a date is taken as reported `now`.
    """

    def __init__(self, raw: Table, mapping: ImportMap, now: datetime) -> None:
        names = {**FIELDS, "opened_by": "opened_by"}
        columns = {ours: place for place, ours in enumerate(names.values())}
        super().__init__(raw.path, raw.sha256, raw.delimiter, raw.headings, columns, raw.rows, ignored=raw.ignored)
        self.shown = {"sys_updated_at": "for moment"} | {
            FIELDS[name]: f"'{column}'" for name, column in mapping.columns.items()
        }
        self._raw, self._map = raw, mapping
        self._at = {name: raw.columns[name] for name in mapping.columns if name in raw.columns}
        self.undated = not any(name in self._at for name in DATES)
        told = {"state", "resolved", "closed"} & self._at.keys()
        self._tells_ends = bool(told) or "" in mapping.values.get("state", {})
        self._now = now.astimezone(UTC).isoformat(sep=" ", timespec="seconds")
        self._places = {name: self.columns[ours] for name, ours in FIELDS.items()}
        if "moment" not in self._at:
            del self.columns["sys_updated_at"]
        number = self.columns["number"]
        dates = [self._places[name] for name in DATES]
        for position, row in self.cells():
            self.last_row.pop(row[number], None)
            self.last_row[row[number]] = position
            for place in dates:
                self.dates[row[place]] = None
        self.last_row.pop("", None)

    def cells(self, *, checked: bool = True) -> Iterator[tuple[int, Row]]:
        """(row number, cells in our columns) of every row that is not blank."""
        repeated: Counter[str] = Counter()
        for position, raw in self._raw.cells(checked=checked):
            said = {name: "" if (cell := raw[at].strip()) in MISSING else cell for name, at in self._at.items()}
            yield position, self._row(raw, said, repeated)

    def _row(self, raw: Row, said: dict[str, str], repeated: Counter[str]) -> Row:
        mapping = self._map
        for name in said:
            if name in DATES:
                said[name] = mapping.date(said[name])
            elif name != "state":
                said[name] = mapping.value(name, said[name])
        said["state"] = mapping.state(said.get("state", "")) or self._untold_state(said)
        if "number" not in self._at:
            said["number"] = _fingerprint(raw, repeated)
        if "reported" not in self._at:
            dated = [said[name] for name in ("moment", "resolved", "closed") if said.get(name)]
            said["reported"] = dated[0] if dated else self._now
        _entitle(said)
        row = [""] * len(FIELDS)
        for name, value in said.items():
            row[self._places[name]] = value
        row.append(said.get("reporter", ""))
        return row

    def _untold_state(self, said: dict[str, str]) -> str:
        """The state of a row that names none: what its moments tell, and what nothing tells is past."""
        if said.get("closed"):
            return "Closed"
        if said.get("resolved"):
            return "Resolved"
        return "New" if self._tells_ends else "Closed"

    def notes(self) -> list[str]:
        """What had to be assumed, a sentence each."""
        said = []
        if self.undated:
            said.append("No column says when they were reported: they count as reported at the moment of this import.")
        if not self._tells_ends:
            said.append(
                "No column says whether they are still open: they were taken as closed. "
                'Under [values.state], "" = "new" would leave them open.'
            )
        return said


def check(path: Path, mapping: ImportMap, now: datetime, told: Callable[[int], None]) -> MappedTable:
    """The whole file, read once through the map. BadFile when it cannot be taken."""
    by_column = {column: name for name, column in mapping.columns.items()}
    optional = mapping.name == "jira"
    raw = rows.check(
        path,
        name_of=lambda heading: by_column.get(heading.strip(), f"[{heading.strip()}]"),
        required=() if optional else tuple(mapping.columns),
        known=set(mapping.columns),
        group_by=None,
        dates=(),
        told=told,
        shown=mapping.columns,
    )
    if not {"title", "description"} & set(raw.columns):
        raise BadFile("The file has no column for a title or a description. Is it an export of incidents?")
    return MappedTable(raw, mapping, now)


def _fingerprint(raw: Row, repeated: Counter[str]) -> str:
    """A number for a row that has none, from what it says; the same words a second time are a second incident."""
    digest = hashlib.sha256("\x1f".join(raw).encode()).hexdigest()[:12]
    repeated[digest] += 1
    return f"CSV-{digest}" if repeated[digest] == 1 else f"CSV-{digest}-{repeated[digest]}"


def _entitle(said: dict[str, str]) -> None:
    """A title from the beginning of the description, where there is none; a title too long is kept whole below it."""
    title, description = said.get("title", ""), said.get("description", "")
    if not title:
        first = next((line.strip() for line in description.splitlines() if line.strip()), "")
        said["title"] = first if len(first) <= TITLE_LENGTH else first[:TITLE_LENGTH].rsplit(" ", 1)[0] + " …"
    elif len(title) > 200 and title not in description:
        said["description"] = "\n\n".join(part for part in (title, description) if part)
        said["title"] = title[:TITLE_LENGTH].rsplit(" ", 1)[0] + " …"
