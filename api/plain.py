"""Showing a plain page and taking its form: what every page before the app has in common."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response

from api import forms
from db.commands.throttle import Throttled
from db.engine import DatabaseProblem
from rules.errors import RuleError

Fields = Mapping[str, str]


def now() -> datetime:
    """The clock of these pages."""
    return datetime.now(UTC)


def address(request: Request) -> str:
    """Where the request comes from."""
    return request.client.host if request.client else "unknown"


async def see(request: Request, show: Callable[..., Response], **shown: Any) -> Response:
    """Draw a page with nothing typed yet."""
    try:
        return await to_thread.run_sync(lambda: show(request, {}, {}, **shown))
    except DatabaseProblem as problem:
        return failed(request, problem)


def failed(request: Request, problem: DatabaseProblem) -> Response:
    """The page that says why the database cannot be used."""
    return forms.page(request, "problem.html", 503, sentence=problem.sentence)


async def take(
    request: Request,
    show: Callable[..., Response],
    act: Callable[[Fields], Response],
    *,
    read: Callable[[Request], Awaitable[Fields]] = forms.fields,
    **shown: Any,
) -> Response:
    """Read the form and act on it in a thread; draw the page again with everything typed when it is refused."""
    typed: Fields = {}
    try:
        typed = await read(request)
        return await to_thread.run_sync(act, typed)
    except forms.Refused as refused:
        typed = refused.typed
        wrong, status = {"": refused.sentence}, 400
    except RuleError as error:
        wrong, status = error.fields or {"": error.sentence}, 400
        if isinstance(error, Throttled):
            status, shown["wait"] = 429, error.wait
    except DatabaseProblem as problem:
        return failed(request, problem)
    wait = shown.pop("wait", None)
    try:
        response = await to_thread.run_sync(lambda: show(request, typed, wrong, status, **shown))
    except DatabaseProblem as problem:
        return failed(request, problem)
    if wait is not None:
        response.headers["retry-after"] = str(max(1, int(wait.total_seconds())))
    return response
