"""Maintenance: when services page nobody, because somebody works on them. What runs, is to come, and is over."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import streamlit as st

from db.commands import maintenance as commands
from db.engine import reading
from db.queries import choices
from db.queries import maintenance_windows as queries
from db.queries.maintenance_windows import Planned
from pages.parts import address, maintenance_form, rows, session, times
from pages.parts.empty import empty
from pages.parts.forms import attempt
from pages.parts.maintenance_form import Draft, span_words
from pages.parts.texts import literal
from rules.access import Actor, NotFound, may
from rules.durations import exact
from rules.weekly import weekly_of

NEW = "new"
SERVICES_NAMED = 3


def page() -> None:
    actor = session.require()
    if not queries.may_read(actor):
        st.title("This page is not open to you")
        st.write("Ask an administrator for the role that opens it.")
        return
    now = session.now()
    asked = st.query_params.get("id", "")
    if not asked:
        overview(actor, now)
        return
    try:
        one(actor, None if asked == NEW else int(asked) if asked.isdecimal() and len(asked) < 10 else 0, now)
    except NotFound as missing:
        st.title("Maintenance")
        empty(missing.sentence, "Go back to the list.", key="maintenance.missing")
        st.button("All maintenance", on_click=maintenance_form.leave)


def overview(actor: Actor, now: datetime) -> None:
    """What runs now, what is to come, and what is over."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Maintenance", width="stretch")
        if may(actor, "maintenance"):
            st.button("Plan maintenance", type="primary", icon=":material/add:", on_click=_open, args=(NEW,))
    said = st.session_state.pop("maintenance.said", None)
    if said:
        st.success(literal(said), icon=":material/check_circle:")
    st.markdown("While somebody works on a service, its signals are kept and page nobody.")
    with reading() as db:
        names = {service.id: service.name for service in choices.services(db)}
    service_id = address.filters("maintenance", {"service": (names, "All services")}, _first_page)["service"]
    wanted = st.session_state.get("maintenance.page", 1)
    with reading() as db:
        running, to_come = queries.current(db, actor, now, service_id)
        past, total = queries.past(db, actor, now, wanted, service_id)
    if running:
        st.header("Running", anchor=False)
        _listed(running, "running", now)
    st.header("Upcoming", anchor=False)
    _listed(to_come, "upcoming", now, empty=_none(actor, running))
    if total:
        st.header("Past", anchor=False)
        _listed(past, "past", now)
    pages = -(-total // queries.PAGE_SIZE)
    if pages > 1:
        st.pagination(pages, key="maintenance.page")


def _first_page() -> None:
    st.session_state["maintenance.page"] = 1


def _none(actor: Actor, running: list[Planned]) -> tuple[str, str]:
    more = "Plan what will be worked on, so that it wakes nobody." if may(actor, "maintenance") else ""
    return ("Nothing more is planned." if running else "Nothing is planned.", more)


def _listed(found: list[Planned], name: str, now: datetime, empty: tuple[str, str] | None = None) -> None:
    rows.rows(
        [_row(each, now) for each in found],
        key=f"maintenance.{name}",
        plain=True,
        label=name.capitalize(),
        empty=empty,
        on_event=lambda event: _open(event.id),
    )


def _open(asked: str) -> None:
    maintenance_form.leave()
    st.query_params["id"] = asked


def _row(each: Planned, now: datetime) -> dict[str, object]:
    names = list(each.services.values())
    rest = len(names) - SERVICES_NAMED
    shown = ", ".join(names[:SERVICES_NAMED]) + (f" and {rest} more" if rest > 0 else "")
    return {
        "id": str(each.id),
        "reference": None,
        "title": each.name,
        "explanation": _when(each, now),
        "meta": [part for part in (shown, _recurs(each)) if part],
        "action": "Open",
    }


def _when(each: Planned, now: datetime) -> str:
    if each.cancelled_at is not None:
        return f"Cancelled {times.short(each.cancelled_at, now)}"
    if each.until is not None:
        left = max(int((each.until - now).total_seconds()) // 60, 1) * 60
        return f"Until {times.short(each.until, now)}, {exact(left)} left"
    if each.next is not None:
        return span_words(each.next)
    return f"Ended {times.short(each.ends_at, now)}"


def _recurs(each: Planned) -> str | None:
    if not each.recurring:
        return None
    said = weekly_of(each.recurring)
    return said.words() if said else "recurs"


def one(actor: Actor, window_id: int | None, now: datetime) -> None:
    """The form of one window for those who plan; what it is for all others, and when it is over."""
    with reading() as db:
        planned = queries.one(db, actor, window_id, now) if window_id is not None else None
        services = choices.services(db)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title(literal(planned.name) if planned else "Plan maintenance", width="stretch")
        st.button("All maintenance", icon=":material/arrow_back:", type="tertiary", on_click=maintenance_form.leave)
    if not may(actor, "maintenance") or (planned is not None and planned.over(now)):
        if planned is not None:
            facts(planned, now)
        else:
            st.write("Leads, the service desk and administrators plan maintenance.")
        return
    draft = maintenance_form.draft(planned)
    if planned is not None:
        by = f" · planned by {literal(planned.created_by)}" if planned.created_by else ""
        st.markdown(f":small[:gray[{literal(_when(planned, now))}{by}]]")
        ends(actor, draft, planned)
    said = st.container()
    left, right = st.columns([1.45, 1], gap="medium")
    with left:
        maintenance_form.form(draft, services, now)
        maintenance_form.public(draft)
        st.button(
            "Save" if planned else "Plan it",
            type="primary",
            icon=":material/check:",
            key=draft.key("save"),
            on_click=maintenance_form.save,
            args=(actor, draft),
        )
    with right:
        maintenance_form.preview(draft, now)
    with said:
        maintenance_form.problems(draft)


def facts(planned: Planned, now: datetime) -> None:
    """What it is, when and for what."""
    told = {
        "Services": literal(", ".join(planned.services.values())),
        "Now": _when(planned, now),
        "Recurs": _recurs(planned) or "",
        "From": times.full(planned.starts_at),
        "Until": times.full(planned.ends_at),
        "Planned by": literal(planned.created_by or ""),
        "About it": literal(planned.words),
    }
    st.table({label: value for label, value in told.items() if value}, border="horizontal")


def ends(actor: Actor, draft: Draft, planned: Planned) -> None:
    """End what lasts now; cancel what is to come."""
    with st.container(horizontal=True, gap="small"):
        if planned.until is not None:
            st.button(
                "End now",
                icon=":material/stop_circle:",
                help="Signals page again at once."
                + (" The next time it begins as planned." if planned.recurring else ""),
                key=draft.key("end_now"),
                on_click=_end,
                args=(draft, planned, commands.end_occurrence, "has ended", actor),
            )
        if planned.until is None or planned.recurring:
            st.button(
                "Cancel it" if planned.until is None else "End for good",
                icon=":material/event_busy:",
                help="It does not begin again.",
                key=draft.key("cancel"),
                on_click=_end,
                args=(draft, planned, commands.cancel, "is cancelled" if planned.until is None else "has ended", actor),
            )


def _end(draft: Draft, planned: Planned, change: Callable[..., Any], said: str, actor: Actor) -> None:
    draft.failure = attempt(lambda db, now: change(db, planned.id, planned.version, actor=actor, now=now))
    if draft.failure is None:
        maintenance_form.leave(f"{planned.name} {said}.")


page()
