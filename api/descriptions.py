"""How a call is described at /api/openapi.json: what it takes, what it answers, and how it is refused."""

from collections.abc import Iterable, Mapping
from typing import Any

from starlette.responses import JSONResponse

from api.calls import BODY_LIMIT, REQUESTS, WITHIN_SECONDS
from api.incident_shapes import CONFLICT
from api.shapes import Shape
from api.v1 import ERROR

MOST = 200
USUAL = 50
_REFUSALS: dict[int, str] = {
    400: "It cannot be read: the body is not JSON, or a time is none.",
    401: "No token or session, or one that is not taken (any more).",
    403: "The token has not the scope for it, or it is not for who asks.",
    404: "There is none, or it is not open to who asks.",
    409: "Others changed it since the version that was sent.",
    413: f"More than {BODY_LIMIT:,} bytes.",
    422: "Something is missing or not possible; the sentences say what, by field.",
    429: f"More than {REQUESTS:,} calls in {WITHIN_SECONDS:.0f} seconds: call again after the header Retry-After.",
    503: "The database cannot be used: call again after the header Retry-After.",
}
_BEARER: list[dict[str, list[str]]] = [{"bearer": []}]
_EITHER: list[dict[str, list[str]]] = [{"bearer": []}, {"session": []}]
KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Anything unique to this one, at most 200 characters. The same key again makes no second one and "
    "answers the first.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
}
LIMIT = {
    "name": "limit",
    "in": "query",
    "schema": {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL},
}
CURSOR = {
    "name": "cursor",
    "in": "query",
    "description": "From 'next' of the page before.",
    "schema": {"type": "string", "minLength": 1},
}


def query(name: str, schema: Mapping[str, Any], description: str = "") -> dict[str, Any]:
    """A parameter in the address."""
    return {"name": name, "in": "query", "schema": dict(schema)} | ({"description": description} if description else {})


def asked(
    summary: str, schema: Mapping[str, Any], parameters: Iterable[Mapping[str, Any]] = (), *, also: int | None = None
) -> dict[str, Any]:
    """A call that answers a question in JSON. `also`: one more way in which it may be refused."""
    refused = _refused(401, 403, 404, 422, 429, 503, *([also] if also else []))
    return {
        "summary": summary,
        "response_class": JSONResponse,
        "responses": {200: _json("It is here.", schema), **refused},
        "openapi_extra": {"security": _EITHER, "parameters": [dict(one) for one in parameters]},
    }


def changed(
    summary: str,
    shape: Shape,
    schema: Mapping[str, Any],
    *,
    status: int = 200,
    parameters: Iterable[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """A call that changes something; status 201 says that it made something."""
    refused = _refused(400, 401, 403, 404, 413, 422, 429, 503)
    if "version" in shape.fields:
        refused[409] = _json(_REFUSALS[409], CONFLICT)
    body = {"required": bool(shape.required), "content": {"application/json": {"schema": shape.schema()}}}
    return {
        "summary": summary,
        "status_code": status,
        "response_class": JSONResponse,
        "responses": {status: _json("It is made." if status == 201 else "It is changed.", schema), **refused},
        "openapi_extra": {
            "security": _BEARER,
            "parameters": [dict(one) for one in parameters],
            "requestBody": body,
        },
    }


def binary(summary: str, kind: str = "*/*", description: str = "The file, as an attachment.") -> dict[str, Any]:
    """A call that answers with a file."""
    told = asked(summary, {})
    kept: dict[str, Any] = {"schema": {"type": "string"} if kind.startswith("text/") else {}}
    told["responses"][200] = {"description": description, "content": {kind: kept}}
    return told


def _json(description: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": dict(schema)}}}


def _refused(*codes: int) -> dict[int, dict[str, Any]]:
    return {code: _json(_REFUSALS[code], ERROR) for code in codes}
