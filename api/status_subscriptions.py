"""Being told by e-mail: asked for on the status page, confirmed from a mail, changed and ended by its links.

Opening a link changes nothing, since mail scanners open them too; the button on its page does. The token is the proof.
"""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from api import forms, plain, status_pages
from api.plain import Fields
from db.commands import subscriptions
from db.engine import reading, writing
from db.queries import status_page as queries
from db.queries import subscribers
from db.queries.status_page import Board
from db.queries.subscribers import Chosen
from rules.access import NotFound
from rules.errors import RuleError

LONGEST_TOKEN = 200
TRAP = "website"
"""A field that people do not see. Programs that fill in every field are told so."""
MOST_FIELDS = 100
PRIVATE = {
    "cache-control": "no-store",
    "x-robots-tag": "noindex, nofollow",
    "referrer-policy": "no-referrer",
    "content-security-policy": status_pages.CONTENT_SECURITY,
}
LOOK = "Look into your inbox"
SENT = (
    "A mail is on its way to the address that you gave. Open its link and press the button there, and you are told. "
    "Until then nothing else is sent to it."
)


def _page(template: str, status: int = 200, board: Board | None = None, **values: Any) -> Response:
    return HTMLResponse(status_pages.render(template, board, **values), status, headers=PRIVATE)


def _said(title: str, sentence: str, status: int = 200) -> Response:
    return _page("status_nothing.html", status, title=title, sentence=sentence, back=True)


def _unknown() -> Response:
    return _said("Nothing here", subscriptions.UNKNOWN, 404)


async def _read(request: Request) -> Fields:
    return await forms.unproven(request, most_fields=MOST_FIELDS)


def _ids(typed: Mapping[str, str]) -> set[int] | None:
    """The components that were chosen; None for all."""
    if typed.get("of") != "some":
        return None
    written = [name.removeprefix("component.") for name in typed if name.startswith("component.")]
    return {int(one) for one in written if one.isascii() and one.isdigit() and len(one) < 10}


def _show_form(request: Request, typed: Fields, wrong: Mapping[str, str], status: int = 200) -> Response:
    with reading() as db:
        look, components = queries.look(db), subscribers.choosable(db)
        if not look.published or not subscribers.offered():
            return _said("Nothing here", "There is nothing to subscribe to here.", 404)
        board = queries.named(db, plain.now())
    chosen = _ids(typed)
    return _page(
        "status_subscribe.html", status, board, typed=typed, wrong=wrong, components=components,
        chosen=chosen or (), everything=chosen is None,
    )  # fmt: skip


async def subscribe(request: Request) -> Response:
    """The form with a choice of components; what it and that of the status page send."""
    if request.method != "POST":
        return await plain.see(request, _show_form)

    def act(typed: Fields) -> Response:
        if typed.get(TRAP):
            raise RuleError("Leave the field 'Website' empty: it is there for programs only.")
        try:
            with writing() as db:
                subscriptions.subscribe(
                    db, typed.get("email", ""), _ids(typed), address=plain.address(request), now=plain.now()
                )
        except NotFound as missing:
            return _said("Nothing here", missing.sentence, 404)
        return _said(LOOK, SENT)

    return await plain.take(request, _show_form, act, read=_read)


def _show_choice(
    request: Request, typed: Fields, wrong: Mapping[str, str], status: int = 200, *, purpose: str, token: str
) -> Response:
    with reading() as db:
        now = plain.now()
        found: Chosen | None = subscribers.chosen(db, purpose, token, now)
        if found is None:
            return _unknown()
        board, components = queries.named(db, now), subscribers.choosable(db)
    chosen = _ids(typed) if typed.get("do") else None if found.everything else found.component_ids
    template = "status_confirm.html" if purpose == "confirm" else "status_choice.html"
    return _page(
        template, status, board, typed=typed, wrong=wrong, found=found, components=components,
        chosen=chosen or (), everything=chosen is None,
    )  # fmt: skip


async def confirm(request: Request) -> Response:
    """The link of the first mail: a page with one button."""
    token = request.path_params["token"][:LONGEST_TOKEN]
    if request.method != "POST":
        return _quiet(await plain.see(request, _show_choice, purpose="confirm", token=token))

    def act(_typed: Fields) -> Response:
        try:
            with writing() as db:
                row = subscriptions.confirm(db, token, now=plain.now())
                further = subscribers.path("choose", row.id, row.seed)
        except RuleError:
            return _unknown()
        return _page("status_done.html", title="You are subscribed", further=further)

    return _quiet(await plain.take(request, _show_choice, act, read=_read, purpose="confirm", token=token))


async def choose(request: Request) -> Response:
    """The link at the end of every mail: change what one is told, or end it.

    A mail program ends it in one click, without a page (RFC 8058).
    """
    token = request.path_params["token"][:LONGEST_TOKEN]
    if request.method != "POST":
        return _quiet(await plain.see(request, _show_choice, purpose="choose", token=token))

    def act(typed: Fields) -> Response:
        if typed.get("do") != "save":
            with writing() as db:
                subscriptions.leave(db, token, now=plain.now())
            return _said("You get no more of these", "Your address is forgotten. You can subscribe again at any time.")
        with writing() as db:
            if subscribers.found(db, "choose", token) is None:
                return _unknown()
            subscriptions.choose(db, token, _ids(typed))
        return _said("Saved", "You are told of what you chose.")

    return _quiet(await plain.take(request, _show_choice, act, read=_read, purpose="choose", token=token))


def _quiet(response: Response) -> Response:
    response.headers.update(PRIVATE)
    return response


routes = [
    Route("/status/subscribe", subscribe, methods=["GET", "POST"]),
    Route("/status/confirm/{token}", confirm, methods=["GET", "POST"]),
    Route("/status/subscription/{token}", choose, methods=["GET", "POST"]),
]
