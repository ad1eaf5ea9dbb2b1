"""The named actions of the lifecycle as buttons and dialogs; the incident's page and the board share them."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from db.commands import incidents as commands
from db.commands import problem_links
from db.commands.bulk import Item
from db.engine import reading
from db.queries import choices, incidents
from db.queries.lines import Line
from pages.parts import conflict, dialogs, handover, merging, problem_cards, session, times, undo
from pages.parts.empty import field_problem
from pages.parts.forms import Failure, attempt
from pages.parts.marks import gray
from pages.parts.texts import literal
from rules.access import Actor, may
from rules.priority import LEVELS
from rules.states import ACTIONS, HOLD_REASONS, RESOLUTION_CODES, UNDOABLE, VERIFICATIONS

ICONS = {
    "accept": "check",
    "assign": "person_add",
    "acknowledge": "play_arrow",
    "hold": "pause_circle",
    "resume": "play_arrow",
    "escalate": "north_east",
    "resolve": "check_circle",
    "recover": "monitor_heart",
    "verify": "thumb_up",
    "reject": "undo",
    "close": "task_alt",
    "reopen": "replay",
    "cancel": "cancel",
    "merge": "call_merge",
    "unmerge": "call_split",
}
AT_ONCE = frozenset({"acknowledge", "resume", "recover", "verify", "unmerge"})
"""Actions that ask nothing; 'verify' only of the reporter."""
_HOLD_DAYS = 3
_MORNING = time(9)
_REASONS = {
    "assign": "What they should know first (optional)",
    "reject": "What is still wrong",
    "reopen": "Why it is opened again",
    "cancel": "Why it is not an incident",
}


_SORTS_FIRST = frozenset({"accept", "assign", "acknowledge", "resolve"})
_READS_FIRST = frozenset({"acknowledge", "resume", "resolve"})


def asks(detail: incidents.Detail, action: str) -> bool:
    """True when the action needs something from the person who takes it, so that a dialog must open."""
    written_down = action == "verify" and not detail.record.account
    to_read = detail.must_read and action in _READS_FIRST
    return action not in AT_ONCE or written_down or to_read or _unsorted(detail, action)


def _unsorted(detail: incidents.Detail, action: str) -> bool:
    return detail.category_pair_id is None and detail.line.state == "new" and action in _SORTS_FIRST


def label(action: str, state: str) -> str:
    """The action's name on a button, for an incident in `state`."""
    if action == "reject" and state == "assigned":
        return "Send back to triage"
    if action == "reopen" and state == "cancelled":
        return "Take it back"
    if action == "hold" and state == "on_hold":
        return "Change the hold"
    return ACTIONS[action].label


def take(actor: Actor, detail: incidents.Detail, action: str, given: Mapping[str, Any]) -> Failure | None:
    """Take the action on the incident as it was seen; a hold that goes with an escalation is taken with it.

    It is then the newest change of this screen, which 'Undo' takes back if it can be.
    """
    line, made, given = detail.line, {}, dict(given)
    problem_id = given.pop("problem_id", None)

    def change(db, now):  # type: ignore[no-untyped-def]
        if problem_id is not None and given.get("hold_reason") == "problem":
            problem_links.link(db, problem_id, [line.id], actor=actor, now=now)
        made["is"] = commands.perform(db, line.id, line.version, action, given, actor=actor, now=now)
        if action == "escalate" and given.get("hold_reason"):
            made["is"] = commands.perform(db, line.id, made["is"].version, "hold", given, actor=actor, now=now)

    failure = attempt(change)
    if failure is None:
        said = f"{line.number}: {label(action, line.state)}."
        undo.done(said, [Item(line.id, line.number, made["is"].version)] if action in UNDOABLE else ())
    return failure


def seen(actor: Actor, number: str) -> incidents.Detail:
    """The incident as it is now."""
    with reading() as db:
        return incidents.by_number(db, actor, number)


def ask(actor: Actor, number: str, action: str, *, team_id: int | None = None) -> None:
    """Open the dialog that asks for what `action` needs, then takes it."""
    detail = seen(actor, number)
    for name in ("failure", "swapped"):  # of a dialog that was left before
        st.session_state.pop(f"act.{action}.{number}.{name}", None)
    if action == "merge":
        icon = f":material/{ICONS[action]}:"
        dialogs.show(f"Merge {number}", merging.dialog, actor, detail, icon=icon, width="medium")
        return
    title = f"{label(action, detail.line.state)}: {number}"
    dialogs.show(title, _dialog, actor, detail, action, team_id, icon=f":material/{ICONS[action]}:")


def _dialog(actor: Actor, detail: incidents.Detail, action: str, team_id: int | None) -> None:
    key = f"act.{action}.{detail.line.number}"
    failure: Failure | None = st.session_state.get(f"{key}.failure")
    st.markdown(f"**{literal(detail.line.title)}**")
    if st.session_state.pop(f"{key}.done", False):
        st.rerun()
    if failure is not None and failure.since:
        before, mine = st.session_state[f"{key}.asked"]
        conflict.choose(
            actor, before, failure, mine, action, key,
            keep=lambda: _done(key),
            use=lambda now, own, taken: _take(actor, now, taken or action, key, own),
        )  # fmt: skip
        return
    if failure is not None:
        show(failure)
    wrong = failure.fields if failure else {}
    to, given = handover.choose_team(detail, key, wrong) if action == "escalate" else (None, {})
    if action in _READS_FIRST:
        given = handover.read_first(detail, key)
    with st.form(f"{key}.form", border=False, enter_to_submit=False):
        given |= _sorting(actor, detail, action, key, failure)
        if action == "escalate":
            given |= handover.fields(to, detail, key, wrong)
        else:
            given |= fields(detail.line, action, key, team_id, failure)
        if action == "hold":
            given |= problem_cards.choose(actor, detail, key)
        st.form_submit_button(
            label(action, detail.line.state),
            type="primary",
            icon=f":material/{ICONS[action]}:",
            on_click=_send,
            args=(actor, detail, action, key, given),
        )


def _send(actor: Actor, detail: incidents.Detail, action: str, key: str, names: Mapping[str, str]) -> None:
    _take(actor, detail, action, key, collected(actor, names))


def _take(actor: Actor, detail: incidents.Detail, action: str, key: str, given: Mapping[str, Any]) -> None:
    failure = take(actor, detail, action, given)
    if failure is None:
        _done(key)
    else:
        st.session_state[f"{key}.failure"] = failure
        st.session_state[f"{key}.asked"] = (detail, dict(given))


def collected(actor: Actor, names: Mapping[str, str]) -> dict[str, Any]:
    """What was chosen in the fields drawn, field -> value, as the command wants it."""
    given: dict[str, Any] = {name: st.session_state.get(widget) for name, widget in names.items()}
    if given.get("hold_until"):
        given["hold_until"] = datetime.combine(given["hold_until"], _MORNING, ZoneInfo(actor.zone))
    return handover.gathered(given)


def _done(key: str) -> None:
    for name in ("failure", "asked"):
        st.session_state.pop(f"{key}.{name}", None)
    st.session_state[f"{key}.done"] = True


def show(failure: Failure) -> None:
    """Draw why a change was not made, and what others did meanwhile."""
    st.error(literal(failure.sentence), icon=":material/error:")
    for entry in failure.since:
        who = literal(entry.actor_name or "Incident Desk")
        st.markdown(f"**{who}** {literal(entry.text)}  \n:small[:gray[{times.local(entry.at):%H:%M:%S}]]")
        for name, (before, after) in (entry.changes or {}).items():
            if name in ("state", "priority", "impact", "urgency"):
                st.caption(f"{name.replace('_', ' ')}: {literal(str(before))} → {literal(str(after))}")


def _sorting(actor: Actor, detail: incidents.Detail, action: str, key: str, failure: Failure | None) -> dict[str, str]:
    """Draw category, impact and urgency when nobody has sorted the incident yet; field -> widget key."""
    if not _unsorted(detail, action):
        return {}
    if not may(actor, "prioritise", detail.record):
        st.caption("It has no category yet: a lead or the service desk sorts it first.")
        return {}
    with reading() as db:
        pairs = {pair.id: pair.name for pair in choices.known(db).pairs.values()}
    drawn = {name: f"{key}.{name}" for name in ("category_pair_id", "impact", "urgency")}
    st.selectbox(
        "Category",
        list(pairs),
        index=None,
        format_func=lambda option: pairs[option],
        key=drawn["category_pair_id"],
        placeholder="Choose",
    )
    field_problem(failure.fields.get("category_pair_id") if failure else None)
    for name, value in (("impact", detail.impact), ("urgency", detail.urgency)):
        st.segmented_control(
            name.capitalize(),
            list(LEVELS),
            default=value,
            format_func=lambda option: gray(LEVELS[option]),
            key=drawn[name],
            width="stretch",
            required=True,
        )
    return drawn


def fields(line: Line | None, action: str, key: str, team_id: int | None, failure: Failure | None) -> dict[str, str]:
    """Draw the fields the action asks for, of one incident or (None) of several; field -> widget key."""
    wrong = failure.fields if failure else {}
    drawn: dict[str, str] = {}

    def place(name: str) -> str:
        drawn[name] = f"{key}.{name}"
        return drawn[name]

    if action in ("accept", "assign"):
        with reading() as db:
            teams = {team.id: team.name for team in choices.teams(db)}
            people = choices.workers(db)
        options = list(teams)
        chosen = team_id or (line.team_id if line else None)
        st.selectbox(
            "Team",
            options,
            index=options.index(chosen) if chosen in options else None,
            format_func=lambda option: teams[option],
            key=place("team_id"),
            placeholder="Choose a team",
        )
        field_problem(wrong.get("team_id"))
        st.selectbox(
            "Person (optional)",
            list(people),
            index=None,
            format_func=lambda option: people[option],
            key=place("assignee_id"),
            placeholder="Whoever takes it",
        )
        field_problem(wrong.get("assignee_id"))
    if action == "hold":
        reasons, held = list(HOLD_REASONS), line if line is not None and line.state == "on_hold" else None
        st.radio(
            "What is it waiting for?",
            reasons,
            index=reasons.index(held.hold_reason) if held and held.hold_reason in reasons else 0,
            format_func=HOLD_REASONS.__getitem__,
            key=place("hold_reason"),
        )
        field_problem(wrong.get("hold_reason"))
        today = times.local(session.now()).date()
        day = today + timedelta(days=_HOLD_DAYS)
        if held and held.hold_until is not None and held.hold_until > session.now():
            day = times.local(held.hold_until).date()
        st.date_input(
            "Look at it again on",
            day,
            min_value=today,
            max_value=today + timedelta(days=365),
            key=place("hold_until"),
        )
        field_problem(wrong.get("hold_until"))
    if action == "resolve":
        st.selectbox(
            "How was it resolved?",
            list(RESOLUTION_CODES),
            index=None,
            format_func=RESOLUTION_CODES.__getitem__,
            key=place("resolution_code"),
            placeholder="Choose",
        )
        field_problem(wrong.get("resolution_code"))
        st.text_area("What was done?", key=place("resolution_note"), help="The reporter reads this too.")
        field_problem(wrong.get("resolution_note"))
    if action == "close":
        answered = line is not None and line.verification == "confirmed"
        answers = ["confirmed"] if answered else ["no_answer", "not_needed"]
        st.radio(
            "Has the reporter confirmed it?", answers, format_func=VERIFICATIONS.__getitem__, key=place("verification")
        )
        field_problem(wrong.get("verification"))
        if not answered:
            st.text_area("Why it is not needed (only then)", key=place("verification_note"))
            field_problem(wrong.get("verification_note"))
    if action == "verify":
        st.text_input("Who says that it is fixed?", (line and line.reporter) or "", key=place("answered_by"))
        field_problem(wrong.get("answered_by"))
        st.text_area("Their words (optional)", key=place("verification_note"))
        field_problem(wrong.get("verification_note"))
    if action in _REASONS:
        st.text_area(_REASONS[action], key=place("reason"))
        field_problem(wrong.get("reason"))
    return drawn
