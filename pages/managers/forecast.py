"""Forecast: open incidents that are likely to breach, and how many will be reported next week, with the reasons."""

from datetime import datetime, timedelta

import streamlit as st

from db.engine import reading
from db.queries import forecast, listed
from db.queries.forecast import Candidate, Outlook, Past
from db.queries.forecast_report import PATH, WEEKS_DRAWN, about, fared, next_week, percent, pictures, score
from db.queries.lines import Line
from pages.parts import address, chart_card, charts, counted, export, period, rows, session, times
from pages.parts.empty import empty
from rules.access import Actor
from rules.forecast import BASES, LEAST_DAYS, LEAST_SIMILAR, LOOKS_AHEAD, Arrivals, weeks
from rules.panels import incidents
from rules.priority import span

KEY = "forecast"
MOST_WEEKS = 12


def page() -> None:
    actor = session.require("trends")
    counted.follow()
    now, zone = session.now(), str(times.zone())
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Forecast", width="stretch")
        leaving = st.empty()
    filters = period.filters(KEY, period.offered())
    with reading() as db:
        known = forecast.past(db, actor, now)
        found = forecast.outlook(db, actor, known, filters, now)
        ids = [each.id for each in found.likely]
        shown, open_ = listed.page(db, actor, ids, st.session_state.get(f"{KEY}.page", 1))
        days, week = forecast.expected(db, actor, filters, now, zone)
    with leaving:
        export.popover(PATH, zone, pictures(week))
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
    checked = score(known)
    said = [f"{incidents(hidden)} more not open to you."] if hidden and open_ else []
    if checked or said:
        st.caption(" ".join([*said, checked]))
    if event is None or event.id not in by_number:  # it was done, or will be, since the list was drawn
        return
    if event.kind == "action":
        counted.show(actor, f"Similar to {event.id}", forecast.similar(known, by_number[event.id]))
    else:
        address.lead("responders/incident.py", {"number": event.id})


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
        f"{percent(found.share)} of similar ones took longer than the {span(left)} it has left; {done}. "
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
    says = next_week(week, times.local(now).date())
    st.markdown(f"**{says}**")
    told = _weeks(days, week, now)
    if not any(each["n"] or each["high"] for each in told):
        return
    chart_card.draw(
        WEEKS_DRAWN,
        "Seven whole days to a bar; the pale one is to come, and the line its interval.",
        charts.interval_spec,
        told,
        says=says,
        key=f"{KEY}.weeks",
        columns={"when": "From", "n": "Incidents", "low": "At least", "high": "At most"},
    )
    st.caption(fared(week))


def _weeks(days: list[int], week: Arrivals, now: datetime) -> list[dict[str, object]]:
    return [
        {
            "when": f"{each.begins.day} {each.begins:%b}",
            "n": each.n,
            "low": each.low,
            "high": each.high,
            "ahead": each.ahead,
        }
        for each in weeks(days, week, times.local(now).date(), MOST_WEEKS)
    ]


page()
