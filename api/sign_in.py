"""The pages before the app: sign in and out, set up, choose a password by a link."""

from collections.abc import Mapping
from pathlib import Path
from zoneinfo import available_timezones

from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route

from api import forms
from api.plain import Fields
from api.plain import address as _address
from api.plain import now as _now
from api.plain import see as _see
from api.plain import take as _take
from db import demo
from db.commands import people, setup
from db.commands import sign_in as commands
from db.engine import reading, writing
from db.models import Person
from db.queries import people as people_queries
from db.queries import sessions
from db.queries.settings import organisation
from db.settings import settings
from rules.errors import RuleError

STYLE = Path(__file__).parent / "templates" / "plain.css"


def _agent(request: Request) -> str:
    return request.headers.get("user-agent", "")[:300]


def _signed_in(token: str, target: str) -> Response:
    response = RedirectResponse(forms.local(target), 303)
    response.set_cookie(
        settings().cookie,
        token,
        max_age=int(sessions.ABSOLUTE_LIMIT.total_seconds()),
        path="/",
        httponly=True,
        samesite="lax",
        secure=settings().secure,
    )
    return response


def _show_login(request: Request, typed: Fields, wrong: Mapping[str, str], status: int = 200) -> Response:
    with reading() as db:
        name = organisation(db).name
        if not sessions.anyone(db):
            return RedirectResponse("/setup", 303)
        sample = organisation(db).sample_data
    target = forms.local(typed.get("next") or request.query_params.get("next"))
    return forms.page(
        request, "login.html", status, typed=typed, wrong=wrong, next=target, organisation=name, sample=sample,
        anonymous=settings().anonymous_reports,
    )  # fmt: skip


async def login(request: Request) -> Response:
    if request.method == "GET":
        return await _see(request, _show_login)

    def act(typed: Fields) -> Response:
        token = commands.sign_in(
            typed.get("email", ""),
            typed.get("password", ""),
            address=_address(request),
            user_agent=_agent(request),
            now=_now(),
        )
        _end(request.cookies.get(settings().cookie))
        return _signed_in(token, typed.get("next", "/"))

    return await _take(request, _show_login, act)


def _end(token: str | None) -> None:
    if token:
        with writing() as db:
            commands.sign_out(db, token, _now())


def _show_logout(request: Request, typed: Fields, wrong: Mapping[str, str], status: int = 200) -> Response:
    return forms.page(request, "logout.html", status, wrong=wrong)


async def logout(request: Request) -> Response:
    if request.method == "GET":
        return await _see(request, _show_logout)

    def act(typed: Fields) -> Response:
        _end(request.cookies.get(settings().cookie))
        response = RedirectResponse("/login", 303)
        response.delete_cookie(settings().cookie, path="/", secure=settings().secure, httponly=True, samesite="lax")
        return response

    return await _take(request, _show_logout, act)


def _show_setup(request: Request, typed: Fields, wrong: Mapping[str, str], status: int = 200) -> Response:
    with reading() as db:
        if sessions.anyone(db):
            return RedirectResponse("/login", 303)
    return forms.page(request, "setup.html", status, typed=typed, wrong=wrong, zones=sorted(available_timezones()))


async def set_up(request: Request) -> Response:
    if request.method == "GET":
        return await _see(request, _show_setup)

    def act(typed: Fields) -> Response:
        now = _now()
        if typed.get("choice") == "sample":
            with writing() as db:
                setup.check_code(db, typed.get("code", ""), now)
                demo.fill(db, now)
            return RedirectResponse("/sample", 303)
        with writing() as db:
            person = setup.first_administrator(
                db,
                typed.get("code", ""),
                typed.get("organisation", ""),
                typed.get("name", ""),
                typed.get("email", ""),
                typed.get("password", ""),
                typed.get("zone") or "UTC",
                now=now,
            )
            token = commands.begin_session(db, person, user_agent=_agent(request), now=now)
        return _signed_in(token, "/")

    return await _take(request, _show_setup, act)


def _show_sample(request: Request, typed: Fields, wrong: Mapping[str, str], status: int = 200) -> Response:
    with reading() as db:
        if not organisation(db).sample_data:
            return RedirectResponse("/login", 303)
        found = people_queries.samples(db)
        name = organisation(db).name
    return forms.page(request, "sample.html", status, people=found, wrong=wrong, organisation=name)


async def sample(request: Request) -> Response:
    """Sign in as somebody of the sample data; only while sample data is all there is."""
    if request.method == "GET":
        return await _see(request, _show_sample)

    def act(typed: Fields) -> Response:
        wanted = typed.get("person", "")
        with writing() as db:
            person = db.get(Person, int(wanted)) if wanted.isdecimal() and len(wanted) < 10 else None
            if not organisation(db).sample_data or person is None or not person.sample or person.disabled_at:
                raise RuleError("Choose somebody from the list.")
            token = commands.begin_session(db, person, user_agent=_agent(request), now=_now())
        _end(request.cookies.get(settings().cookie))
        return _signed_in(token, "/")

    return await _take(request, _show_sample, act)


def _show_invite(
    request: Request, typed: Fields, wrong: Mapping[str, str], status: int = 200, *, token: str
) -> Response:
    with reading() as db:
        name = people_queries.link_holder(db, sessions.hashed(token), _now())
    if name is None:
        sentence = "This link has been used or is too old. Ask an administrator for a new one."
        return forms.page(request, "problem.html", 404, sentence=sentence)
    return forms.page(request, "invite.html", status, typed=typed, wrong=wrong, name=name)


async def invite(request: Request) -> Response:
    token = request.path_params["token"][:200]
    if request.method == "GET":
        return await _see(request, _show_invite, token=token)

    def act(typed: Fields) -> Response:
        password, now = typed.get("password", ""), _now()
        if password != typed.get("again", ""):
            raise RuleError("The two passwords are not the same. Type both again.", field="again")
        with writing() as db:
            person = people.accept_link(db, token, password, now=now)
            session = commands.begin_session(db, person, user_agent=_agent(request), now=now)
        return _signed_in(session, "/")

    return await _take(request, _show_invite, act, token=token)


async def style(request: Request) -> Response:
    return FileResponse(STYLE, media_type="text/css", headers={"cache-control": "max-age=3600"})


routes = [
    Route("/login", login, methods=["GET", "POST"]),
    Route("/logout", logout, methods=["GET", "POST"]),
    Route("/setup", set_up, methods=["GET", "POST"]),
    Route("/sample", sample, methods=["GET", "POST"]),
    Route("/invite/{token}", invite, methods=["GET", "POST"]),
    Route("/sign-in/plain.css", style),
]
