"""One call of the HTTP API by a program: whose token it carries, what it sends, and every refusal in words.

Programs carry 'Authorization: Bearer …', never a token in an address, which is written to logs. Who is signed in may
read with their browser's session too; what changes something takes a token, so that no other site can do it for them.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from anyio import to_thread
from sqlalchemy.orm import Session
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from api.rates import Rates
from api.shapes import Shape
from api.v1 import Refused, body_of, failed
from db.commands import tokens as commands
from db.commands.incidents import Conflict
from db.commands.throttle import Throttled
from db.engine import DatabaseProblem, asking, reading, writing
from db.queries import sessions, tokens
from db.queries.incidents import works_on
from db.queries.my_reports import told
from db.settings import settings
from rules import json_body
from rules.access import Actor, Forbidden, NotFound
from rules.errors import RuleError
from rules.tokens import SCOPES

BODY_LIMIT = 256 * 1024
REQUESTS, WITHIN_SECONDS = 1200, 60.0
"""What one token, or one person, may ask."""
NAMES = {
    "category_pair_id": "category",
    "service_id": "service",
    "team_id": "team",
    "assignee_id": "assignee",
    "duplicate_of_id": "into",
    "caller_id": "reporter",
    "priority": "impact",
    "comment": "text",
    "message": "text",
}
"""what commands call a field -> what programs call it"""
COLUMNS = {theirs: ours for ours, theirs in NAMES.items() if ours.endswith("_id") and theirs not in ("reporter",)}
"""the other way"""
PRIVATE = {"cache-control": "private, no-store"}
_CHALLENGE = {"www-authenticate": 'Bearer realm="Incident Desk"'}
_UNKNOWN = "Send a token that is in use, as 'Authorization: Bearer …'. An administrator makes one."

rates = Rates(REQUESTS, WITHIN_SECONDS)


@dataclass(frozen=True)
class Caller:
    """Who calls: a program with its token, or a person with a session."""

    actor: Actor
    token_id: int | None = None


Work = Callable[[Session, Actor, datetime], Response]


def answer(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON that nobody keeps."""
    return JSONResponse(content, status, PRIVATE | dict(headers or {}))


async def read(request: Request, work: Work, *, opened_by: frozenset[str]) -> Response:
    """Answer a question, for tokens with one of these actions and for people with a session."""

    def act() -> Response:
        now = datetime.now(UTC)
        caller = caller_of(request, now, opened_by)
        with reading() as db:
            return work(db, caller.actor, now)

    async def called() -> Response:
        return await to_thread.run_sync(act)

    return await answered(request, called)


async def change(
    request: Request,
    shape: Shape,
    work: Callable[[Session, Actor, datetime, dict[str, Any]], Response],
    *,
    opened_by: frozenset[str],
) -> Response:
    """Make a change in one transaction, for a token with one of these actions."""

    async def called() -> Response:
        now = datetime.now(UTC)
        caller = await to_thread.run_sync(caller_of, request, now, opened_by)
        if caller.token_id is None:
            raise Refused(403, "forbidden", "Only a token changes something here. In a browser, use the screens.")
        payload = await _payload(request)
        return await to_thread.run_sync(_change, request, shape, work, payload, now)

    return await answered(request, called, NAMES)


def _change(
    request: Request,
    shape: Shape,
    work: Callable[[Session, Actor, datetime, dict[str, Any]], Response],
    payload: Any,
    now: datetime,
) -> Response:
    given = shape.read(payload)
    with writing() as db:
        holder = tokens.holder(db, sessions.hashed(_token(request)), now)
        if holder is None:  # revoked while the body came
            raise Refused(401, "unauthenticated", _UNKNOWN, headers=_CHALLENGE)
        try:
            return work(db, holder.actor, now, given)
        except Conflict as conflict:
            if not works_on(holder.actor):
                conflict.since = [told(one) for one in conflict.since if one.public]
            raise


def _token(request: Request) -> str:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""


def caller_of(request: Request, now: datetime, opened_by: frozenset[str]) -> Caller:
    """Who calls, within their rate. Refused with 401 (in the same words whatever is wrong), 403 and 429."""
    bare = "authorization" not in request.headers
    with asking() as db:
        holder = None if bare else tokens.holder(db, sessions.hashed(_token(request)), now)
        actor = sessions.actor_of(db, request.cookies.get(settings().cookie, ""), now) if bare else None
    if holder is not None:
        actor = holder.actor
    if actor is None:
        raise Refused(401, "unauthenticated", _UNKNOWN, headers=_CHALLENGE)
    wait = rates.wait(actor.id, time.monotonic())
    if wait:
        said = f"More than {REQUESTS:,} calls in {WITHIN_SECONDS:.0f} seconds are too many. Call again later."
        raise Refused(429, "too_many", said, headers={"retry-after": str(wait)})
    if holder is None:
        return Caller(actor)
    if holder.note:
        with suppress(DatabaseProblem), writing() as db:  # who reads is not refused because nobody may write just now
            commands.used(db, holder.token_id, now)
    if actor.only is not None and not actor.only & opened_by:
        wanted = " or ".join(scope for scope, known in SCOPES.items() if known.actions & opened_by)
        raise Refused(403, "forbidden", f"The token is not for this: it needs the scope {wanted}.")
    return Caller(actor, holder.token_id)


async def _payload(request: Request) -> Any:
    """The JSON of the body, read no further than its limit; an empty one stands for no fields."""
    body = await body_of(request, BODY_LIMIT)
    try:
        return json_body.decode(body) if body.strip() else {}
    except RuleError as error:
        raise Refused(400, "not_json", error.sentence) from None


async def answered(
    request: Request, act: Callable[[], Awaitable[Response]], names: Mapping[str, str] | None = None
) -> Response:
    """The answer, or why there is none, in the one form of errors. `names`: what programs call fields of commands."""
    try:
        return await act()
    except Refused as refused:
        return refused.response()
    except Conflict as conflict:
        refusal = Refused(409, "conflict", conflict.sentence).body()
        refusal["error"]["since"] = [  # type: ignore[index]
            {"at": instant(one.at), "actor": one.actor_name, "kind": one.kind, "text": one.text, "changes": one.changes}
            for one in conflict.since
        ]
        return answer(refusal, 409)
    except NotFound as error:
        return Refused(404, "not_found", error.sentence).response()
    except Forbidden as error:
        return Refused(403, "forbidden", error.sentence).response()
    except Throttled as error:
        wait = str(max(1, int(error.wait.total_seconds())))
        return Refused(429, "too_many", error.sentence, headers={"retry-after": wait}).response()
    except RuleError as error:
        fields = {(names or {}).get(name, name): said for name, said in error.fields.items()}
        return Refused(422, "not_accepted", error.sentence, fields).response()
    except DatabaseProblem as problem:
        return Refused(503, "unavailable", problem.sentence, headers={"retry-after": "5"}).response()
    except ClientDisconnect:
        return Refused(400, "cut_off", "The body ended before its end.").response()
    except Exception:  # noqa: BLE001 - logged, and told with a reference
        return failed(request).response()


def instant(value: datetime | None) -> str | None:
    """As programs read it: '2026-03-02T09:00:00.250000Z', UTC."""
    return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")
