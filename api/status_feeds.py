"""What is published, for programs: JSON and Atom."""

import hashlib
import hmac
import json
import uuid
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from db.queries.published_windows import Planned
from db.queries.status_page import Board, Told
from db.settings import settings
from rules.status_page import COMPLETED, IN_PROGRESS, LABELS, SCHEDULED, headline, worst
from rules.updates import STAGES

WORDS = {"scheduled": SCHEDULED, "in_progress": IN_PROGRESS, "completed": COMPLETED}
MOST_ENTRIES = 50
_FRESH = '{"stale":false'


def as_json(board: Board) -> bytes:
    """The page as one object; `stale` comes first, so that `stale_json` finds it."""
    states = [each.state for each in board.components]
    told: dict[str, Any] = {
        "stale": False,
        "name": board.name,
        "state": worst(states),
        "headline": headline(states),
        "zone": board.zone,
        "components": [
            {
                "id": each.id,
                "group": each.group,
                "name": each.name,
                "description": each.description,
                "state": each.state,
                "uptime": None if each.history.uptime is None else round(each.history.uptime * 100, 3),
                "days": [
                    {"date": day.date.isoformat(), "state": day.state, "outage_seconds": day.down}
                    for day in each.history.days
                    if day.state not in (None, "operational")
                ],
                "since": next((day.date.isoformat() for day in each.history.days if day.state is not None), None),
            }
            for each in board.components
        ],
        "incidents": [_incident(each) for each in (*board.going_on, *board.past)],
        "postmortems": [
            {
                "incident": {"id": each.incident_id, "title": each.incident_title},
                "title": each.lesson.title,
                "text": each.lesson.words,
                "published_at": _instant(each.lesson.at),
            }
            for each in board.learned
        ],
        "maintenance": [_maintenance(each) for each in (*board.maintenance, *board.completed)],
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def stale_json(body: bytes, made_at: datetime) -> bytes:
    """The same, saying that it could not be brought up to date since `made_at`."""
    said = f'{{"stale":true,"as_of":"{_instant(made_at)}"'
    return said.encode() + body.removeprefix(_FRESH.encode())


def _incident(told: Told) -> dict[str, Any]:
    return {
        "id": told.id,
        "title": told.title,
        "stage": told.stage,
        "began_at": _instant(told.began_at),
        "ended_at": _instant(told.ended_at),
        "components": [{"id": each.id, "name": each.name, "state": each.state} for each in told.components],
        "updates": [
            {"at": _instant(note.at), "stage": note.stage, "text": note.text, "correction": note.correction}
            for note in told.notes
        ],
        "updates_in_all": told.notes_in_all,
    }


def _maintenance(each: Planned) -> dict[str, Any]:
    return {
        "title": each.title,
        "words": each.words,
        "state": each.state,
        "starts_at": _instant(each.start),
        "ends_at": _instant(each.end),
        "next": [{"starts_at": _instant(start), "ends_at": _instant(end)} for start, end in each.coming],
        "components": [{"id": id_, "name": name} for id_, name in each.components.items()],
    }


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def as_atom(board: Board) -> bytes:
    """The updates and the maintenance of the page, and what was learned, newest first."""
    base = settings().base_url.rstrip("/")
    entries = [
        (note.at, f"{told.title}: {STAGES[note.stage]}", _said(told, note.text, note.correction), note.key,
         f"{base}/status/incidents/{told.id}")
        for told in (*board.going_on, *board.past)
        for note in told.notes
    ] + [
        (_told_at(each), f"{each.title}: {WORDS[each.state]}", _planned(each), each.key, f"{base}/status")
        for each in (*board.maintenance, *board.completed)
    ] + [
        (each.lesson.at, f"{each.incident_title}: What we learned", f"{each.lesson.title}\n\n{each.lesson.words}",
         each.key, f"{base}/status/incidents/{each.incident_id}")
        for each in board.learned
    ]  # fmt: skip
    entries.sort(key=lambda entry: (entry[0], entry[3]), reverse=True)
    newest = entries[0][0] if entries else datetime(2000, 1, 1, tzinfo=UTC)
    parts = [
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">',
        f"<title>{escape(_xml(board.name))}</title><id>{_urn('feed')}</id><updated>{_instant(newest)}</updated>",
        f"<author><name>{escape(_xml(board.name))}</name></author>",
        f'<link href={quoteattr(base + "/status")}/><link rel="self" href={quoteattr(base + "/status.atom")}/>',
    ]
    for at, title, words, key, link in entries[:MOST_ENTRIES]:
        parts.append(
            f"<entry><title>{escape(_xml(title))}</title><id>{_urn(key)}</id><updated>{_instant(at)}</updated>"
            f'<link href={quoteattr(link)}/><content type="text">{escape(_xml(words))}</content></entry>'
        )
    return ("\n".join(parts) + "\n</feed>\n").encode()


def _said(told: Told, words: str, correction: bool) -> str:
    states = ", ".join(f"{each.name}: {LABELS[each.state]}" for each in told.components)
    text = f"Correction: {words}" if correction else words
    return f"{text}\n\n{states}" if states and told.ended_at is None else text


def _planned(each: Planned) -> str:
    when = f"{_instant(each.start)} – {_instant(each.end)}"
    return "\n\n".join(part for part in (each.words, when, ", ".join(each.components.values())) if part)


def _told_at(each: Planned) -> datetime:
    return {"scheduled": each.published_at, "in_progress": each.start, "completed": each.end}[each.state]


def _xml(words: str) -> str:
    """Without what no XML may hold, wherever it came from."""
    return "".join(
        each if each in "\t\n\r" or "\x20" <= each <= "\ud7ff" or "\ue000" <= each <= "\ufffd" or each > "\uffff"
        else "\ufffd"
        for each in words
    )  # fmt: skip


def _urn(key: str) -> str:
    """An id that is this installation's, stays, and tells nothing of ours."""
    made = hmac.new(settings().secret(), f"status feed:{key}".encode(), hashlib.sha256).digest()
    return f"urn:uuid:{uuid.UUID(bytes=made[:16], version=4)}"
