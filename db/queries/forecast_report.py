"""The screen of the forecast as a report, for what leaves it: what is likely to breach, and what will be reported."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from db.queries import forecast, listed
from db.queries.forecast import MOST_OPEN, Candidate, Outlook, Past
from db.queries.lines import Line
from rules.access import Actor
from rules.forecast import (
    BASES,
    HELD,
    LEAST_DAYS,
    LEAST_SIMILAR,
    LOOKS_AHEAD,
    RECENT_WEEKS,
    SHARE,
    WEEK,
    Arrivals,
    weeks,
)
from rules.measures import Filters
from rules.panels import Column, Number, Panel, Report, incidents
from rules.periods import zone_of
from rules.states import LABELS

SCREEN, PATH = "Forecast", "/trends-forecast"
WEEKS_DRAWN = "Reported each week"
ENOUGH = 20
"""A score of fewer cases is not told."""
_LIKELY = (
    Column("number", "Number"),
    Column("title", "Title"),
    Column("state", "State"),
    Column("priority", "Priority"),
    Column("about", "Service or place"),
    Column("pair", "Category"),
    Column("team", "Team"),
    Column("assignee", "Assignee"),
    Column("reported", "Reported", "instant"),
    Column("due", "Due", "instant"),
    Column("clock", "Clock"),
    Column("share", "Took longer", "share"),
    Column("within", "Done within, hours", "hours"),
    Column("n", "Resolved", "count"),
    Column("still", "Still open", "count"),
    Column("basis", "Similar by"),
)
_WEEKS = (
    Column("begins", "From", "day"),
    Column("what", "What it is"),
    Column("n", "Incidents", "count"),
    Column("low", "At least", "count"),
    Column("high", "At most", "count"),
)
_DAYS = (Column("day", "Day"), Column("on", "Date", "day"), Column("n", "Expected", "count"))


def report(db: Session, actor: Actor, zone: str, filters: Filters, now: datetime) -> Report:
    """The coming week, as of `now`. Forbidden without the right to trends."""
    known = forecast.past(db, actor, now)
    found = forecast.outlook(db, actor, known, filters, now)
    open_ = listed.every(db, actor, [each.id for each in found.likely])
    days, week = forecast.expected(db, actor, filters, now, zone)
    panels = [_likely(known, found, open_)]
    numbers = [
        Number("likely", "Likely to breach", "count", len(found.likely), found.looked_at, about(known, found), "")
    ]
    if week is not None:
        today = now.astimezone(zone_of(zone)).date()
        panels += [_weeks(days, week, today), _days(week, today)]
        numbers.append(
            Number("expected", "Expected next week", "count", week.expected, sum(days[-WEEK * RECENT_WEEKS :]),
                   f"Reports of the seven days from tomorrow on. {fared(week)}", "")
        )  # fmt: skip
    else:
        panels.append(_too_short(days))
    view, end = SCREEN.lower(), now + LOOKS_AHEAD
    return Report(view, SCREEN, now, end, zone, filters, now, numbers, panels, screen=SCREEN, path=PATH)


def pictures(week: Arrivals | None) -> dict[str, str]:
    """The titles of the panels that have something to draw, by key."""
    return {"weeks": WEEKS_DRAWN} if week is not None else {}


def about(known: Past, found: Outlook) -> str:
    """What is looked at, what it is compared with, and of how many nothing can be said."""
    looked_at = incidents(found.looked_at)
    if found.cut:
        looked_at = f"the {MOST_OPEN} due first"
    words = (
        f"Open, due within {LOOKS_AHEAD.days} days, not late, and more than {percent(1 - SHARE)} of similar ones took "
        f"longer than the time that is left. Looked at: {looked_at}"
    )
    if found.silent:
        words += f", of which {found.silent:,} with fewer than {LEAST_SIMILAR} resolved ones like it, too few to say"
    sample = f", a sample of one in {known.every}" if known.every > 1 else ""
    return (
        f"{words}. Similar: {', else '.join(BASES.values())}; reported within a year{sample}, and open for longer than "
        "this one is now. Those still open count for as long as they have been."
    )


def score(known: Past) -> str:
    """How good this would have been; empty where too little of it has come out."""
    held, told = forecast.checked(known)
    if told < ENOUGH:
        return ""
    return (
        f"Checked on the past: of {told:,} incidents that were open 4, 8 or 12 weeks ago, {percent(held / told)} were "
        f"done within the time that would have been said; {percent(SHARE)} is meant."
    )


def fared(week: Arrivals) -> str:
    """What next week's number rests on, and how it would have fared before."""
    words = (
        f"The mean of the last {RECENT_WEEKS} weeks; the interval is as wide as {percent(HELD)} of the misses of the "
        f"last {week.errors} weeks, reckoned in the same way. On average it missed by {week.miss:,.0f}; to expect the "
        f"week before again, by {week.naive_miss:,.0f}."
    )
    if week.tested:
        words += f" Of the last {week.tested} weeks, {week.held} lay within the interval that would have been said."
    return words


def next_week(week: Arrivals, today: date) -> str:
    """What is expected, in a sentence. `today`: the local day."""
    begins, ends = today + timedelta(days=1), today + timedelta(days=WEEK)
    busiest = max(range(WEEK), key=lambda day: week.by_day[day])
    most = round(week.by_day[busiest])
    first, last = f"{begins:%a} {begins.day} {begins:%b}", f"{ends:%a} {ends.day} {ends:%b}"
    if not week.high:
        return f"From {first} to {last} no incident is expected: none came in the last {RECENT_WEEKS} weeks."
    day = f"; most on {begins + timedelta(days=busiest):%A}, about {most:,}" if most else ""
    return (
        f"From {first} to {last} between {week.low:,} and {week.high:,} incidents are expected, about "
        f"{week.expected:,.0f}{day}."
    )


def percent(part: float) -> str:
    """'75 %'."""
    return f"{part:.0%}".replace("%", " %")


def _likely(known: Past, found: Outlook, open_: Sequence[Line]) -> Panel:
    by_id = {each.id: each for each in found.likely}
    hidden = len(found.likely) - len(open_)
    says = f"{incidents(len(found.likely))} likely to breach." if found.likely else "None is likely to breach."
    return Panel(
        "likely",
        "Likely to breach",
        f"{about(known, found)} Then, of these: the part that took longer than is left, within what time "
        f"{percent(SHARE)} are done, and how many were resolved and are still open. What stands is reckoned as if its "
        "clock went on now.",
        f"{says} {score(known)}".strip(),
        "table",
        _LIKELY,
        [_row(line, by_id[line.id]) for line in open_],
        left_out=f"{incidents(hidden)} not open to you." if hidden else "Nothing is left out.",
    )


def _row(line: Line, candidate: Candidate) -> dict[str, Any]:
    told = candidate.remaining
    assert told is not None  # the likely ones have something said of them
    return {
        "number": line.number,
        "title": line.title,
        "state": LABELS[line.state],
        "priority": f"P{line.priority}" if line.priority else None,
        "about": line.about,
        "pair": line.pair,
        "team": line.team,
        "assignee": line.assignee,
        "reported": candidate.reported_at,
        "due": candidate.due_at,
        "clock": "stands" if candidate.paused else "runs",
        "share": told.share,
        "within": None if told.seconds is None else told.seconds / 3600,
        "n": told.n,
        "still": told.still,
        "basis": BASES[candidate.basis or "priority"],
    }


def _weeks(days: Sequence[int], week: Arrivals, today: date) -> Panel:
    rows = [
        {
            "begins": each.begins,
            "when": f"{each.begins.day} {each.begins:%b}",
            "ahead": each.ahead,
            "what": "Expected" if each.ahead else "Reported",
            "n": each.n,
            "low": each.low if each.ahead else None,
            "high": each.high if each.ahead else None,
        }
        for each in weeks(days, week, today, len(days))
    ]
    definition = f"Seven whole days to each; the last is to come. {fared(week)}"
    left_out = "Today, which is not over."
    says = next_week(week, today)
    return Panel("weeks", WEEKS_DRAWN, definition, says, "interval", _WEEKS, rows, (), left_out)


def _days(week: Arrivals, today: date) -> Panel:
    rows = [
        {"day": f"{(day := today + timedelta(days=ahead + 1)):%A}", "on": day, "n": n}
        for ahead, n in enumerate(week.by_day)
    ]
    definition = f"The mean of the last {RECENT_WEEKS} of each day of the week."
    return Panel("days", "Expected each day", definition, next_week(week, today), "table", _DAYS, rows)


def _too_short(days: Sequence[int]) -> Panel:
    says = f"It takes {LEAST_DAYS} whole days of reports that match; there are {len(days)}."
    return Panel("weeks", WEEKS_DRAWN, "There is too little history to say how many will come.", says, "table",
                 _WEEKS, [])  # fmt: skip
