"""On-call: who answers now and who next, my turns, what is asked of me, my calendar."""

from datetime import datetime, timedelta
from urllib.parse import urlsplit

import streamlit as st

from db.commands import calendar_feed, overrides
from db.engine import reading
from db.queries import oncall as queries
from db.queries import schedules
from db.queries.oncall import MyShift, Now
from db.settings import settings
from pages.parts import address, rows, session, swap, times, turns
from pages.parts.empty import empty
from pages.parts.forms import Failure, attempt
from pages.parts.texts import literal
from rules.access import Actor, may

KEY = "on_call"
AHEAD = timedelta(days=60)
MOST_CARDS, MOST_SHIFTS = 6, 6
HOURS = {1: "1 hour", 2: "2 hours", 4: "4 hours", 8: "8 hours", 12: "12 hours", 24: "24 hours"}


def page() -> None:
    actor = session.require("on_call")
    now = session.now()
    with reading() as db:
        found = queries.now_and_next(db, actor, now)
        mine = queries.my_shifts(db, actor.id, now, now + AHEAD)
        asked = schedules.swaps(db, actor, now)
        feed = queries.has_feed(db, actor)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("On-call", width="stretch")
        if found and st.button("Schedules", icon=":material/calendar_month:"):
            st.switch_page("responders/schedules.py")
    if not found:
        nothing(actor)
        return
    failure: Failure | None = st.session_state.pop(f"{KEY}.failure", None)
    if failure is not None:
        st.error(literal(failure.sentence), icon=":material/error:")
    swap.waiting(actor, asked, now)
    cards = [one for one in found if one.mine][:MOST_CARDS] or found[:MOST_CARDS]
    with st.grid("auto", min_column_width=270):
        for one in cards:
            card(actor, one, now)
    others = [one for one in found if one not in cards]
    if others:
        the_others(others, now)
    if may(actor, "swap"):
        my_turns(actor, mine, now)
        my_calendar(actor, feed)


def nothing(actor: Actor) -> None:
    """There is no schedule yet."""
    if may(actor, "schedule"):
        empty("Nobody is on call yet.", "Make a schedule: who takes turns, and when they hand over.", key=f"{KEY}.none")
        if st.button("Make a schedule", type="primary", icon=":material/add:"):
            st.switch_page("responders/schedules.py")
    else:
        empty("Nobody is on call yet.", "A lead makes the first schedule.", key=f"{KEY}.none")


def card(actor: Actor, found: Now, now: datetime) -> None:
    """A schedule at a glance: who, until when, who comes next."""
    with st.container(border=True, gap="small"):
        with st.container(gap=None):
            st.caption(literal(found.name))
            st.header(turns.present(found), anchor=False)
            st.markdown(f"{literal(turns.begin(turns.following(found, now)))}.")
        with st.container(horizontal=True):
            if st.button("Calendar", key=f"{KEY}.open.{found.id}", type="tertiary", icon=":material/calendar_month:"):
                address.lead("responders/schedules.py", {"schedule": str(found.id)})
            alone = [person.id for person in found.people] == [actor.id]
            if may(actor, "swap") and not alone and (found.member or may(actor, "schedule")):
                with st.popover("Take over", type="tertiary", icon=":material/front_hand:"):
                    take_over(actor, found)


def take_over(actor: Actor, found: Now) -> None:
    st.selectbox("For", list(HOURS), index=3, format_func=HOURS.__getitem__, key=f"{KEY}.hours.{found.id}")
    st.caption("You are on call from now on, in the place of whoever would be. They are told.")
    st.button(
        "Take over now",
        type="primary",
        icon=":material/check:",
        on_click=_take_over,
        args=(actor, found.id),
        key=f"{KEY}.take.{found.id}",
    )


def _take_over(actor: Actor, schedule_id: int) -> None:
    length = timedelta(hours=st.session_state[f"{KEY}.hours.{schedule_id}"])
    st.session_state[f"{KEY}.failure"] = attempt(
        lambda db, now: overrides.take_over(db, schedule_id, length, actor=actor, now=now)
    )


def the_others(found: list[Now], now: datetime) -> None:
    """Everybody else's schedules, one line each."""
    st.header("Other schedules", anchor=False)
    event = rows.rows(
        [
            {
                "id": str(one.id),
                "reference": None,
                "title": one.name,
                "explanation": f"{turns.who(one.people) or 'Nobody'} {turns.following(one, now)}",
                "meta": [one.team] if one.team else [],
                "action": "Calendar",
            }
            for one in found
        ],
        key=f"{KEY}.others",
        plain=True,
        label="Other schedules",
    )
    if event is not None:
        address.lead("responders/schedules.py", {"schedule": event.id})


def my_turns(actor: Actor, mine: list[MyShift], now: datetime) -> None:
    """One's own next turns, each to be given away."""
    with st.container(gap="small"):
        st.header("My next turns", anchor=False)
        if not mine:
            st.caption(f"You have no turn in the next {AHEAD.days} days.")
        for number, shift in enumerate(mine[:MOST_SHIFTS]):
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                running = shift.start <= now
                when = turns.between(shift.start, shift.end, now)
                if running:
                    when = f"now, until {turns.moment(shift.end, now)}"
                st.markdown(
                    f"**{literal(turns.begin(when))}**  \n:small[:gray[{literal(shift.schedule)}]]", width="stretch"
                )
                if st.button("Ask somebody", key=f"{KEY}.ask.{number}", type="tertiary", icon=":material/swap_horiz:"):
                    swap.ask(actor, shift)
        if len(mine) > MOST_SHIFTS:
            st.caption(f"And {len(mine) - MOST_SHIFTS} more in the next {AHEAD.days} days.")


def my_calendar(actor: Actor, made: datetime | None) -> None:
    """The private address of one's own turns."""
    with st.container(border=True, gap="small", width=760):
        st.header("My turns in my calendar", anchor=False)
        link = st.session_state.get(f"{KEY}.link")
        if link:
            st.markdown(
                "Add this address to your calendar as a subscription. **It is shown only now; keep it private.**"
            )
            st.code(link, language=None, wrap_lines=True)
        elif made is not None:
            st.caption(f"Your address was made on {times.day(made)}. A new one ends the old one.")
        else:
            st.caption("An address that only you know, for the calendar on your phone. It follows every change.")
        with st.container(horizontal=True):
            st.button(
                "Make a new address" if made or link else "Make the address",
                icon=":material/link:",
                on_click=_new_feed,
                args=(actor,),
                key=f"{KEY}.feed",
            )
            if made or link:
                st.button("End it", type="tertiary", on_click=_end_feed, args=(actor,), key=f"{KEY}.feed.end")


def _new_feed(actor: Actor) -> None:
    made: dict[str, str] = {}

    def change(db, now):  # type: ignore[no-untyped-def]
        made["token"] = calendar_feed.renew(db, actor=actor, now=now)

    state = st.session_state
    state[f"{KEY}.failure"] = failure = attempt(change)
    if failure is None:
        state[f"{KEY}.link"] = f"{_origin()}/calendar/{made['token']}.ics"


def _end_feed(actor: Actor) -> None:
    st.session_state.pop(f"{KEY}.link", None)
    st.session_state[f"{KEY}.failure"] = attempt(lambda db, now: calendar_feed.end(db, actor=actor, now=now))


def _origin() -> str:
    """Where people reach the app: as it was set, or else as this browser reaches it."""
    if settings().base_url:
        return settings().base_url.rstrip("/")
    asked = urlsplit(st.context.url or "")
    return f"{asked.scheme}://{asked.netloc}" if asked.netloc else ""


page()
