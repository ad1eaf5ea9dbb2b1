"""Incidents and what hangs on them as programs read them, and the schemas that say so."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from api.calls import instant
from api.v1 import ERROR
from db.queries.incidents import Detail, FileRow
from db.queries.lines import Line
from db.queries.rooms import Said
from db.queries.timeline import Entry
from db.queries.updates import Written
from rules.states import ACTIONS, STATES, VERIFICATIONS
from rules.updates import AUDIENCES, STAGES

_STRING, _WHOLE, _FLAG = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}
_INSTANT = {"type": "string", "format": "date-time"}


def _or_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"anyOf": [dict(schema), {"type": "null"}]}


def _enum(options: Any) -> dict[str, Any]:
    return {"type": "string", "enum": list(options)}


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties), "required": list(properties)}


_PERSON = _object({"id": _or_null(_WHOLE), "name": _STRING})
_LEVEL = _or_null({"type": "integer", "minimum": 1, "maximum": 3})
LISTED = _object(
    {
        "number": _STRING,
        "version": _WHOLE,
        "state": _enum(STATES),
        "title": _STRING,
        "priority": _or_null({"type": "integer", "minimum": 1, "maximum": 5}),
        "affected": _STRING,
        "service": _or_null(_STRING),
        "category": _or_null(_STRING),
        "team": _or_null(_STRING),
        "assignee": _or_null(_PERSON),
        "reporter": _or_null(_PERSON),
        "people_affected": _or_null(_WHOLE),
        "major": _FLAG,
        "security": _FLAG,
        "compliance": _FLAG,
        "financial": _FLAG,
        "restricted": _FLAG,
        "imported": _FLAG,
        "hold_reason": _or_null(_STRING),
        "hold_until": _or_null(_INSTANT),
        "verification": _or_null(_enum(VERIFICATIONS)),
        "reported_at": _INSTANT,
        "changed_at": _INSTANT,
        "acknowledged_at": _or_null(_INSTANT),
        "resolved_at": _or_null(_INSTANT),
        "recovered_at": _or_null(_INSTANT),
        "response_due_at": _or_null(_INSTANT),
        "resolution_due_at": _or_null(_INSTANT),
        "url": _STRING,
    }
)
INCIDENT = _object(
    {
        **LISTED["properties"],
        "description": _STRING,
        "answers": {"type": "array", "items": _object({"question": _STRING, "answer": _STRING})},
        "scope": _or_null(_STRING),
        "effect": _or_null(_STRING),
        "impact": _LEVEL,
        "urgency": _LEVEL,
        "source": _STRING,
        "resolution_code": _or_null(_STRING),
        "resolution_note": _or_null(_STRING),
        "verification_note": _or_null(_STRING),
        "not_fixed": {**_STRING, "description": "What the reporter wrote when they said that it is not fixed."},
        "started_at": _or_null(_INSTANT),
        "detected_at": _or_null(_INSTANT),
        "verified_at": _or_null(_INSTANT),
        "closed_at": _or_null(_INSTANT),
        "first_resolution_due_at": _or_null(_INSTANT),
        "reopen_count": _WHOLE,
        "handovers": _WHOLE,
        "escalations": _WHOLE,
        "vendor_contact": _STRING,
        "vendor_reference": _STRING,
        "handover": {**_or_null(_STRING), "description": "What its team has to read before it starts work."},
        "duplicate_of": _or_null(_STRING),
        "followers": _WHOLE,
        "actions": {
            "type": "array",
            "items": _enum(ACTIONS),
            "description": "What may be done with it now, by who asks.",
        },
    }
)
_INSIDE: dict[str, Any] = {
    "priority": None,
    "impact": None,
    "urgency": None,
    "response_due_at": None,
    "resolution_due_at": None,
    "first_resolution_due_at": None,
    "handovers": 0,
    "escalations": 0,
    "vendor_contact": "",
    "vendor_reference": "",
    "handover": None,
}
"""what those outside the work do not read, as on their screens"""
ENTRY = _object(
    {
        "id": _WHOLE,
        "at": _INSTANT,
        "recorded_at": _INSTANT,
        "actor": _STRING,
        "kind": _STRING,
        "text": _STRING,
        "detail": _STRING,
        "changes": _or_null({"type": "object"}),
        "public": _FLAG,
        "imported": _FLAG,
    }
)
MESSAGE = _object(
    {
        "id": _WHOLE,
        "at": _INSTANT,
        "author": _PERSON,
        "text": _STRING,
        "edited_at": _or_null(_INSTANT),
        "retracted": _FLAG,
        "pinned": _FLAG,
        "reply_to": _or_null(_WHOLE),
        "file": _or_null(_object({"id": _WHOLE, "name": _STRING, "url": _STRING})),
    }
)
UPDATE = _object(
    {
        "id": _WHOLE,
        "audience": _enum(AUDIENCES),
        "stage": _enum(STAGES),
        "title": _STRING,
        "text": _STRING,
        "components": _or_null({"type": "object", "additionalProperties": _STRING}),
        "next_at": _or_null(_INSTANT),
        "state": _enum(("published", "waiting", "declined")),
        "author": _PERSON,
        "written_at": _INSTANT,
        "published_at": _or_null(_INSTANT),
        "corrects": _FLAG,
        "declined_why": _STRING,
        "decided_by": _or_null(_STRING),
    }
)
FILE = _object(
    {
        "id": _WHOLE,
        "name": _STRING,
        "media_type": _STRING,
        "size": _WHOLE,
        "added_at": _INSTANT,
        "url": _STRING,
    }
)
CONFLICT = {
    **ERROR,
    "properties": {
        "error": {
            **ERROR["properties"]["error"],  # type: ignore[index]
            "properties": {
                **ERROR["properties"]["error"]["properties"],  # type: ignore[index]
                "since": {
                    "type": "array",
                    "description": "What others did since the version that was sent, oldest first.",
                    "items": _object(
                        {
                            "at": _INSTANT,
                            "actor": _STRING,
                            "kind": _STRING,
                            "text": _STRING,
                            "changes": _or_null({"type": "object"}),
                        }
                    ),
                },
            },
        }
    },
}


def page_of(name: str, each: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of one page of a list."""
    cursor = {**_or_null(_STRING), "description": "For the parameter cursor of the next call; null on the last page."}
    return _object({name: {"type": "array", "items": dict(each)}, "next": cursor})


def _person(person_id: int | None, name: str | None) -> dict[str, Any] | None:
    return None if name is None else {"id": person_id, "name": name}


def listed(line: Line, *, inside: bool) -> dict[str, Any]:
    """An incident of a list. `inside`: for those who see it as those who work on it do."""
    told = {
        "number": line.number,
        "version": line.version,
        "state": line.state,
        "title": line.title,
        "priority": line.priority,
        "affected": line.affected,
        "service": line.service,
        "category": line.pair,
        "team": line.team,
        "assignee": _person(line.assignee_id, line.assignee),
        "reporter": _person(line.reporter_id, line.reporter),
        "people_affected": line.people_affected,
        **{flag: getattr(line, flag) for flag in ("major", "security", "compliance", "financial")},
        "restricted": line.restricted,
        "imported": line.imported,
        "hold_reason": line.hold_reason,
        "hold_until": instant(line.hold_until),
        "verification": line.verification,
        **{
            f"{moment}_at": instant(getattr(line, f"{moment}_at"))
            for moment in ("reported", "changed", "acknowledged", "resolved", "recovered", "response_due")
        },
        "resolution_due_at": instant(line.resolution_due_at),
        "url": f"/incident?number={quote(line.number, safe='')}",
    }
    return told if inside else told | {name: None for name in _INSIDE if name in told}


def incident(detail: Detail, *, inside: bool) -> dict[str, Any]:
    """An incident with everything that its page shows."""
    plain = (
        "description", "scope", "effect", "impact", "urgency", "source", "resolution_code", "resolution_note",
        "verification_note", "reopen_count", "handovers", "escalations", "vendor_contact", "vendor_reference",
        "duplicate_of", "followers",
    )  # fmt: skip
    moments = ("started_at", "detected_at", "verified_at", "closed_at", "first_resolution_due_at")
    told = {
        **listed(detail.line, inside=True),
        **{name: getattr(detail, name) for name in plain},
        **{name: instant(getattr(detail, name)) for name in moments},
        "answers": [{"question": question, "answer": said} for question, said in detail.answers],
        "not_fixed": detail.denied_words,
        "handover": detail.handover.summary if detail.handover else None,
        "actions": list(detail.allowed),
    }
    return told if inside else told | _INSIDE


def entry(one: Entry) -> dict[str, Any]:
    """An entry of a timeline."""
    return {
        "id": one.id,
        "at": instant(one.at),
        "recorded_at": instant(one.recorded_at),
        "actor": one.actor_name,
        "kind": one.kind,
        "text": one.text,
        "detail": one.detail,
        "changes": one.changes,
        "public": one.public,
        "imported": one.imported,
    }


def message(said: Said, number: str) -> dict[str, Any]:
    """What was said in a room; one that was taken back has no words."""
    file = None
    if said.file_id is not None:
        file = {"id": said.file_id, "name": said.file_name, "url": _file(number, said.file_id)}
    return {
        "id": said.id,
        "at": instant(said.at),
        "author": {"id": said.author_id, "name": said.author},
        "text": said.text,
        "edited_at": instant(said.edited_at),
        "retracted": said.retracted,
        "pinned": said.pinned,
        "reply_to": said.reply_to,
        "file": file,
    }


def update(written: Written) -> dict[str, Any]:
    """An update to stakeholders."""
    plain = ("id", "audience", "stage", "title", "text", "state", "corrects", "declined_why", "decided_by")
    return {
        **{name: getattr(written, name) for name in plain},
        "components": dict(written.components) if written.components is not None else None,
        "next_at": instant(written.next_at),
        "author": {"id": written.writer_id, "name": written.writer},
        "written_at": instant(written.written_at),
        "published_at": instant(written.published_at),
    }


def file(row: FileRow, number: str) -> dict[str, Any]:
    """A file on an incident; its content is at its address."""
    return {
        "id": row.id,
        "name": row.name,
        "media_type": row.media_type,
        "size": row.size,
        "added_at": instant(row.added_at),
        "url": _file(number, row.id),
    }


def _file(number: str, file_id: int) -> str:
    return f"{address(number)}/files/{file_id}"


def address(number: str) -> str:
    """Where an incident is."""
    return f"/api/v1/incidents/{quote(number, safe='')}"
