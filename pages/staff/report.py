"""Report a problem: two answers are enough. Whoever has the same problem follows it instead of reporting it again."""

from datetime import datetime
from typing import Any

import streamlit as st

from db.commands import conversation, deflections, files, relations
from db.commands import incidents as commands
from db.engine import DatabaseProblem, Session, reading
from db.queries import incidents, settings, similar, status_page
from db.queries.lines import Line
from pages.parts import address, affected_services, callers, known_errors, session, template_questions, times
from pages.parts.empty import empty, field_problem
from pages.parts.forms import Failure, attempt, error_title, guarded, summary, token
from pages.parts.texts import literal, moment_words, moments, next_step, status, when
from rules.access import Actor, NotFound, may
from rules.attachments import EXTENSIONS, MAX_BYTES, MAX_FILES
from rules.priority import EFFECTS, SCOPES

LABELS = {
    "title": "What is wrong?",
    "affected": "What or where is affected?",
    "service_id": "What or where is affected?",
    "description": "What happened, and what did you expect?",
    "scope": "Who is affected?",
    "effect": "Can you still work?",
    "started_at": "Since when?",
    "files": "Photo or file",
}
UNSURE = "unsure"
JUST_NOW = "now"
SINCE_WORDS = {UNSURE: "I'm not sure", JUST_NOW: "Just now"}
ALIKE = 2


def page() -> None:
    actor = session.require("report")
    number = st.query_params.get("done", "").strip()
    middle = st.columns([1, 3.2, 1])[1]
    with middle, guarded():
        if number:
            confirmation(actor, number)
        else:
            form(actor)


def key(name: str) -> str:
    """The widget's key; another one for every new report, so that it begins empty."""
    return f"report.{st.session_state.get('report.turn', 0)}.{name}"


def form(actor: Actor) -> None:
    """The form, with everything typed before an error still in it."""
    if st.session_state.pop("report.sent", None):
        _forget_typed()
    failure: Failure | None = st.session_state.get(key("failure"))
    error_title(failure, "Report a problem")
    phone, has_status = _organisation()
    st.title("Report a problem", anchor=False)
    call = f" In an emergency call **the service desk on {literal(phone)}**." if phone else ""
    known = " What is known already is on the [status page](/status)." if has_status else ""
    st.markdown(f"It takes less than a minute.{call}{known}  \nYou are reporting as **{literal(actor.name)}**.")
    again(actor)
    said = st.container()
    wrong = failure.fields if failure else {}
    if may(actor, "report_for"):
        callers.ask(key, wrong)
    template = template_questions.choose(key, wrong)
    with said:
        summary(failure, LABELS | callers.LABELS | template_questions.labels(template))
    first(template is not None and template.names_service)
    with st.container():
        if template is not None:
            template_questions.ask(key, template.id, template.questions, wrong)
    more(wrong)
    st.button("Send report", type="primary", icon=":material/send:", key=key("send"), on_click=_send)


def again(actor: Actor) -> None:
    """Begin with the words of what was closed and is back, which the address names; it is linked when this is sent."""
    number = st.query_params.get("again", "").strip()
    if number and key("again") not in st.session_state:
        try:
            with reading() as db:
                line = incidents.by_number(db, actor, number).line
        except NotFound:
            return
        st.session_state[key("again")] = line.number
        st.session_state[key("title")], st.session_state[key("affected")] = line.title, line.about
    if key("again") in st.session_state:
        st.info(f"It is linked with {st.session_state[key('again')]}.", icon=":material/link:")


def _forget_typed() -> None:
    """Begin a new report: new fields, and with them a new token."""
    old = key("")
    for name in [name for name in st.session_state if str(name).startswith(old)]:
        del st.session_state[name]
    st.session_state["report.turn"] = st.session_state.get("report.turn", 0) + 1


@st.fragment
def first(known: bool) -> None:
    """The two answers that are needed; beneath them what is already known about them, while typing.

    `known`: the service is known by what is needed, so that what is affected need not be said.
    """
    if st.query_params.get("done"):
        st.rerun(scope="app")
    actor = session.require("report")
    failure: Failure | None = st.session_state.get(key("failure"))
    wrong = failure.fields if failure else {}
    title = st.text_input(
        f"**{LABELS['title']}**",
        key=key("title"),
        live="300ms",
        placeholder="For example: cannot print in room 204",
        persist_state="session",
    )
    field_problem(wrong.get("title"))
    known_errors.offer(key, title or "", st.session_state.get(key("affected")) or "")
    alike(actor, title or "")
    affected = st.text_input(
        f"**{LABELS['affected']}**{' (optional)' if known else ''}",
        key=key("affected"),
        live="300ms",
        placeholder="A service, a device or a place",
        persist_state="session",
    )
    field_problem(wrong.get("affected") or wrong.get("service_id"))
    affected_services.offer(key, affected or "")


def alike(actor: Actor, title: str) -> None:
    """Open incidents that look like what is typed, each with enough to judge whether it is the same."""
    if not title.strip():
        return
    now = session.now()
    try:
        with reading() as db:
            found = similar.similar(db, actor, title, now, limit=ALIKE)
    except DatabaseProblem:
        return  # the report itself can still be written; sending it says what is wrong with the database
    if not found:
        return
    numbers = frozenset(line.number for line in found)
    different = numbers <= st.session_state.get(key("different"), frozenset())
    with st.container(border=True, gap="small"):
        said = "You said yours is different." if different else "Then follow it; you need not send a report."
        st.markdown(f"**Is it one of these?** {said}")
        with st.container(gap="small"):
            for line in found if not different else ():
                _known(line, actor, now)
        # The button stays where it is, so that the keyboard does too.
        st.button(
            "Show again" if different else "No, mine is different",
            type="tertiary",
            key=key("mine"),
            on_click=_different,
            args=(frozenset() if different else numbers,),
        )
        problem: Failure | None = st.session_state.pop(key("follow.failure"), None)
        summary(problem, {})


def _known(line: Line, actor: Actor, now: datetime) -> None:
    people = f" · about {line.people_affected:,} people" if (line.people_affected or 0) > 1 else ""
    about = f" · {literal(line.about)}" if line.about else ""
    if line.resolved_at is not None:
        moment = f"Fixed {times.ago(line.resolved_at, now)}. Still broken for you? Then yours is different."
    else:
        moment = f"{status(line, actor)}. Reported {when(line.reported_at, now)}."
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(
            f"**{literal(line.title)}**  \n:small[:gray[{moment}]]  \n:small[:gray[{line.number}{about}{people}]]",
            width="stretch",
        )
        st.button(
            "Same as mine: follow",
            icon=":material/notification_add:",
            key=key(f"follow.{line.number}"),
            on_click=_follow,
            args=(line.id, line.number),
        )


def _different(numbers: frozenset[str]) -> None:
    st.session_state[key("different")] = numbers


def _follow(incident_id: int, number: str) -> None:
    actor = session.require("report")
    failure = attempt(lambda db, now: conversation.follow(db, incident_id, actor=actor, now=now))
    if failure is None:
        st.session_state["report.sent"] = number
        st.query_params["done"] = number
    else:
        st.session_state[key("follow.failure")] = failure


def _organisation() -> tuple[str, bool]:
    """The telephone of the service desk, and whether there is a status page."""
    try:
        with reading() as db:
            return settings.organisation(db).desk_phone, status_page.look(db).published
    except DatabaseProblem:
        return "", False


def more(wrong: Any) -> None:
    """What helps but is not needed."""
    st.text_area(f"**{LABELS['description']}** (optional)", key=key("description"), height=96, persist_state="session")
    field_problem(wrong.get("description"))
    left, right = st.columns(2, gap="medium")
    for column, name, answers in ((left, "scope", SCOPES), (right, "effect", EFFECTS)):
        words = {**answers, UNSURE: "I'm not sure"}
        with column:
            st.radio(
                f"**{LABELS[name]}** (optional)",
                list(words),
                index=None,
                format_func=words.__getitem__,
                key=key(name),
                on_change="ignore",
                persist_state="session",
            )
            field_problem(wrong.get(name))
    now = session.now()
    st.selectbox(
        f"**{LABELS['started_at']}** (optional)",
        [UNSURE, JUST_NOW, *moments(now)],
        format_func=lambda moment: SINCE_WORDS.get(moment) or moment_words(moment, now),
        key=key("started_at"),
        on_change="ignore",
        persist_state="session",
    )
    field_problem(wrong.get("started_at"))
    with st.expander("Add a photo or a file (optional)", icon=":material/attach_file:", expanded="files" in wrong):
        st.file_uploader(
            f"Up to {MAX_FILES} files, {MAX_BYTES // 1_048_576} MB each",
            type=list(EXTENSIONS),
            accept_multiple_files=True,
            max_upload_size=MAX_BYTES // 1_048_576,
            key=key("files"),
        )
        field_problem(wrong.get("files"))


def _send() -> None:
    """Make the incident from what is in the fields. The token makes a second click find the first one's."""
    actor = session.require("report")
    form_token = token(key("form"))
    typed = {name: st.session_state.get(key(name)) for name in LABELS}
    started = _known_answer(typed["started_at"])
    template_id, answers = template_questions.given(key)
    earlier = st.session_state.get(key("again"))
    made: list[str] = []

    def change(db: Session, now: datetime) -> None:
        affected = str(typed["affected"] or "")
        service = affected_services.named(db, affected)
        incident = commands.report(
            db,
            title=str(typed["title"] or ""),
            affected="" if service else affected,
            description=str(typed["description"] or ""),
            service_id=service.id if service else None,
            scope=_known_answer(typed["scope"]),
            effect=_known_answer(typed["effect"]),
            started_at=now if started == JUST_NOW else datetime.fromisoformat(started) if started else None,
            attachments=[files.Upload(upload.name, upload.getvalue()) for upload in typed["files"] or ()],
            caller=callers.chosen(key),
            form_token=form_token,
            template_id=template_id,
            answers=answers,
            actor=actor,
            now=now,
        )
        deflections.not_helped(db, form_token, actor=actor)
        if earlier:
            relations.repeats(db, incident.id, earlier, actor=actor, now=now)
        made.append(incident.number)

    failure = attempt(change)
    st.session_state[key("failure")] = failure
    if failure is None:
        st.session_state["report.sent"] = made[0]
        st.query_params.from_dict({"done": made[0]})


def _known_answer(answer: str | None) -> str | None:
    return None if answer == UNSURE else answer


def confirmation(actor: Actor, number: str) -> None:
    """What was reported or followed, what happens next and by when; the same whenever its address is opened."""
    try:
        with reading() as db:
            detail = incidents.by_number(db, actor, number)
            attached = incidents.files(db, actor, detail)
            phone = settings.organisation(db).desk_phone
    except NotFound as missing:
        st.title("Report a problem", anchor=False)
        empty(missing.sentence, "Look under My reports, or report the problem.", key="report.missing")
        st.button("Report a problem", type="primary", on_click=_again)
        return
    line, now = detail.line, session.now()
    mine = line.reporter_id == actor.id
    for_other = not mine and detail.logged_by_id == actor.id
    st.set_page_config(page_title=f"{line.number} · Incident Desk")
    if mine:
        st.title(f"Your report is {line.number}", anchor=False)
        st.success("**We have it.** Keep the number in case you want to ask about it.", icon=":material/check_circle:")
    elif for_other:
        st.title(f"Reported as {line.number}", anchor=False)
        st.success(
            f"**We have it.** Give {literal(line.reporter or 'them')} the number.", icon=":material/check_circle:"
        )
    else:
        st.title(f"You follow {line.number}" if detail.following else line.number, anchor=False)
        st.success("You need not report it again.", icon=":material/check_circle:")
    st.header("What happens now", anchor=False)
    st.markdown(
        "\n".join(f"{place}. {step}" for place, step in enumerate(_steps(line, actor, now, mine, for_other), 1))
    )
    if phone and not for_other:
        st.markdown(f"Is it urgent? Call **the service desk on {literal(phone)}** and give them the number.")
    with st.container(border=True):
        st.markdown(f"**{literal(line.title)}**")
        st.table(_facts(detail, len(attached), actor, now), border="horizontal")
    with st.container(horizontal=True, gap="small"):
        where = "Open the incident" if for_other else "See my report" if mine else "See it under My reports"
        if st.button(where, type="primary"):
            page = "responders/incident.py" if for_other else "staff/my_reports.py"
            address.lead(page, {"number": line.number})
        st.button("Report something else", on_click=_again)


def _steps(line: Line, actor: Actor, now: datetime, mine: bool, for_other: bool) -> list[str]:
    if for_other:
        who = literal(line.reporter or "They")
        told = f"{who} finds the news under **My reports**, and is asked there whether it works again."
        alone = f"{who} has no account: tell them what happens, and ask them whether it works again."
        return [literal(next_step(line, actor, now)), told if line.reporter_id is not None else alone]
    asked = "When it is fixed we ask **you** whether it works, before it is closed."
    return [
        f"{literal(next_step(line, actor, now))}",
        "News and questions stand under **My reports**. Look there: no e-mail is sent yet.",
        asked if mine else "When it is fixed, that stands there too.",
    ]


def _facts(detail: incidents.Detail, attached: int, actor: Actor, now: datetime) -> dict[str, str]:
    line = detail.line
    answers = [SCOPES.get(detail.scope or ""), EFFECTS.get(detail.effect or "")]
    facts = {
        "Number": line.number,
        "Affected": literal(line.about),
        "You said": " · ".join(answer for answer in answers if answer) if line.reporter_id == actor.id else "",
        "Since": times.full(detail.started_at) if detail.started_at else "",
        "Reported": times.full(line.reported_at),
        "To be looked at by": times.full(line.response_due_at)
        if line.response_due_at and line.acknowledged_at is None and line.state in ("new", "assigned")
        else "",
        "Files": str(attached) if attached else "",
        "Now": status(line, actor),
    }
    facts |= {literal(question): literal(answer) for question, answer in detail.answers}
    return {name: value for name, value in facts.items() if value}


def _again() -> None:
    st.query_params.clear()
    st.session_state["report.sent"] = st.session_state.get("report.sent") or "seen"


page()
