"""Plain HTML forms of our own: templates, and the proof that a form came from our page (CSRF)."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from jinja2 import Environment, FileSystemLoader, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from db.settings import settings

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=select_autoescape(default=True)
)
MOST_BYTES, MOST_FIELDS = 20_000, 30
_LASTS = 12 * 3600


class Refused(Exception):
    """The form cannot be taken; `sentence` says what to do."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def _cookie() -> str:
    return "__Host-incident_desk_form" if settings().secure else "incident_desk_form"


def _signature(seed: str) -> str:
    return hmac.new(settings().secret(), b"form:" + seed.encode(), hashlib.sha256).hexdigest()


def page(request: Request, template: str, status: int = 200, /, **values: Any) -> Response:
    """A page with a form. Its hidden field and the cookie prove later that the form came from here."""
    seed = request.cookies.get(_cookie()) or secrets.token_urlsafe(24)
    body = TEMPLATES.get_template(template).render(proof=_signature(seed), **values)
    response = HTMLResponse(body, status, headers={"cache-control": "no-store"})
    response.set_cookie(
        _cookie(), seed, max_age=_LASTS, path="/", httponly=True, samesite="lax", secure=settings().secure
    )
    return response


async def fields(request: Request) -> Mapping[str, str]:
    """The form's fields, without NULs. Refused when it is too large, or did not come from a page of ours."""
    origin = request.headers.get("origin")
    if origin not in (None, "null") and urlsplit(origin or "").netloc != request.headers.get("host"):
        raise Refused("This form came from another site. Open the page here and send it again.")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise Refused("This form holds too much. Shorten what you typed.")
    try:
        typed = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        raise Refused("This form holds too much. Shorten what you typed.") from None
    seed = request.cookies.get(_cookie(), "")
    if not seed or not hmac.compare_digest(typed.get("proof", "").encode(), _signature(seed).encode()):
        raise Refused("This page was open for too long. Send the form once more.")
    return {name: value.replace("\0", "") for name, value in typed.items()}


def local(target: str | None) -> str:
    """`target` when it is an address of this app, else its start."""
    if not target or not target.startswith("/") or target.startswith("//") or "\\" in target or len(target) > 2000:
        return "/"
    if any(ord(character) < 33 for character in target) or urlsplit(target).path.startswith(("/login", "/logout")):
        return "/"
    return target
