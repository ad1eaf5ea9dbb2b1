"""Reports without an account: a form anyone may send, and the page of its link. Plain HTML; works without scripts."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from api import forms, plain
from api.plain import Fields
from db.commands import anonymous, answers
from db.commands.files import Upload
from db.engine import reading, writing
from db.queries import choices, known_errors, templates, tracking
from db.queries.known_errors import Help
from db.queries.settings import Organisation, organisation
from db.settings import settings
from rules import plain_words
from rules.access import NotFound
from rules.attachments import EXTENSIONS, MAX_BYTES
from rules.errors import RuleError
from rules.priority import EFFECTS, SCOPES
from rules.templates import YES_NO

FORM = "/report-a-problem"
PRIVATE = {"x-robots-tag": "noindex, nofollow", "referrer-policy": "no-referrer"}
"""A link that opens a report is told to no other site and to no search engine."""
TRAP = "website"
"""A field that people do not see. Programs that fill in every field are told so."""
UNSURE = "unsure"
ASK = "ask"
"""The button that shows what is asked about what one needs; nothing is sent by it."""
ANYWAY = "anyway"
"""A field of the form that has shown what is known."""
_LARGEST_ID = 2**31 - 1


def _nothing(request: Request, sentence: str = "There is no such page.") -> Response:
    return _private(forms.page(request, "nothing.html", 404, sentence=sentence))


def _private(response: Response) -> Response:
    response.headers.update(PRIVATE)
    return response


def _show_form(
    request: Request, typed: Fields, wrong: Mapping[str, str], status: int = 200, helps: Sequence[Help] = ()
) -> Response:
    with reading() as db:
        known = organisation(db)
        services = choices.services(db)
        needs = {each.id: each for each in templates.offered(db)}
    need = needs.get(_number(typed.get("template_id", "")) or 0)
    kept = typed.get("once", "")
    given = {"kept": kept} if forms.is_once(request, kept) else {}
    return forms.page(
        request, "report.html", status, typed=typed, wrong=wrong, services=services, scopes=SCOPES, effects=EFFECTS,
        needs=list(needs.values()), need=need, yes_no=YES_NO,
        phone=known.desk_phone, organisation=known.name, accept=",".join(f".{name}" for name in EXTENSIONS),
        megabytes=MAX_BYTES // 1_048_576, helps=helps, **given,
    )  # fmt: skip


def _known(request: Request, typed: Fields) -> Response | None:
    """What is known of it and may help at once: shown before the report is taken, and once only."""
    helped = _number(typed.get("helped", ""))
    if helped is not None:
        with writing() as db:
            token, address = typed["once"], plain.address(request)
            anonymous.helped(db, helped, form_token=token, address=address, now=plain.now())
        return forms.page(request, "helped.html")
    if typed.get(ANYWAY):
        return None
    with reading() as db:
        found = known_errors.for_reporters(db, typed.get("title", ""), _number(typed.get("service_id", "")))
    return _show_form(request, typed, {}, helps=found) if found else None


async def report(request: Request) -> Response:
    """The form, and its answer: the page of the new report."""
    if not settings().anonymous_reports:
        return _nothing(request)
    if request.method != "POST":
        return _private(await plain.see(request, _show_form))
    uploads: list[Upload] = []

    async def read(asked: Request) -> Fields:
        typed, found = await forms.with_files(asked)
        uploads.extend(found)
        return typed

    def act(typed: Fields) -> Response:
        once = typed.get("once", "")
        if not forms.is_once(request, once):
            raise RuleError("This page was open for too long. Send the form once more.")
        if typed.get(TRAP):
            raise RuleError("Leave the field 'Website' empty: it is there for programs only.")
        if typed.get(ASK):
            return _show_form(request, typed, {})
        known = _known(request, typed)
        if known is not None:
            return known
        begins = "answers."
        with writing() as db:
            token = anonymous.report(
                db,
                title=typed.get("title", ""),
                affected=typed.get("affected", ""),
                description=typed.get("description", ""),
                service_id=_number(typed.get("service_id", "")),
                scope=typed.get("scope") or None,
                effect=typed.get("effect") or None,
                name=typed.get("caller_name", ""),
                contact=typed.get("caller_contact", ""),
                template_id=_number(typed.get("template_id", "")),
                answers={name.removeprefix(begins): said for name, said in typed.items() if name.startswith(begins)},
                attachments=uploads,
                form_token=once,
                address=plain.address(request),
                now=plain.now(),
            )
        return RedirectResponse(f"/track/{token}", 303)

    return _private(await plain.take(request, _show_form, act, read=read))


def _number(typed: str) -> int | None:
    """The id that was chosen, None for none, and one that nothing has for what is no id."""
    if not typed:
        return None
    number = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 12 else 0
    return number if 0 < number <= _LARGEST_ID else 0


def _show_report(
    request: Request, typed: Fields, wrong: Mapping[str, str], status: int = 200, *, token: str
) -> Response:
    try:
        with reading() as db:
            known = organisation(db)
            found = tracking.tracked(db, tracking.holder(db, token))
    except NotFound as missing:
        return _nothing(request, missing.sentence)
    now, line = plain.now(), found.detail.line
    told = partial(_moment, known)
    standing: dict[str, Any] = {
        "status": plain_words.status(line, mine=True),
        "next": plain_words.next_step(line, now, told, mine=True),
    }
    if found.goes_on is not None:
        standing["status"] = "Joined with the same problem, reported before"
        goes_on = plain_words.status(found.goes_on, mine=False)
        standing["next"] = f"That one goes on as {found.goes_on.number}: {goes_on.lower()}."
    return forms.page(
        request, "track.html", status, typed=typed, wrong=wrong, line=line, detail=found.detail, files=found.files,
        asked=line.state == "recovered" and line.verification is None, unsure=typed.get("again") == UNSURE,
        writes=line.state not in ("closed", "cancelled"), entries=found.entries, told=told, zone=known.zone,
        phone=known.desk_phone, address=_address(request), **standing,
    )  # fmt: skip


def _address(request: Request) -> str:
    """The page's own address, as people reach it."""
    base = settings().base_url.rstrip("/") or str(request.base_url).rstrip("/")
    return base + request.url.path


def _moment(known: Organisation, moment: datetime) -> str:
    at = moment.astimezone(ZoneInfo(known.zone))
    return f"{at:%a} {at.day} {at:%b %Y, %H:%M}"


async def track(request: Request) -> Response:
    """Where the report stands. Looking changes nothing; buttons answer and write."""
    token = request.path_params["token"][:200]
    if not settings().anonymous_reports:
        return _nothing(request)
    if request.method != "POST":
        return _private(await plain.see(request, _show_report, token=token))
    said: dict[str, str] = {}

    async def read(asked: Request) -> Fields:
        said.update(await forms.fields(asked, forms.MOST_BYTES_OF_A_FIELD))
        return said

    def act(typed: Fields) -> Response:
        try:
            with writing() as db:
                actor = tracking.holder(db, token)
                words, do, now = typed.get("words", ""), typed.get("do", ""), plain.now()
                if do == "comment":
                    anonymous.comment(db, words, actor=actor, now=now)
                else:
                    sure = typed.get("again") == UNSURE and do == "yes"
                    anonymous.answer(db, do == "yes", words, sure=sure, actor=actor, now=now)
        except answers.Unsure:
            said["again"] = UNSURE
            raise
        except NotFound as missing:
            return _nothing(request, missing.sentence)
        except RuleError as error:
            # The page has one box for words, whatever they are for.
            error.fields = dict.fromkeys(("words",) if error.fields else (), error.sentence)
            raise
        return RedirectResponse(f"/track/{token}", 303)

    return _private(await plain.take(request, _show_report, act, read=read, token=token))


routes = [
    Route(FORM, report, methods=["GET", "POST"]),
    Route("/track/{token}", track, methods=["GET", "POST"]),
]
