"""Who is on call, for programs and calendars: JSON, iCalendar, and each person's private feed of their own shifts."""

import hashlib
import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any, NamedTuple

from anyio import to_thread
from fastapi import APIRouter
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from api import calls
from api.descriptions import asked, binary, query
from api.v1 import Refused
from db.engine import DatabaseProblem, reading
from db.queries import oncall, schedules, sessions
from rules.access import Actor, NotFound
from rules.errors import RuleError
from rules.wall_clock import aware

PAST, AHEAD = timedelta(days=90), timedelta(days=365)
OFTEN, WITHIN_SECONDS = 60, 600.0
"""How often one feed may be asked for: calendars ask every quarter of an hour, some every minute."""
_MOST_COUNTED = 10_000
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_LARGEST_ID = 2**31 - 1
"""what a database can look for"""
_PRIVATE = {"cache-control": "private, no-store", "x-robots-tag": "noindex"}


class Entry(NamedTuple):
    """One entry of a calendar."""

    uid: str
    title: str
    start: datetime
    end: datetime


class Limit:
    """How often each key was asked for of late, in this process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counted: dict[bytes, tuple[float, int]] = {}

    def allows(self, key: bytes) -> bool:
        """Count one more; False when that is too many."""
        now = time.monotonic()
        with self._lock:
            if len(self._counted) >= _MOST_COUNTED:
                self._counted.clear()
            since, number = self._counted.get(key, (now, 0))
            if now - since > WITHIN_SECONDS:
                since, number = now, 0
            self._counted[key] = (since, number + 1)
            return number < OFTEN


_limit = Limit()


router = APIRouter()
_OPENED_BY = frozenset({"on_call"})
_PEOPLE = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["id", "name"],
        "properties": {"id": {"type": "integer"}, "name": {"type": "string"}},
    },
}
_MOMENT = {"type": "string", "format": "date-time"}
_NOW: dict[str, Any] = {
    "type": "object",
    "required": ["at", "schedules"],
    "properties": {
        "at": _MOMENT,
        "schedules": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id", "name", "team", "zone", "on_call", "until", "next"],
                "properties": {
                    "id": {"type": "integer"},
                    "name": {"type": "string"},
                    "team": {"type": ["string", "null"]},
                    "zone": {"type": "string"},
                    "on_call": _PEOPLE,
                    "until": {"anyOf": [_MOMENT, {"type": "null"}]},
                    "next": _PEOPLE,
                },
            },
        },
    },
}


@router.get(
    "/v1/oncall",
    **asked("Who is on call", _NOW, [query("at", _MOMENT, "With its offset; now, unless given.")], also=400),
)
async def who(request: Request) -> Response:
    """Who is on call on each schedule, until when, and who comes next."""

    def read(db: Session, actor: Actor, _now: datetime) -> Response:
        try:
            at = _instant(request.query_params.get("at"))
        except RuleError as error:
            raise Refused(400, "bad_request", error.sentence, error.fields) from None
        return JSONResponse(_told(db, actor, at), headers=_PRIVATE)

    return await calls.read(request, read, opened_by=_OPENED_BY)


@router.get("/v1/schedules/{id:id}.ics", **binary("A schedule as a calendar", "text/calendar", "The calendar."))
async def schedule(id: int, request: Request) -> Response:
    """Everybody's shifts on one schedule, 90 days back and a year ahead."""
    schedule_id = id

    def read(db: Session, actor: Actor, now: datetime) -> Response:
        start, end = _span(now)
        found = schedules.detail(db, actor, schedule_id, now) if schedule_id <= _LARGEST_ID else None
        if found is None:
            raise NotFound("There is no such schedule.")
        shifts = oncall.shifts(db, schedule_id, start, end)
        names = oncall.names(db, {int(shift.person) for shift in shifts})
        entries = [
            Entry(
                _uid(schedule_id, shift.person, shift.start),
                f"{names[int(shift.person)]} · {found.name}",
                shift.start,
                shift.end,
            )
            for shift in shifts
        ]
        return _calendar(request, f"On call: {found.name}", entries, now)

    return await calls.read(request, read, opened_by=_OPENED_BY)


async def feed(request: Request) -> Response:
    """GET /calendar/{token}.ics: one's own shifts, without signing in. Who knows the address reads it."""
    token = request.path_params["token"]
    if not _TOKEN.fullmatch(token):
        return _nothing()
    if not _limit.allows(sessions.hashed(token)):
        return PlainTextResponse("Asked for too often. Try again later.", 429, {"retry-after": "600"})
    now = datetime.now(UTC)
    try:
        entries = await to_thread.run_sync(_own, token, now)
    except DatabaseProblem as problem:
        return PlainTextResponse(problem.sentence, 503)
    return _calendar(request, "On call", entries, now) if entries is not None else _nothing()


def _own(token: str, now: datetime) -> list[Entry] | None:
    with reading() as db:
        person_id = oncall.feed_holder(db, token)
        if person_id is None:
            return None
        return [
            Entry(
                _uid(shift.schedule_id, str(person_id), shift.start),
                f"On call: {shift.schedule}",
                shift.start,
                shift.end,
            )
            for shift in oncall.my_shifts(db, person_id, *_span(now))
        ]


def _told(db: Any, actor: Actor, at: datetime) -> dict[str, Any]:
    return {
        "at": at.isoformat(),
        "schedules": [
            {
                "id": one.id,
                "name": one.name,
                "team": one.team,
                "zone": one.zone,
                "on_call": [{"id": person.id, "name": person.name} for person in one.people],
                "until": one.until.isoformat() if one.until else None,
                "next": [{"id": person.id, "name": person.name} for person in one.following],
            }
            for one in oncall.now_and_next(db, actor, at)
        ],
    }


def _instant(written: str | None) -> datetime:
    if not written:
        return datetime.now(UTC)
    try:
        return aware(datetime.fromisoformat(written.replace(" ", "+")))  # a plus sign in an address is a blank
    except ValueError:
        raise RuleError("Write at as 2026-11-23T09:00:00+01:00, with its offset.", field="at") from None


def _span(now: datetime) -> tuple[datetime, datetime]:
    """From 90 days back to a year ahead, whole months: an entry cut by the edge keeps its name for a month."""
    first, last = now - PAST, now + AHEAD + timedelta(days=31)
    return tuple(  # type: ignore[return-value]
        one.replace(day=1, hour=0, minute=0, second=0, microsecond=0) for one in (first, last)
    )


def _uid(schedule_id: int, person: str, start: datetime) -> str:
    """The same for the same turn, however often it is asked for."""
    return f"oncall-{schedule_id}-{person}-{int(start.timestamp())}@incident-desk"


def _calendar(request: Request, name: str, entries: Sequence[Entry], now: datetime) -> Response:
    etag = f'"{hashlib.sha256(repr((name, entries)).encode()).hexdigest()[:32]}"'
    headers = _PRIVATE | {"etag": etag, "content-disposition": 'inline; filename="on-call.ics"'}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    from icalendar import Calendar, Event  # for those who ask for a calendar alone

    made = Calendar()
    made.add("prodid", "-//Incident Desk//On-call//EN")
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    made.add("x-wr-calname", name)
    made.add("refresh-interval", timedelta(hours=1), parameters={"VALUE": "DURATION"})
    for entry in entries:
        event = Event()
        event.add("uid", entry.uid)
        event.add("dtstamp", now.replace(microsecond=0))
        event.add("dtstart", entry.start)
        event.add("dtend", entry.end)
        event.add("summary", entry.title)
        event.add("transp", "TRANSPARENT")
        made.add_component(event)
    return Response(made.to_ical(), media_type="text/calendar", headers=headers)


def _nothing() -> Response:
    return PlainTextResponse("There is no such calendar. Make a new address on the page On-call.", 404)


routes = [Route("/calendar/{token}.ics", feed)]
