"""Messages: what the app told me, newest first; each leads to its incident."""

import streamlit as st

from db.commands import notices as commands
from db.engine import reading
from db.queries import notices, reach
from pages.parts import address, session, times
from pages.parts.empty import empty
from pages.parts.forms import attempt, guarded
from pages.parts.texts import literal
from rules.access import Actor
from rules.report_words import first_part

KEY = "messages"
URGENT = frozenset({"page", "unreached"})


def page() -> None:
    actor = session.require()
    with guarded():
        everything(actor)


def everything(actor: Actor) -> None:
    """The newest ones, and how they leave the app."""
    with reading() as db:
        told, total = notices.own(db, actor, st.session_state.get(f"{KEY}.page", 1))
        unread = notices.unread(db, actor)
        leaves = reach.leaves_for(db, actor)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Messages", anchor=False, width="stretch")
        if unread:
            st.button("Mark all as read", icon=":material/done_all:", on_click=_read, args=(actor,), key=f"{KEY}.read")
    if not leaves:
        why = "Nothing" if reach.mail_works() else "No mail server is set up, and nothing"
        st.info(
            f"**Your messages are shown here alone.** {why} under My account reaches you elsewhere.",
            icon=":material/info:",
        )
    if not told:
        empty("Nothing was told to you yet.", "What concerns you appears here, newest first.", key=f"{KEY}.empty")
        return
    with st.container(gap="small"):
        for notice in told:
            message(actor, notice)
    pages = -(-total // notices.PAGE_SIZE)
    if pages > 1:
        st.pagination(pages, key=f"{KEY}.page")


def message(actor: Actor, notice: notices.Told) -> None:
    """One message: its subject, when, its words, and the way to its incident."""
    now = session.now()
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        mark = "" if notice.read else ":blue-badge[New] "
        icon = ":red[:material/notifications_active:] " if notice.kind in URGENT else ""
        when = f":small[:gray[{times.ago(notice.created_at, now)}, {times.short(notice.created_at, now)}]]"
        lines = [f"{mark}{icon}**{literal(notice.subject)}**", when]
        body = notice.body if notice.run is None else first_part(notice.body)
        if body:
            lines.insert(1, literal(body))
        st.markdown("  \n".join(lines), width="stretch")
        if notice.run is not None and st.button("Open", key=f"{KEY}.run.{notice.id}", help=literal(notice.subject)):
            attempt(lambda db, now: commands.mark_one_read(db, notice.id, actor, now=now))
            address.lead("managers/reports.py", {"run": str(notice.run)})
        if notice.number is not None and st.button("Open", key=f"{KEY}.open.{notice.id}", help=notice.number):
            attempt(lambda db, now: commands.mark_one_read(db, notice.id, actor, now=now))
            address.lead("responders/incident.py", {"number": notice.number})


def _read(actor: Actor) -> None:
    attempt(lambda db, now: commands.mark_read(db, actor, now=now))


page()
