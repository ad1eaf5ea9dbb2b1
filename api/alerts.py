"""Alerts from monitoring tools: POST /api/v1/alerts/{format}, /v2/enqueue as PagerDuty has it, and heartbeats.

202 means that it is committed. A token comes as 'Authorization: Bearer …' or as the password of Basic; as
'X-Token'; in PagerDuty's own events as their routing_key. Never in an address, which is written to logs.
"""

import base64
import binascii
import hashlib
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Path
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.event_shapes import EVENT, EVENT_TAKEN
from api.intake import Full, Intake
from api.rates import Rates
from api.v1 import ERROR, Refused, body_of, failed
from db.commands import integrations as commands
from db.commands.intake import Message, Repeated, Unknown
from db.engine import DatabaseProblem, reading
from db.queries import integrations, sessions
from db.queries.integrations import Sender
from rules import json_body, webhook_signature
from rules.access import Forbidden
from rules.errors import RuleError
from rules.signals import FORMATS, Signal, parse, subscribe_url

EVENT_LIMIT = 512 * 1024
"""Bytes of one event at /v2/enqueue, whose token is within; PagerDuty's own limit."""
REQUESTS, WITHIN_SECONDS = 10_000, 10.0
"""What one integration may send: a flood of many alerts passes, an endless loop is told to wait."""
CACHED_SECONDS = 1.0
"""How long it is known whose token it is. The transaction that takes a message asks again."""
_MOST_CACHED = 10_000
_SMALL = 8 * 1024
"""Bytes that are read in less time than a thread is called."""
_MESSAGE_ID = 200
_CHALLENGE = {"www-authenticate": 'Basic realm="Incident Desk", charset="UTF-8"'}

intake = Intake()
rates = Rates(REQUESTS, WITHIN_SECONDS)
_known: dict[bytes, tuple[float, Sender]] = {}


async def _sender(token: str) -> Sender:
    """Whose token it is, within its rate. Refused for 401, 403 and 429."""
    hashed = sessions.hashed(token)
    told = _known.get(hashed)
    if told is None or time.monotonic() - told[0] >= CACHED_SECONDS:
        found = await to_thread.run_sync(_find, hashed) if token else None
        if found is None:
            said = "Send the token of an integration, as 'Authorization: Bearer …' or as the password of Basic."
            raise Refused(401, "unknown_token", said, headers=_CHALLENGE)
        if len(_known) >= _MOST_CACHED:
            _known.clear()
        told = _known[hashed] = (time.monotonic(), found)
    sender = told[1]
    if sender.archived:
        said = f"The integration {sender.name} is archived. Ask an administrator to bring it back."
        raise Refused(403, "archived", said)
    wait = rates.wait(sender.id, time.monotonic())
    if wait:
        said = f"{sender.name} sends more than {REQUESTS:,} messages in {WITHIN_SECONDS:.0f} seconds. Send this later."
        raise Refused(429, "too_many", said, headers={"retry-after": str(wait)})
    return sender


def _find(hashed: bytes) -> Sender | None:
    with reading() as db:
        return integrations.by_token(db, hashed)


def _token(request: Request) -> str:
    """What the headers hold; empty when they hold none."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    value = value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode("utf-8", "replace").partition(":")[2]
        except binascii.Error:
            return ""
    if scheme.lower() in ("bearer", "token"):
        return value.removeprefix("token=").strip('"')
    return request.headers.get("x-token", "").strip()


async def _decoded(body: bytes) -> Any:
    if len(body) <= _SMALL:
        return json_body.decode(body)
    return await to_thread.run_sync(json_body.decode, body)


async def _take(request: Request, sender: Sender, format: str, body: bytes, payload: Any = None) -> list[Signal]:
    """Check how it is signed, read it, and wait for its commit."""
    if sender.format != format:
        said = f"{sender.name} sends {sender.format}, and this address takes {format}."
        raise Refused(400, "wrong_format", f"{said} Send to /api/v1/alerts/{sender.format}.", {"format": said})
    now = datetime.now(UTC)
    message_id = _signed(request, sender, body, now) if sender.signed else None
    payload = await _decoded(body) if payload is None else payload
    if len(body) <= _SMALL:
        signals = parse(format, payload, now)
    else:
        signals = await to_thread.run_sync(parse, format, payload, now)
    confirm = subscribe_url(payload) if format == "cloudwatch" else None
    await _put(Message(sender.id, sender.token_id, signals, message_id, confirm or ""))
    return signals


async def _put(message: Message) -> None:
    result = await intake.put(message)
    if isinstance(result, Unknown):
        raise Refused(401, "unknown_token", result.sentence, headers=_CHALLENGE)
    if isinstance(result, Repeated):
        raise Refused(409, "repeated", result.sentence, {"webhook-id": result.sentence})
    if isinstance(result, Forbidden):
        raise Refused(403, "archived", result.sentence)
    if isinstance(result, RuleError):
        raise result


def _signed(request: Request, sender: Sender, body: bytes, now: datetime) -> str:
    """The id of a message that was signed just now."""
    message_id, timestamp, signature = (
        request.headers.get(name)
        for name in (
            webhook_signature.ID_HEADER,
            webhook_signature.TIMESTAMP_HEADER,
            webhook_signature.SIGNATURE_HEADER,
        )
    )
    live = commands.live_secrets(sender.id, sender.secret_turn, sender.old_secret_until, now)
    try:
        webhook_signature.verify(live, message_id, timestamp, signature, body, now)
    except RuleError as error:
        raise Refused(403, "signature", error.sentence, error.fields) from None
    assert message_id is not None
    if len(message_id) <= _MESSAGE_ID:
        return message_id
    return hashlib.sha256(message_id.encode()).hexdigest()


async def _answered(request: Request, act: Callable[[], Awaitable[Response]]) -> Response:
    """The answer, or why there is none, in words for programs and people."""
    try:
        return await act()
    except Refused as refused:
        return refused.response()
    except RuleError as error:
        return Refused(400, "not_understood", error.sentence, error.fields).response()
    except Full:
        said = "More is coming in than can be written just now. Send this again in a moment."
        return Refused(429, "too_many", said, headers={"retry-after": "1"}).response()
    except DatabaseProblem as problem:
        return Refused(503, "unavailable", problem.sentence, headers={"retry-after": "5"}).response()
    except ClientDisconnect:
        return Refused(400, "cut_off", "The body ended before its end.").response()
    except Exception:  # noqa: BLE001 - logged, and told with a reference
        return failed(request).response()


def _events_answer(signals: list[Signal]) -> Response:
    """As PagerDuty answers: senders take the key from it that they did not give."""
    key = signals[0].dedup_key if signals else ""
    return JSONResponse({"status": "success", "message": "Event processed", "dedup_key": key}, 202)


router = APIRouter()
_PROBLEM = {"content": {"application/json": {"schema": ERROR}}}
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"description": "It cannot be understood; the sentence says why. Nothing of it was stored.", **_PROBLEM},
    401: {"description": "No token, or one that is not taken (any more).", **_PROBLEM},
    403: {"description": "The integration is archived, or the signature does not fit.", **_PROBLEM},
    404: {"description": "There is no such format.", **_PROBLEM},
    409: {"description": "The signed message was taken before.", **_PROBLEM},
    413: {"description": f"More than {json_body.BYTES_LIMIT:,} bytes.", **_PROBLEM},
    429: {"description": "Too much at once: send it again after the header Retry-After.", **_PROBLEM},
    503: {"description": "The database cannot be used: send it again after the header Retry-After.", **_PROBLEM},
}
_EVENT_IS_LARGE = {"description": f"More than {EVENT_LIMIT:,} bytes.", **_PROBLEM}
_SECURITY: list[dict[str, list[str]]] = [{"bearer": []}, {"basic": []}]
_ACCEPTED = {
    "description": "It is committed.",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["status"],
                "properties": {
                    "status": {"enum": ["accepted", "success"]},
                    "signals": {"type": "integer"},
                    "message": {"type": "string"},
                    "dedup_key": {"type": "string"},
                },
            }
        }
    },
}


@router.post(
    "/v1/alerts/{format}",
    status_code=202,
    response_class=JSONResponse,
    responses={202: _ACCEPTED, **_PROBLEMS},
    summary="Send alerts",
    openapi_extra={
        "security": _SECURITY,
        "requestBody": {"required": True, "content": {"application/json": {"schema": {}}}},
    },
)
async def receive(
    format: Annotated[str, Path(description="How the body is written.", json_schema_extra={"enum": list(FORMATS)})],
    request: Request,
) -> Response:
    """Alerts as a monitoring tool sends them; which format an integration takes is set where it was made."""

    async def act() -> Response:
        if format not in FORMATS:
            said = f"There is no format '{format[:40]}'. Choose {', '.join(FORMATS)}."
            raise Refused(404, "unknown_format", said, {"format": said})
        sender = await _sender(_token(request))
        signals = await _take(request, sender, format, await body_of(request, json_body.BYTES_LIMIT))
        if format == "pagerduty":
            return _events_answer(signals)
        return JSONResponse({"status": "accepted", "signals": len(signals)}, 202)

    return await _answered(request, act)


async def _heartbeat(request: Request) -> Response:
    async def act() -> Response:
        sender = await _sender(_token(request))
        body = await body_of(request, _SMALL)
        message_id = _signed(request, sender, body, datetime.now(UTC)) if sender.signed else None
        await _put(Message(sender.id, sender.token_id, (), message_id))
        return JSONResponse({"status": "accepted"}, 202)

    return await _answered(request, act)


_HEARTBEAT: dict[str, Any] = {
    "status_code": 202,
    "response_class": JSONResponse,
    "responses": {202: _ACCEPTED, **{code: _PROBLEMS[code] for code in (400, 401, 403, 409, 413, 429, 503)}},
    "openapi_extra": {"security": _SECURITY},
    "summary": "Say that the sender is alive",
}


@router.get("/v1/heartbeats", **_HEARTBEAT)
async def heartbeat_by_get(request: Request) -> Response:
    """An integration that promised to call and does not is made an incident."""
    return await _heartbeat(request)


@router.post("/v1/heartbeats", **_HEARTBEAT)
async def heartbeat(request: Request) -> Response:
    """An integration that promised to call and does not is made an incident."""
    return await _heartbeat(request)


events = APIRouter()
"""what is described of the addresses that are not beneath /api"""


@events.post(
    "/v2/enqueue",
    status_code=202,
    response_class=JSONResponse,
    responses={
        202: EVENT_TAKEN,
        **{code: _PROBLEMS[code] for code in (400, 401, 403, 409, 429, 503)},
        413: _EVENT_IS_LARGE,
    },
    summary="Send an event as to PagerDuty",
    openapi_extra={
        "security": [{}, *_SECURITY],  # the routing_key within is enough
        "requestBody": {"required": True, "content": {"application/json": {"schema": EVENT}}},
    },
)
async def enqueue(request: Request) -> Response:
    """PagerDuty's Events API v2, so that what sends there needs only another address."""

    async def act() -> Response:
        if request.method != "POST":
            raise Refused(405, "method_not_allowed", "Send events with POST.", headers={"allow": "POST"})
        body = await body_of(request, EVENT_LIMIT)
        payload = await _decoded(body)
        key = payload.get("routing_key") if isinstance(payload, dict) else None
        sender = await _sender(key.strip() if isinstance(key, str) and key.strip() else _token(request))
        signals = await _take(request, sender, "pagerduty", body, payload)
        return _events_answer(signals)

    return await _answered(request, act)


# Every method, so that none of them reaches the pages past the gate.
routes = [Route("/v2/enqueue", enqueue, methods=["POST", "GET", "PUT", "PATCH", "DELETE", "OPTIONS"])]
