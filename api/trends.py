"""What leaves the screens of trends, process and forecast: print views, files, pictures, and the list behind a number.

Each is made anew from what is asked for, for whoever asks, and carries its period, filters, zone and moment.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from urllib.parse import quote

from anyio import to_thread
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from api import trends_print
from db.engine import DatabaseProblem, reading
from db.queries import figure, figure_book, forecast_report, process_report, report, sessions
from db.settings import settings
from rules.access import Actor, Forbidden, NotFound
from rules.errors import RuleError
from rules.exports import Book, as_csv, of_report, stem
from rules.panels import Panel, Report, filtered, opened
from rules.periods import Period, chosen_days, day_of, preset, zone_of

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
"""ending of the file -> its media type"""
SCREENS = ("/trends", process_report.PATH, forecast_report.PATH)
VIEW, PERIOD = "overview", "90"
"""unless the address says another"""
_KEPT_BY_NOBODY = {"cache-control": "private, no-store", "x-robots-tag": "noindex"}


@dataclass(frozen=True)
class Seen:
    """A view as it was asked for, with its filters in words and its address."""

    report: Report
    filtered: list[str]
    said: Mapping[str, str]


def period_of(db: Session, actor: Actor, said: Mapping[str, str], zone: str, now: datetime) -> Period:
    """The period of an address: two days 'from' and 'to', or a preset."""
    first = report.first_and_last(db, actor)[0]
    if said.get("from") or said.get("to"):
        begun, ended = day_of(said.get("from", ""), "from"), day_of(said.get("to", ""), "to")
        return chosen_days(begun, ended, now, zone, first)
    return preset(said.get("period") or PERIOD, now, zone, first)


def _zone(said: Mapping[str, str], actor: Actor) -> str:
    return zone_of(said.get("zone") or actor.zone).key


def _seen(screen: str, db: Session, actor: Actor, said: Mapping[str, str], now: datetime) -> Seen:
    zone, filters = _zone(said, actor), filtered(said)
    if screen == forecast_report.PATH:
        made = forecast_report.report(db, actor, zone, filters, now)
    else:
        period = period_of(db, actor, said, zone, now)
        if screen == process_report.PATH:
            made = process_report.report(db, actor, period, zone, filters, now)
        else:
            made = report.report(db, actor, said.get("view", VIEW), period, zone, filters, now)
    return Seen(made, figure.filter_words(db, actor, filters), dict(said) | {"zone": zone})


async def print_view(screen: str, request: Request) -> Response:
    """GET /trends/print?view&period&zone and filters: the view on paper, without scripts."""

    def made(db: Session, actor: Actor, said: Mapping[str, str], now: datetime) -> Response:
        seen = _seen(screen, db, actor, said, now)
        return trends_print.response(seen.report, seen.filtered, seen.said)

    return await _answered(request, made)


async def file(screen: str, request: Request) -> Response:
    """GET /trends/report.csv, .xlsx: the view's numbers, and a table for each panel."""

    def made(db: Session, actor: Actor, said: Mapping[str, str], now: datetime) -> Response:
        seen = _seen(screen, db, actor, said, now)
        return _download(of_report(seen.report, seen.filtered), request.path_params["form"])

    return await _answered(request, made)


async def incidents(request: Request) -> Response:
    """GET /trends/incidents.csv, .xlsx?figure&from&to&zone and filters: the incidents that a number counts."""

    def made(db: Session, actor: Actor, said: Mapping[str, str], now: datetime) -> Response:
        opens, zone = opened(said), _zone(said, actor)
        found = figure.all_incidents(db, actor, opens, zone, now)
        words = figure.filter_words(db, actor, opens.filters)
        return _download(figure_book.book(found, opens, words, zone, now), request.path_params["form"])

    return await _answered(request, made)


async def picture(screen: str, request: Request) -> Response:
    """GET /trends/chart.png?panel&view&period&zone and filters: one picture with the words that defend it."""

    def made(db: Session, actor: Actor, said: Mapping[str, str], now: datetime) -> Response:
        seen = _seen(screen, db, actor, said, now)
        panel = _panel(seen.report, said.get("panel", ""))
        content = trends_print.picture(seen.report, panel, seen.filtered)
        if content is None:
            raise NotFound("There is nothing to draw here. Choose another panel or a longer period.")
        name = stem(f"{seen.report.screen.lower()}-{panel.key}", seen.report.start, seen.report.end, seen.report.zone)
        return _attached(content, "image/png", f"{name}.png")

    return await _answered(request, made)


def _panel(seen: Report, key: str) -> Panel:
    for panel in seen.panels:
        if panel.key == key:
            return panel
    known = ", ".join(panel.key for panel in seen.panels)
    raise RuleError(f"There is no panel '{key}' in this view. Choose one of: {known}.", field="panel")


def _download(book: Book, form: str) -> Response:
    if form == "csv":
        # The mark lets spreadsheets see that it is UTF-8.
        return _attached(as_csv(book).encode("utf-8-sig"), TYPES[form], f"{book.stem}.csv")
    if form == "xlsx":
        from db.workbook import as_xlsx

        return _attached(as_xlsx(book), TYPES[form], f"{book.stem}.xlsx")
    raise NotFound("There is no file of this form. Choose csv or xlsx.")


def _attached(content: bytes, media_type: str, name: str) -> Response:
    return Response(
        content,
        media_type=media_type,
        headers=_KEPT_BY_NOBODY
        | {
            "content-disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
            "content-security-policy": "default-src 'none'; sandbox",
        },
    )


Made = Callable[[Session, Actor, Mapping[str, str], datetime], Response]


async def _answered(request: Request, made: Made) -> Response:
    """What `made` makes in a thread for who is signed in; a sentence where it is refused."""
    token, said = request.cookies.get(settings().cookie, ""), dict(request.query_params)

    def act() -> Response:
        now = datetime.now(UTC)
        with reading() as db:
            actor = sessions.actor_of(db, token, now)
            if actor is None:
                return _refused("Sign in first.", 401)
            return made(db, actor, said, now)

    try:
        return await to_thread.run_sync(act)
    except NotFound as error:
        return _refused(error.sentence, 404)
    except Forbidden as error:
        return _refused(error.sentence, 403)
    except RuleError as error:
        return _refused(error.sentence, 400)
    except DatabaseProblem as problem:
        return _refused(problem.sentence, 503)


def _refused(sentence: str, status: int) -> Response:
    return PlainTextResponse(sentence, status, headers=_KEPT_BY_NOBODY)


routes = [
    Route("/trends/incidents.{form}", incidents),
    *(
        Route(f"{screen}/{path}", partial(made, screen))
        for screen in SCREENS
        for path, made in (("print", print_view), ("report.{form}", file), ("chart.png", picture))
    ),
]
