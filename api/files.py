"""Files of incidents, served as attachments through the same access check as the incident."""

from datetime import UTC, datetime
from urllib.parse import quote

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from db.engine import DatabaseProblem, reading
from db.queries import incidents, sessions
from db.settings import settings
from rules.errors import RuleError

LARGEST_ID = 2**63 - 1
"""what a database can look for"""


def _read(token: str, attachment_id: int) -> tuple[incidents.FileRow, bytes] | None:
    with reading() as db:
        actor = sessions.actor_of(db, token, datetime.now(UTC))
        if actor is None or attachment_id > LARGEST_ID:
            return None
        try:
            return incidents.file_content(db, actor, attachment_id)
        except RuleError:
            return None


async def download(request: Request) -> Response:
    """The file, never shown inside our pages: always a download, never sniffed."""
    token = request.cookies.get(settings().cookie, "")
    try:
        found = await to_thread.run_sync(_read, token, request.path_params["id"])
    except DatabaseProblem as problem:
        return PlainTextResponse(problem.sentence, 503)
    if found is None:
        return PlainTextResponse("There is no such file, or it is not open to you.", 404)
    return attachment(*found)


def attachment(row: incidents.FileRow, content: bytes) -> Response:
    """A file as it leaves: never drawn by a browser."""
    return Response(
        content,
        media_type=row.media_type,
        headers={
            "content-disposition": f"attachment; filename*=UTF-8''{quote(row.name, safe='')}",
            "content-security-policy": "default-src 'none'; sandbox",
            "cache-control": "private, no-store",
            "x-content-type-options": "nosniff",
        },
    )


routes = [Route("/files/{id:id}", download)]
