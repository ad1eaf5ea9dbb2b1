"""Plain HTML forms of our own: templates, and the proof that a form came from our page (CSRF)."""

import hashlib
import hmac
import secrets
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from jinja2 import Environment, FileSystemLoader, select_autoescape
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from db.commands.files import Upload
from db.settings import settings
from rules.attachments import MAX_BYTES

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=select_autoescape(default=True)
)
MOST_BYTES, MOST_FIELDS = 20_000, 30
MOST_FILES = 1
MOST_BYTES_OF_A_FIELD = 300_000
MOST_BYTES_WITH_FILES = 2 * MAX_BYTES
"""of a form with files: a file that is too large is still read, so that the page can say so and keep the words"""
_TOO_MUCH = "This form holds too much. Shorten what you typed."
SCRIPT_HEADER = "x-incident-desk"
_LASTS = 12 * 3600


class Refused(Exception):
    """The form cannot be taken; `sentence` says what to do."""

    def __init__(self, sentence: str, typed: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.typed = typed or {}
        """what was in the form, to be shown again"""


def _cookie() -> str:
    return "__Host-incident_desk_form" if settings().secure else "incident_desk_form"


def _signature(seed: str) -> str:
    return hmac.new(settings().secret(), b"form:" + seed.encode(), hashlib.sha256).hexdigest()


def page(request: Request, template: str, status: int = 200, /, **values: Any) -> Response:
    """A page with a form. Its hidden field and the cookie prove later that the form came from here.

    The template may also use `once`, a token for a form that is to be taken once; see is_once.
    """
    seed = request.cookies.get(_cookie()) or secrets.token_urlsafe(24)
    chosen = secrets.token_urlsafe(24)
    once = f"{chosen}.{_once(seed, chosen)}"
    body = TEMPLATES.get_template(template).render({"proof": _signature(seed), "once": once} | values)
    response = HTMLResponse(body, status, headers={"cache-control": "no-store"})
    response.set_cookie(
        _cookie(), seed, max_age=_LASTS, path="/", httponly=True, samesite="lax", secure=settings().secure
    )
    return response


async def fields(request: Request, most: int = MOST_BYTES) -> Mapping[str, str]:
    """The form's fields, without NULs. Refused when it is too large, or did not come from a page of ours."""
    return _proven(request, await unproven(request, most))


async def unproven(request: Request, most: int = MOST_BYTES, most_fields: int = MOST_FIELDS) -> Mapping[str, str]:
    """The same where the address itself proves enough: no other site may send it, but no cookie is asked for."""
    _same_site(request)
    body = b"".join([part async for part in _bounded(request, most)])
    try:
        typed = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=most_fields))
    except ValueError:
        raise Refused(_TOO_MUCH) from None
    return _clean(typed)


async def with_files(request: Request) -> tuple[Mapping[str, str], list[Upload]]:
    """The same of a form that may hold a file. Files that were left empty are left out."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return await fields(request, MOST_BYTES_OF_A_FIELD), []
    typed, uploads = await _parts(request)
    return _proven(request, typed), uploads


async def from_script(request: Request) -> tuple[Mapping[str, str], list[Upload]]:
    """What a script of our own pages sends: no other site's page may set its header."""
    if SCRIPT_HEADER not in request.headers:
        raise Refused("This did not come from a page of this app. Open the page here and send it again.")
    typed, uploads = await _parts(request)
    return _clean(typed), uploads


async def _parts(request: Request) -> tuple[Mapping[str, str], list[Upload]]:
    _same_site(request)
    parser = MultiPartParser(
        request.headers,
        _bounded(request, MOST_BYTES_WITH_FILES),
        max_files=MOST_FILES,
        max_fields=MOST_FIELDS,
        max_part_size=MOST_BYTES_OF_A_FIELD,
    )
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError):
        raise Refused("This form holds too much, or not all of it arrived. Shorten what you typed.") from None
    try:
        parts = form.multi_items()
        typed = {name: value for name, value in parts if isinstance(value, str)}
        uploads = [
            Upload(part.filename or "file", await part.read())
            for _, part in parts
            if not isinstance(part, str) and (part.filename or part.size)
        ]
    finally:
        await form.close()
    return typed, uploads


def _same_site(request: Request) -> None:
    origin = request.headers.get("origin")
    if origin not in (None, "null") and urlsplit(origin or "").netloc != request.headers.get("host"):
        raise Refused("This form came from another site. Open the page here and send it again.")


async def _bounded(request: Request, most: int) -> AsyncGenerator[bytes, None]:
    """The body in parts; Refused once it is larger than `most` bytes."""
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise Refused(_TOO_MUCH)
        yield part


def _proven(request: Request, typed: Mapping[str, str]) -> Mapping[str, str]:
    """What was typed, without NULs. Refused unless the form is one that this browser got from here."""
    clean = _clean(typed)
    seed = request.cookies.get(_cookie(), "")
    if not seed or not hmac.compare_digest(typed.get("proof", "").encode(), _signature(seed).encode()):
        raise Refused("This page was open for too long. Send the form once more.", clean)
    return clean


def _clean(typed: Mapping[str, str]) -> Mapping[str, str]:
    return {name: value.replace("\0", "") for name, value in typed.items()}


def is_once(request: Request, token: str) -> bool:
    """True for a token of a page that was made for this browser."""
    seed = request.cookies.get(_cookie(), "")
    chosen, _, signed = token.partition(".")
    return bool(seed and chosen) and hmac.compare_digest(signed.encode(), _once(seed, chosen).encode())


def _once(seed: str, chosen: str) -> str:
    return _signature(f"{seed}:{chosen}")


def local(target: str | None) -> str:
    """`target` when it is an address of this app, else its start."""
    if not target or not target.startswith("/") or target.startswith("//") or "\\" in target or len(target) > 2000:
        return "/"
    if any(ord(character) < 33 for character in target) or urlsplit(target).path.startswith(("/login", "/logout")):
        return "/"
    return target
