"""The gate before every page, file and websocket: nobody without a session gets further than the sign-in."""

import re
import time
from base64 import b64encode
from collections.abc import MutableMapping
from datetime import UTC, datetime
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

from anyio import to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from db.engine import DatabaseProblem, reading
from db.queries import sessions
from db.settings import settings

OPEN = frozenset(
    {"/login", "/logout", "/setup", "/sample", "/healthz", "/readyz", "/metrics", "/favicon.ico", "/report-a-problem"}
) | {"/status", "/status.json", "/status.atom"}
OPEN_TO_MACHINES = frozenset({"/v2/enqueue", "/api/openapi.json"})
OPEN_UNDER = ("/invite/", "/act/", "/leave/", "/calendar/", "/sign-in/", "/app/static/", "/api/v1/", "/status/")
"""Machines have no session: whatever is under /api/v1/ asks by itself for a token, or for the session of who reads."""
TRACK = re.compile(r"/track/[^/]+")
"""the page of a report without an account, and nothing beneath it"""
CACHED_SECONDS = 2.0
"""How long an answer serves the many files of one page. Pages and commands ask the database on every call."""
_MOST_CACHED = 10_000
_NO_PAGES = ("/_stcore", "/media", "/component", "/api", "/files", "/rooms")
_PAGE_FILES = ("/static/", "/_stcore/health", "/_stcore/host-config")


def _streamlits_own_scripts() -> str:
    """The hashes of the scripts written into Streamlit's start page, so that no other inline script may run."""
    package = find_spec("streamlit")
    start = Path(package.origin).parent / "static" / "index.html" if package and package.origin else None
    found = re.findall(r"<script>(.*?)</script>", start.read_text("utf-8"), re.DOTALL) if start else []
    return " ".join(f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" for script in found)


CONTENT_SECURITY = (
    f"default-src 'self'; script-src 'self' {_streamlits_own_scripts()} 'wasm-unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' ws: wss: data: blob:; "
    "worker-src 'self' blob:; media-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": CONTENT_SECURITY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
}
STRICT_TRANSPORT = "max-age=63072000; includeSubDomains"


class Gate:
    """Pure ASGI: anonymous pages lead to the sign-in, anonymous websockets and files are refused."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._known: dict[str, tuple[float, bool]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        guarded = _with_headers(send) if scope["type"] == "http" else send
        path = scope["path"]
        if (
            path in OPEN
            or path in OPEN_TO_MACHINES
            or path.startswith(OPEN_UNDER)
            or (scope["type"] == "http" and TRACK.fullmatch(path))
        ):
            await self.app(scope, receive, guarded)
            return
        try:
            refusal = None if await self._signed_in(scope) else await _answer(scope)
        except DatabaseProblem as problem:
            refusal = PlainTextResponse(problem.sentence, 503)
        if refusal is None:
            await self.app(scope, receive, guarded)
        else:
            await _refuse(scope, receive, guarded, refusal)

    async def _signed_in(self, scope: Scope) -> bool:
        token = cookie_parser(Headers(scope=scope).get("cookie", "")).get(settings().cookie)
        if not token:
            return False
        if scope["type"] == "http" and scope["path"].startswith(_PAGE_FILES):
            told = self._known.get(token)
            if told is not None and time.monotonic() - told[0] < CACHED_SECONDS:
                return told[1]
        answer = await to_thread.run_sync(_holds_session, token)
        if len(self._known) >= _MOST_CACHED:
            self._known.clear()
        self._known[token] = (time.monotonic(), answer)
        return answer


def _holds_session(token: str) -> bool:
    with reading() as db:
        return sessions.actor_of(db, token, datetime.now(UTC)) is not None


def _anyone() -> bool:
    with reading() as db:
        return sessions.anyone(db)


async def _answer(scope: Scope) -> Response:
    if scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD"):
        return PlainTextResponse("Sign in first.", 403)
    accepted = Headers(scope=scope).get("accept", "*/*")
    page = "text/html" in accepted or accepted == "*/*"
    last = scope["path"].rpartition("/")[2]
    if not page or "." in last or scope["path"].startswith(_NO_PAGES):
        return PlainTextResponse("Sign in first.", 401)
    if not await to_thread.run_sync(_anyone):
        return RedirectResponse("/setup", 303)
    wanted = scope["path"] + (f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else "")
    return RedirectResponse("/login" if wanted == "/" else f"/login?next={quote(wanted, safe='/')}", 303)


async def _refuse(scope: Scope, receive: Receive, send: Send, response: Response) -> None:
    if scope["type"] == "websocket":
        await receive()
        # Closing before accepting answers the handshake with 403.
        await send({"type": "websocket.close", "code": 1008})
        return
    await response(scope, receive, send)


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            add_headers(message)
        await send(message)

    return sending


def add_headers(message: MutableMapping[str, Any]) -> None:
    """Put the security headers on a response; one that is set already stays."""
    headers = MutableHeaders(scope=message)
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    if settings().secure:
        headers.setdefault("strict-transport-security", STRICT_TRANSPORT)
