"""Links of messages: acknowledge and resolve from a page, leave notices by e-mail, leave a report.

Opening a link changes nothing, since mail scanners open them too. The token is the proof; no sign-in is asked for.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api import forms
from db.commands import page_links as commands
from db.commands import report_schedules as sendings
from db.engine import DatabaseProblem, reading, writing
from db.queries import page_links as queries
from db.queries import report_schedules
from rules.errors import RuleError
from rules.page_links import ACTIONS
from rules.states import LABELS, RESOLUTION_CODES

LONGEST_TOKEN = 200
DONE = {"acknowledge": "{} is yours. Nobody else is paged.", "resolve": "{} is resolved."}
CONFIRMED = "{} is in your hands. Nobody else is paged for it as long as it is not left alone."
ANSWERED = "You have answered for {}."


def _now() -> datetime:
    return datetime.now(UTC)


def _problem(request: Request, sentence: str, status: int) -> Response:
    return forms.page(request, "problem.html", status, sentence=sentence)


def _show(request: Request, token: str, typed: Mapping[str, str], wrong: Mapping[str, str], status: int) -> Response:
    with reading() as db:
        found = queries.shown(db, token, _now())
    if found is None:
        return _problem(request, queries.UNKNOWN, 404)
    if found.problem:
        return _problem(request, found.problem, 410)
    return forms.page(
        request,
        "act.html",
        status,
        link=found,
        state=LABELS[found.state],
        word=ACTIONS[found.action],
        answer=_answer(found.asked) if found.asked is not None else "",
        codes=RESOLUTION_CODES,
        typed=typed,
        wrong=wrong,
    )


def _kept(asked: queries.Asked) -> str:
    return f"{asked.keeper} keeps it." if asked.keeper else ""


def _told(asked: queries.Asked) -> str:
    if not asked.by:
        return "The timeline says so."
    return f"{' and '.join(name for _, name in asked.by)} {'is' if len(asked.by) == 1 else 'are'} told."


def _answer(asked: queries.Asked) -> str:
    """What the button would do."""
    return f"Say that you answer the page. {_kept(asked)} {_told(asked)}"


def _act(request: Request, token: str, typed: Mapping[str, str]) -> Response:
    given = {name: typed[name] for name in ("resolution_code", "resolution_note") if name in typed}
    try:
        with writing() as db:
            done = commands.use(db, token, given, now=_now())
    except RuleError as error:
        return _show(request, token, typed, error.fields or {"": error.sentence}, 400)
    if done.asked is not None:
        sentence = " ".join(filter(None, (ANSWERED.format(done.number), _kept(done.asked), _told(done.asked))))
    else:
        sentence = (CONFIRMED if done.confirms else DONE[done.action]).format(done.number)
    return forms.page(request, "done.html", 200, title="Done", sentence=sentence, number=done.number)


async def act(request: Request) -> Response:
    """Show what the link would do; do it when its button is pressed."""
    token = request.path_params["token"][:LONGEST_TOKEN]
    try:
        if request.method == "POST":
            typed = await forms.unproven(request)
            return await to_thread.run_sync(_act, request, token, typed)
        return await to_thread.run_sync(_show, request, token, {}, {}, 200)
    except forms.Refused as refused:
        return _problem(request, refused.sentence, 400)
    except DatabaseProblem as problem:
        return _problem(request, problem.sentence, 503)


def _show_leave(request: Request, token: str) -> Response:
    with reading() as db:
        name = queries.leaver(db, token)
    if name is None:
        return _problem(request, queries.UNKNOWN, 404)
    return forms.page(request, "leave.html", 200, name=name)


def _leave(request: Request, token: str) -> Response:
    try:
        with writing() as db:
            commands.leave(db, token)
    except RuleError as error:
        return _problem(request, error.sentence, 404)
    sentence = (
        "Notices reach you in the app alone from now on. Pages that ask you to answer still come, and word "
        "of what nobody answers."
    )
    return forms.page(request, "done.html", 200, title="You get no more of these", sentence=sentence, number="")


def _show_leave_report(request: Request, token: str) -> Response:
    with reading() as db:
        found = report_schedules.left_by(db, token)
    if found is None:
        return _problem(request, sendings.UNKNOWN_LINK, 404)
    if found.schedule_id is None:
        return _left(request)
    return forms.page(request, "leave_report.html", 200, name=found.person.name, report=found.name)


def _leave_report(request: Request, token: str) -> Response:
    try:
        with writing() as db:
            sendings.leave_by_link(db, token, now=_now())
    except RuleError as error:
        return _problem(request, error.sentence, 404)
    return _left(request)


def _left(request: Request) -> Response:
    sentence = "It is not sent to you any more. Everything else reaches you as before."
    return forms.page(request, "done.html", 200, title="You get no more of this report", sentence=sentence, number="")


async def leave(request: Request) -> Response:
    """End notices by e-mail: by the page's button, or by a mail program in one click (RFC 8058)."""
    return await _asked_or_done(request, _show_leave, _leave)


async def leave_report(request: Request) -> Response:
    """Leave one report that is sent, in the same two ways."""
    return await _asked_or_done(request, _show_leave_report, _leave_report)


Answer = Callable[[Request, str], Response]


async def _asked_or_done(request: Request, ask: Answer, do: Answer) -> Response:
    token = request.path_params["token"][:LONGEST_TOKEN]
    try:
        if request.method == "POST":
            await forms.unproven(request)
            return await to_thread.run_sync(do, request, token)
        return await to_thread.run_sync(ask, request, token)
    except forms.Refused as refused:
        return _problem(request, refused.sentence, 400)
    except DatabaseProblem as problem:
        return _problem(request, problem.sentence, 503)


routes = [
    Route("/act/{token}", act, methods=["GET", "POST"]),
    Route("/leave/report/{token}", leave_report, methods=["GET", "POST"]),
    Route("/leave/{token}", leave, methods=["GET", "POST"]),
]
