"""My reports: what I reported or follow, where it stands, what happens next; answer, confirm, read on."""

from collections.abc import Callable
from datetime import datetime

import streamlit as st

from db.commands import answers, conversation
from db.commands import files as files_commands
from db.engine import Session, reading
from db.queries import incidents, my_reports
from db.queries.lines import Line
from db.queries.timeline import Entry, closed_on
from pages.parts import address, reopening, rows, session, shapes, times
from pages.parts.empty import empty, field_problem
from pages.parts.forms import Failure, attempt, error_title, guarded, summary
from pages.parts.marks import gray
from pages.parts.texts import literal, next_step, size, status, when
from pages.parts.timeline import timeline
from rules.access import Actor, NotFound, may
from rules.attachments import EXTENSIONS, MAX_BYTES
from rules.priority import EFFECTS, SCOPES
from rules.states import OPEN

PAGE_SIZE = 25
VIEWS = {"open": "Open", "finished": "Finished"}
LABELS = {"reason": "What is still wrong?", "comment": "Your words", "files": "Photo or file"}
NEW = "staff/report.py"


def page() -> None:
    actor = session.require("report")
    number = st.query_params.get("number", "").strip()
    with guarded():
        if number:
            one(actor, number)
        else:
            overview(actor)


def overview(actor: Actor) -> None:
    """Everything of mine: first what waits for my answer, then the rest; the finished ones apart."""
    now = session.now()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("My reports", width="stretch", anchor=False)
        if st.button("Report a problem", icon=":material/edit_square:"):
            st.switch_page(NEW)
    said()
    key = address.begin("my", "view", VIEWS, "open")
    view = st.segmented_control(
        "Which reports",
        list(VIEWS),
        format_func=lambda option: gray(VIEWS[option]),
        key=key,
        label_visibility="collapsed",
        required=True,
    )
    address.keep({"view": view if view != "open" else None})
    if view == "finished":
        finished(actor, now)
    else:
        unfinished(actor, now)


def unfinished(actor: Actor, now: datetime) -> None:
    place = st.session_state.get("my.open.page", 1)
    with reading() as db:
        questions = my_reports.waiting_for_me(db, actor)
        found, total = my_reports.mine(db, actor, finished=False, limit=PAGE_SIZE, offset=(place - 1) * PAGE_SIZE)
        news = my_reports.news(db, [line.id for line in found])
    for line in questions:
        confirm(line, actor, now, "my.list")
    waiting = {line.id for line in questions}
    listed(
        [line for line in found if line.id not in waiting],
        news,
        actor,
        now,
        key="my.open",
        nothing=None
        if waiting
        else ("You have no open reports.", "When something does not work, report it: it takes less than a minute."),
    )
    pages(total, "my.open.page")


def finished(actor: Actor, now: datetime) -> None:
    place = st.session_state.get("my.finished.page", 1)
    with reading() as db:
        found, total = my_reports.mine(db, actor, finished=True, limit=PAGE_SIZE, offset=(place - 1) * PAGE_SIZE)
        news = my_reports.news(db, [line.id for line in found])
    nothing = ("Nothing is finished yet.", "What is closed moves here.")
    listed(found, news, actor, now, key="my.finished", nothing=nothing)
    pages(total, "my.finished.page")


def pages(total: int, key: str) -> None:
    count = -(-total // PAGE_SIZE)
    if count > 1:
        st.pagination(count, key=key)


def listed(
    found: list[Line],
    news: dict[int, Entry],
    actor: Actor,
    now: datetime,
    *,
    key: str,
    nothing: tuple[str, str] | None,
) -> None:
    items = []
    for line in found:
        entry = news.get(line.id)
        follows = "" if line.reporter_id == actor.id else "you follow it"
        told = f"{entry.actor_name or 'Incident Desk'} {entry.text} {times.ago(entry.at, now)}" if entry else ""
        items.append(
            {
                "id": line.number,
                "title": line.title,
                "explanation": f"{status(line, actor)}. {next_step(line, actor, now)}",
                "meta": [part for part in (line.about, follows, told) if part],
            }
        )
    if items or nothing:
        rows.rows(items, key=key, plain=True, label="My reports", now=now, empty=nothing, on_event=_opened)


def _opened(event: rows.Event) -> None:
    st.query_params["number"] = event.id


def said() -> None:
    """What the last answer led to, once."""
    words = st.session_state.pop("my.said", None)
    if words:
        st.success(words, icon=":material/check_circle:")


def confirm(line: Line, actor: Actor, now: datetime, place: str) -> None:
    """Fixed? Yes, or not yet and why."""
    key = f"{place}.{line.number}"
    failure: Failure | None = st.session_state.get(f"{key}.failure")
    with st.container(border=True, gap="small"):
        fixed = f" It was fixed {when(line.resolved_at, now)}." if line.resolved_at else ""
        st.markdown(
            f"**Does this work again?**  \n{literal(line.title)}  \n"
            f":small[:gray[{line.number} · {literal(line.about)}.{fixed}]]"
        )
        if failure is not None and not failure.fields:
            summary(failure, LABELS)
        if place == "my.one" or st.session_state.get(f"{key}.not_yet"):
            _ask_with_words(line, key, failure, opened=place == "my.list")
            return
        with st.container(horizontal=True, gap="small"):
            _answer_button(st.button, "Yes, it works", line, key, fixed=True, first=True)
            st.button("Not yet", key=f"{key}.no", on_click=_show_reason, args=(key, True))
            st.button("Read what was done", type="tertiary", key=f"{key}.read", on_click=_read, args=(line.number,))


def _ask_with_words(line: Line, key: str, failure: Failure | None, *, opened: bool) -> None:
    """The question with a box for words: 'Not yet' needs them; a 'Yes' beside them is asked once more."""
    unsure = bool(st.session_state.get(f"{key}.unsure"))
    label = LABELS["reason"] if opened else "Your words (only needed for 'Not yet')"
    with st.form(f"{key}.form", border=False, enter_to_submit=False):
        st.text_area(f"**{label}**", key=f"{key}.reason", height=96)
        field_problem(failure.fields.get("words") if failure else None)
        with st.container(horizontal=True, gap="small"):
            if unsure:
                button = st.form_submit_button
                _answer_button(button, "Yes, it is fixed: send both", line, key, fixed=True, first=False)
                _answer_button(button, "No, it is not fixed", line, key, fixed=False, first=True)
                return
            if not opened:
                _answer_button(st.form_submit_button, "Yes, it works", line, key, fixed=True, first=True)
                _answer_button(st.form_submit_button, "Not yet", line, key, fixed=False, first=False)
                return
            _answer_button(st.form_submit_button, "Send", line, key, fixed=False, first=True)
            _answer_button(st.form_submit_button, "Yes, it works", line, key, fixed=True, first=False)
            st.form_submit_button("Back", on_click=_show_reason, args=(key, False))


def _answer_button(button: Callable[..., bool], label: str, line: Line, key: str, *, fixed: bool, first: bool) -> None:
    button(
        label,
        type="primary" if first else "secondary",
        icon=":material/check:" if fixed else None,
        key=f"{key}.{'yes' if fixed else 'not'}",
        on_click=_answer,
        args=(line, key, fixed),
    )


def _read(number: str) -> None:
    st.query_params["number"] = number


def _show_reason(key: str, wanted: bool) -> None:
    st.session_state[f"{key}.not_yet"] = wanted
    for name in ("failure", "unsure"):
        st.session_state.pop(f"{key}.{name}", None)


def _answer(line: Line, key: str, fixed: bool) -> None:
    actor = session.require("report")
    words = str(st.session_state.get(f"{key}.reason") or "")
    sure = bool(st.session_state.pop(f"{key}.unsure", False))

    def change(db: Session, now: datetime) -> None:
        try:
            answers.answer(db, line.id, line.version, fixed, words, sure=sure, actor=actor, now=now)
        except answers.Unsure:
            st.session_state[f"{key}.unsure"] = True
            raise

    failure = attempt(change)
    st.session_state[f"{key}.failure"] = failure
    if failure is None:
        st.session_state.pop(f"{key}.not_yet", None)
        done = f"**Good.** {line.number} works again; the service desk closes it."
        st.session_state["my.said"] = (
            done if fixed else f"**{line.number} is open again.** The team has what you wrote."
        )


def one(actor: Actor, number: str) -> None:
    """One of mine with everything that I may read."""
    now = session.now()
    try:
        with reading() as db:
            detail = incidents.by_number(db, actor, number)
            entries, total = my_reports.story(db, actor, detail)
            files = incidents.files(db, actor, detail)
            closed_at = closed_on(db, detail.line.id) if detail.line.state == "closed" else None
    except NotFound as missing:
        st.title("My reports", anchor=False)
        empty(missing.sentence, "Choose it from the list of your reports.", key="my.missing")
        st.button("All my reports", type="primary", on_click=_all)
        return
    line = detail.line
    failure: Failure | None = st.session_state.get(f"my.write.{line.number}.failure")
    error_title(failure, line.number)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button("All my reports", icon=":material/arrow_back:", type="tertiary", on_click=_all)
        if incidents.works_on(actor) and st.button("Open to work on it", type="tertiary"):
            address.lead("responders/incident.py", {"number": line.number})
    with st.container(gap="xsmall"):
        about = f" · {literal(line.about)}" if line.about else ""
        st.markdown(f":small[:gray[{line.number}{about} · reported {when(line.reported_at, now)}]]")
        st.title(literal(line.title), anchor=False)
    said()
    if asked(line, actor):
        confirm(line, actor, now, "my.one")
    else:
        standing(detail, entries, actor, now)
    reopening.box(actor, detail, closed_at or detail.closed_at, now)
    left, right = st.columns([1.45, 1], gap="large")
    with left:
        known(detail, files, actor)
        write(detail, actor, failure)
    with right:
        st.header("What happened", anchor=False)
        timeline(shapes.entries(entries), key=f"my.story.{line.number}", label="What happened")
        if total > len(entries):
            st.caption(f"The newest {len(entries)} of {total}.")


def asked(line: Line, actor: Actor) -> bool:
    """True while the actor is asked whether it is fixed."""
    return line.state == "recovered" and line.verification is None and line.reporter_id == actor.id


def standing(detail: incidents.Detail, entries: list[Entry], actor: Actor, now: datetime) -> None:
    """Where it stands and what is next, in one coloured line."""
    line = detail.line
    words = f"**{status(line, actor)}.** {literal(next_step(line, actor, now))}"
    if detail.duplicate_of:
        words = f"**Joined with {detail.duplicate_of}**, which is the same problem and goes on."
    if line.state == "on_hold" and line.hold_reason == "reporter" and line.reporter_id == actor.id:
        question = next((entry for entry in entries if entry.kind == "comment"), None)
        if question is not None:
            words += f"\n\n{literal(question.actor_name)}: *{literal(question.detail)}*"
        st.warning(words, icon=":material/question_answer:")
    elif line.state in ("resolved", "recovered", "closed"):
        st.success(words, icon=":material/check_circle:")
    else:
        st.info(words, icon=":material/info:")


def known(detail: incidents.Detail, files: list[incidents.FileRow], actor: Actor) -> None:
    """What was reported, and what was done about it."""
    line = detail.line
    if detail.resolution_note and line.state in ("resolved", "recovered", "closed"):
        st.header("What was done", anchor=False)
        st.text(detail.resolution_note)
    st.header("What was reported", anchor=False)
    if detail.description:
        st.text(detail.description)
    answers = [SCOPES.get(detail.scope or ""), EFFECTS.get(detail.effect or "")]
    facts = {
        "Affected": literal(line.about),
        "Answers": " · ".join(answer for answer in answers if answer),
        "Since": times.full(detail.started_at) if detail.started_at else "",
        "Reported": times.full(line.reported_at),
        "By": literal(line.reporter or "") if line.reporter_id != actor.id else "",
        "Confirmed": times.full(detail.verified_at) if detail.verified_at else "",
        "Closed": times.full(detail.closed_at) if detail.closed_at else "",
    }
    st.table({name: value for name, value in facts.items() if value}, border="horizontal")
    for file in files:
        st.markdown(f":material/attach_file: [{literal(file.name)}](/files/{file.id}) :small[:gray[{size(file.size)}]]")
    if line.reporter_id != actor.id and detail.following:
        st.button("Stop following", type="tertiary", icon=":material/notifications_off:", on_click=_leave, args=(line,))


def _leave(line: Line) -> None:
    actor = session.require("report")
    failure = attempt(lambda db, now: conversation.unfollow(db, line.id, actor=actor, now=now))
    if failure is None:
        st.session_state["my.said"] = f"You no longer follow {line.number}."
        st.query_params.clear()


def write(detail: incidents.Detail, actor: Actor, failure: Failure | None) -> None:
    """Answer or add something, with a file if there is one."""
    line = detail.line
    if not may(actor, "comment", detail.record) or line.state in ("closed", "cancelled"):
        return
    if asked(line, actor):
        return  # words beside the question could say what the answer does not
    key = f"my.write.{line.number}"
    turn = st.session_state.get(f"{key}.turn", 0)
    wrong = failure.fields if failure else {}
    with st.container(border=True):
        question = line.state == "on_hold" and line.hold_reason == "reporter"
        st.header("Answer" if question else "Add something", anchor=False)
        summary(failure, LABELS)
        with st.form(f"{key}.form", border=False, enter_to_submit=False):
            st.text_area(f"**{LABELS['comment']}**", key=f"{key}.words.{turn}", height=96, persist_state="session")
            field_problem(wrong.get("comment"))
            if may(actor, "attach", detail.record):
                st.file_uploader(
                    "Photo or file (optional)",
                    type=list(EXTENSIONS),
                    key=f"{key}.file.{turn}",
                    max_upload_size=MAX_BYTES // 1_048_576,
                )
                field_problem(wrong.get("files"))
            st.form_submit_button(
                "Send", type="primary", icon=":material/send:", on_click=_write, args=(line, key, turn)
            )


def _write(line: Line, key: str, turn: int) -> None:
    actor = session.require("report")
    if st.session_state.get(f"{key}.turn", 0) != turn:
        return  # a second click: the first one has sent it
    words = str(st.session_state.get(f"{key}.words.{turn}") or "")
    upload = st.session_state.get(f"{key}.file.{turn}")

    def change(db: Session, now: datetime) -> None:
        if upload is not None:
            content = files_commands.Upload(upload.name, upload.getvalue())
            conversation.attach(db, line.id, content, actor=actor, now=now)
        if words.strip() or upload is None:
            conversation.comment(db, line.id, words, public=True, actor=actor, now=now)

    failure = attempt(change)
    st.session_state[f"{key}.failure"] = failure
    if failure is None:
        st.session_state[f"{key}.turn"] = turn + 1
        st.session_state["my.said"] = "**Sent.** The team reads it." if line.state in OPEN else "**Sent.**"


def _all() -> None:
    del st.query_params["number"]


page()
