"""One incident on one page: facts, what I may do now, what was written, what happened."""

from datetime import datetime

import streamlit as st

from db.commands import conversation
from db.commands.files import Upload
from db.engine import reading
from db.queries import alerts as alert_queries
from db.queries import choices, escalation, incidents, maintenance_windows, room_parts, rooms, triage
from db.queries import tiers as between
from db.queries import updates as update_queries
from db.queries.lines import Line
from db.queries.relations import relations
from db.queries.tasks import checklist
from pages.parts import (
    actions,
    address,
    alerts,
    calls,
    confirmation,
    corrections,
    dialogs,
    happened,
    hypotheses,
    learned,
    maintenance,
    named,
    paging,
    problem_cards,
    related,
    response,
    runbooks,
    session,
    shapes,
    tasks,
    tiers,
    times,
)
from pages.parts.chat import chat
from pages.parts.empty import empty
from pages.parts.forms import attempt
from pages.parts.head import MOST_FACTS, incident_head
from pages.parts.marks import gray
from pages.parts.template_questions import answered
from pages.parts.texts import link_to, literal
from rules.access import Actor, NotFound, may
from rules.attachments import EXTENSIONS, MAX_BYTES
from rules.priority import EFFECTS, LEVELS, SCOPES
from rules.states import OPEN, RESOLUTION_CODES, UNCLOSED

PRIMARY = ("accept", "acknowledge", "resume", "resolve", "recover", "close", "verify")
"""The one that stands first and filled, in this order of preference by state."""
IN_ROW = 3


def page() -> None:
    actor = session.require()
    number = st.query_params.get("number", "").strip()
    if not number:
        find(actor)
        return
    room(number)
    dialogs.draw()


@st.fragment
def room(number: str) -> None:
    """The incident as it is now. It runs again by itself when somebody else has changed it, and keeps what is typed."""
    actor = session.require()
    now = session.now()
    try:
        with reading() as db:
            detail = incidents.by_number(db, actor, number)
            told = happened.read(db, actor, detail)
            files = incidents.files(db, actor, detail)
            place = triage.place(db, actor, detail.line.id) if incidents.works_on(actor) else None
            advice = choices.advice(db, detail.category_pair_id)
            belongs = relations(db, actor, detail)
            standing = between.standing(db, detail.line.id, ping_pong=detail.ping_pong)
            found = alert_queries.of_incident(db, detail.line.id)
            quiet = maintenance_windows.running(db, actor, detail.service_id, now)
            asked = escalation.standing(db, actor, detail)
            todo = checklist(db, actor, detail)
            more = room_parts.parts(db, actor, detail)
            talk = rooms.talk(db, actor, detail, now)
            led = update_queries.of_incident(db, actor, detail)
            problems = problem_cards.standing(db, actor, detail)
    except NotFound as missing:
        st.title("Incident")
        empty(missing.sentence, "Look it up by its number, or go back to the list.", key="incident.missing")
        find(actor, heading=False)
        return
    if not incidents.works_on(actor):
        address.lead("staff/my_reports.py", {"number": detail.line.number})
    with dialogs.live():
        head(detail, standing, led, now)
        if detail.line.state in OPEN:
            maintenance.hint(quiet, detail.line.service, now)
        buttons(actor, detail, asked is not None, talk.call, led)
        confirmation.standing(actor, detail, now)
        related.merged(detail)
        tiers.box(actor, detail, standing, now)
        left, right = st.columns([1.45, 1], gap="medium")
        with left:
            response.box(actor, detail, led, now)
            if asked is not None:
                paging.box(actor, detail, asked, now)
            if detail.line.major:  # those who are called in talk first
                chat(actor, detail, talk)
            facts(detail, standing, files, now, place)
            problem_cards.box(actor, detail, problems)
            alerts.box(found, now)
            tiers.vendor(actor, detail)
            corrections.button(actor, detail)
            related.duplicates(belongs, now)
            if not detail.line.major:
                chat(actor, detail, talk)
            runbooks.box(actor, detail, more.opened, more.offers, advice)
            hypotheses.box(actor, detail, more.suspicions)
            learned.box(actor, detail, more.postmortem)
            tasks.box(actor, detail, todo)
            write(actor, detail)
            related.box(actor, detail, belongs)
            named.box(actor, detail)
        with right:
            happened.box(actor, detail, told)


def find(actor: Actor, *, heading: bool = True) -> None:
    """Ask for a number."""
    if heading:
        st.title("Incident")
    with st.form("incident.find", border=False):
        typed = st.text_input("Number", placeholder="INC-000123")
        if st.form_submit_button("Open", type="primary") and typed.strip():
            st.query_params["number"] = typed.strip()
            st.rerun()


def head(detail: incidents.Detail, standing: between.Standing, led: update_queries.Response, now: datetime) -> None:
    line = detail.line
    st.set_page_config(page_title=f"{line.number} · Incident Desk")
    reported = f"reported by {line.reporter}" if line.reporter else "reported"
    caption = [
        f"{line.people_affected:,} people" if line.people_affected else "",
        line.about,
        line.pair or "",
        f"{reported} {times.ago(line.reported_at, now)}",
    ]
    flags = [flag for flag in ("major", "security", "restricted", "imported") if getattr(line, flag)]
    incident_head(
        line.number,
        line.title,
        key="incident.head",
        state=line.state,
        priority=line.priority,
        flags=flags,  # type: ignore[arg-type]
        caption=caption,
        facts=clocks(detail, standing, led, now),
        now=now,
    )


def clocks(
    detail: incidents.Detail, standing: between.Standing, led: update_queries.Response, now: datetime
) -> list[dict[str, object]]:
    """The facts of the head: what runs out, and who has it."""
    line, found = detail.line, response.facts(detail, led)
    counted = len(found) < 2  # with a commander and an update that is owed, the team's own time is the least
    if line.acknowledged_at is None and line.response_due_at is not None and line.state in OPEN:
        share = (now - line.reported_at) / (line.response_due_at - line.reported_at)
        due = {"due": line.response_due_at.isoformat(), "share": share}
        found.append({"label": f"Answer, due {times.short(line.response_due_at, now)}"} | due)
    clock = line.clock(now)
    if clock is not None and line.state in OPEN:
        label = "Fix, clock paused" if clock.paused else f"Fix, due {times.short(clock.due, now)}"
        data = {"due": clock.due.isoformat(), "share": clock.share, "paused": clock.paused}
        found.append({"label": label} | data)
    elif clock is not None:
        late = clock.share >= 1
        found.append(
            {"label": "Fix", "value": "Later than promised" if late else "In time", "tone": "late" if late else None}
        )
    if counted:
        found += tiers.facts(detail, standing, now)
    if line.hold_until is not None:
        found.append({"label": "On hold until", "value": times.short(line.hold_until, now)})
    found.append({"label": "Person", "person": line.assignee})
    team: dict[str, object] = {"label": tiers.team(detail), "value": line.team or "None yet"}
    return [*found[:-1], team, found[-1]] if len(found) < MOST_FACTS else found[:MOST_FACTS]


def buttons(
    actor: Actor,
    detail: incidents.Detail,
    paged: bool,
    call: rooms.Call | None,
    led: update_queries.Response,
) -> None:
    """The actions allowed to me now: the likely one filled, two more beside it, the rest in a menu.

    Once somebody was `paged`, paging another belongs to the box that says who was asked.
    """
    names = sorted(detail.allowed, key=lambda name: PRIMARY.index(name) if name in PRIMARY else len(PRIMARY))
    wanted = st.session_state.pop("incident.ask", None)
    problem = st.session_state.pop("incident.problem", None)
    with st.container(horizontal=True, gap="small"):
        for position, name in enumerate(names[:IN_ROW]):
            st.button(
                actions.label(name, detail.line.state),
                type="primary" if position == 0 and name in PRIMARY else "secondary",
                icon=f":material/{actions.ICONS[name]}:",
                key=f"incident.{name}",
                on_click=_pressed,
                args=(actor, detail, name),
            )
        more = [*names[IN_ROW:], *response.offered(actor, detail, led)]
        if more:
            chosen = st.menu_button(
                "More",
                more,
                icon=":material/more_horiz:",
                format_func=lambda name: response.WORDS.get(name) or actions.label(name, detail.line.state),
                key="incident.more",
            )
            if chosen:
                _pressed(actor, detail, chosen)
                wanted = st.session_state.pop("incident.ask", None)
                if wanted is None:
                    st.rerun()
        calls.button(actor, detail, call)
        follow = "Stop following" if detail.following else "Follow"
        if may(actor, tiers.INFORM, detail.record) and detail.line.state in UNCLOSED:
            st.button("Inform up", type="tertiary", icon=":material/campaign:", on_click=_ask, args=(tiers.INFORM,))
        if not paged and paging.may_page(actor, detail):
            paging.button(actor, detail, "tertiary")
        st.button(follow, type="tertiary", icon=":material/notification_add:", on_click=_follow, args=(actor, detail))
    if problem is not None:
        actions.show(problem)
    if wanted == tiers.INFORM:
        tiers.ask_inform(actor, detail)
    elif wanted in response.WORDS:
        response.ask(actor, detail, wanted)
    elif wanted is not None:
        actions.ask(actor, detail.line.number, wanted)


def _pressed(actor: Actor, detail: incidents.Detail, name: str) -> None:
    if name in response.WORDS or actions.asks(detail, name):
        st.session_state["incident.ask"] = name
    else:
        st.session_state["incident.problem"] = actions.take(actor, detail, name, {})


def _ask(name: str) -> None:
    st.session_state["incident.ask"] = name


def _follow(actor: Actor, detail: incidents.Detail) -> None:
    if detail.following:
        attempt(lambda db, now: conversation.unfollow(db, detail.line.id, actor=actor, now=now))
    else:
        attempt(lambda db, now: conversation.follow(db, detail.line.id, actor=actor, now=now))


def facts(
    detail: incidents.Detail,
    standing: between.Standing,
    files: list[incidents.FileRow],
    now: datetime,
    place: int | None,
) -> None:
    line = detail.line
    with st.container(border=True):
        st.header("What is wrong")
        if place is not None:
            rank_box(line, place, now)
        if detail.description:
            st.text(detail.description)
        elif not (detail.line.imported or detail.answers):
            st.caption("Nothing more was written.")
        answered(detail)
        if detail.resolution_note:
            code = RESOLUTION_CODES.get(detail.resolution_code or "", detail.resolution_code or "")
            if line.state in OPEN:
                st.markdown(f"**Before it was reopened:** {literal(code)}. {literal(detail.resolution_note)}")
            else:
                st.success(f"**{literal(code)}.** {literal(detail.resolution_note)}", icon=":material/check_circle:")
        st.table(_rows(detail) | tiers.rows(detail, standing), border="horizontal")
        for file in files:
            st.markdown(
                f":material/attach_file: [{literal(file.name)}](/files/{file.id}) :gray[{file.size / 1024:,.0f} kB]"
            )


def rank_box(line: Line, place: int, now: datetime) -> None:
    """The place in the queue and the sentence that explains it."""
    with st.container(border=True):
        st.markdown(
            f":material/low_priority: **{shapes.ordinal(place)} in the queue.** "
            f"{literal(line.why(now, str(times.zone())))}"
        )


def _rows(detail: incidents.Detail) -> dict[str, str]:
    line = detail.line
    levels = (LEVELS.get(detail.impact or 0, "not set"), LEVELS.get(detail.urgency or 0, "not set"))
    rows = {
        "Affected": literal(line.about or line.affected or "not said"),
        "Category": literal(line.pair or "none yet"),
        "Impact and urgency": f"{levels[0]}, {levels[1].lower()}",
    }
    if detail.contact or detail.tracked:
        who = "Reported without an account" if detail.tracked else "Reported for"
        rows[who] = literal(", ".join(part for part in (line.reporter, detail.contact) if part) or "no name given")
    said = [SCOPES.get(detail.scope or ""), EFFECTS.get(detail.effect or "")]
    if any(said):
        rows["The reporter said"] = " · ".join(part for part in said if part)
    for name, moment in (
        ("Started", detail.started_at),
        ("Detected", detail.detected_at),
        ("Reported", line.reported_at),
        ("Work began", line.acknowledged_at),
        ("Resolved", line.resolved_at),
        ("Recovered", detail.recovered_at),
        ("Confirmed", detail.verified_at),
        ("Closed", detail.closed_at),
    ):
        if moment is not None:
            rows[name] = times.full(moment)
    if detail.duplicate_of:
        rows["Same as"] = link_to(detail.duplicate_of)
    if detail.reopen_count:
        rows["Reopened"] = f"{detail.reopen_count} times" if detail.reopen_count > 1 else "once"
    if detail.followers > 1:
        rows["Followed by"] = f"{detail.followers} people"
    return rows


def write(actor: Actor, detail: incidents.Detail) -> None:
    """Write to the reporter or a note among those who work on it; add a file."""
    if not (may(actor, "note", detail.record) or may(actor, "comment", detail.record)):
        return
    key = f"incident.write.{detail.line.number}"
    with st.container(border=True):
        st.header("Write")
        with st.form(key, border=False, enter_to_submit=False):
            st.segmented_control(
                "For",
                ["note", "comment"],
                default="note",
                format_func=lambda kind: gray({"note": "Us only", "comment": "The reporter too"}[kind]),
                key=f"{key}.kind",
                label_visibility="collapsed",
                required=True,
            )
            st.text_area("Your words", key=f"{key}.words", label_visibility="collapsed", placeholder="Write here")
            st.file_uploader(
                "Add a file (optional)",
                type=list(EXTENSIONS),
                key=f"{key}.file.{st.session_state.get(f'{key}.turn', 0)}",
                max_upload_size=MAX_BYTES // 1_048_576,
            )
            st.form_submit_button("Write", icon=":material/send:", on_click=_write, args=(actor, detail, key))
        problem = st.session_state.pop(f"{key}.problem", None)
        if problem is not None:
            actions.show(problem)


def _write(actor: Actor, detail: incidents.Detail, key: str) -> None:
    words = st.session_state[f"{key}.words"]
    public = st.session_state[f"{key}.kind"] == "comment"
    turn = st.session_state.get(f"{key}.turn", 0)
    upload = st.session_state.get(f"{key}.file.{turn}")

    def change(db, now):  # type: ignore[no-untyped-def]
        if words.strip() or upload is None:
            conversation.comment(db, detail.line.id, words, public=public, actor=actor, now=now)
        if upload is not None:
            sent = Upload(upload.name, upload.getvalue())
            conversation.attach(db, detail.line.id, sent, actor=actor, now=now)

    problem = attempt(change)
    if problem is None:
        st.session_state[f"{key}.words"] = ""
        st.session_state[f"{key}.turn"] = turn + 1
    st.session_state[f"{key}.problem"] = problem


page()
