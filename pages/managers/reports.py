"""Reports: views of trends kept under a name, whom they are sent to and when, and what was sent to me."""

from urllib.parse import parse_qsl

import streamlit as st

from db.commands import report_schedules as commands
from db.commands import views as view_commands
from db.engine import reading
from db.queries import report_runs
from db.queries import report_schedules as queries
from db.queries.report_runs import Run, Whole
from db.queries.report_schedules import Sending
from db.queries.views import View
from db.workbook import as_xlsx
from pages.parts import address, panels, report_sending, report_sheet, session, times
from pages.parts.empty import empty
from pages.parts.forms import Failure, attempt
from pages.parts.texts import literal
from rules.access import Actor, NotFound
from rules.exports import as_csv
from rules.period_words import moment
from rules.report_words import days, others_have

KEY = "reports"
TRENDS, DIGEST = "managers/trends.py", "managers/digest.py"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def page() -> None:
    actor = session.require("trends")
    panels.follow()
    asked = st.query_params.get("run", "")
    if not asked:
        everything(actor)
        return
    number = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 19 else 0
    try:
        with reading() as db:
            found = report_runs.one(db, actor, number)
    except NotFound as missing:
        st.title("Reports", anchor=False)
        empty(missing.sentence, "Go back to the list of what was sent to you.", key=f"{KEY}.missing")
        st.button("All reports", icon=":material/arrow_back:", type="tertiary", on_click=_all, key=f"{KEY}.all")
        return
    as_sent(found)


def everything(actor: Actor) -> None:
    """What can be opened, what is sent, and what was."""
    with reading() as db:
        views, all_views = queries.saved(db, actor, address.turn(KEY, "views"))
        mine = queries.had_sent(db, actor, [view.id for view in views])
        to_me, all_to_me = queries.sent_to(db, actor, address.turn(KEY, "to"))
        runs, all_runs = report_runs.own(db, actor, address.turn(KEY, "sent"))
    st.title("Reports", anchor=False)
    _told()
    if not views and not to_me and not runs:
        empty(
            "There are no reports yet.",
            "Open Trends, choose what you want to see, and keep it under Views. Then have it sent from here.",
            key=f"{KEY}.first",
        )
        st.page_link(TRENDS, label="Open Trends", icon=":material/monitoring:")
        return
    left, right = st.columns([1.6, 1], gap="medium")
    with left:
        saved(actor, views, all_views, mine)
        by_others(actor, to_me, all_to_me)
    with right:
        sent(runs, all_runs)


def _told() -> None:
    failure: Failure | None = st.session_state.pop(f"{KEY}.failure", None)
    if failure is not None:
        st.error(literal(failure.sentence), icon=":material/error:")
    done = st.session_state.pop(f"{KEY}.done", None)
    if done is not None:
        st.success(done, icon=":material/check:")


def saved(actor: Actor, views: list[View], total: int, sent_by_me: dict[int, Sending]) -> None:
    """Views to open, own ones first."""
    st.header("Saved views", anchor=False)
    if not views:
        st.caption("Nothing is kept yet. In Trends, choose what you want to see and keep it under Views.")
    with st.container(gap="small"):
        for view in views:
            one(actor, view, sent_by_me.get(view.id))
    address.turns(KEY, "views", total, queries.PAGE_SIZE)


def one(actor: Actor, view: View, sending: Sending | None) -> None:
    """A view: what it is, the way to it, and what can be done with it."""
    about = [] if view.own else [f"{view.owner}, whose account is closed" if view.closed else view.owner]
    about += ["shared"] if view.own and view.shared else []
    about += [f"sent {sending.times.words} to {', '.join(sending.readers)}"] if sending is not None else []
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
        said = f"**{literal(view.name)}**"
        said += f"  \n:small[:gray[{literal(' · '.join(about))}]]" if about else ""
        st.markdown(said, width="stretch")
        st.page_link(
            TRENDS, label="Open", query_params=dict(parse_qsl(view.address)), help=f"Open {literal(view.name)}"
        )
        more = st.popover(
            "Send", icon=":material/schedule_send:", type="tertiary", on_change="rerun", key=f"{KEY}.send.{view.id}"
        )
        if more.open:
            with more:
                report_sending.form(actor, view, sending)
        if view.own:
            _own(actor, view)


def _own(actor: Actor, view: View) -> None:
    more = st.popover(
        "More", icon=":material/more_horiz:", type="tertiary", on_change="rerun", key=f"{KEY}.more.{view.id}"
    )
    if not more.open:
        return
    with more:
        key = f"{KEY}.shared.{view.id}"
        st.toggle(
            "Offer it to everybody who reads trends", view.shared, on_change=_offer, args=(actor, view.id, key), key=key
        )
        st.caption(_ends(view))
        st.button("Remove", icon=":material/delete:", on_click=_remove, args=(actor, view), key=f"{KEY}.rm.{view.id}")


def _ends(view: View) -> str:
    """What comes of it for those who have it sent."""
    if not view.sent_by_others:
        return "What sends it ends with it."
    have = others_have(view.sent_by_others)
    return f"**{have} it sent.** That ends when you remove it, or offer it no more; they are told."


def by_others(actor: Actor, sendings: list[Sending], total: int) -> None:
    """What is sent to me because others, or I as the digest, asked for it."""
    if not sendings:
        return
    st.header("Sent to you", anchor=False)
    for sending in sendings:
        with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
            whose = "" if sending.own else f"{sending.owner} has it sent, "
            about = f"{whose}{sending.times.words}, next {times.full(sending.next_at)}"
            st.markdown(f"**{literal(sending.name)}**  \n:small[:gray[{literal(about)}]]", width="stretch")
            if sending.own:
                st.page_link(DIGEST, label="Open")
            st.button("Leave", on_click=_leave, args=(actor, sending.id), key=f"{KEY}.leave.{sending.id}")
    address.turns(KEY, "to", total, queries.PAGE_SIZE)


def sent(runs: list[Run], total: int) -> None:
    """What was sent to me, newest first; each opens as it was."""
    st.header("As they were sent", anchor=False)
    if not runs:
        st.caption("Nothing was sent to you yet. Each report opens here exactly as it was, for 400 days.")
        return
    now = session.now()
    with st.container(gap="xsmall"):
        for run in runs:
            st.button(
                f"{literal(run.name)} :gray[{times.short(run.as_of, now)}]",
                type="tertiary",
                on_click=_open,
                args=(run.id,),
                key=f"{KEY}.run.{run.id}",
            )
    address.turns(KEY, "sent", total, report_runs.PAGE_SIZE)


def as_sent(found: Whole) -> None:
    """One of them, exactly as it was."""
    run, report, zone = found.run, found.report, found.report.zone
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title(literal(run.name), anchor=False, width="stretch")
        with st.popover("Export", icon=":material/download:"):
            stem = found.book.stem
            st.download_button(
                "XLSX", lambda: as_xlsx(found.book), f"{stem}.xlsx", _XLSX, on_click="ignore", key=f"{KEY}.xlsx"
            )
            st.download_button(
                "CSV", lambda: as_csv(found.book), f"{stem}.csv", "text/csv", on_click="ignore", key=f"{KEY}.csv"
            )
    st.info(f"As it was sent to you on {moment(report.as_of, zone)}. It does not change.", icon=":material/lock_clock:")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("All reports", icon=":material/arrow_back:", type="tertiary", on_click=_all, key=f"{KEY}.all")
        if run.address:
            st.page_link(
                TRENDS, label="As it is now", icon=":material/monitoring:", query_params=dict(parse_qsl(run.address))
            )
        else:
            st.page_link(DIGEST, label="Weekly digest", icon=":material/summarize:")
    filtered = literal("; ".join(found.filtered)) or "no filters"
    st.caption(f"{literal(report.title)} · {days(report)} · {filtered} · zone {literal(zone)}")
    report_sheet.draw(report, f"{KEY}.run.{run.id}")


def _open(run_id: int) -> None:
    st.query_params["run"] = str(run_id)


def _all() -> None:
    st.query_params.pop("run", None)


def _offer(actor: Actor, view_id: int, key: str) -> None:
    shared = bool(st.session_state[key])
    st.session_state[f"{KEY}.failure"] = attempt(
        lambda db, now: view_commands.offer(db, view_id, shared, actor=actor, now=now)
    )


def _remove(actor: Actor, view: View) -> None:
    st.session_state[f"{KEY}.failure"] = failure = attempt(
        lambda db, now: view_commands.remove(db, view.id, actor=actor, now=now)
    )
    if failure is None:
        st.session_state[f"{KEY}.done"] = f"{literal(view.name)} is removed."


def _leave(actor: Actor, schedule_id: int) -> None:
    st.session_state[f"{KEY}.failure"] = attempt(lambda db, now: commands.leave(db, schedule_id, actor=actor, now=now))


page()
