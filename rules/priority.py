"""Priority from impact and urgency, and rank: the place among all open incidents."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from rules.errors import RuleError

Matrix = Mapping[tuple[int, int], int]
"""(impact, urgency) -> priority; impact and urgency 1 high .. 3 low, priority 1 critical .. 5 planning."""

DEFAULT: Matrix = {(1, 1): 1, (1, 2): 2, (2, 1): 2, (1, 3): 3, (2, 2): 3, (3, 1): 3, (2, 3): 4, (3, 2): 4, (3, 3): 5}
LABELS = {1: "Critical", 2: "High", 3: "Moderate", 4: "Low", 5: "Planning"}
LEVELS = {1: "High", 2: "Medium", 3: "Low"}
SCOPES = {"me": "Only me", "team": "My team", "site": "A whole site or department", "everyone": "Everyone"}
EFFECTS = {"some": "Yes, with some trouble", "partly": "Only partly", "stopped": "No, work has stopped"}
_SCOPE_PEOPLE = {"me": 1, "team": 8, "site": 100, "everyone": 500}


@dataclass(frozen=True)
class HeadStarts:
    """How far ahead of its due time an incident ranks; seconds. Defaults from the design, changeable in settings."""

    major: int = 365 * 86_400
    priority: Mapping[int, int] = field(default_factory=lambda: {1: 30 * 86_400, 2: 5 * 86_400, 3: 86_400})
    risk: int = 86_400
    """for each of security, compliance and financial risk"""
    people: int = 6 * 3600
    """times log10 of the number of people affected"""


HEAD_STARTS = HeadStarts()
RISKS = {"security": "a security risk", "compliance": "a compliance risk", "financial": "a financial risk"}


@dataclass(frozen=True)
class Merits:
    """What moves an incident ahead in the queue."""

    priority: int
    major: bool = False
    risks: tuple[str, ...] = ()
    """keys of RISKS"""
    people: int | None = None
    pin_seconds: int = 0
    """a lead's pin: positive ahead, negative back"""


def priority(impact: int, urgency: int, matrix: Matrix = DEFAULT) -> int:
    """Priority 1 (critical) to 5 (planning) of impact and urgency, each 1 (high) to 3 (low)."""
    for name, value in (("impact", impact), ("urgency", urgency)):
        if isinstance(value, bool) or value not in (1, 2, 3):
            raise RuleError(f"Choose {name} from 1 (high) to 3 (low).", field=name)
    try:
        result = matrix[impact, urgency]
    except KeyError:
        raise RuleError(f"The matrix has no priority for impact {impact} and urgency {urgency}.") from None
    if isinstance(result, bool) or result not in LABELS:
        raise RuleError("A priority is a number from 1 (critical) to 5 (planning).")
    return result


def suggested(scope: str | None, effect: str | None, service_impact: int | None = None) -> tuple[int, int]:
    """(impact, urgency) suggested by what the reporter said; a lead confirms or changes it.

    Scope is who is affected (key of SCOPES), effect whether one can still work (key of EFFECTS).
    """
    impact = {"everyone": 1, "site": 1, "team": 2, "me": 3}.get(scope or "", service_impact or 2)
    if service_impact is not None and scope in ("site", "everyone"):
        impact = min(impact, service_impact)
    urgency = {"stopped": 1, "partly": 2, "some": 3}.get(effect or "", 2)
    return impact, urgency


def people_of(scope: str | None) -> int | None:
    """How many people a reporter's answer stands for until somebody counts; None when unknown."""
    return _SCOPE_PEOPLE.get(scope or "")


def ahead(merits: Merits, starts: HeadStarts = HEAD_STARTS) -> list[tuple[int, str]]:
    """The head starts in seconds, each with its reason in words, in the order they are told."""
    found: list[tuple[int, str]] = []
    if merits.major:
        found.append((starts.major, "as a major incident"))
    by_priority = starts.priority.get(merits.priority, 0)
    if by_priority:
        found.append((by_priority, f"as P{merits.priority}"))
    for risk in merits.risks:
        if risk not in RISKS:
            raise RuleError(f"Choose risks from {', '.join(RISKS)}.")
        found.append((starts.risk, f"for {RISKS[risk]}"))
    if merits.people and merits.people > 1:
        found.append((round(starts.people * math.log10(merits.people)), f"for {merits.people:,} people"))
    if merits.pin_seconds:
        found.append((merits.pin_seconds, "pinned by a lead"))
    return found


def rank_at(due: datetime, merits: Merits, starts: HeadStarts = HEAD_STARTS) -> datetime:
    """Resolution due time minus all head starts; the smaller, the earlier it is worked on. Aware in, same zone out."""
    if due.tzinfo is None:
        raise RuleError("A due time needs a zone.")
    total = sum(seconds for seconds, _ in ahead(merits, starts))
    try:
        return due - timedelta(seconds=total)
    except OverflowError:
        raise RuleError("The due time is too far away to rank.") from None


def explain(
    due: datetime,
    merits: Merits,
    now: datetime,
    zone: str = "UTC",
    starts: HeadStarts = HEAD_STARTS,
    *,
    waiting: str | None = None,
) -> str:
    """One sentence that says why it stands where it stands: 'Due Tue 14:00; 5 d ahead as P2, 12 h for 100 people.'

    `waiting` (a phrase such as 'Waiting for a vendor') is told instead of the due time for what is on hold.
    """
    if waiting:
        return f"{waiting}; ranks after everything active."
    reasons = [(seconds, why) for seconds, why in ahead(merits, starts) if seconds]
    parts = []
    for position, (seconds, why) in enumerate(reasons):
        direction = (" ahead" if seconds > 0 else " back") if position == 0 or seconds < 0 else ""
        parts.append(f"{span(abs(seconds))}{direction} {why}")
    told = ", ".join(parts) if parts else f"no head start as P{merits.priority}"
    return f"{due_words(due, now, zone)}; {told}."


def behind(due: datetime, merits: Merits, other_due: datetime, other: Merits, starts: HeadStarts = HEAD_STARTS) -> str:
    """Why an incident stands behind its neighbour, the strongest reason first: 'it has 4 d more as P2'.

    The phrase follows the neighbour's number. Both are active; the neighbour's rank_at is not the later one.
    """
    ours, theirs = dict(_kinds(merits, starts)), dict(_kinds(other, starts))
    leads = {kind: theirs.get(kind, (0, ""))[0] - ours.get(kind, (0, ""))[0] for kind in ours | theirs}
    leads["due"] = round((due - other_due).total_seconds())
    kind, lead = max(leads.items(), key=lambda item: item[1])
    if lead <= 0:
        return "it was reported first"
    if kind == "due":
        return f"it is due {span(lead)} earlier"
    if kind in theirs and theirs[kind][0] > 0:
        return f"it has {span(lead)} more {theirs[kind][1]}"
    return f"this one is {span(-ours[kind][0])} back, {ours[kind][1]}"


def _kinds(merits: Merits, starts: HeadStarts) -> list[tuple[str, tuple[int, str]]]:
    """Kind -> head start with its reason; what is of one kind is compared with one another."""
    found = []
    for seconds, why in ahead(merits, starts):
        kind = "priority" if why.startswith("as P") else "people" if why.endswith(" people") else why
        found.append((kind, (seconds, why)))
    return found


def due_words(due: datetime, now: datetime, zone: str = "UTC") -> str:
    """'Due today 21:02', 'Due Tue 14:00' or 'Due 3 Dec 2026 14:00' in the zone."""
    local, today = due.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone)).date()
    days = (local.date() - today).days
    if days == 0:
        day = "today"
    elif days == 1:
        day = "tomorrow"
    elif 1 < days < 7:
        day = f"{local:%a}"
    else:
        day = f"{local.day} {local:%b}" + (f" {local.year}" if local.year != today.year else "")
    return f"Due {day} {local:%H:%M}"


def span(seconds: float) -> str:
    """A length of time in its one or two largest units: '5 d', '1 d 13 h', '12 h', '8 min'."""
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{max(minutes, 0)} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 10 and minutes:
        return f"{hours} h {minutes:02d} min"
    if hours < 24:
        return f"{hours} h"
    days, hours = divmod(round(seconds / 3600), 24)
    return f"{days} d {hours} h" if hours and days < 10 else f"{days} d"
