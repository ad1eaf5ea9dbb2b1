"""The status page, for everybody: HTML, JSON and Atom from rendered copies. Nothing here asks who is looking."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import lru_cache

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api import status_feeds, status_pages, status_subscriptions
from api.status_copies import FRESH, KEEPS_EVERY, Copies, Part, aged, part
from db.engine import DatabaseProblem, reading
from db.queries import sessions
from db.queries import status_page as queries
from db.settings import settings
from rules import access
from rules.status_page import stale_words

HTML, JSON, ATOM = "text/html; charset=utf-8", "application/json", "application/atom+xml; charset=utf-8"
PAGE, HISTORY, LOGO = "page", "history", "logo"
NOTHING = "There is no status page yet."
UNKNOWN = "There is nothing of this address on the status page, or not any more."
GONE = "The status page cannot be shown just now. Try again in a minute."
LARGEST_ID = 2**31 - 1
_KEPT = f"public, max-age={FRESH:g}, stale-if-error=86400"
_ANY_SITE = {"access-control-allow-origin": "*"}
"""JSON may be shown by any other site: it is public."""
_FOR_YEARS = "public, max-age=31536000, immutable"


def _now() -> datetime:
    return datetime.now(UTC)


def _make(name: str, now: datetime) -> Mapping[str, Part] | None:
    """What Copies asks for, in a thread of its own."""
    with reading() as db:
        if name == LOGO:
            found = queries.logo(db)
            return {found[2][:16]: part(found[0], found[1], pack=False)} if found else {}
        if not queries.look(db).published:
            return _unpublished() if name == PAGE else None
        if name == PAGE:
            board = queries.board(db, now)
            feed = part(status_feeds.as_json(board), JSON, headers=_ANY_SITE)
            return {
                "html": _html(status_pages.page(board)),
                "json": feed,
                "atom": part(status_feeds.as_atom(board), ATOM),
            }
        if name == HISTORY:
            return {"html": _html(status_pages.history(queries.past(db, now)))}
        board, told = queries.one(db, int(name.removeprefix("incident ")), now)
        return {"html": _html(status_pages.incident(board, told))} if told is not None else None


def _html(html: str, status: int = 200) -> Part:
    return part(html.encode(), HTML, status, headers={"content-security-policy": status_pages.CONTENT_SECURITY})


def _unpublished() -> Mapping[str, Part]:
    return {"html": _sorry(NOTHING, 404), "json": _error("not_found", NOTHING, 404), "atom": _plain(NOTHING, 404)}


@lru_cache
def _sorry(sentence: str, status: int, *, back: bool = False) -> Part:
    title = "This does not work now" if status == 503 else "Nothing here"
    return _html(status_pages.render("status_nothing.html", None, title=title, sentence=sentence, back=back), status)


@lru_cache
def _error(code: str, sentence: str, status: int) -> Part:
    said = f'{{"error":{{"code":"{code}","message":"{sentence}","fields":{{}}}}}}'
    return part(said.encode(), JSON, status, headers=_ANY_SITE)


@lru_cache
def _plain(sentence: str, status: int) -> Part:
    return part(sentence.encode(), "text/plain; charset=utf-8", status)


COPIES = Copies(_make, _now)


async def keep() -> None:
    """Have recent copies at hand whenever the database goes away; until cancelled."""
    while True:
        await COPIES.get(PAGE)
        await COPIES.get(HISTORY)
        await COPIES.get(LOGO)
        await asyncio.sleep(KEEPS_EVERY)


async def _answer(request: Request, name: str, kind: str, gone: Part, unknown: Part) -> Response:
    """The document of the copy, or a part that says why there is none."""
    copy, newest = await COPIES.get(name)
    if copy is None:
        return _sent(request, unknown if newest else gone)
    found = copy.parts[kind]
    if not newest and found.status == 200:
        words = stale_words(copy.made_at, _now())
        found = aged(copy, kind, words, lambda one, said: _saying(one, kind, said, copy.made_at))
    return _sent(request, found)


def _saying(one: Part, kind: str, words: str, made_at: datetime) -> Part:
    """The same document, saying how old it is."""
    body = one.body
    if kind == "json":
        body = status_feeds.stale_json(body, made_at)
    elif kind == "html":
        said = f'<p class="stale">{words}: what follows cannot be brought up to date just now.</p>'
        body = body.replace(status_pages.STALE.encode(), said.encode(), 1)
    return part(body, one.media_type, one.status, headers=one.headers)


def _sent(request: Request, one: Part, kept: str = _KEPT) -> Response:
    headers = dict(one.headers) | {"cache-control": kept if one.status == 200 else "no-store"}
    if one.status == 503:
        headers["retry-after"] = "30"
    if one.status == 200:
        headers["etag"], headers["vary"] = one.etag, "accept-encoding"
        if one.changed_at is not None:
            headers["last-modified"] = format_datetime(one.changed_at.replace(microsecond=0), usegmt=True)
        if _has_it(request, one):
            return Response(status_code=304, headers=headers)
    body = one.body
    if one.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        body, headers["content-encoding"] = one.packed, "gzip"
    return Response(body, one.status, headers, one.media_type)


def _has_it(request: Request, one: Part) -> bool:
    """Whether the one who asks holds the same already (RFC 9110, 13.2.2)."""
    known = request.headers.get("if-none-match")
    if known is not None:
        tags = {tag.strip().removeprefix("W/") for tag in known.split(",")}
        return known.strip() == "*" or one.etag.removeprefix("W/") in tags
    since = request.headers.get("if-modified-since")
    if since is None or one.changed_at is None:
        return False
    try:
        return one.changed_at.replace(microsecond=0) <= parsedate_to_datetime(since)
    except (TypeError, ValueError):
        return False


async def page(request: Request) -> Response:
    """GET /status"""
    return await _answer(request, PAGE, "html", _sorry(GONE, 503), _sorry(NOTHING, 404))


async def as_json(request: Request) -> Response:
    """GET /status.json"""
    gone, unknown = _error("unavailable", GONE, 503), _error("not_found", NOTHING, 404)
    return await _answer(request, PAGE, "json", gone, unknown)


async def as_atom(request: Request) -> Response:
    """GET /status.atom"""
    return await _answer(request, PAGE, "atom", _plain(GONE, 503), _plain(NOTHING, 404))


async def history(request: Request) -> Response:
    """The last 90 days."""
    return await _answer(request, HISTORY, "html", _sorry(GONE, 503), _sorry(NOTHING, 404))


async def incident(request: Request) -> Response:
    """One incident."""
    number = request.path_params["id"]
    unknown = _sorry(UNKNOWN, 404, back=True)
    if number > LARGEST_ID:
        return _sent(request, unknown)
    return await _answer(request, f"incident {number}", "html", _sorry(GONE, 503), unknown)


async def logo(request: Request) -> Response:
    """The picture above the page, by its hash: another picture has another address."""
    copy, newest = await COPIES.get(LOGO)
    found = copy.parts.get(request.path_params["hash"]) if copy is not None else None
    if found is None:
        return _sent(request, _plain(UNKNOWN, 404) if newest else _plain(GONE, 503))
    return _sent(request, found, _FOR_YEARS)


async def preview(request: Request) -> Response:
    """The page as it would be, for those who design it. Never kept."""
    token = request.cookies.get(settings().cookie, "")

    def made() -> Part:
        now = _now()
        with reading() as db:
            actor = sessions.actor_of(db, token, now)
            if actor is None or not access.may(actor, "status_page"):
                return _sorry("There is no such page, or it is not open to you.", 404)
            return _html(status_pages.page(queries.board(db, now), preview=True))

    try:
        found = await to_thread.run_sync(made)
    except DatabaseProblem as problem:
        found = _sorry(problem.sentence, 503)
    return _sent(request, found, "private, no-store")


routes = [
    Route("/status", page),
    Route("/status.json", as_json),
    Route("/status.atom", as_atom),
    Route("/status/history", history),
    Route("/status/incidents/{id:id}", incident),
    Route("/status/logo/{hash}", logo),
    Route("/status/preview", preview),
    *status_subscriptions.routes,
]
