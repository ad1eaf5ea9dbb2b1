"""Schedules: a calendar to read at a glance, what is missing ahead, changes for a while, and who did how much."""

from datetime import date, datetime, time, timedelta
from typing import Any

import streamlit as st

from db.commands import schedules as commands
from db.engine import reading
from db.queries import oncall, schedules
from db.queries.oncall import MyShift
from db.queries.schedules import Calendar, Detail, Problems
from pages.parts import address, override, rota_chart, rows, schedule_form, session, swap, times, turns
from pages.parts.empty import empty
from pages.parts.forms import Failure, attempt
from pages.parts.marks import gray
from pages.parts.texts import literal
from rules import wall_clock
from rules.access import Actor, may
from rules.paging import NIGHT

KEY = "schedules"
SPANS = {"14": "2 weeks", "28": "4 weeks"}
PERIODS = {"-30": "Last 30 days", "-90": "Last 90 days", "28": "Next 4 weeks"}
LIST = f"{KEY}.turns"
MOST_TURNS = 40
MOST_TOLD = 3
WEEK = timedelta(days=7)


def page() -> None:
    actor = session.require("on_call")
    now = session.now()
    with reading() as db:
        known = {one.id: one.name for one in schedules.choices(db, actor)}
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Schedules", width="stretch")
        if may(actor, "schedule"):
            st.button("New schedule", icon=":material/add:", on_click=schedule_form.begin_new, key=f"{KEY}.new")
    if schedule_form.is_open() and may(actor, "schedule"):
        schedule_form.draw(actor, now)
        return
    if not known:
        step = "Make the first one: who takes turns, and when they hand over." if may(actor, "schedule") else ""
        empty("There is no schedule yet.", step or "A lead makes the first one.", key=f"{KEY}.none")
        return
    failure: Failure | None = st.session_state.pop(f"{KEY}.failure", None)
    if failure is not None:
        st.error(literal(failure.sentence), icon=":material/error:")
    chosen, start, end = toolbar(known, now)
    with reading() as db:
        detail = schedules.detail(db, actor, chosen, now)
        found = schedules.calendar(db, actor, chosen, start, end)
        ahead = schedules.problems(db, actor, chosen, now)
        changes = schedules.overrides(db, actor, chosen, now)
        asked = schedules.swaps(db, actor, now, schedule_id=chosen)
        members = oncall.names(db, oncall.people_of(detail.definition))
    problems(ahead, detail, now)
    picture(actor, found, now)
    turning(actor, detail, members, now)
    if changes or asked or may(actor, "schedule"):
        with st.container(gap="small"):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.header("Overrides and swaps", anchor=False, width="stretch")
                if may(actor, "schedule") and st.button("Add an override", icon=":material/person_add:"):
                    override.add(actor, chosen, now, now + timedelta(hours=8))
            if not changes and not asked:
                st.caption("None now or to come.")
            override.listed(actor, changes, now)
            swap.waiting(actor, asked, now)
    load(actor, chosen, now)


def toolbar(known: dict[int, str], now: datetime) -> tuple[int, datetime, datetime]:
    """Which schedule, and from when to when, all in the address."""
    state = st.session_state
    key = f"{KEY}.schedule"
    said = st.query_params.get("schedule", "")
    if state.get(key) not in known:
        state[key] = int(said) if said.isdecimal() and len(said) < 10 and int(said) in known else next(iter(known))
    span_key = address.begin(KEY, "days", SPANS, "14")
    week_key = f"{KEY}.week"
    state.setdefault(week_key, 0)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox("Schedule", list(known), format_func=known.__getitem__, key=key, width=260)
        days = st.segmented_control(
            "How much",
            list(SPANS),
            format_func=lambda option: gray(SPANS[option]),
            key=span_key,
            label_visibility="collapsed",
            required=True,
        )
        length = timedelta(days=int(days or "14"))
        for label, icon, step in (
            ("Earlier", "chevron_left", -1),
            ("Today", "today", 0),
            ("Later", "chevron_right", 1),
        ):
            st.button(
                label,
                icon=f":material/{icon}:",
                type="tertiary",
                on_click=_move,
                args=(week_key, step * length.days // 7),
                disabled=step == 0 and state[week_key] == 0,
                key=f"{KEY}.{label}",
            )
    address.keep({"schedule": str(chosen), "days": days if days != "14" else None})
    today = times.local(now).date()
    monday = today - timedelta(days=today.weekday()) + state[week_key] * WEEK
    return chosen, _midnight(monday), _midnight(monday + length)


def _move(key: str, weeks: int) -> None:
    most = 104
    st.session_state[key] = max(-most, min(most, st.session_state[key] + weeks)) if weeks else 0


def _midnight(day: date) -> datetime:
    return wall_clock.first(datetime.combine(day, time()), times.zone())


def problems(ahead: Problems, detail: Detail, now: datetime) -> None:
    """What is wrong within four weeks, in words, before anything else."""
    if ahead.gone:
        names = literal(", ".join(ahead.names[person] for person in ahead.gone))
        st.error(
            f"**{names}** can no longer sign in: their turns are empty. Change the turns.", icon=":material/error:"
        )
    if ahead.missing:
        spans = [turns.between(start, end, now) for start, end in ahead.missing[:MOST_TOLD]]
        more = len(ahead.missing) - MOST_TOLD
        rest = f", and {more} more times within four weeks" if more > 0 else ""
        st.error(f"**Nobody is on call** {literal('; '.join(spans))}{rest}.", icon=":material/error:")
    if ahead.overlaps:
        first = ahead.overlaps[0]
        names = " and ".join(ahead.names[person] for person in first.people)
        more = len(ahead.overlaps) - 1
        rest = f"; {more} more within four weeks" if more else ""
        st.info(
            f"More than one at once: {literal(f'{names}, {turns.between(first.start, first.end, now)}')}{rest}.",
            icon=":material/group:",
        )
    if detail.planned is not None:
        st.info(f"From {literal(turns.moment(detail.planned[0], now))} on it turns otherwise.", icon=":material/event:")


def picture(actor: Actor, found: Calendar, now: datetime) -> None:
    """The calendar, and the same turns as a list; a phone shows the list alone."""
    if not found.segments and not found.missing:
        empty("Nobody was on call in this time.", "Choose another time.", key=f"{KEY}.nothing")
        return
    if not rows.narrow(LIST):
        with st.container(border=True):
            rota_chart.draw(found, str(actor.id), now, says=rota_chart.says(found, found.names), key=f"{KEY}.chart")
    items, spans = listed(actor, found, now)
    past = sum(1 for _, _, end in spans.values() if end <= now)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header("Turns", anchor=False, width="stretch")
        if 0 < past < len(items) and not st.toggle(f"{past} that are over", key=f"{KEY}.past"):
            items = items[past:]
    event = rows.rows(items[:MOST_TURNS], key=LIST, plain=True, label="Turns", folds=True)
    if len(items) > MOST_TURNS:
        st.caption(f"And {len(items) - MOST_TURNS} more. Choose a shorter time.")
    hours = sum((until - since for since, until in found.gaps), timedelta())
    if hours > sum((until - since for since, until in found.missing), timedelta()):
        st.caption("At other hours nobody is on call: no layer covers them.")
    if event is not None and event.id in spans:
        _chosen(actor, *spans[event.id], now)


def listed(
    actor: Actor, found: Calendar, now: datetime
) -> tuple[list[dict[str, Any]], dict[str, tuple[str, datetime, datetime]]]:
    """The turns as rows of a list, and id -> (person or '', start, end) of each."""
    lead, me = may(actor, "schedule"), str(actor.id)
    spans = [(one.start, one.end, one.person, one.stands_in) for one in found.segments]
    spans += [(start, end, "", False) for start, end in found.missing]
    items, by_id = [], {}
    spans.sort(key=lambda span: (span[1] > now, span[0], span[1], span[2]))  # what is over comes first
    for number, (start, end, person, stands_in) in enumerate(spans):
        action = None
        if end > now:
            action = "Ask somebody" if person == me else ("Replace" if person else "Add somebody") if lead else None
        running = start <= now < end
        items.append(
            {
                "id": f"{number}",
                "reference": None,
                "title": found.names[person] if person else "Nobody",
                "explanation": _when(found, start, end, now),
                "meta": [words for words, told in (("now", running), ("stands in", stands_in)) if told],
                "action": action,
            }
        )
        by_id[f"{number}"] = (person, start, end)
    return items, by_id


def _when(found: Calendar, start: datetime, end: datetime, now: datetime) -> str:
    """A turn in words; one that reaches over the edge of the calendar has no beginning or no end there."""
    before, after = start == found.start, end == found.end
    if before and after:
        return "all the time"
    if after:
        return f"from {turns.moment(start, now)} on"
    return f"until {turns.moment(end, now)}" if before else turns.between(start, end, now)


def _chosen(actor: Actor, person: str, start: datetime, end: datetime, now: datetime) -> None:
    """Somebody else for the turn that was chosen: asked for one's own, put there by a lead."""
    schedule_id = st.session_state[f"{KEY}.schedule"]
    if end <= now:
        return
    if person == str(actor.id) and may(actor, "swap"):
        with reading() as db:
            name = {one.id: one.name for one in schedules.choices(db, actor)}[schedule_id]
        swap.ask(actor, MyShift(schedule_id, name, str(times.zone()), max(start, now), end))
    elif may(actor, "schedule"):
        override.add(actor, schedule_id, max(start, now), end, int(person) if person else None)


def turning(actor: Actor, detail: Detail, members: dict[int, str], now: datetime) -> None:
    """How it turns, in words, and the way to change it."""
    names = {str(id_): name for id_, name in members.items()}
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.header("How it turns", anchor=False, width="stretch")
            if may(actor, "schedule"):
                st.button(
                    "Change", icon=":material/edit:", on_click=schedule_form.begin, args=(detail,), key=f"{KEY}.edit"
                )
                with st.popover("Archive", type="tertiary"):
                    st.markdown("It ends now and leaves the lists. Who was on call stays known.")
                    st.button("Archive it", on_click=_archive, args=(actor, detail.id), key=f"{KEY}.archive")
        zone = detail.definition["zone"]
        layers = sorted(detail.definition["layers"], key=lambda layer: -layer.get("priority", 0))
        for layer in layers:
            st.markdown(f"**{literal(layer['name'])}**  \n{literal(turns.layer(layer, names, zone))}")
        told = [f"Team {detail.team}" if detail.team else "No team", f"times of {zone}"]
        if len({layer.get("priority", 0) for layer in layers}) > 1:
            told.append("the upper layer goes before the lower ones")
        st.caption(literal(" · ".join(told)))


def _archive(actor: Actor, schedule_id: int) -> None:
    st.session_state[f"{KEY}.failure"] = attempt(
        lambda db, now: commands.archive(db, schedule_id, actor=actor, now=now)
    )


def load(actor: Actor, schedule_id: int, now: datetime) -> None:
    """Who did, or will do, how much: is it fair?"""
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.header("Who does how much", anchor=False, width="stretch")
            period = st.segmented_control(
                "Period",
                list(PERIODS),
                format_func=lambda option: gray(PERIODS[option]),
                key=f"{KEY}.period",
                default="-30",
                label_visibility="collapsed",
                required=True,
            )
        days = timedelta(days=int(period or "-30"))
        with reading() as db:
            found = schedules.hours_per_person(db, actor, schedule_id, min(now, now + days), max(now, now + days))
        if not found:
            st.caption("Nobody was on call in this time.")
            return
        for one in found:
            told = [f"{one.night_hours:,.0f} h at night", f"{one.weekend_hours:,.0f} h at weekends"]
            if days < timedelta(0):
                told.append(f"{one.pages:,} {'page' if one.pages == 1 else 'pages'}, {one.night_pages:,} at night")
            with st.container(horizontal=True, vertical_alignment="center"):
                about = " · ".join(told)
                st.markdown(f"**{literal(one.name)}**  \n:small[:gray[{literal(about)}]]", width="stretch")
                st.markdown(f"{one.hours:,.0f} h", width="content")
        st.caption(
            f"Nights are {NIGHT}. Pages are all that the person got, by whichever "
            "schedule; at night by their own clock."
        )


page()
