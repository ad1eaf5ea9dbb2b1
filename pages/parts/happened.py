"""The timeline of an incident in its room: chosen by kind, page by page; added to, corrected, exported, drawn."""

from datetime import UTC, datetime
from urllib.parse import quote

import streamlit as st

from db.commands import conversation
from db.engine import Session
from db.queries import incidents
from db.queries.incidents import Detail
from db.queries.timeline import Told
from pages.parts import corrections, course, dialogs, session, shapes, times
from pages.parts.empty import field_problem
from pages.parts.forms import Failure, attempt
from pages.parts.texts import literal
from pages.parts.timeline import timeline
from rules.access import Actor, may
from rules.timeline_kinds import ALL, GROUPS

_GROUP, _ASKED = "timeline.group", "timeline.asked"
_FORMS = {"md": "Markdown, to read", "csv": "CSV, for a spreadsheet", "json": "JSON, for programs"}


def read(db: Session, actor: Actor, detail: Detail) -> Told:
    """The page of it that was asked for."""
    pages = st.session_state.get(_pages(detail)) or [None]
    return incidents.told(db, actor, detail, st.session_state.get(_GROUP) or ALL, pages[-1])


def box(actor: Actor, detail: Detail, told: Told) -> None:
    """Draw it, newest first, under what chooses and what adds to it."""
    key = f"timeline.{detail.line.number}"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.header("Timeline", width="stretch")
        group = st.selectbox(
            "Which entries",
            list(GROUPS),
            index=list(GROUPS).index(ALL),
            format_func=lambda name: GROUPS[name][0],
            key=_GROUP,
            label_visibility="collapsed",
            width=178,
            required=True,
            on_change=_newest,
            args=(detail,),
        )
        offered = _offered(actor, detail)
        chosen = st.menu_button(
            "Add or export" if len(offered) > 2 else "Export",
            list(offered),
            icon=":material/more_horiz:",
            type="tertiary",
            format_func=lambda name: offered[name],
            key=f"{key}.more",
        )
    chosen = chosen or st.session_state.pop(_ASKED, None)
    if chosen in offered:
        _open(actor, detail, chosen)
    timeline(shapes.entries(told.entries), key="incident.timeline")
    if not told.entries:
        st.caption("Nothing of this kind has happened." if group != ALL else "Nothing has happened yet.")
    _turn(detail, told, key)


def _turn(detail: Detail, told: Told, key: str) -> None:
    """What leads to earlier pages and back; nothing when there is one page."""
    pages: list[tuple[datetime, int] | None] = st.session_state.get(_pages(detail)) or [None]
    if pages[-1] is None and told.earlier is None:
        return
    place = f"before {times.full(pages[-1][0])}" if pages[-1] is not None else "newest"
    st.caption(f"{len(told.entries):,} of {told.total:,}, {place}.")
    with st.container(horizontal=True, gap="small"):
        if told.earlier is not None:
            to = [*pages, told.earlier]
            st.button("Earlier", icon=":material/expand_more:", key=f"{key}.earlier", on_click=_go, args=(detail, to))
        if len(pages) > 1:
            st.button(
                "Later", icon=":material/expand_less:", key=f"{key}.later", on_click=_go, args=(detail, pages[:-1])
            )
        if len(pages) > 2:
            st.button("Newest", type="tertiary", key=f"{key}.newest", on_click=_newest, args=(detail,))


def _pages(detail: Detail) -> str:
    return f"timeline.{detail.line.number}.pages"


def _go(detail: Detail, pages: list[tuple[datetime, int] | None]) -> None:
    st.session_state[_pages(detail)] = pages


def _newest(detail: Detail) -> None:
    st.session_state.pop(_pages(detail), None)


def _offered(actor: Actor, detail: Detail) -> dict[str, str]:
    offered = {"add": "Add what happened"} if may(actor, "note", detail.record) else {}
    if may(actor, "correct", detail.record):
        offered["correct"] = "Correct a time"
    return offered | {"picture": "Show as a picture", "export": "Export"}


def _open(actor: Actor, detail: Detail, chosen: str) -> None:
    number = detail.line.number
    if chosen == "add":
        for name in ("failure", "done"):
            st.session_state.pop(f"happened.{number}.{name}", None)
        dialogs.show(f"Add what happened: {number}", add, actor, detail, icon=":material/add_notes:")
    elif chosen == "correct":
        corrections.ask(actor, detail)
    elif chosen == "picture":
        title = f"How it went: {number}"
        dialogs.show(title, course.dialog, actor, number, icon=":material/view_timeline:", width="medium")
    else:
        dialogs.show(f"Export the timeline: {number}", _export, detail, icon=":material/download:")


def _export(detail: Detail) -> None:
    number = detail.line.number
    zone = times.zone().key
    st.caption(f"All of it, oldest first, with times in UTC. Markdown has them in {zone} too.")
    for form, words in _FORMS.items():
        st.markdown(f":material/download: [{words}](/rooms/{quote(number)}/timeline.{form}?zone={quote(zone)})")


def add(actor: Actor, detail: Detail) -> None:
    """The dialog that asks what happened when."""
    key = f"happened.{detail.line.number}"
    failure: Failure | None = st.session_state.get(f"{key}.failure")
    if st.session_state.pop(f"{key}.done", False):
        st.rerun()
    wrong = failure.fields if failure else {}
    if failure is not None and not wrong:
        st.error(literal(failure.sentence), icon=":material/error:")
    st.caption(f"It stands on the timeline at its own time, for those who work on it. Times are {times.zone()}.")
    with st.form(f"{key}.form", border=False, enter_to_submit=False):
        now = times.local(session.now()).replace(second=0, microsecond=0, tzinfo=None)
        if f"{key}.at" not in st.session_state:
            st.session_state[f"{key}.at"] = now
        st.datetime_input("When it happened", step=60, key=f"{key}.at")
        field_problem(wrong.get("at"))
        st.text_area("What happened", key=f"{key}.words", height=110)
        field_problem(wrong.get("words"))
        st.form_submit_button("Add", type="primary", on_click=_send, args=(actor, detail, key))


def _send(actor: Actor, detail: Detail, key: str) -> None:
    typed: datetime | None = st.session_state.get(f"{key}.at")
    at = typed.replace(tzinfo=times.zone()).astimezone(UTC) if typed else None
    words = st.session_state.get(f"{key}.words") or ""
    failure = attempt(lambda db, now: conversation.happened(db, detail.line.id, words, at, actor=actor, now=now))
    st.session_state[f"{key}.failure"] = failure
    if failure is None:
        for name in ("at", "words"):
            st.session_state.pop(f"{key}.{name}", None)
        st.session_state[f"{key}.done"] = True
