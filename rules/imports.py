"""What the words and dates of another tool's export mean here. No file, no database: values in, values out."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from rules.errors import RuleError
from rules.states import OPEN

MISSING = frozenset({"", "?"})
Order = Literal["day", "month"]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = EPOCH.replace(tzinfo=None)
_MICROSECOND = timedelta(microseconds=1)
FIRST_YEAR, LAST_YEAR = 1970, 2199

_TIME = r"(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?(?: ?([AaPp])\.?[Mm]\.?)?)?"
_ORDERED = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4})" + _TIME)
_ISO = re.compile(r"(\d{4})([/-])(\d{1,2})\2(\d{1,2})" + _TIME + r" ?(Z|[+-]\d{2}:?\d{2})?")


@dataclass(frozen=True)
class DateOrder:
    """Which number of 3/4/2016 is the day, and why. `sentence` says it for the report."""

    order: Order
    sentence: str


def date_order(values: Iterable[str]) -> DateOrder | None:
    """The order of day and month in all `values` of a file; None when no value depends on it.

    A number above 12 proves it. RuleError when some values prove one order and others the opposite. When nothing
    proves it, day first is taken, as these exports do.
    """
    day_first = month_first = None
    proofs = {"day": 0, "month": 0}
    depends = False
    for value in values:
        found = _ORDERED.fullmatch(value)
        if found is None:
            continue
        first, second = int(found[1]), int(found[3])
        depends = True
        if first > 12 >= second:
            day_first = day_first or value
            proofs["day"] += 1
        elif second > 12 >= first:
            month_first = month_first or value
            proofs["month"] += 1
    if day_first and month_first:
        raise RuleError(
            f"The file mixes two date orders: '{day_first}' has the day first, '{month_first}' the month. "
            "Export it again with one date format."
        )
    if day_first:
        return DateOrder("day", f"Dates were read day first, as {proofs['day']:,} of them prove ('{day_first}').")
    if month_first:
        said = f"Dates were read month first, as {proofs['month']:,} of them prove ('{month_first}')."
        return DateOrder("month", said)
    if depends:
        return DateOrder("day", "Dates were read day first; no date in the file proves the order.")
    return None


def local_time(value: str, order: Order) -> datetime | None:
    """The date and time in `value`: naive local time, aware if it names an offset; None if it cannot be read."""
    found = _ORDERED.fullmatch(value)
    if found is not None:
        first, second = int(found[1]), int(found[3])
        day, month = (first, second) if order == "day" else (second, first)
        year, rest, offset = int(found[4]), found.groups()[4:8], None
    else:
        found = _ISO.fullmatch(value)
        if found is None:
            return None
        year, month, day = int(found[1]), int(found[3]), int(found[4])
        rest, offset = found.groups()[4:8], found[9]
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return None
    hour, minute, second = (int(part) if part else 0 for part in rest[:3])
    if rest[3]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if rest[3] in "Pp" else 0)
    try:
        read = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 (local until a zone is named)
        return datetime.fromisoformat(f"{read.isoformat()}{offset}") if offset else read
    except ValueError:
        return None


@dataclass(frozen=True)
class Moment:
    """An instant in microseconds since 1970, and whether the zone's clock change made it doubtful."""

    micros: int
    doubt: Literal["", "skipped", "twice"] = ""


def moment(local: datetime, zone: ZoneInfo) -> Moment:
    """The instant of a local time. A time the clock skipped is moved forward by the gap; of one that came twice the
    first is taken (both as Python's fold=0 says)."""
    if local.tzinfo is not None:
        return Moment((local - EPOCH) // _MICROSECOND)
    if zone.key == "UTC":
        return Moment((local - _NAIVE_EPOCH) // _MICROSECOND)
    early, late = local.replace(tzinfo=zone), local.replace(tzinfo=zone, fold=1)
    instant = early.astimezone(UTC)
    doubt: Literal["", "skipped", "twice"] = ""
    if early.utcoffset() != late.utcoffset():
        doubt = "twice" if instant.astimezone(zone).replace(tzinfo=None) == local else "skipped"
    return Moment((instant - EPOCH) // _MICROSECOND, doubt)


COLUMN_NAMES = {
    "state": "incident_state",
    "opened": "opened_at",
    "sys_updated_on": "sys_updated_at",
    "updated": "sys_updated_at",
    "updated_by": "sys_updated_by",
    "resolved": "resolved_at",
    "closed": "closed_at",
    "caller": "caller_id",
    "close_code": "closed_code",
    "configuration_item": "cmdb_ci",
    "symptom": "u_symptom",
    "resolution_notes": "close_notes",
    "problem": "problem_id",
    "change_request": "rfc",
    "channel": "contact_type",
}
"""Other names (field names and column labels of ServiceNow) -> the name used here."""


def column_name(heading: str) -> str:
    """The name a heading of a ServiceNow export stands for: 'Sys Updated On' -> 'sys_updated_at'."""
    plain = re.sub(r"[\s_]+", "_", heading.strip().lower())
    return COLUMN_NAMES.get(plain, plain)


UNTOLD_STATE = "-100"
"""What ServiceNow writes when it lost the state: the incident stays as it was."""

_STATES: dict[str, tuple[str, str | None]] = {
    "new": ("new", None),
    "1": ("new", None),
    "active": ("in_progress", None),
    "in progress": ("in_progress", None),
    "work in progress": ("in_progress", None),
    "2": ("in_progress", None),
    "assigned": ("assigned", None),
    "on hold": ("on_hold", "other"),
    "3": ("on_hold", "other"),
    "awaiting user info": ("on_hold", "reporter"),
    "awaiting caller": ("on_hold", "reporter"),
    "awaiting evidence": ("on_hold", "reporter"),
    "awaiting vendor": ("on_hold", "vendor"),
    "awaiting problem": ("on_hold", "problem"),
    "awaiting change": ("on_hold", "change"),
    "resolved": ("resolved", None),
    "recovered": ("recovered", None),
    "6": ("resolved", None),
    "closed": ("closed", None),
    "7": ("closed", None),
    "canceled": ("cancelled", None),
    "cancelled": ("cancelled", None),
    "8": ("cancelled", None),
}


def state_of(theirs: str) -> tuple[str, str | None] | None:
    """(our state, hold reason) of a ServiceNow state; None when it is not known."""
    return _STATES.get(theirs.strip().lower())


_LEVEL_WORDS = {"critical": 1, "high": 1, "medium": 2, "low": 3}
_PRIORITY_WORDS = {"critical": 1, "high": 2, "moderate": 3, "medium": 3, "low": 4, "planning": 5}


def level_of(theirs: str, *, priority: bool = False) -> int | None:
    """The number of '2 - Medium' or 'Medium': impact and urgency 1..3, priority 1..5; None when it has none."""
    plain = theirs.strip().lower()
    number = plain.split("-")[0].strip()
    if number.isascii() and number.isdigit() and 1 <= int(number) <= (5 if priority else 3):
        return int(number)
    return (_PRIORITY_WORDS if priority else _LEVEL_WORDS).get(plain)


def action_between(before: str, after: str) -> str:
    """The name of the lifecycle action that `before` -> `after` amounts to; 'change' when the state stayed.

    Imported histories may take steps the lifecycle refuses, such as resolving something unassigned.
    """
    if before == after:
        return "change"
    if before not in OPEN and after in OPEN:
        return "reopen"
    if after == "in_progress":
        return "resume" if before == "on_hold" else "acknowledge"
    return {
        "new": "reject",
        "assigned": "assign",
        "on_hold": "hold",
        "resolved": "resolve",
        "recovered": "recover",
        "closed": "close",
        "cancelled": "cancel",
    }[after]


@dataclass(frozen=True)
class Step:
    """One entry of a history: when, the state after it, and the team that then had it (None: not told)."""

    at: int
    state: str
    team: str | int | None = None


@dataclass(frozen=True)
class Course:
    """What a whole history amounts to; instants in microseconds."""

    acknowledged: int | None
    """the first moment somebody worked on it or waited for somebody: in progress or on hold"""
    resolved: int | None
    """the last step into, or within, resolved"""
    reopened: int
    """times it went from resolved or closed back to an open state; over the real log this equals its reopen_count"""
    handovers: int
    """changes from one known team to another; steps that name no team are passed over"""
    ping_pong: bool
    """came back to a team that had it before"""


def course(steps: Sequence[Step]) -> Course:
    """Count a history in the order given."""
    acknowledged = resolved = None
    reopened = handovers = 0
    ping_pong = False
    before = team = None
    had: set[str | int] = set()
    for step in steps:
        state = step.state
        if state != before:
            if acknowledged is None and state in ("in_progress", "on_hold"):
                acknowledged = step.at
            if before in ("resolved", "recovered", "closed") and state in OPEN:
                reopened += 1
            before = state
        if state == "resolved":
            resolved = step.at
        if step.team is not None and step.team != team:
            if team is not None:
                handovers += 1
                ping_pong = ping_pong or step.team in had
            had.add(step.team)
            team = step.team
    return Course(acknowledged, resolved, reopened, handovers, ping_pong)
