"""Lengths of time and hours of a day as people type them, and back, exactly."""

import re
from collections.abc import Mapping, Sequence
from datetime import date

from rules.errors import RuleError

_UNITS = {"d": 86_400, "h": 3600, "min": 60, "m": 60, "s": 1}
_PART = re.compile(r"(\d{1,6})\s*(d|h|min|m|s)(?![a-z])", re.IGNORECASE)
_NOTHING = {"", "0", "none", "-"}
_SPAN = re.compile(r"(\d{1,2}):?(\d{2})?\s*(?:-|–|to)\s*(\d{1,2}):?(\d{2})?")
_CLOSED = {"", "closed", "shut", "-", "–"}


def seconds_of(text: str, field: str, *, days: bool = True, nothing: bool = False) -> int:
    """Seconds of '4 h', '1 h 30 min' or '5 d'. RuleError with `field` when it is no length of time.

    `days` False refuses days: a day of business time is not a day. `nothing` lets '' and '0' be 0.
    """
    typed = text.strip()
    if typed.lower() in _NOTHING and nothing:
        return 0
    units = "days, hours or minutes, such as 5 d or 6 h" if days else "hours and minutes, such as 4 h or 1 h 30 min"
    refused = RuleError(f"Write it in {units}.", field=field)
    rest, total = typed, 0
    while rest:
        found = _PART.match(rest)
        if found is None or (found[2].lower() == "d" and not days):
            raise refused
        total += int(found[1]) * _UNITS[found[2].lower()]
        rest = rest[found.end() :].strip(" ,")
    if not typed:
        raise refused
    return total


def exact(seconds: int, *, days: bool = True) -> str:
    """'1 d 12 h', '36 h' without `days`, '90 s' of what is no whole minute; '0' for nothing."""
    parts = []
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        if unit == "d" and not days:
            continue
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts) or "0"


def spans_of(text: str, field: str) -> list[list[str]]:
    """[["09:00", "12:00"], ["13:00", "17:00"]] of '9-12, 13:00-17:00', in order; [] of '' and 'closed'."""
    if text.strip().lower() in _CLOSED:
        return []
    spans = []
    for part in text.split(","):
        found = _SPAN.fullmatch(part.strip())
        if found is None:
            raise RuleError("Write hours as 09:00-17:00, with a comma between two spans; empty is closed.", field=field)
        spans.append([f"{int(found[at]):02d}:{found[at + 1] or '00'}" for at in (1, 3)])
    return sorted(spans)


def spans_words(spans: Sequence[Sequence[str]]) -> str:
    """'09:00-12:00, 13:00-17:00'; '' when it is closed."""
    return ", ".join(f"{opens}-{shuts}" for opens, shuts in spans)


def days_of(text: str, field: str) -> tuple[list[str], dict[str, list[list[str]]]]:
    """Closed dates, and date -> hours, of lines such as '2026-12-24 closed' and '2026-12-31 09:00-12:00'."""
    closed: list[str] = []
    exceptions: dict[str, list[list[str]]] = {}
    for line in filter(None, (line.strip() for line in text.splitlines())):
        typed, _, hours = line.partition(" ")
        try:
            day = date.fromisoformat(typed.rstrip(":")).isoformat()
        except ValueError:
            raise RuleError(
                f"'{line[:40]}' is no day. Write one a line, such as 2026-12-24 closed.", field=field
            ) from None
        if day in closed or day in exceptions:
            raise RuleError(f"{day} is there twice. Keep one line for each date.", field=field)
        spans = spans_of(hours, field)
        if spans:
            exceptions[day] = spans
        else:
            closed.append(day)
    return sorted(closed), dict(sorted(exceptions.items()))


def days_words(closed: Sequence[str], exceptions: Mapping[str, Sequence[Sequence[str]]]) -> str:
    """The same as lines, in order of date."""
    lines = {day: f"{day} closed" for day in closed}
    lines |= {day: f"{day} {spans_words(spans) or 'closed'}" for day, spans in exceptions.items()}
    return "\n".join(lines[day] for day in sorted(lines))
