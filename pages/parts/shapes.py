"""Incidents in the shapes that the components draw: a row of a list, a card of the board, an entry of the timeline."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from db.queries import triage
from db.queries.lines import Line
from db.queries.timeline import Entry
from rules.priority import span
from rules.tiers import EXTERNAL, NAMES
from rules.timeline_kinds import HAPPENED

_ORDINALS = ("First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth", "Ninth", "Tenth")


def row(line: Line, now: datetime, zone: str, *, rank: int | None = None, action: str | None = None) -> dict[str, Any]:
    """A row with rank, priority, reason and clock: for those who work on incidents."""
    clock = line.clock(now)
    return {
        "id": line.number,
        "title": line.title,
        "rank": rank,
        "priority": line.priority,
        "explanation": line.why(now, zone),
        "meta": [part for part in (line.about, line.assignee, between(line)) if part],
        "state": line.state,
        "clock": clock.as_data() if clock else None,
        "action": action,
    }


def plain_row(line: Line, explanation: str, *, action: str | None = None) -> dict[str, Any]:
    """A row without priority and clock: for those who report."""
    return {
        "id": line.number,
        "title": line.title,
        "explanation": explanation,
        "meta": [line.about] if line.about else [],
        "state": line.state,
        "action": action,
    }


def card(line: Line, now: datetime, moves: Sequence[str]) -> dict[str, Any]:
    """A card of the board."""
    clock, age = line.clock(now), span((now - line.reported_at).total_seconds())
    return {
        "id": line.number,
        "title": line.title,
        "state": line.state,
        "service": " · ".join(part for part in (line.about, f"{age} old", between(line)) if part),
        "priority": line.priority,
        "person": line.assignee,
        "clock": clock.as_data() if clock and line.state not in ("resolved", "recovered") else None,
        "awaits": awaits(line),
        "moves": list(moves),
    }


def between(line: Line) -> str | None:
    """Where it stands between the tiers, once it has left the usual path."""
    if line.tier == EXTERNAL:
        return "with a vendor"
    return f"escalated to {NAMES[line.tier]}" if line.escalations and line.tier else None


def awaits(line: Line) -> str | None:
    """What a finished but unclosed incident waits for."""
    if line.state == "resolved":
        return "Recovery is being tested"
    if line.state != "recovered":
        return None
    return {
        "confirmed": "Confirmed; the desk closes it",
        "no_answer": "No answer; the desk closes it",
        "not_needed": "Ready to close",
    }.get(line.verification or "", "The reporter is asked")


def entries(found: Iterable[Entry]) -> list[dict[str, Any]]:
    """Timeline entries in the order given."""
    return [
        {
            "at": entry.at.isoformat(),
            "who": entry.actor_name or "Incident Desk",
            "text": entry.text,
            "detail": entry.detail or None,
            "kind": entry.kind,
            "note": _aside(entry),
        }
        for entry in found
    ]


def _aside(entry: Entry) -> str | None:
    """The small word behind an entry."""
    if entry.imported:
        return "imported"
    if entry.kind == HAPPENED:
        return "added later"
    return "internal" if entry.kind == "note" else None


def ordinal(place: int) -> str:
    """'First' .. 'Tenth', then 'Number 11'; 'Beyond number 10,000' for what lies further than is counted."""
    if place > triage.MOST:
        return f"Beyond number {triage.MOST:,}"
    return _ORDINALS[place - 1] if place <= len(_ORDINALS) else f"Number {place:,}"
