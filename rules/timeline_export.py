"""The timeline of an incident as a file: Markdown to read, CSV for a spreadsheet, JSON for programs."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from rules.cells import defused
from rules.markdown_text import plain, quoted

TYPES = {"md": "text/markdown", "csv": "text/csv", "json": "application/json"}
"""ending of the file -> its media type"""
LATER = timedelta(minutes=1)
"""What was written down more than this after it happened says so."""
_COLUMNS = ("at", "recorded_at", "who", "kind", "what", "words", "public", "imported")


@dataclass(frozen=True)
class Entry:
    """One thing that happened."""

    at: datetime
    recorded_at: datetime
    who: str
    kind: str
    what: str
    words: str
    changes: Mapping[str, Any] | None
    public: bool
    imported: bool


def written(form: str, number: str, title: str, entries: Sequence[Entry], zone: tzinfo, now: datetime) -> str:
    """The file in one of the forms of TYPES. `entries` oldest first; `zone` is the reader's."""
    if form == "csv":
        return as_csv(entries)
    if form == "json":
        return as_json(number, title, entries, now)
    return as_markdown(number, title, entries, zone, now)


def as_markdown(number: str, title: str, entries: Sequence[Entry], zone: tzinfo, now: datetime) -> str:
    """A list with a heading for each day. What people wrote stands as they wrote it, and links or loads nothing."""
    count = f"{len(entries)} entr{'y' if len(entries) == 1 else 'ies'}"
    lines = [
        f"# {plain(number)}: {plain(title)}",
        "",
        f"Timeline, {count}, oldest first. Written {_clock(now, zone)} ({_utc(now)}).",
    ]
    day = None
    for entry in entries:
        local = entry.at.astimezone(zone)
        if local.date() != day:
            day = local.date()
            lines += ["", f"## {local:%A} {local.day} {local:%B %Y}", ""]
        late = f", written down {_utc(entry.recorded_at)}" if entry.recorded_at - entry.at > LATER else ""
        who = plain(entry.who) or "Incident Desk"
        lines.append(f"- {local:%H:%M:%S %Z} ({_utc(entry.at)}) **{who}** {plain(entry.what)}{late}")
        if entry.words:
            lines += ["", *(f"  {line}" for line in quoted(entry.words).split("\n")), ""]
    return "\n".join(lines) + "\n"


def as_csv(entries: Sequence[Entry]) -> str:
    """One row an entry, times in UTC; no cell is taken for a formula."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(_COLUMNS)
    for entry in entries:
        row = _row(entry)
        rows.writerow([defused(str(row[name])) for name in _COLUMNS])
    return out.getvalue()


def as_json(number: str, title: str, entries: Sequence[Entry], now: datetime) -> str:
    """Everything, with the values that each entry changed: field -> [before, after]."""
    whole = {
        "incident": number,
        "title": title,
        "written_at": _utc(now),
        "entries": [_row(entry) | {"changes": entry.changes} for entry in entries],
    }
    return json.dumps(whole, ensure_ascii=False, indent=2) + "\n"


def _row(entry: Entry) -> dict[str, Any]:
    return {
        "at": _utc(entry.at),
        "recorded_at": _utc(entry.recorded_at),
        "who": entry.who or "Incident Desk",
        "kind": entry.kind,
        "what": entry.what,
        "words": entry.words,
        "public": entry.public,
        "imported": entry.imported,
    }


def _utc(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _clock(instant: datetime, zone: tzinfo) -> str:
    at = instant.astimezone(zone)
    return f"{at.day} {at:%b %Y %H:%M %Z}"
