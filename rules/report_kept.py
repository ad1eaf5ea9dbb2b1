"""A report as it is kept: every word and number of it, so that it opens later exactly as it was sent.

Titles of incidents are not kept: one that is restricted later is not told again.
"""

import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from datetime import UTC, date, datetime
from typing import Any

from rules.measures import Filters
from rules.panels import Column, Number, Opens, Panel, Report

NUMBER, TITLE = "number", "title"
"""fields of rows that are about one incident"""
HIDDEN = "Not open to you"
"""the title of one that the reader may not open, or not any more"""
_INSTANT, _DAY = "instant", "day"


def kept(report: Report) -> bytes:
    """The report as bytes, without titles; `read` gives the same back, tuples as lists."""
    report = replace(report, panels=[_titled(panel, {}) for panel in report.panels])
    return zlib.compress(json.dumps(_plain(asdict(report)), ensure_ascii=False, allow_nan=False).encode())


def read(content: bytes) -> Report:
    """The report that was kept. Fields that later versions added have their defaults."""
    said = _alive(json.loads(zlib.decompress(content)))
    said["filters"] = _made(Filters, said["filters"])
    said["numbers"] = [_made(Number, number | {"opens": _opens(number["opens"])}) for number in said["numbers"]]
    said["panels"] = [_panel(panel) for panel in said["panels"]]
    said["compared"] = tuple(said["compared"]) if said.get("compared") else None
    report: Report = _made(Report, said)
    return report


def numbers(report: Report) -> list[str]:
    """The incidents that it names."""
    return [row[NUMBER] for panel in report.panels for row in panel.rows if NUMBER in row]


def titled(report: Report, titles: Mapping[str, str]) -> Report:
    """With the titles of the incidents that it names; `titles`: number -> title, of those that may be told."""
    known = {number: titles.get(number, HIDDEN) for number in numbers(report)}
    return replace(report, panels=[_titled(panel, known) for panel in report.panels])


def _titled(panel: Panel, titles: Mapping[str, str]) -> Panel:
    if not any(NUMBER in row for row in panel.rows):
        return panel
    return replace(panel, rows=[{**row, TITLE: titles.get(row[NUMBER], "")} for row in panel.rows])


def _panel(said: dict[str, Any]) -> Panel:
    columns = [_made(Column, column) for column in said["columns"]]
    panel: Panel = _made(Panel, said | {"columns": columns, "opens": [_opens(each) for each in said["opens"]]})
    return panel


def _opens(said: dict[str, Any] | None) -> Opens | None:
    if said is None:
        return None
    opens: Opens = _made(Opens, said | {"filters": _made(Filters, said["filters"])})
    return opens


def _made(kind: Any, said: dict[str, Any]) -> Any:
    """Of what is known of the kind now: a field that is gone is passed over."""
    known = {each.name for each in fields(kind)}
    return kind(**{name: value for name, value in said.items() if name in known})


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return {_INSTANT: value.astimezone(UTC).isoformat()}
    if isinstance(value, date):
        return {_DAY: value.isoformat()}
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def _alive(value: Any) -> Any:
    if isinstance(value, list):
        return [_alive(each) for each in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {_INSTANT}:
        return datetime.fromisoformat(value[_INSTANT])
    if value.keys() == {_DAY}:
        return date.fromisoformat(value[_DAY])
    return {name: _alive(each) for name, each in value.items()}
