"""Triage: the queue in the order to work on it; choose one, say what it is and how bad, give it to a team."""

from datetime import datetime

import streamlit as st

from db.commands import incidents as commands
from db.engine import Session, reading
from db.queries import choices, incidents, similar, triage
from db.queries.choices import ServiceChoice
from db.queries.lines import Line
from db.queries.settings import policies
from pages.parts import actions, address, rows, session, shapes, times
from pages.parts.empty import field_problem
from pages.parts.forms import Failure, attempt
from pages.parts.marks import gray
from pages.parts.texts import literal
from rules.access import Actor, NotFound
from rules.priority import EFFECTS, LABELS, LEVELS, RISKS, SCOPES, priority, span

LIST = "triage.list"


def page() -> None:
    actor = session.require("triage")
    now = session.now()
    with reading() as db:
        teams = {team.id: team.name for team in choices.teams(db)}
        services = {service.id: service for service in choices.services(db)}
        counts = triage.tallies(db, actor, now)
    st.title("Triage")
    filters = toolbar(teams, services)
    wanted = st.session_state.get("triage.page", 1)
    with reading() as db:
        queue = triage.queue(db, actor, filters, wanted, now)
    left, right = st.columns([1.25, 1], gap="medium")
    with left:
        caption(counts, queue.total, filters)
        chosen = listed(actor, queue, filters, now)
        pages = -(-queue.total // triage.PAGE_SIZE)
        if pages > 1:
            st.pagination(pages, key="triage.page")
    opened = st.session_state.pop("triage.open", None)
    if rows.narrow(LIST):
        if opened:
            st.dialog(opened, position="right", width="medium")(panel)(actor, opened, teams, services, now)
        return
    with right:
        if chosen:
            with st.container(border=True):
                panel(actor, chosen, teams, services, now)


def toolbar(teams: dict[int, str], services: dict[int, ServiceChoice]) -> triage.Filters:
    """One view, one search, one filter; all in the address."""
    view_key = address.begin("triage", "view", triage.VIEWS, "open")
    text_key = address.begin("triage", "q", None, "")
    with st.container(horizontal=True, vertical_alignment="center"):
        view = st.segmented_control(
            "Which incidents",
            list(triage.VIEWS),
            format_func=lambda option: gray(triage.VIEWS[option]),
            key=view_key,
            label_visibility="collapsed",
            required=True,
            on_change=_first_page,
        )
        text = st.text_input(
            "Find",
            key=text_key,
            label_visibility="collapsed",
            placeholder="Find by number, word or person",
            icon=":material/search:",
            width=260,
            on_change=_first_page,
        )
        with st.popover("Filter", icon=":material/filter_list:"):
            team_id = address.choose("triage", "team", teams, "All teams", on_change=_first_page)
            names = {service.id: service.name for service in services.values()}
            service_id = address.choose("triage", "service", names, "All services", on_change=_first_page)
            level = address.choose(
                "triage",
                "priority",
                {level: f"P{level} {word}" for level, word in LABELS.items()},
                "All priorities",
                on_change=_first_page,
            )
    address.keep({"view": view if view != "open" else None, "q": text})
    return triage.Filters(view or "open", text or "", team_id, service_id, level)


def _first_page() -> None:
    st.session_state["triage.page"] = 1


def caption(counts: dict[str, int], total: int, filters: triage.Filters) -> None:
    shown = f"**{counts['open']:,} open** · {counts['late']:,} late · {counts['new']:,} new"
    if filters != triage.Filters():
        shown = f"**{total:,} match** · {shown.replace('**', '')}"
    st.markdown(f":small[:gray[{shown} · in the order to work on them]]")


def listed(actor: Actor, queue: triage.Queue, filters: triage.Filters, now: datetime) -> str | None:
    """Draw the page of the queue; the number of the chosen one: by the address, by a click, else the first."""
    numbers = [line.number for line in queue.lines]
    chosen = st.session_state.get("triage.number") or st.query_params.get("number")
    if chosen is None and numbers:
        chosen = numbers[0]
    ranked = filters in (triage.Filters(), triage.Filters(view="open"))
    rows.rows(
        [
            shapes.row(line, now, str(times.zone()), rank=queue.first + position if ranked else None)
            for position, line in enumerate(queue.lines)
        ],
        key=LIST,
        selected=chosen,
        label="Queue",
        now=now,
        empty=(
            ("Nothing is open.", "New reports appear here by themselves.")
            if filters == triage.Filters()
            else ("Nothing matches.", "Change the search or the filter.")
        ),
        on_event=_choose,
    )
    return chosen


def _choose(event: rows.Event) -> None:
    st.session_state["triage.number"] = event.id
    st.session_state["triage.open"] = event.id


def panel(actor: Actor, number: str, teams: dict[int, str], services: dict[int, ServiceChoice], now: datetime) -> None:
    """Everything needed to decide on one incident, and the form that does."""
    refused: incidents.Detail | None = st.session_state.get(_refused(number))
    try:
        with reading() as db:
            # After a conflict it stays as it was seen, with what was chosen, until its reader asks for it as it is now.
            detail = refused or incidents.by_number(db, actor, number)
            place = triage.place(db, actor, detail.line.id)
            known = policies(db)
            pairs = choices.pairs(db)
            people = choices.workers(db)
            alike = _alike(db, actor, detail.line, now)
            files = incidents.files(db, actor, detail)
    except NotFound as missing:
        st.caption(literal(missing.sentence))
        return
    line = detail.line
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{line.number}** · {literal(line.about or 'nothing named')}", width="stretch")
        if st.button("Open", icon=":material/open_in_full:", type="tertiary", key=f"triage.room.{number}"):
            st.switch_page("responders/incident.py", query_params={"number": number})
    st.header(literal(line.title), anchor=False)
    affected = f" · {line.people_affected:,} people affected" if line.people_affected else ""
    st.markdown(
        f":small[:gray[{literal(line.reporter or 'unknown')} · reported {times.ago(line.reported_at, now)}{affected}]]"
    )
    if place is not None:
        with st.container(border=True):
            st.markdown(
                f":material/low_priority: **{shapes.ordinal(place)} in the queue.** "
                f"{literal(line.why(now, str(times.zone())))}"
            )
    if detail.description:
        st.text(detail.description)
    said = [SCOPES.get(detail.scope or ""), EFFECTS.get(detail.effect or "")]
    if any(said):
        st.markdown(f":small[:gray[Said: {' · '.join(part for part in said if part)}]]")
    for file in files:
        st.markdown(f":material/attach_file: [{literal(file.name)}](/files/{file.id})")
    for other in alike:
        st.markdown(
            f":small[:material/call_merge: Alike: [{other.number}](/incident?number={other.number}) "
            f"{literal(other.title)}]"
        )
    decide(actor, detail, known, pairs, teams, services, people)
    rare(actor, detail)


def _alike(db: Session, actor: Actor, line: Line, now: datetime) -> list[Line]:
    """Open incidents that read like this one, searched once a minute, not again with every choice in its form."""
    asked = (line.number, now.replace(second=0, microsecond=0))
    if st.session_state.get("triage.alike", (None,))[0] != asked:
        found = similar.similar(db, actor, line.title, now, limit=3)
        st.session_state["triage.alike"] = (asked, [other for other in found if other.number != line.number])
    alike: list[Line] = st.session_state["triage.alike"][1]
    return alike


def decide(actor, detail, known, pairs, teams, services, people) -> None:  # type: ignore[no-untyped-def]
    """The form: category pair, impact and urgency, the priority that follows, team and person."""
    line = detail.line
    key = f"triage.{line.number}.{line.version}"
    failure: Failure | None = st.session_state.get(f"{key}.failure")
    if failure is not None:
        actions.show(failure)
        if failure.since:
            st.button("See it as it is now", on_click=_look_again, args=(line.number, key), key=f"{key}.now")
    wrong = failure.fields if failure else {}
    names = {pair.id: pair.name for pair in pairs}
    owners = {pair.id: pair.team_id for pair in pairs}
    category = st.selectbox(
        "Category",
        list(names),
        index=_index(list(names), detail.category_pair_id),
        format_func=lambda option: names[option],
        key=f"{key}.category_pair_id",
        placeholder="Choose",
    )
    field_problem(wrong.get("category_pair_id"))
    impact = _level("Impact", f"{key}.impact", detail.impact)
    urgency = _level("Urgency", f"{key}.urgency", detail.urgency)
    if impact and urgency:
        level = priority(impact, urgency, known.matrix)
        target = known.targets.by_priority[level]
        st.markdown(
            f":small[:gray[{LEVELS[impact]} impact and {LEVELS[urgency].lower()} urgency make "
            f"**P{level} {LABELS[level]}**: answer in {span(target.response)}, fix in {span(target.resolution)}"
            f"{'' if level < 3 else ' of business time'}.]]"
        )
    usual = owners.get(category) if category else None
    service = services.get(detail.service_id) if detail.service_id else None
    team_id = line.team_id or usual or (service.team_id if service else None)
    left, right = st.columns(2, gap="small")
    left.selectbox(
        "Team",
        list(teams),
        index=_index(list(teams), team_id),
        format_func=lambda option: teams[option],
        key=f"{key}.team_id.{team_id}",
        placeholder="Choose",
    )
    right.selectbox(
        "Person",
        list(people),
        index=_index(list(people), line.assignee_id),
        format_func=lambda option: people[option],
        key=f"{key}.assignee_id",
        placeholder="Whoever takes it",
    )
    field_problem(wrong.get("team_id") or wrong.get("assignee_id"))
    with st.expander("People and risks"):
        st.number_input(
            "People affected", min_value=0, step=1, value=line.people_affected, key=f"{key}.people_affected"
        )
        for risk, words in RISKS.items():
            st.checkbox(words.removeprefix("a ").capitalize(), value=getattr(line, risk), key=f"{key}.{risk}")
    first = "accept" if "accept" in detail.allowed else "assign" if "assign" in detail.allowed else None
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        if first:
            st.button(
                "Accept and assign" if first == "accept" else "Assign",
                type="primary",
                icon=":material/check:",
                on_click=_send,
                args=(actor, detail, key, team_id, first),
                key=f"{key}.accept",
            )
        st.button("Save only", on_click=_send, args=(actor, detail, key, team_id, None), key=f"{key}.save")


def _refused(number: str) -> str:
    return f"triage.{number}.refused"


def _look_again(number: str, key: str) -> None:
    for name in (_refused(number), f"{key}.failure"):
        st.session_state.pop(name, None)


def _index(options: list[int], value: int | None) -> int | None:
    return options.index(value) if value in options else None


def _level(label: str, key: str, value: int | None) -> int | None:
    return st.segmented_control(
        label,
        list(LEVELS),
        default=value,
        format_func=lambda option: gray(LEVELS[option]),
        key=key,
        width="stretch",
    )


def _send(actor: Actor, detail: incidents.Detail, key: str, team_id: int | None, action: str | None) -> None:
    state = st.session_state
    fields = {
        name: state.get(f"{key}.{name}")
        for name in ("category_pair_id", "impact", "urgency", "people_affected", *RISKS)
    }
    if action is None:
        failure = attempt(
            lambda db, now: commands.prioritise(db, detail.line.id, detail.line.version, fields, actor=actor, now=now)
        )
    else:
        fields |= {"team_id": state.get(f"{key}.team_id.{team_id}"), "assignee_id": state.get(f"{key}.assignee_id")}
        failure = actions.take(actor, detail, action, fields)
    state[f"{key}.failure"] = failure
    if failure is not None and failure.since:
        state[_refused(detail.line.number)] = detail
    if failure is None:
        state["triage.told"] = f"{detail.line.number} {'saved' if action is None else 'assigned'}."
        if action is not None and state.get("triage.view", "open") == "new":
            state.pop("triage.number", None)


def rare(actor: Actor, detail: incidents.Detail) -> None:
    """What is done now and then: hold, resolve, cancel, merge."""
    names = [name for name in detail.allowed if name not in ("accept", "assign")]
    if names:
        chosen = st.menu_button(
            "Other actions",
            names,
            type="tertiary",
            format_func=lambda name: actions.label(name, detail.line.state),
            key=f"triage.rare.{detail.line.number}",
        )
        if chosen and actions.asks(detail, chosen):
            actions.ask(actor, detail.line.number, chosen)
        elif chosen:
            failure = actions.take(actor, detail, chosen, {})
            if failure is None:
                st.rerun()
            actions.show(failure)


page()
told = st.session_state.pop("triage.told", None)
if told:
    st.toast(told, icon=":material/check:")
