"""The status page as HTML: everything in one document, its bars included, and never more than it should weigh."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from api.forms import TEMPLATES
from api.status_feeds import WORDS
from db.queries import status_page as queries
from db.queries.status_page import Board, Shown, Told
from rules.status_page import (
    DAYS,
    LABELS,
    STATES,
    cut,
    day_words,
    headline,
    history_words,
    moment_words,
    span_words,
    uptime_words,
    worst,
)
from rules.updates import STAGES

MOST_BYTES = 50_000
STYLE = (Path(__file__).parent / "templates" / "status.css").read_text("utf-8")
CONTENT_SECURITY = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'; "
    "img-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
STALE = "<!--stale-->"
"""Where a copy that is old says so. What people typed is escaped, so this cannot come from them."""
EVERY = 4
"""Units from one day to the next. A line across is dashed (status.css): a dash is a day, a run of days one stroke."""
_FULL, _SHORT, _BARE = (3, 1500, 6), (1, 300, 3), (1, 120, 0)
"""updates of an incident, characters of each, days named in words: less, where the page would be too heavy"""
_PAGES = TEMPLATES.overlay(trim_blocks=True, lstrip_blocks=True)


def render(template: str, board: Board | None, **values: Any) -> str:
    """One of the templates of the status page, with what all of them use."""
    zone = ZoneInfo(board.zone if board is not None else "UTC")
    given: dict[str, Any] = {
        "board": board,
        "name": board.name if board is not None else "Service status",
        "style": STYLE,
        "labels": LABELS,
        "stages": STAGES,
        "words_of": WORDS,
        "moment": partial(moment_words, zone=zone),
        "span": partial(span_words, zone=zone),
        "wrong": {},
        "typed": {},
    }
    return _PAGES.get_template(template).render(given | values)


def page(board: Board, *, preview: bool = False) -> str:
    """The page itself, as full as MOST_BYTES allows."""
    states = [each.state for each in board.components]
    for notes, characters, named in (_FULL, _SHORT, _BARE):
        html = render(
            "status.html",
            board,
            preview=preview,
            state=worst(states),
            headline=headline(states),
            groups=[(name, list(each)) for name, each in groupby(board.components, key=lambda one: one.group)],
            width=DAYS * EVERY,
            bar=partial(_bars, titled=named > 0),
            uptime=uptime_words,
            history_words=partial(history_words, named=named),
            shown=partial(_notes, most=notes),
            cut=partial(cut, limit=characters),
            days=DAYS,
            past_days=queries.PAST_DAYS,
            going_on=board.going_on if named else board.going_on[:5],
            past=board.past if named else board.past[:5],
        )
        if len(html.encode()) <= MOST_BYTES:
            break
    return html


def history(board: Board) -> str:
    """Every incident and maintenance of the last 90 days, by month."""
    ended: list[tuple[datetime, Any]] = [(each.ended_at or each.began_at, each) for each in board.past]
    ended += [(each.end, each) for each in board.completed]
    ended.sort(key=lambda one: one[0], reverse=True)
    zone = ZoneInfo(board.zone)
    months = groupby(ended, key=lambda one: f"{one[0].astimezone(zone):%B %Y}")
    listed = [(month, [each for _, each in those]) for month, those in months]
    return render("status_history.html", board, months=listed, is_incident=lambda each: isinstance(each, Told))


def incident(board: Board, told: Told) -> str:
    """One incident with everything that was published of it."""
    return render("status_incident.html", board, told=told)


def _notes(told: Told, most: int) -> Sequence[queries.Note]:
    return told.notes[:most]


def _bars(component: Shown, titled: bool) -> Mapping[str, Any]:
    """Where the known days begin, and what to draw over them: each day apart where it has a title, else in runs."""
    days = component.history.days
    unknown = sum(day.state is None for day in days)
    bad = [(place, day) for place, day in enumerate(days) if day.state not in (None, "operational")]
    if titled:
        marks = [(day.state, _line(place, 1), day_words(day)) for place, day in bad]
    else:
        marks = [(state, "".join(_runs([place for place, day in bad if day.state == state])), "") for state in STATES]
    return {"unknown": unknown * EVERY, "marks": [mark for mark in marks if mark[1]]}


def _runs(places: Sequence[int]) -> list[str]:
    """Strokes for these days, one for those that follow each other."""
    runs: list[list[int]] = []
    for place in places:
        if runs and sum(runs[-1]) == place:
            runs[-1][1] += 1
        else:
            runs.append([place, 1])
    return [_line(start, count) for start, count in runs]


def _line(place: int, count: int) -> str:
    return f"M{place * EVERY} 14h{count * EVERY}"


__all__ = ["CONTENT_SECURITY", "MOST_BYTES", "STALE", "history", "incident", "page", "render"]
