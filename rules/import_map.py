"""A map that says which columns of another tool's export mean what, and what its words for states and levels mean.

[columns]                 our field = "their column"
number = "Ticket"
title = "Subject"
reported = "Created"
moment = "Changed"        makes the file a history: one row per event
[values.state]            theirs = ours; "" is an empty cell, or no such column at all
"Waiting" = "on_hold"
[dates]
format = "%d.%m.%Y %H:%M"
zone = "Europe/Berlin"
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from rules.errors import RuleError
from rules.imports import FIRST_YEAR, LAST_YEAR, level_of, state_of
from rules.states import LABELS

FIELDS = {
    "number": "number",
    "title": "short_description",
    "description": "description",
    "reported": "opened_at",
    "resolved": "resolved_at",
    "closed": "closed_at",
    "state": "incident_state",
    "category": "category",
    "subcategory": "subcategory",
    "impact": "impact",
    "urgency": "urgency",
    "priority": "priority",
    "team": "assignment_group",
    "assignee": "assigned_to",
    "reporter": "caller_id",
    "source": "contact_type",
    "service": "cmdb_ci",
    "location": "location",
    "resolution": "close_notes",
    "moment": "sys_updated_at",
    "actor": "sys_updated_by",
}
"""our field -> the name of the same column in a ServiceNow export, which is what the reader of imports speaks"""
DATES = ("reported", "resolved", "closed", "moment")
LARGEST = 100_000
_TABLES = {"columns", "values", "dates"}
_LEVELS = {"impact": 3, "urgency": 3, "priority": 5}


@dataclass(frozen=True)
class ImportMap:
    """A checked map. `name` is how imports made with it are remembered; equal maps have equal names."""

    name: str
    columns: Mapping[str, str]
    """our field -> their column"""
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """our field -> theirs in lower case -> ours"""
    format: str | None = None
    """of their dates, in strptime's terms; None: recognised by themselves"""
    zone: str | None = None

    def value(self, name: str, theirs: str) -> str:
        """What a cell means: ours if the map says so, else theirs. `theirs` is trimmed."""
        return self.values.get(name, {}).get(theirs.lower(), theirs)

    def state(self, theirs: str) -> str:
        """The label of our state for theirs; theirs itself when neither the map nor common usage knows it."""
        ours = self.values.get("state", {}).get(theirs.lower())
        if ours is None:
            found = state_of(theirs)
            ours = found[0] if found else None
            if found and found[1] is not None:
                return theirs  # keeps what it waits for
        return LABELS[ours] if ours else theirs

    def date(self, theirs: str) -> str:
        """The date in a form that needs no guess; theirs when it does not fit the format."""
        if self.format is None or not theirs:
            return theirs
        try:
            read = datetime.strptime(theirs, self.format)  # noqa: DTZ007 (the reader applies the zone)
        except ValueError:
            return theirs
        return read.isoformat(sep=" ", timespec="seconds") if FIRST_YEAR <= read.year <= LAST_YEAR else theirs


JIRA = ImportMap(
    name="jira",
    columns={
        "number": "Issue key",
        "title": "Summary",
        "description": "Description",
        "reported": "Created",
        "resolved": "Resolved",
        "state": "Status",
        "category": "Issue Type",
        "subcategory": "Component/s",
        "priority": "Priority",
        "assignee": "Assignee",
        "reporter": "Reporter",
    },
    values={
        "state": {
            "open": "new", "to do": "new", "backlog": "new", "waiting for support": "assigned",
            "reopened": "in_progress", "in review": "in_progress", "waiting for customer": "on_hold",
            "pending": "on_hold", "done": "closed", "declined": "cancelled", "won't do": "cancelled",
        },
        "priority": {"highest": "1", "high": "2", "medium": "3", "low": "4", "lowest": "5", "blocker": "1",
                     "critical": "1", "major": "2", "minor": "4", "trivial": "5"},
    },
    format="%d/%b/%y %I:%M %p",
)  # fmt: skip
"""What Jira calls its columns in 'Export CSV'; columns that are not there are done without."""


def parse(text: str, name: str) -> ImportMap:
    """The map in a TOML text. RuleError, with what to change, for anything that cannot be meant."""
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RuleError(f"The map is not TOML: {error}.") from None
    unknown = sorted(set(told) - _TABLES)
    if unknown:
        raise RuleError(f"The map has [{unknown[0]}]; it may have [columns], [values.…] and [dates].")
    columns = _texts(told.get("columns"), "columns")
    _known(columns, "columns")
    if not {"title", "description"} & set(columns):
        raise RuleError("The map needs a column for title or for description under [columns].")
    twice = sorted({column for column in columns.values() if list(columns.values()).count(column) > 1})
    if twice:
        raise RuleError(f"The map uses the column '{twice[0]}' for two fields. Use it for one.")
    if "moment" in columns and not {"number", "state"} <= set(columns):
        raise RuleError("A history (a column for moment) needs columns for number and state too.")
    return ImportMap(name, columns, _values(told.get("values", {})), *_dates(told.get("dates", {})))


def _texts(given: Any, where: str) -> dict[str, str]:
    if not isinstance(given, dict) or not given:
        raise RuleError(f"The map has nothing under [{where}].")
    for key, value in given.items():
        if not isinstance(value, str) or not value.strip():
            raise RuleError(f'Under [{where}], {key} must be a text in quotation marks, such as {key} = "Name".')
    return {key: value.strip() for key, value in given.items()}


def _known(names: Mapping[str, Any], where: str) -> None:
    for name in names:
        if name not in FIELDS:
            raise RuleError(f"Under [{where}] there is '{name}', which is no field. Fields are: {', '.join(FIELDS)}.")


def _values(given: Any) -> dict[str, dict[str, str]]:
    if not isinstance(given, dict):
        raise RuleError('Write values as [values.state] with lines such as "Waiting" = "on_hold".')
    _known(given, "values")
    return {name: _meanings(name, meanings) for name, meanings in given.items()}


def _meanings(name: str, given: Any) -> dict[str, str]:
    where = f"values.{name}"
    if not isinstance(given, dict):
        raise RuleError(f'Write [{where}] with lines such as "theirs" = "ours".')
    ours = {str(theirs).strip().lower(): str(value).strip() for theirs, value in given.items()}
    if name == "state":
        ours = {theirs: value.lower().replace(" ", "_") for theirs, value in ours.items()}
    for value in ours.values():
        if name == "state" and value not in LABELS:
            raise RuleError(f"Under [{where}], '{value}' is no state. States are: {', '.join(LABELS)}.")
        if name in _LEVELS and level_of(value, priority=name == "priority") is None:
            raise RuleError(f"Under [{where}], '{value}' is no level. Use 1 to {_LEVELS[name]}.")
    return ours


def _dates(given: Any) -> tuple[str | None, str | None]:
    if not isinstance(given, dict) or set(given) - {"format", "zone"}:
        raise RuleError("Under [dates] there may be format and zone.")
    for name in ("format", "zone"):
        if name in given and not isinstance(given[name], str):
            raise RuleError(f"Under [dates], {name} must be a text in quotation marks.")
    if "format" in given:
        _try_format(given["format"])
    zone = given.get("zone")
    if zone is not None:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            raise RuleError(
                f"Under [dates], there is no zone '{zone[:60]}'. Use a name such as Europe/Berlin."
            ) from None
    return given.get("format"), zone


def _try_format(pattern: str) -> None:
    sample = datetime(2001, 12, 31, 23, 59, tzinfo=UTC)
    try:
        again = datetime.strptime(sample.strftime(pattern), pattern).date()  # noqa: DTZ007 (only a trial)
    except (ValueError, re.error):
        raise RuleError(f"Under [dates], '{pattern}' is no date format. Use one such as '%d.%m.%Y %H:%M'.") from None
    if again != sample.date():
        raise RuleError(f"Under [dates], '{pattern}' does not name day, month and year.")
