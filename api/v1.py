"""The HTTP API for machines, mounted at /api; it describes itself at /api/openapi.json.

What is refused is told as {"error": {"code", "message", "fields"}}: a word for programs, a sentence for people, and a
sentence for each field at fault.
"""

import logging
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from db.settings import settings

log = logging.getLogger("incident_desk.api")

CODES = {404: "not_found", 405: "method_not_allowed"}
ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "fields"],
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "fields": {"type": "object", "additionalProperties": {"type": "string"}},
            },
        }
    },
}


class Refused(Exception):
    """What a request is answered with when it is not taken."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        fields: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.fields, self.headers = dict(fields or {}), dict(headers or {})

    def body(self) -> dict[str, object]:
        """As it is sent."""
        return {"error": {"code": self.code, "message": self.message, "fields": self.fields}}

    def response(self) -> Response:
        return JSONResponse(self.body(), self.status, self.headers)


async def body_of(request: Request, limit: int) -> bytes:
    """The body, read no further than its limit."""
    said = f"The body is too large. Send at most {limit:,} bytes."
    promised = request.headers.get("content-length", "")
    if promised.isdecimal() and int(promised[:20]) > limit:
        raise Refused(413, "too_large", said)
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > limit:
            raise Refused(413, "too_large", said)
    return bytes(body)


def failed(request: Request) -> Refused:
    """Something that nobody expected; logged with a reference."""
    reference = secrets.token_hex(4)
    log.exception("A request failed; reference %s, %s %s", reference, request.method, request.url.path)
    return Refused(500, "failed", f"Something went wrong (reference {reference}). Nothing was stored.")


async def _not_here(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = CODES.get(error.status_code, "refused")
    told = {404: "There is nothing at this address.", 405: "Use another method here; see the header Allow."}
    sentence = told.get(error.status_code, str(error.detail))
    return Refused(error.status_code, code, sentence, headers=error.headers).response()


def make(*routers: APIRouter, beside: APIRouter | None = None) -> FastAPI:
    """The application of these parts. `beside`: what is described with them and is not beneath /api."""
    app = FastAPI(
        title="Incident Desk",
        version="1",
        openapi_url="/openapi.json",
        docs_url=None,  # its screens load from another host
        redoc_url=None,
        servers=[{"url": "/api"}],
        root_path_in_servers=False,
    )
    app.add_exception_handler(HTTPException, _not_here)
    for router in routers:
        app.include_router(router)
    routes = beside.routes if beside is not None else []
    app.openapi = lambda: _described(app, routes)  # type: ignore[method-assign]
    return app


def _described(app: FastAPI, beside: Sequence[BaseRoute]) -> dict[str, Any]:
    """Its description, with the ways to carry a token."""
    if app.openapi_schema is None:
        routes = [*app.routes, *beside]
        made = get_openapi(title=app.title, version=app.version, routes=routes, servers=app.servers)
        made.setdefault("components", {})["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer"},
            "basic": {"type": "http", "scheme": "basic"},
            "session": {"type": "apiKey", "in": "cookie", "name": settings().cookie},
        }
        for methods in made["paths"].values():
            for told in methods.values():
                if "HTTPValidationError" in str(
                    told["responses"].get("422")
                ):  # FastAPI's own form, which none of ours has
                    del told["responses"]["422"]
        for name in ("HTTPValidationError", "ValidationError"):
            made["components"].get("schemas", {}).pop(name, None)
        for route in beside:
            if isinstance(route, APIRoute):
                made["paths"][route.path]["servers"] = [{"url": "/"}]
        app.openapi_schema = made
    return app.openapi_schema
