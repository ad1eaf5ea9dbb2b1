"""Everything needed to decide on one incident in triage, and the form that does."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import streamlit as st

from db.commands import checks
from db.commands import incidents as commands
from db.commands.bulk import Item
from db.engine import Session, reading
from db.queries import incidents, maintenance_windows, similar, triage
from db.queries.choices import Known, ServiceChoice
from db.queries.incidents import Detail
from db.queries.lines import Line
from db.queries.settings import policies
from db.queries.tasks import checklist
from pages.parts import actions, confirmation, conflict, maintenance, pins, shapes, suggestions, tasks, times, undo
from pages.parts.address import lead
from pages.parts.empty import field_problem
from pages.parts.forms import Failure, attempt
from pages.parts.marks import gray
from pages.parts.problem_cards import hint as problem_hint
from pages.parts.template_questions import answered
from pages.parts.texts import link_to, literal
from rules.access import Actor, NotFound, may
from rules.durations import exact
from rules.priority import EFFECTS, LABELS, LEVELS, RISKS, SCOPES, behind, priority
from rules.states import OPEN

FIELDS = (
    "category_pair_id", "impact", "urgency", "service_id", "title", "affected", "people_affected",
    "restricted", *RISKS,
)  # fmt: skip
OPENED = "triage.opened"


@dataclass(frozen=True)
class Refused:
    """What was asked for while somebody else changed the incident."""

    seen: Detail
    failure: Failure
    action: str | None


def panel(actor: Actor, number: str, offered: Known, now: datetime) -> None:
    """Everything needed to decide on one incident, and the form that does."""
    refused: Refused | None = st.session_state.get(_refused(number))
    try:
        with reading() as db:
            detail = incidents.by_number(db, actor, number)
            place, ahead = triage.standing(db, actor, detail.line.id)
            known = policies(db)
            alike = _alike(db, actor, detail.line, now)
            suggested = suggestions.of(db, actor, detail, now)
            files = incidents.files(db, actor, detail)
            quiet = maintenance_windows.running(db, actor, detail.service_id, now)
            todo = checklist(db, actor, detail)
    except NotFound as missing:
        st.caption(literal(missing.sentence))
        return
    line = detail.line
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{line.number}** · {literal(line.about or 'nothing named')}", width="stretch")
        if st.button("Open", icon=":material/open_in_full:", type="tertiary", key=f"triage.room.{number}"):
            lead("responders/incident.py", {"number": number})
    st.header(literal(line.title), anchor=False)
    affected = f" · {line.people_affected:,} people affected" if line.people_affected else ""
    who = " · ".join(
        part for part in (line.reporter or ("no account" if detail.tracked else "unknown"), detail.contact) if part
    )
    st.markdown(f":small[:gray[{literal(who)} · reported {times.ago(line.reported_at, now)}{affected}]]")
    maintenance.hint(quiet, line.service, now)
    confirmation.denied(detail, now)
    if place is not None:
        standing(line, place, ahead, now)
    if detail.description:
        st.text(detail.description)
    answered(detail)
    said = [SCOPES.get(detail.scope or ""), EFFECTS.get(detail.effect or "")]
    if any(said):
        st.markdown(f":small[:gray[Said: {' · '.join(part for part in said if part)}]]")
    for file in files:
        st.markdown(f":material/attach_file: [{literal(file.name)}](/files/{file.id})")
    for other in alike:
        st.markdown(f":small[:material/call_merge: Maybe the same: {link_to(other.number)} {literal(other.title)}]")
    suggestions.resolved(suggested)
    problem_hint(actor, detail, now)
    # After a conflict the form stays as it was seen, with what was chosen, until its reader has chosen.
    form = refused.seen if refused else _as_opened(detail, offered)
    decide(actor, form, known, offered, suggested, refused, behind=form.line.version != line.version)
    if refused is None:
        rare(actor, detail)
        tasks.box(actor, detail, todo, whole=False)


def standing(line: Line, place: int, ahead: triage.Neighbour | None, now: datetime) -> None:
    """The place in the queue, why it is there, and why it is behind its neighbour."""
    with st.container(border=True, gap="xsmall"):
        st.markdown(
            f":material/low_priority: **{shapes.ordinal(place)} in the queue.** "
            f"{literal(line.why(now, str(times.zone())))}"
        )
        if ahead is not None and line.resolution_due_at and ahead.due:
            why = behind(line.resolution_due_at, line.merits, ahead.due, ahead.merits, line.starts)
            st.markdown(f":small[Behind {link_to(ahead.number, 'triage')}: {literal(why)}.]")
        if line.pin_until is not None:
            st.caption(f":material/keep: Pinned until {times.short(line.pin_until, now)}: {literal(line.pin_reason)}")


def _alike(db: Session, actor: Actor, line: Line, now: datetime) -> list[Line]:
    """Open incidents that read like this one, searched once a minute, not again with every choice in its form."""
    asked = (line.number, now.replace(second=0, microsecond=0))
    if st.session_state.get("triage.alike", (None,))[0] != asked:
        found = similar.similar(db, actor, line.title, now, limit=3)
        st.session_state["triage.alike"] = (asked, [other for other in found if other.number != line.number])
    alike: list[Line] = st.session_state["triage.alike"][1]
    return alike


def _as_opened(now: Detail, offered: Known) -> Detail:
    """What the form shows: the incident as it is, or as it was opened while the form holds choices not yet saved.

    So that what somebody else saved meanwhile takes none of them away, and is compared when they are sent.
    """
    opened: Detail | None = st.session_state.get(OPENED)
    if opened is not None and opened.line.number != now.line.number:
        for name in FIELDS:
            st.session_state.pop(f"{_key(opened)}.{name}", None)
    elif opened is not None and opened.line.version != now.line.version and _touched(opened, offered):
        return opened
    st.session_state[OPENED] = now
    return now


def _touched(opened: Detail, offered: Known) -> bool:
    """Whether the form of an incident holds anything other than what it was drawn with."""
    key, state, team_id = _key(opened), st.session_state, _team(opened, offered)
    chosen = (state.get(f"{key}.team_id.{team_id}", team_id), state.get(f"{key}.assignee_id", opened.line.assignee_id))
    return chosen != (team_id, opened.line.assignee_id) or bool(
        conflict.own_changes(opened, _chosen(key, team_id, None))
    )


def _team(opened: Detail, offered: Known) -> int | None:
    """Its team, else the usual one of the category that is chosen now, also when the form has not yet shown it."""
    category = st.session_state.get(f"{_key(opened)}.category_pair_id", opened.category_pair_id)
    return opened.line.team_id or offered.usual_team(category, opened.service_id)


def _key(detail: Detail) -> str:
    return f"triage.{detail.line.number}.{detail.line.version}"


def decide(actor, detail, known, offered, suggested, refused, *, behind) -> None:  # type: ignore[no-untyped-def]
    """The form: category pair, impact and urgency, the priority that follows, team and person.

    What comes and goes has its place kept: what stands below it would be drawn anew, and a list that somebody has just
    opened would close.
    """
    line, key = detail.line, _key(detail)
    failure: Failure | None = st.session_state.get(f"{key}.failure")
    if failure is not None and not failure.since:
        actions.show(failure)
    wrong = failure.fields if failure else {}
    names = {pair.id: pair.name for pair in offered.pairs.values()}
    if detail.category_pair_id is not None:
        names.setdefault(detail.category_pair_id, f"{line.pair} (archived)")
    st.selectbox(
        "Category",
        list(names),
        index=_index(list(names), detail.category_pair_id),
        format_func=lambda option: names[option],
        key=f"{key}.category_pair_id",
        placeholder="Choose",
    )
    suggestions.categories(suggested, f"{key}.category_pair_id", names)
    field_problem(wrong.get("category_pair_id"))
    impact = _level("Impact", f"{key}.impact", detail.impact)
    urgency = _level("Urgency", f"{key}.urgency", detail.urgency)
    if impact and urgency:
        level = priority(impact, urgency, known.matrix)
        target = known.targets.target(level, detail.service_id)
        st.markdown(
            f":small[:gray[{LEVELS[impact]} impact and {LEVELS[urgency].lower()} urgency make "
            f"**P{level} {LABELS[level]}**: answer in {exact(target.response, days=False)}, "
            f"fix in {exact(target.resolution, days=False)}{target.counted}.]]"
        )
    else:
        st.markdown(":small[:gray[Impact and urgency together make the priority.]]")
    team_id = _team(detail, offered)
    left, right = st.columns(2, gap="small")
    left.selectbox(
        "Team",
        list(offered.teams),
        index=_index(list(offered.teams), team_id),
        format_func=lambda option: offered.teams[option],
        key=f"{key}.team_id.{team_id}",
        placeholder="Choose",
    )
    right.selectbox(
        "Person",
        list(offered.people),
        index=_index(list(offered.people), line.assignee_id),
        format_func=lambda option: offered.people[option],
        key=f"{key}.assignee_id",
        placeholder="Whoever takes it",
    )
    suggestions.team(suggested, f"{key}.team_id.{team_id}", offered.teams)
    field_problem(wrong.get("team_id") or wrong.get("assignee_id"))
    more(detail, key, offered.services, wrong)
    if refused is not None:
        _compare(actor, refused, key, team_id)
        return
    first = "accept" if "accept" in detail.allowed else "assign" if "assign" in detail.allowed else None
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        if first:
            st.button(
                "Accept and assign" if first == "accept" else "Assign",
                type="primary",
                icon=":material/check:",
                on_click=_send,
                args=(actor, detail, offered, first),
                key=f"{key}.accept",
            )
        st.button("Save only", on_click=_send, args=(actor, detail, offered, None), key=f"{key}.save")
        if behind:
            st.caption("Somebody has changed it since you opened it. What you chose is kept; saving shows both.")


def more(detail: Detail, key: str, services: dict[int, ServiceChoice], wrong: Mapping[str, str]) -> None:
    """What is changed now and then: words, service, people, risks. Drawn while it is open; what was chosen is kept."""
    line = detail.line
    more = st.expander(
        "People, risks, words",
        expanded=bool({"title", "affected", "people_affected"} & set(wrong)),
        on_change="rerun",
        key=f"{key}.more",
    )
    if not more.open:
        return
    with more:
        st.number_input(
            "People affected",
            min_value=0,
            step=1,
            value=line.people_affected,
            key=f"{key}.people_affected",
            persist_state="page",
        )
        field_problem(wrong.get("people_affected"))
        names = {None: "None of the list"} | {service.id: service.name for service in services.values()}
        if detail.service_id is not None:
            names.setdefault(detail.service_id, f"{line.service} (archived)")
        st.selectbox(
            "Service",
            list(names),
            index=list(names).index(detail.service_id),
            format_func=names.__getitem__,
            key=f"{key}.service_id",
            persist_state="page",
        )
        for name, label, words in (
            ("title", "What is wrong", line.title),
            ("affected", "What or where is affected", line.affected),
        ):
            st.text_input(label, words, key=f"{key}.{name}", max_chars=checks.TITLE_LIMIT, persist_state="page")
            field_problem(wrong.get(name))
        for risk, words in RISKS.items():
            st.checkbox(
                words.removeprefix("a ").capitalize(),
                value=getattr(line, risk),
                key=f"{key}.{risk}",
                persist_state="page",
            )
        st.checkbox(
            "Restricted",
            value=line.restricted,
            key=f"{key}.restricted",
            help="Seen only by its team, by who reported it and by the people named on it.",
            persist_state="page",
        )


def _refused(number: str) -> str:
    return f"triage.{number}.refused"


def _compare(actor: Actor, refused: Refused, key: str, team_id: int | None) -> None:
    """Where the buttons were: what others did meanwhile beside what stands in the form, and the choice."""
    number = refused.seen.line.number
    conflict.choose(
        actor, refused.seen, refused.failure, _chosen(key, team_id, refused.action), refused.action, key,
        keep=lambda: _forget(number),
        use=lambda now, again, action: _change(actor, now, key, again, action, refused),
    )  # fmt: skip


def _forget(number: str) -> None:
    st.session_state.pop(_refused(number), None)
    st.session_state.pop(OPENED, None)


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
        required=True,
    )


def _send(actor: Actor, detail: Detail, offered: Known, action: str | None) -> None:
    _change(actor, detail, _key(detail), _chosen(_key(detail), _team(detail, offered), action), action)


def _chosen(key: str, team_id: int | None, action: str | None) -> dict[str, Any]:
    """What stands in the form; what it has not shown is left as it is."""
    state = st.session_state
    given = {name: state[f"{key}.{name}"] for name in FIELDS if f"{key}.{name}" in state}
    if action is not None:
        given["team_id"] = state.get(f"{key}.team_id.{team_id}", team_id)
        given["assignee_id"] = state.get(f"{key}.assignee_id")
    return given


def _change(
    actor: Actor,
    detail: Detail,
    key: str,
    given: dict[str, Any],
    action: str | None,
    refused: Refused | None = None,
) -> None:
    """Make the change; what is `refused` again stays as it was seen first, with all that was chosen since."""
    state = st.session_state
    line, made = detail.line, {}

    def change(db: Session, now: datetime) -> None:
        if action is None:
            changed = commands.prioritise(db, line.id, line.version, given, actor=actor, now=now)
        else:
            changed = commands.perform(db, line.id, line.version, action, given, actor=actor, now=now)
        made["version"] = changed.version

    failure = attempt(change)
    state[f"{key}.failure"] = failure
    _forget(line.number)
    if failure is not None and (failure.since or refused):
        state[_refused(line.number)] = Refused(refused.seen if refused else detail, failure, action)
    if failure is None:
        said = f"{line.number} {'saved' if action is None else 'assigned'}."
        undo.done(said, [Item(line.id, line.number, made["version"])])
        if action is not None and state.get("triage.view", "open") == "new":
            state.pop("triage.number", None)


def rare(actor: Actor, detail: Detail) -> None:
    """What is done now and then: hold, resolve, cancel, merge, pin."""
    names = [name for name in detail.allowed if name not in ("accept", "assign")]
    line = detail.line
    if line.state in OPEN and may(actor, "pin", detail.record):
        names.append("pin")
    if names:
        chosen = st.menu_button(
            "Other actions",
            names,
            type="tertiary",
            format_func=lambda name: (
                pins.label(bool(line.pin_seconds)) if name == "pin" else actions.label(name, line.state)
            ),
            key=f"triage.rare.{detail.line.number}",
        )
        if chosen == "pin" and not line.pin_seconds:
            pins.ask(actor, detail)
        elif chosen == "pin":
            failure = pins.take_away(actor, detail)
            if failure is None:
                st.rerun()
            actions.show(failure)
        elif chosen and actions.asks(detail, chosen):
            actions.ask(actor, detail.line.number, chosen)
        elif chosen:
            failure = actions.take(actor, detail, chosen, {})
            if failure is None:
                st.rerun()
            actions.show(failure)
