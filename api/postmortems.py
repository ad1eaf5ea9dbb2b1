"""A postmortem as a page to print, through the same access check as the postmortem itself."""

from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from itertools import groupby
from pathlib import Path

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from api.forms import TEMPLATES
from db.engine import DatabaseProblem, reading
from db.queries import postmortems, sessions
from db.settings import settings
from rules.errors import RuleError
from rules.markdown import Block, blocks
from rules.postmortem_export import NOTHING, standing
from rules.postmortems import LABELS, SECTIONS, factors

STYLE = (Path(__file__).parent / "templates" / "postmortem.css").read_text("utf-8")
CONTENT_SECURITY = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'; "
    "img-src 'self'; font-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
_LISTED = {"bullet": "ul", "step": "ul", "numbered": "ol"}
_LARGEST = 2**31 - 1


def pieces(text: str) -> list[tuple[str, Sequence[Block]]]:
    """The pieces of a text as the template draws them: ul and ol with their items, all else alone."""
    found: list[tuple[str, Sequence[Block]]] = []
    for kind, run in groupby(blocks(text), key=lambda block: _LISTED.get(block.kind, "")):
        together = tuple(run)
        if kind:
            found.append((kind, together))
        else:
            found += [(block.kind, (block,)) for block in together]
    return found


def html(found: postmortems.Whole) -> str:
    """The whole page."""
    return TEMPLATES.get_template("postmortem.html").render(
        style=STYLE,
        found=found,
        state=LABELS[found.state],
        facts=found.facts(),
        sections=[
            (section.label, factors(found.words[name]) if name == "factors" else pieces(found.words[name]), name)
            for name, section in SECTIONS.items()
            if name != "no_action"
        ],
        actions=[(action, standing(action.exported(), found.zone)) for action in found.actions],
        no_action=pieces(found.words["no_action"]),
        nothing=NOTHING,
    )


def _printed(token: str, postmortem_id: int) -> str | None:
    """The page; None when there is none for who asks."""
    now = datetime.now(UTC)
    with reading() as db:
        actor = sessions.actor_of(db, token, now)
        if actor is None or not 0 < postmortem_id <= _LARGEST:
            return None
        try:
            found = postmortems.one(db, actor, postmortem_id, now)
        except RuleError:
            return None
    return html(found)


async def page(request: Request) -> Response:
    """The page to print; nothing in it runs or loads from elsewhere."""
    token = request.cookies.get(settings().cookie, "")
    try:
        found = await to_thread.run_sync(_printed, token, request.path_params["id"])
    except DatabaseProblem as problem:
        return PlainTextResponse(problem.sentence, 503)
    if found is None:
        return PlainTextResponse("There is no such postmortem, or it is not open to you.", 404)
    return HTMLResponse(
        found, headers={"content-security-policy": CONTENT_SECURITY, "cache-control": "private, no-store"}
    )


routes = [Route("/postmortems/{id:id}/print", page)]
