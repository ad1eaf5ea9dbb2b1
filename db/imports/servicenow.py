"""What the rows of an export mean, in ServiceNow's columns: one history per incident number.

Many rows of a number, in the order of the file, are its history; sys_updated_at is the moment of each. A number with
one row is an ordinary export: its history is what opened_at, resolved_at and closed_at tell.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from db.imports.entries import NAME_LIMIT, PERSON_LIMIT, Cells, Entry, Teller
from db.imports.report import Refusals
from db.imports.rows import BadFile, Row, Table
from rules import imports
from rules.errors import RuleError
from rules.imports import MISSING, Step

FORMAT = "servicenow"
REQUIRED = ("number", "opened_at", "incident_state")
DATES = ("opened_at", "sys_updated_at", "resolved_at", "closed_at")
_NAMES = (
    "number incident_state opened_at sys_updated_at resolved_at closed_at sys_updated_by caller_id opened_by "
    "contact_type location category subcategory u_symptom cmdb_ci impact urgency priority assignment_group "
    "assigned_to problem_id rfc vendor caused_by closed_code close_notes resolved_by short_description description "
    "reopen_count"
).split()
KNOWN = frozenset(_NAMES)
_COUNT = re.compile(r"[0-9]{1,4}")
NUMBER_LIMIT, TITLE_LIMIT, TEXT_LIMIT = 40, 200, 20_000


@dataclass(slots=True)
class History:
    """One incident as the file tells it; people, teams and services by name, instants in microseconds."""

    number: str
    row: int
    """its last row in the file"""
    rows: int
    derived: bool
    """from a single row: the entries are what its columns tell"""
    entries: list[Entry]
    facts: dict[str, Any]
    """incident columns that need no reference"""
    team: str | None
    assignee: str | None
    caller: str | None
    opened_by: str | None
    service: str | None
    category: tuple[str, str | None] | None
    undated: bool = False
    """the file does not say when it was reported; its moments are that of the import"""


class Reader:
    """Turns a checked table into histories. Refusals and warnings are complete once `histories` is read to its end."""

    def __init__(self, table: Table, zone: ZoneInfo) -> None:
        self.table = table
        self.refusals = Refusals()
        self.counts: Counter[str] = Counter()
        self._doubts: Counter[str] = Counter()
        columns = table.columns
        self._at = {name: columns.get(name, -1) for name in _NAMES}
        self._dates = [(name, columns[name]) for name in DATES if name in columns]
        self.order = _order(table)
        self._moments = self._read_dates(zone)
        self._teller = Teller(self._at, self._moments)

    def _read_dates(self, zone: ZoneInfo) -> dict[str, int]:
        order = self.order.order if self.order else "day"
        moments = {}
        for value in self.table.dates:
            local = imports.local_time(value.strip(), order)
            if local is not None:
                found = imports.moment(local, zone)
                moments[value] = found.micros
                if found.doubt:
                    self._doubts[found.doubt] += 1
        return moments

    def forget(self) -> None:
        """Count refusals and warnings from the beginning again."""
        self.refusals, self.counts = Refusals(), Counter()
        self._teller.backwards = 0

    def histories(self) -> Iterator[History]:
        """Every incident with at least one usable row, in the order in which their rows end in the file."""
        pending: dict[str, list[tuple[int, Row]]] = {}
        number_at, last_row = self._at["number"], self.table.last_row
        for position, row in self.table.cells():
            number = row[number_at].strip()
            if number in MISSING:
                self.refusals.add(position, "", "The number is missing.")
                continue
            pending.setdefault(number, []).append((position, row))
            if last_row[number] == position:
                history = self._history(number, pending.pop(number))
                if history is not None:
                    yield history

    def notes(self) -> list[str]:
        """How the file was understood, a sentence each."""
        said = [self.order.sentence] if self.order else []
        said += self.table.notes()
        ignored = self.table.ignored
        if ignored:
            said.append(f"Columns that are not kept: {', '.join(ignored)}.")
        return said

    def warnings(self) -> list[str]:
        """What was doubtful and how it was taken, a sentence each."""
        counts = self.counts + self._doubts
        counts["backwards"] = self._teller.backwards
        return [sentence.format(counts[kind]) for kind, sentence in _WARNINGS.items() if counts[kind]]

    def _history(self, number: str, rows: list[tuple[int, Row]]) -> History | None:
        if len(number) > NUMBER_LIMIT:
            self.refusals.add(
                rows[0][0], number[:NUMBER_LIMIT], f"The number is longer than {NUMBER_LIMIT} characters.", len(rows)
            )
            return None
        single = len(rows) == 1
        good: list[Row] = []
        seen: set[tuple[str, ...]] = set()
        for position, row in rows:
            reason = self._fault(row, single)
            if reason:
                self.refusals.add(position, number, reason)
                continue
            if not single:
                if (whole := tuple(row)) in seen:
                    self.counts["repeated"] += 1
                    continue
                seen.add(whole)
            good.append(row)
        if not good:
            return None
        return self._build(number, rows[-1][0], good, len(rows))

    def _fault(self, row: Row, single: bool) -> str | None:
        for name, place in self._dates:
            value = row[place]
            if value not in self._moments:
                shown = self.table.shown.get(name, name)
                if value.strip() not in MISSING:
                    return f"The date '{value[:40]}' in {shown} cannot be read."
                if name == "opened_at" or (name == "sys_updated_at" and not single):
                    return f"{shown} is missing."
        theirs = row[self._at["incident_state"]].strip()
        if theirs != imports.UNTOLD_STATE and _state(theirs) is None:
            return f"The state '{theirs[:40]}' is not known."
        if not single and self._at["sys_updated_at"] < 0:
            moment = self.table.shown.get("sys_updated_at", "sys_updated_at")
            return f"The number comes more than once, but there is no column {moment} to tell the moments apart."
        return None

    def _build(self, number: str, position: int, rows: list[Row], taken: int) -> History:
        derived = len(rows) == 1
        states: list[tuple[str, str | None]] = []
        for row in rows:
            found = _state(row[self._at["incident_state"]].strip())
            if found is None:
                self.counts["untold"] += 1
                found = states[-1] if states else ("new", None)
            states.append(found)
        last, (state, hold) = rows[-1], states[-1]
        cells = Cells(self._at, last)
        entries = self._teller.told(last, cells, state) if derived else self._teller.walked(rows, states)
        course = imports.course([Step(entry.at, entry.to_state, entry.to_team) for entry in entries])
        facts = self._facts(number, cells) | {"state": state, "hold_reason": hold}
        facts |= self._moments_of(rows, state, entries, course, derived)
        reopened = cells["reopen_count"] or ""
        facts["reopen_count"] = max(course.reopened, int(reopened) if _COUNT.fullmatch(reopened) else 0)
        facts["handovers"], facts["ping_pong"] = course.handovers, course.ping_pong
        category, subcategory = (cells.name(name, NAME_LIMIT) for name in ("category", "subcategory"))
        return History(
            number,
            position,
            taken,
            derived,
            entries,
            facts,
            team=entries[-1].to_team,
            assignee=cells.name("assigned_to", PERSON_LIMIT),
            caller=cells.name("caller_id", PERSON_LIMIT),
            opened_by=cells.name("opened_by", PERSON_LIMIT),
            service=cells.name("cmdb_ci", NAME_LIMIT),
            category=(category, subcategory) if category else None,
            undated=self.table.undated,
        )

    def _moments_of(
        self, rows: list[Row], state: str, entries: list[Entry], course: imports.Course, derived: bool
    ) -> dict[str, int | None]:
        last = rows[-1]
        reported = self._moments[last[self._at["opened_at"]]]
        changed = self._moment(last, "sys_updated_at") or entries[-1].at
        acknowledged = None if derived else course.acknowledged
        if acknowledged is not None and acknowledged < reported:
            acknowledged = reported
            self.counts["early"] += 1
        resolved = closed = None
        if state in ("resolved", "recovered", "closed"):
            resolved = self._moment(last, "resolved_at")
            if resolved is None:
                resolved = course.resolved
                self.counts["unresolved" if resolved is None else "found_resolved"] += 1
            if resolved is not None and resolved < reported:
                self.counts["resolved_early"] += 1
        if state in ("closed", "cancelled"):
            closed = self._moment(last, "closed_at") or changed
        return {
            "reported_at": reported,
            "acknowledged_at": acknowledged,
            "resolved_at": resolved,
            "closed_at": closed if state == "closed" else None,
            "cancelled_at": closed if state == "cancelled" else None,
            "changed_at": changed,
        }

    def _facts(self, number: str, cells: Cells) -> dict[str, Any]:
        title = cells["short_description"] or _title(cells["category"], cells["subcategory"], cells["u_symptom"])
        told = [f"{label}: {cells.name(name, PERSON_LIMIT)}" for label, name in _DESCRIBED if cells[name]]
        description = "\n\n".join(part for part in (cells["description"], "\n".join(told)) if part)
        if len(description) > TEXT_LIMIT:
            self.counts["shortened"] += 1
        code = cells["closed_code"]
        note = "\n\n".join(part for part in (cells["close_notes"], f"Close code: {code}" if code else "") if part)
        levels = {}
        for name in ("impact", "urgency", "priority"):
            text = cells[name]
            levels[name] = _level(text, name == "priority") if text else None
            if text and levels[name] is None:
                self.counts["unread_level"] += 1
        return {
            "title": " ".join((title or f"Imported incident {number}").split())[:TITLE_LIMIT],
            "description": description[:TEXT_LIMIT],
            "affected": cells.name("location", TITLE_LIMIT) or "",
            "resolution_note": note[:TEXT_LIMIT] or None,
            **levels,
        }

    def _moment(self, row: Row, name: str) -> int | None:
        place = self._at[name]
        return self._moments.get(row[place]) if place >= 0 else None


_WARNINGS = {
    "found_resolved": "Incidents without resolved_at: {:,}; the last row in state Resolved was taken for it.",
    "unresolved": "Closed incidents that were never in state Resolved: {:,}; they have no resolved moment.",
    "untold": "Rows with the state '-100': {:,}; the incident was kept in the state it had.",
    "backwards": "Rows older than the row before them: {:,}; the order of the file was kept.",
    "repeated": "Rows that repeat another row of the same incident: {:,}; they were passed over.",
    "early": "Incidents worked on before opened_at: {:,}; they count as acknowledged when they were reported.",
    "resolved_early": "Incidents with a resolved_at before opened_at: {:,}; it was kept.",
    "skipped": "Times that do not exist in the zone (clocks went forward): {:,}; they were moved on by the gap.",
    "twice": "Times that come twice in the zone (clocks went back): {:,}; the first was taken.",
    "unread_level": "Impacts, urgencies and priorities without a known level: {:,}; they were left empty.",
    "shortened": "Descriptions cut at 20,000 characters: {:,}.",
}
"""what is counted while reading -> how the report says it"""

_DESCRIBED = (
    ("Symptom", "u_symptom"),
    ("Contact", "contact_type"),
    ("Problem", "problem_id"),
    ("Change request", "rfc"),
    ("Vendor", "vendor"),
    ("Caused by", "caused_by"),
    ("Resolved by", "resolved_by"),
)


def _order(table: Table) -> imports.DateOrder | None:
    try:
        return imports.date_order(value.strip() for value in table.dates)
    except RuleError as error:
        raise BadFile(error.sentence) from None


@lru_cache(maxsize=1000)
def _state(theirs: str) -> tuple[str, str | None] | None:
    return None if theirs == imports.UNTOLD_STATE else imports.state_of(theirs)


@lru_cache(maxsize=1000)
def _level(text: str, priority: bool) -> int | None:
    return imports.level_of(text, priority=priority)


def _title(category: str | None, subcategory: str | None, symptom: str | None) -> str | None:
    """'Category 55: Subcategory 170 (Symptom 72)' of what is known; None when nothing is."""
    named = ": ".join(part for part in (category, subcategory) if part)
    return f"{named} ({symptom})" if named and symptom else named or symptom
