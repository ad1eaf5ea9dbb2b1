"""Forecast: open incidents that are likely to breach, and how many will be reported next week, with the reasons."""

from datetime import datetime, timedelta

import streamlit as st

from db.engine import reading
from db.queries import forecast, listed
from db.queries.forecast import MOST_OPEN, Candidate, Outlook, Past
from db.queries.lines import Line
from pages.parts import chart_card, charts, counted, period, rows, session, times
from pages.parts.empty import empty
from rules.access import Actor
from rules.forecast import BASES, HELD, LEAST_DAYS, LEAST_SIMILAR, LOOKS_AHEAD, RECENT_WEEKS, SHARE, WEEK, Arrivals
from rules.priority import span

KEY = "forecast"
MOST_WEEKS = 12
ENOUGH = 20
"""A score of fewer cases is not told."""


def page() -> None:
    actor = session.require("trends")
    counted.follow()
    now, zone = session.now(), str(times.zone())
    st.title("Forecast")
    filters = period.filters(KEY, period.offered())
    with reading() as db:
        known = forecast.past(db, actor, now)
        found = forecast.outlook(db, actor, known, filters, now)
        ids = [each.id for each in found.likely]
        shown, open_ = listed.page(db, actor, ids, st.session_state.get(f"{KEY}.page", 1))
        days, week = forecast.expected(db, actor, filters, now, zone)
    st.caption(f"Reckoned from what happened before · zone {zone} · as of {times.local(now):%H:%M}")
    breaches(actor, known, found, shown, open_, now)
    arrivals(days, week, now)


def breaches(actor: Actor, known: Past, found: Outlook, shown: list[Line], open_: int, now: datetime) -> None:
    """Those that similar ones say will be late, the likeliest first; a row opens it, its button the similar ones."""
    st.header("Likely to breach", anchor=False)
    st.caption(about(known, found))
    if not found.likely:
        empty(*_none(found), key=f"{KEY}.none")
        return
    by_id = {each.id: each for each in found.likely}
    by_number = {line.number: by_id[line.id] for line in shown}
    event = rows.rows(
        [_row(line, by_number[line.number], now) for line in shown],
        key=f"{KEY}.likely",
        label="Likely to breach",
        now=now,
        empty=("None of them is open to you.", "Those who work on incidents may open them."),
    )
    pages = -(-open_ // listed.PAGE_SIZE)
    if pages > 1:
        st.pagination(pages, key=f"{KEY}.page")
    hidden = len(found.likely) - open_
    score = _score(known)
    said = [f"{counted.incidents(hidden)} more not open to you."] if hidden and open_ else []
    if score or said:
        st.caption(" ".join([*said, score]))
    if event is None or event.id not in by_number:  # it was done, or will be, since the list was drawn
        return
    if event.kind == "action":
        counted.show(actor, f"Similar to {event.id}", forecast.similar(known, by_number[event.id]))
    else:
        st.switch_page("responders/incident.py", query_params={"number": event.id})


def about(known: Past, found: Outlook) -> str:
    """What is looked at, what it is compared with, and of how many nothing can be said."""
    looked_at = counted.incidents(found.looked_at)
    if found.cut:
        looked_at = f"the {MOST_OPEN} due first"
    words = (
        f"Open, due within {LOOKS_AHEAD.days} days, not late, and more than {_percent(1 - SHARE)} of similar ones took "
        f"longer than the time that is left. Looked at: {looked_at}"
    )
    if found.silent:
        words += f", of which {found.silent:,} with fewer than {LEAST_SIMILAR} resolved ones like it, too few to say"
    sample = f", a sample of one in {known.every}" if known.every > 1 else ""
    return (
        f"{words}. Similar: {', else '.join(BASES.values())}; reported within a year{sample}, and open for longer than "
        "this one is now. Those still open count for as long as they have been."
    )


def _percent(part: float) -> str:
    return f"{part:.0%}".replace("%", " %")


def _none(found: Outlook) -> tuple[str, str]:
    days = LOOKS_AHEAD.days
    if not found.looked_at:
        return f"No open incident is due within {days} days.", "Those that are late already stand first in triage."
    if found.silent == found.looked_at:
        return (
            "There is too little history to say which.",
            f"It takes {LEAST_SIMILAR} resolved incidents that are alike. Import the history of another tool, or wait.",
        )
    return "None is likely to breach.", "Similar ones were done in less time than these have left."


def _row(line: Line, candidate: Candidate, now: datetime) -> dict[str, object]:
    found = candidate.remaining
    assert found is not None  # the likely ones have something said of them
    left = (candidate.due_at - now).total_seconds()
    done = "no past one was watched for long enough to say when three in four are done"
    if found.seconds is not None:
        done = f"three in four are done by {times.short(now + timedelta(seconds=found.seconds), now)}"
    still = f" and {found.still:,} still open" if found.still else ""
    said = (
        f"{_percent(found.share)} of similar ones took longer than the {span(left)} it has left; {done}. "
        f"From {found.n:,} resolved{still}, {BASES[candidate.basis or 'priority']}."
    )
    if candidate.paused:
        said += " Its clock stands; reckoned as if it went on now."
    clock = line.clock(now)
    return {
        "id": line.number,
        "title": line.title,
        "priority": line.priority,
        "explanation": said,
        "meta": [part for part in (line.about, line.team, line.assignee) if part],
        "state": line.state,
        "clock": clock.as_data() if clock else None,
        "action": "Similar",
    }


def _score(known: Past) -> str:
    """How good this would have been; empty where too little of it has come out."""
    held, said = forecast.checked(known)
    if said < ENOUGH:
        return ""
    return (
        f"Checked on the past: of {said:,} incidents that were open 4, 8 or 12 weeks ago, {_percent(held / said)} were "
        f"done within the time that would have been said; {_percent(SHARE)} is meant."
    )


def arrivals(days: list[int], week: Arrivals | None, now: datetime) -> None:
    """Next week's reports, with an interval and how it fared."""
    st.header("Next week", anchor=False)
    if week is None:
        empty(
            "There is too little history to say how many will come.",
            f"It takes {LEAST_DAYS} whole days of reports that match; there are {len(days)}.",
            key=f"{KEY}.short",
        )
        return
    today = times.local(now).date()
    begins = today + timedelta(days=1)
    ends = today + timedelta(days=WEEK)
    busiest = max(range(WEEK), key=lambda day: week.by_day[day])
    first = f"{begins:%a} {begins.day} {begins:%b}"
    last = f"{ends:%a} {ends.day} {ends:%b}"
    says = (
        f"From {first} to {last} between {week.low:,} and {week.high:,} incidents are expected, about "
        f"{week.expected:,.0f}; most on {begins + timedelta(days=busiest):%A}, about {week.by_day[busiest]:,.0f}."
    )
    st.markdown(f"**{says}**")
    chart_card.draw(
        "Reported each week",
        "Seven whole days to a bar; the pale one is to come, and the line its interval.",
        charts.interval_spec,
        _weeks(days, week, now),
        says=says,
        key=f"{KEY}.weeks",
        columns={"when": "From", "n": "Incidents", "low": "At least", "high": "At most"},
    )
    st.caption(_fared(week))


def _weeks(days: list[int], week: Arrivals, now: datetime) -> list[dict[str, object]]:
    today = times.local(now).date()
    drawn: list[dict[str, object]] = []
    for back in range(min(MOST_WEEKS, len(days) // WEEK), 0, -1):
        begun = today - timedelta(days=WEEK * back)
        start = len(days) - WEEK * back
        n = sum(days[start : start + WEEK])
        drawn.append({"when": f"{begun.day} {begun:%b}", "n": n, "low": n, "high": n, "ahead": False})
    begins = today + timedelta(days=1)
    coming: dict[str, object] = {"n": round(week.expected), "low": week.low, "high": week.high, "ahead": True}
    return [*drawn, {"when": f"{begins.day} {begins:%b}"} | coming]


def _fared(week: Arrivals) -> str:
    words = (
        f"The mean of the last {RECENT_WEEKS} weeks; the interval is as wide as {_percent(HELD)} of the misses of the "
        f"last {week.errors} weeks, reckoned in the same way. On average it missed by {week.miss:,.0f}; to expect the "
        f"week before again, by {week.naive_miss:,.0f}."
    )
    if week.tested:
        words += f" Of the last {week.tested} weeks, {week.held} lay within the interval that would have been said."
    return words


page()
