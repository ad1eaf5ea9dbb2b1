"""Weekly digest: what of one week is more than noise, and what asks for attention; sent to whoever asks for it."""

from datetime import date, timedelta

import streamlit as st

from db.commands import report_schedules as commands
from db.engine import reading
from db.queries import digest as queries
from db.queries import reach, report, report_schedules
from db.queries.report_schedules import Sending
from pages.parts import panels, report_sheet, session, times
from pages.parts.empty import empty
from pages.parts.forms import Failure, attempt
from pages.parts.texts import literal
from rules.access import Actor
from rules.digest import week
from rules.errors import RuleError
from rules.panels import Report
from rules.periods import Bucket, day_of
from rules.report_words import days

KEY = "digest"
_WEEK = timedelta(days=7)


def page() -> None:
    actor = session.require("trends")
    panels.follow()
    now, zone = session.now(), str(times.zone())
    with reading() as db:
        first, _ = report.first_and_last(db, actor)
        mine = report_schedules.subscription(db, actor)
        leaves = reach.leaves_for(db, actor)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Weekly digest", anchor=False, width="stretch")
        subscribe(actor, mine, zone)
    sending(mine, leaves)
    if first is None:
        empty("Nothing has been reported yet.", "The first digest comes with the first week.", key=f"{KEY}.first")
        return
    latest = week(now, zone)
    told = asked(latest, zone)
    with reading() as db:
        found = queries.digest(db, actor, told, zone, now)
    steps(told, latest, found)
    if told.end <= first:
        empty(
            "Nothing had been reported by then.",
            f"The first incident is from {times.day(first)}. Go forward to its week.",
            key=f"{KEY}.before",
        )
        return
    report_sheet.draw(found, f"{KEY}.{told.name}")


def asked(latest: Bucket, zone: str) -> Bucket:
    """The week of the address; the last whole one where it names none."""
    try:
        return week(session.now(), zone, day_of(st.query_params.get("week", ""), "week"))
    except RuleError:
        return latest


def steps(told: Bucket, latest: Bucket, found: Report) -> None:
    """Week by week, kept in the address."""
    monday = date.fromisoformat(told.name)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            "Week before", icon=":material/chevron_left:", on_click=_go, args=(monday - _WEEK,), key=f"{KEY}.back"
        )
        st.button(
            "Week after",
            icon=":material/chevron_right:",
            icon_position="right",
            on_click=_go,
            args=(monday + _WEEK,),
            disabled=told == latest,
            key=f"{KEY}.on",
        )
        st.markdown(f"**{days(found)}**", width="stretch")
    compared = " against the week before" if found.compared else ""
    st.caption(
        f"Monday to Sunday{compared} · zone {found.zone} · as of {times.local(found.as_of):%H:%M} · "
        "restricted incidents that are not open to you are not in it"
    )


def _go(monday: date) -> None:
    st.query_params["week"] = monday.isoformat()


def subscribe(actor: Actor, mine: Sending | None, zone: str) -> None:
    """The button that has it sent, or no longer."""
    if mine is None:
        st.button(
            "Send it to me every Monday",
            icon=":material/mail:",
            type="primary",
            on_click=_subscribe,
            args=(actor, zone),
            key=f"{KEY}.subscribe",
        )
    else:
        st.button(
            "Send it no more", icon=":material/close:", on_click=_unsubscribe, args=(actor,), key=f"{KEY}.unsubscribe"
        )


def sending(mine: Sending | None, leaves: bool) -> None:
    """When it is sent next, and how it arrives."""
    failure: Failure | None = st.session_state.pop(f"{KEY}.failure", None)
    if failure is not None:
        st.error(literal(failure.sentence), icon=":material/error:")
    if mine is not None:
        how = "as you chose under My account" if leaves else "under Messages alone: nothing else reaches you yet"
        st.caption(f"Sent to you {literal(mine.times.words)}, next {times.full(mine.next_at)}, {how}.")


def _subscribe(actor: Actor, zone: str) -> None:
    st.session_state[f"{KEY}.failure"] = attempt(lambda db, now: commands.subscribe(db, zone, actor=actor, now=now))


def _unsubscribe(actor: Actor) -> None:
    st.session_state[f"{KEY}.failure"] = attempt(lambda db, now: commands.unsubscribe(db, actor=actor, now=now))


page()
