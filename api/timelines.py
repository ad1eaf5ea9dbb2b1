"""The timeline of an incident as a file, through the same access check as the incident."""

from datetime import UTC, datetime
from urllib.parse import quote
from zoneinfo import ZoneInfo

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from db.engine import DatabaseProblem, reading
from db.queries import incidents, sessions
from db.settings import settings
from rules import timeline_export as export
from rules.errors import RuleError


def _written(token: str, number: str, form: str, zone: str) -> tuple[str, str] | None:
    """The name and the content of the file; None when there is none for who asks."""
    now = datetime.now(UTC)
    with reading() as db:
        actor = sessions.actor_of(db, token, now)
        if actor is None or form not in export.TYPES:
            return None
        try:
            detail = incidents.by_number(db, actor, number)
            story = incidents.whole_story(db, actor, detail)
        except RuleError:
            return None
    entries = [
        export.Entry(
            entry.at,
            entry.recorded_at,
            entry.actor_name,
            entry.kind,
            entry.text,
            entry.detail,
            entry.changes,
            entry.public,
            entry.imported,
        )
        for entry in story
    ]
    known = detail.line.number
    return f"{known}-timeline.{form}", export.written(form, known, detail.line.title, entries, _zone(zone), now)


def _zone(name: str) -> ZoneInfo:
    """The zone of who asks; UTC when there is none of that name."""
    try:
        return ZoneInfo(name[:100] or "UTC")
    except (KeyError, OSError, ValueError):  # as ZoneInfo refuses unknown names, folders, and odd ones
        return ZoneInfo("UTC")


async def download(request: Request) -> Response:
    """The whole timeline, as far as it is open to who asks; always a download, never sniffed."""
    token = request.cookies.get(settings().cookie, "")
    asked = request.path_params
    zone = request.query_params.get("zone", "")
    try:
        found = await to_thread.run_sync(_written, token, asked["number"], asked["form"], zone)
    except DatabaseProblem as problem:
        return PlainTextResponse(problem.sentence, 503)
    if found is None:
        return PlainTextResponse("There is no such incident, or it is not open to you.", 404)
    name, content = found
    return Response(
        content.encode("utf-8-sig" if name.endswith(".csv") else "utf-8"),
        media_type=export.TYPES[asked["form"]],
        headers={
            "content-disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
            "content-security-policy": "default-src 'none'; sandbox",
            "cache-control": "private, no-store",
        },
    )


routes = [Route("/rooms/{number}/timeline.{form}", download)]
