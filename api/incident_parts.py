"""What hangs on an incident, for programs: its timeline, the talk in its room, its updates and files."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from api import calls, cursors, files, incident_shapes
from api.calls import answer
from api.descriptions import CURSOR, KEY, LIMIT, asked, binary, changed, query
from api.incident_shapes import ENTRY, FILE, MESSAGE, UPDATE, page_of
from api.incidents import READS, Number, detail_of, limit_of, once, spelled
from api.shapes import FLAG, INSTANT, LARGEST, TEXTS, Shape, choice, whole, words
from db.commands import chat, checks, conversation, updates
from db.models import TimelineEntry
from db.queries import incidents, my_reports, references, rooms
from db.queries import updates as written
from db.queries.timeline import Entry
from rules import chat as talk
from rules.access import Actor, NotFound
from rules.errors import RuleError
from rules.timeline_kinds import ALL, GROUPS
from rules.updates import AUDIENCES, STAGES, TEXT_LIMIT, TITLE_LIMIT

WRITES = frozenset({"note", "report"})
MESSAGE_IN = Shape(
    {"text": words(talk.LONGEST), "reply_to": whole(1, LARGEST).described("The id of the message that it answers.")},
    ("text",),
)
NOTE_IN = Shape(
    {
        "text": words(checks.TEXT_LIMIT),
        "public": FLAG.described("Read by the reporter too; else only by those who work on the incident."),
    },
    ("text",),
)
UPDATE_IN = Shape(
    {
        "audience": choice(*AUDIENCES),
        "stage": choice(*STAGES),
        "text": words(TEXT_LIMIT),
        "title": words(TITLE_LIMIT).described("What the public calls it; for the public alone."),
        "next_at": INSTANT.described("When the next update comes; not with the stage 'resolved'."),
        "components": TEXTS.described("Ids of the status page's components with their states, for the public alone."),
        "corrects": whole(1, LARGEST).described("The id of the update that it corrects."),
    },
    ("audience", "stage", "text"),
)

router = APIRouter()


def _before(request: Request, of: str, kinds: str) -> Any:
    cursor = request.query_params.get("cursor")
    return cursors.read(of, cursor, kinds) if cursor else None


def _paged(name: str, told: Sequence[dict[str, Any]], of: str, place: Sequence[Any] | None) -> Response:
    return answer({name: list(told), "next": cursors.write(of, place) if place else None})


def _timeline(request: Request, number: str, db: Session, actor: Actor, _now: datetime) -> Response:
    detail, limit = detail_of(db, actor, number), limit_of(request)
    group = request.query_params.get("kinds", ALL)
    if group not in GROUPS:
        raise RuleError(f"Choose kinds among {', '.join(GROUPS)}.", field="kinds")
    of = f"timeline {detail.line.id} {group}"
    page = incidents.told(db, actor, detail, group, _before(request, of, "tn"), limit)
    entries = page.entries if incidents.works_on(actor) else map(my_reports.told, page.entries)
    return _paged("entries", [incident_shapes.entry(one) for one in entries], of, page.earlier)


@router.get(
    "/v1/incidents/{number}/timeline",
    **asked(
        "Read the timeline",
        page_of("entries", ENTRY),
        [query("kinds", {"type": "string", "enum": list(GROUPS), "default": ALL}), LIMIT, CURSOR],
    ),
)
async def timeline(number: Number, request: Request) -> Response:
    """What happened, the newest first."""
    return await calls.read(request, partial(_timeline, request, number), opened_by=READS)


def _messages(request: Request, number: str, db: Session, actor: Actor, _now: datetime) -> Response:
    incident, limit = rooms.opened(db, actor, spelled(number)), limit_of(request)
    of = f"messages {incident.id}"
    before = _before(request, of, "n")
    said, more = rooms.newest(db, incident.id, before[0] if before else None, limit)
    told = [incident_shapes.message(one, incident.number) for one in reversed(said)]
    return _paged("messages", told, of, [said[0].id] if more else None)


@router.get("/v1/incidents/{number}/messages", **asked("Read the chat", page_of("messages", MESSAGE), [LIMIT, CURSOR]))
async def messages(number: Number, request: Request) -> Response:
    """What those who work on it said to each other, the newest first."""
    return await calls.read(request, partial(_messages, request, number), opened_by=READS)


@router.post(
    "/v1/incidents/{number}/messages",
    **changed("Say something in the chat", MESSAGE_IN, MESSAGE, status=201, parameters=[KEY]),
)
async def say(number: Number, request: Request) -> Response:
    """Whoever is named with an '@' is told."""

    def work(db: Session, actor: Actor, now: datetime, given: dict[str, Any]) -> Response:
        id_ = references.incident_id(db, spelled(number))
        made = chat.say(
            db,
            id_,
            given.get("text", ""),
            reply_to=given.get("reply_to"),
            token=once(request, actor, f"message:{id_}"),
            actor=actor,
            now=now,
        )
        db.flush()
        [said], _ = rooms.newest(db, id_, made.id + 1, 1)
        return answer(incident_shapes.message(said, number), 201)

    return await calls.change(request, MESSAGE_IN, work, opened_by=WRITES)


@router.post("/v1/incidents/{number}/notes", **changed("Write on an incident", NOTE_IN, ENTRY, status=201))
async def note(number: Number, request: Request) -> Response:
    """A note for those who work on it, or a comment that its reporter reads too."""

    def work(db: Session, actor: Actor, now: datetime, given: dict[str, Any]) -> Response:
        id_ = references.incident_id(db, spelled(number))
        public, said = given.get("public", False), given.get("text", "")
        entry = conversation.comment(db, id_, said, public=public, actor=actor, now=now)
        db.flush()
        return answer(incident_shapes.entry(_entry(entry)), 201)

    return await calls.change(request, NOTE_IN, work, opened_by=WRITES)


def _entry(made: TimelineEntry) -> Entry:
    return Entry(
        made.id,
        made.incident_id,
        made.at,
        made.actor_name,
        made.kind,
        made.text,
        made.detail,
        made.changes,
        made.public,
        False,
        made.recorded_at,
    )


def _updates(request: Request, number: str, db: Session, actor: Actor, _now: datetime) -> Response:
    detail, limit = detail_of(db, actor, number), limit_of(request)
    of = f"updates {detail.line.id}"
    before = _before(request, of, "n")
    found, more = written.page(db, actor, detail, before[0] if before else None, limit)
    return _paged("updates", [incident_shapes.update(one) for one in found], of, [found[-1].id] if more else None)


@router.get("/v1/incidents/{number}/updates", **asked("Read the updates", page_of("updates", UPDATE), [LIMIT, CURSOR]))
async def told(number: Number, request: Request) -> Response:
    """What stakeholders were told, the last written first."""
    return await calls.read(request, partial(_updates, request, number), opened_by=READS)


@router.post(
    "/v1/incidents/{number}/updates",
    **changed("Write an update", UPDATE_IN, UPDATE, status=201, parameters=[KEY]),
)
async def write(number: Number, request: Request) -> Response:
    """It is published, or waits for the commander's word: see its state."""

    def work(db: Session, actor: Actor, now: datetime, given: dict[str, Any]) -> Response:
        id_ = references.incident_id(db, spelled(number))
        made = updates.write(
            db,
            id_,
            audience=given.get("audience", ""),
            stage=given.get("stage", ""),
            words=given.get("text", ""),
            title=given.get("title", ""),
            components=_components(given.get("components")),
            next_at=given.get("next_at"),
            corrects=given.get("corrects"),
            token=once(request, actor, f"update:{id_}"),
            actor=actor,
            now=now,
        )
        db.flush()
        [found], _ = written.page(db, actor, detail_of(db, actor, number), made.id + 1, 1)
        return answer(incident_shapes.update(found), 201)

    return await calls.change(request, UPDATE_IN, work, opened_by=WRITES)


def _components(given: dict[str, str] | None) -> dict[int, str] | None:
    if given is None:
        return None
    if not all(key.isascii() and key.isdigit() and len(key) < 10 for key in given):
        raise RuleError("Name components by their ids.", field="components")
    return {int(key): state for key, state in given.items()}


def _files(request: Request, number: str, db: Session, actor: Actor, _now: datetime) -> Response:
    detail, limit = detail_of(db, actor, number), limit_of(request)
    of = f"files {detail.line.id}"
    before = _before(request, of, "n")
    found, more = incidents.page_of_files(db, actor, detail, before[0] if before else 0, limit)
    told = [incident_shapes.file(row, detail.line.number) for row in found]
    return _paged("files", told, of, [found[-1].id] if more else None)


@router.get("/v1/incidents/{number}/files", **asked("List the files", page_of("files", FILE), [LIMIT, CURSOR]))
async def attached(number: Number, request: Request) -> Response:
    """The files on the incident, the first first; those of the chat are with its messages."""
    return await calls.read(request, partial(_files, request, number), opened_by=READS)


@router.get("/v1/incidents/{number}/files/{file_id}", **binary("Download a file"))
async def download(
    number: Number, file_id: Annotated[str, Path(json_schema_extra={"pattern": "^[0-9]+$"})], request: Request
) -> Response:
    """Its content, as an attachment."""

    def work(db: Session, actor: Actor, _now: datetime) -> Response:
        detail = detail_of(db, actor, number)
        known = file_id.isascii() and file_id.isdigit() and len(file_id) < 20 and int(file_id) <= files.LARGEST_ID
        if not known or not incidents.has_file(db, detail, int(file_id)):
            raise NotFound("There is no such file, or it is not open to you.")
        return files.attachment(*incidents.file_content(db, actor, int(file_id)))

    return await calls.read(request, work, opened_by=READS)
