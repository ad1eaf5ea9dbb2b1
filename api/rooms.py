"""The live side of an incident's room: what is said, who is there, and that something has changed.

A page holds one event stream. What it has seen it says by `turn` and `mark`, so that one that was cut off hears what it
missed. Every call asks whether its session and its right to read the incident still stand.
"""

import asyncio
import json
import os
import socket
import threading
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from anyio import to_thread
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from api import forms
from db.commands import chat, presence
from db.engine import DatabaseProblem, engine, reading, writing
from db.models import Message
from db.queries import rooms, sessions
from db.settings import settings
from rules.access import Actor
from rules.errors import RuleError

ASKS_EVERY = 20.0
"""seconds after which a quiet stream says that it lives; before it says anything, it asks whether it still may"""
BEATS_EVERY = 20.0
LARGEST_ID = 2**53
PLACE = f"{socket.gethostname()[:80]}:{os.getpid()}"
_ABSENT = "There is no such room, or it is not open to you. Your words are still here; sign in again to send them."
_HEADERS = {"cache-control": "private, no-store", "x-accel-buffering": "no"}


@dataclass(frozen=True)
class News:
    """What the ear of the bell tells of one incident, made once for all who look on."""

    mark: rooms.Mark
    since: int
    """`said` holds everything after this turn"""
    said: str


class Rooms:
    """Who looks on in this process, and what they were told last."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._order = threading.Lock()
        """who comes and goes is written down in the order in which it happens"""
        self._told: dict[int, int] = {}
        self._tabs: dict[tuple[int, int], int] = {}
        self._beating = False
        self.wakes: set[Callable[[], object]] = set()
        """of every open stream: looks anew what there is to tell, and whether it is to end"""

    def read(self, db: Session, ids: Collection[int]) -> Mapping[int, News]:
        """The marks of these incidents, and what was said in them since they were last read."""
        news = {}
        for incident_id, mark in rooms.marks(db, ids, _now()).items():
            since = self._told.get(incident_id, mark.turn)
            said = rooms.since(db, incident_id, since) if mark.turn > since else []
            news[incident_id] = News(mark, since if said is not None else -1, _json(said or []))
            self._told[incident_id] = mark.turn
        return news

    def begin(self, incident_id: int, turn: int) -> None:
        """Somebody has seen everything up to `turn`: what comes after it is read once for all."""
        self._told.setdefault(incident_id, turn)

    def enter(self, incident_id: int, person_id: int) -> None:
        """One more tab; the first is told to everyone."""
        with self._order:
            with self._guard:
                self._tabs[incident_id, person_id] = tabs = self._tabs.get((incident_id, person_id), 0) + 1
                if not self._beating:
                    self._beating = True
                    threading.Thread(target=self._beat, name="presence", daemon=True).start()
            if tabs == 1:
                with writing() as db:
                    presence.arrive(db, incident_id, person_id, PLACE, _now())

    def leave(self, incident_id: int, person_id: int) -> None:
        """One tab less; when it was the last, they are gone."""
        with self._order:
            with self._guard:
                self._tabs[incident_id, person_id] -= 1
                last = self._tabs[incident_id, person_id] == 0
                if last:
                    del self._tabs[incident_id, person_id]
            if last:
                with writing() as db:
                    presence.leave(db, incident_id, person_id, PLACE)

    def _beat(self) -> None:
        """Say that those who are here still are, until nobody is."""
        while not _stopping.wait(BEATS_EVERY):
            with self._guard:
                if not self._tabs:
                    self._beating = False
                    return
            try:
                with writing() as db:
                    left = presence.stay(db, PLACE, _now())
                engine().info["bell"].ring(left)  # type: ignore[attr-defined]
            except DatabaseProblem:
                continue


_stopping = threading.Event()
_rooms = Rooms()


def _now() -> datetime:
    return datetime.now(UTC)


def stop() -> None:
    """The process is to end, and its server waits for every answer: streams end now, and beats too."""
    _stopping.set()
    for wake in list(_rooms.wakes):
        wake()


def _json(said: Collection[rooms.Said]) -> str:
    return json.dumps([_drawn(each) for each in said], ensure_ascii=False)


def _drawn(said: rooms.Said) -> dict[str, Any]:
    return {
        "id": said.id,
        "at": said.at.isoformat(),
        "who": said.author,
        "by": said.author_id,
        "text": said.text,
        "edited": said.edited_at.isoformat() if said.edited_at else None,
        "gone": said.retracted,
        "pinned": said.pinned,
        "task": said.task,
        "reply": {"id": said.reply_to, "who": said.reply_author, "text": said.reply_text} if said.reply_to else None,
        "file": {"id": said.file_id, "name": said.file_name, "picture": said.picture} if said.file_id else None,
    }


@dataclass(frozen=True)
class Opened:
    """What a person finds who opens the room."""

    incident_id: int
    actor: Actor
    mark: rooms.Mark
    said: tuple[rooms.Said, ...]
    earlier: bool
    since: int
    """-1: `said` is the newest page, and what is shown is to be thrown away"""


def _open(token: str, number: str, turn: int) -> Opened | None:
    """None when the room is not open to whoever holds the session. What was said after `turn`, or the newest page."""
    try:
        with reading() as db:
            actor = sessions.actor_of(db, token, _now())
            if actor is None:
                return None
            incident = rooms.opened(db, actor, number)
            mark = rooms.marks(db, [incident.id], _now())[incident.id]
            said, earlier, since = None, False, turn
            if 0 <= turn <= mark.turn:
                said = rooms.since(db, incident.id, turn)
            if said is None:
                (said, earlier), since = rooms.newest(db, incident.id), -1
            return Opened(incident.id, actor, mark, tuple(said), earlier, since)
    except RuleError:
        return None


def _token(request: Request) -> str:
    return request.cookies.get(settings().cookie, "")


def _refused(sentence: str, status: int) -> Response:
    return JSONResponse({"error": sentence}, status, headers=_HEADERS)


async def live(request: Request) -> Response:
    """The stream: `said` with messages, `here` with names, `change` when the incident itself has changed."""
    number, token = request.path_params["number"], _token(request)
    seen = request.headers.get("last-event-id") or request.query_params.get("turn", "")
    turn = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 12 else -1
    try:
        opened = await to_thread.run_sync(_open, token, number, turn)
    except DatabaseProblem as problem:
        return _refused(problem.sentence, 503)
    if opened is None:
        return _refused(_ABSENT, 404)
    shown = request.query_params.get("mark", "")[:40]
    stream = _stream(opened.incident_id, opened.actor.id, token, number, turn, shown)
    return StreamingResponse(stream, media_type="text/event-stream", headers=_HEADERS)


async def _stream(
    incident_id: int, person_id: int, token: str, number: str, turn: int, shown: str
) -> AsyncIterator[str]:
    loop, rung, heard = asyncio.get_running_loop(), asyncio.Event(), list[News]()
    last: rooms.Mark | None = None

    def ring(news: News) -> None:
        if news.mark != last:
            heard.append(news)
            loop.call_soon_threadsafe(rung.set)

    wake = partial(loop.call_soon_threadsafe, rung.set)
    bell = engine().info["bell"]  # type: ignore[attr-defined]
    bell.read = _rooms.read
    with bell.heard(incident_id, ring):
        _rooms.wakes.add(wake)
        try:
            await to_thread.run_sync(_rooms.enter, incident_id, person_id)
            # Read after listening has begun: nothing falls between.
            opened = await to_thread.run_sync(_open, token, number, turn)
            if opened is None:
                return
            yield _event("said", _page(opened), opened.mark.turn)
            yield _event("here", json.dumps(opened.mark.here))
            if opened.mark.incident != shown:
                yield _event("change", json.dumps(opened.mark.incident))
            turn, last = opened.mark.turn, opened.mark
            _rooms.begin(incident_id, turn)
            while not _stopping.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(rung.wait(), ASKS_EVERY)
                rung.clear()
                news, heard[:] = list(heard), []
                if not await to_thread.run_sync(_may, token, number):
                    return
                if not news:
                    yield _event("alive", "0")
                for each in news:
                    if each.mark.turn > turn:
                        if 0 <= each.since <= turn:
                            said = f'{{"said": {each.said}}}'
                        else:
                            missed = await to_thread.run_sync(_open, token, number, turn)
                            if missed is None:
                                return
                            said = _page(missed)
                        yield _event("said", said, each.mark.turn)
                        turn = each.mark.turn
                    if each.mark.here != last.here:
                        yield _event("here", json.dumps(each.mark.here))
                    if each.mark.incident != last.incident:
                        yield _event("change", json.dumps(each.mark.incident))
                    last = each.mark
        except DatabaseProblem:
            return  # the page asks again until there is an answer
        finally:
            _rooms.wakes.discard(wake)
            await _left(incident_id, person_id)


def _may(token: str, number: str) -> bool:
    """Whether the session still stands, and its person may still be in the room."""
    with reading() as db:
        actor = sessions.actor_of(db, token, _now())
        if actor is None:
            return False
        try:
            rooms.opened(db, actor, number)
        except RuleError:
            return False
        return True


async def _left(incident_id: int, person_id: int) -> None:
    """Also when the stream was cut off in the middle: the thread goes on by itself."""
    await asyncio.shield(asyncio.get_running_loop().run_in_executor(None, _leave, incident_id, person_id))


def _leave(incident_id: int, person_id: int) -> None:
    try:
        _rooms.leave(incident_id, person_id)
    except DatabaseProblem:
        return  # nobody beats for them any more, so they fall away by themselves


def _page(opened: Opened) -> str:
    whole = {"whole": True, "earlier": opened.earlier} if opened.since < 0 else {}
    return json.dumps({"said": [_drawn(each) for each in opened.said]} | whole, ensure_ascii=False)


def _event(name: str, data: str, turn: int | None = None) -> str:
    told = f"event: {name}\ndata: {data}\n\n"
    return told if turn is None else f"id: {turn}\n{told}"


def _look(token: str, number: str, before: int | None, words: str) -> Response:
    with reading() as db:
        actor = sessions.actor_of(db, token, _now())
        if actor is None:
            return _refused(_ABSENT, 401)
        incident = rooms.opened(db, actor, number)
        if words:
            return JSONResponse({"said": [_drawn(each) for each in rooms.found(db, incident.id, words)]})
        said, earlier = rooms.newest(db, incident.id, before)
    return JSONResponse({"said": [_drawn(each) for each in said], "earlier": earlier}, headers=_HEADERS)


async def messages(request: Request) -> Response:
    """Earlier messages (?before=), those with given words (?q=), or, posted, one more."""
    try:
        if request.method == "POST":
            typed, uploads = await forms.from_script(request)
            change = partial(_say, typed=typed, upload=uploads[0] if uploads else None)
            return await to_thread.run_sync(_change, _token(request), request.path_params["number"], change)
        before = request.query_params.get("before", "")
        asked = min(int(before), LARGEST_ID) if before.isascii() and before.isdigit() else None
        words = request.query_params.get("q", "")
        return await to_thread.run_sync(_look, _token(request), request.path_params["number"], asked, words)
    except forms.Refused as refused:
        return _refused(refused.sentence, 400)
    except RuleError as error:
        return _refused(error.sentence, 404)
    except DatabaseProblem as problem:
        return _refused(problem.sentence, 503)


async def message(request: Request) -> Response:
    """Edit, take back, pin, or make a step of one message."""
    do = CHANGES.get(request.path_params["change"])
    message_id = request.path_params["id"]
    if do is None or message_id > LARGEST_ID:
        return _refused("There is no such message in this room.", 404)
    try:
        typed, _ = await forms.from_script(request)
        change = partial(do, message_id=message_id, typed=typed)
        return await to_thread.run_sync(_change, _token(request), request.path_params["number"], change)
    except forms.Refused as refused:
        return _refused(refused.sentence, 400)
    except DatabaseProblem as problem:
        return _refused(f"{problem.sentence} Your words are still here.", 503)


def _change(token: str, number: str, change: Any) -> Response:
    try:
        with writing() as db:
            actor = sessions.actor_of(db, token, _now())
            if actor is None:
                return _refused(_ABSENT, 401)
            incident = rooms.opened(db, actor, number)
            done = change(db, incident.id, actor)
            return JSONResponse({"id": done.id if isinstance(done, Message) else None}, 201, headers=_HEADERS)
    except RuleError as error:
        return _refused(error.sentence, 400)


def _say(db: Session, incident_id: int, actor: Actor, *, typed: Mapping[str, str], upload: Any) -> Message:
    reply = typed.get("reply_to", "")
    return chat.say(
        db,
        incident_id,
        typed.get("text", ""),
        actor=actor,
        now=_now(),
        token=typed.get("token", "")[:64] or None,
        reply_to=int(reply) if reply.isascii() and reply.isdigit() and len(reply) < 16 else None,
        upload=upload,
    )


def _edit(db: Session, incident_id: int, actor: Actor, *, message_id: int, typed: Mapping[str, str]) -> None:
    chat.edit(db, incident_id, message_id, typed.get("text", ""), actor=actor, now=_now())


def _retract(db: Session, incident_id: int, actor: Actor, *, message_id: int, typed: Mapping[str, str]) -> None:
    chat.retract(db, incident_id, message_id, actor=actor, now=_now())


def _pin(db: Session, incident_id: int, actor: Actor, *, message_id: int, typed: Mapping[str, str]) -> None:
    chat.pin(db, incident_id, message_id, actor=actor, now=_now())


def _task(db: Session, incident_id: int, actor: Actor, *, message_id: int, typed: Mapping[str, str]) -> None:
    chat.make_task(db, incident_id, message_id, actor=actor, now=_now())


CHANGES = {"edit": _edit, "retract": _retract, "pin": _pin, "task": _task}
routes = [
    Route("/rooms/{number}/live", live),
    Route("/rooms/{number}/messages", messages, methods=["GET", "POST"]),
    Route("/rooms/{number}/messages/{id:id}/{change}", message, methods=["POST"]),
]
