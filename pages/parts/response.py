"""The response to an incident in its room: who leads it, what people were told last, and when the next word is owed."""

from datetime import datetime

import streamlit as st

from db.commands import major as commands
from db.commands import updates as telling
from db.engine import reading
from db.queries import rooms
from db.queries.incidents import Detail
from db.queries.updates import Held, Response, Written
from pages.parts import dialogs, times, updates
from pages.parts.empty import field_problem
from pages.parts.forms import Failure, attempt
from pages.parts.texts import literal
from rules import roles
from rules.access import Actor, may
from rules.priority import span
from rules.states import UNCLOSED
from rules.updates import STAGES

DECLARE, STAND_DOWN, PARTS, UPDATE = "declare", "stand_down", "parts", "update"
WORDS = {
    DECLARE: "Declare a major incident",
    STAND_DOWN: "Stand down",
    PARTS: "Who does what",
    UPDATE: "Write an update",
}
ICONS = {DECLARE: "crisis_alert", STAND_DOWN: "arrow_downward", PARTS: "groups", UPDATE: "campaign"}
NOBODY = 0
_TO = {"internal": "people here", "external": "the public", "both": "people here and the public"}
_TONES = {"investigating": "orange", "identified": "orange", "monitoring": "blue", "resolved": "green"}


def offered(actor: Actor, detail: Detail, response: Response) -> list[str]:
    """What the actor may do about the response, for the menu of actions."""
    line = detail.line
    if not may(actor, "note", detail.record) or line.state == "cancelled":
        return []
    commander = response.holder("commander")
    leads = commander is not None and commander.person_id == actor.id
    found = []
    if line.state in UNCLOSED:
        found.append(UPDATE)
        if not line.major and may(actor, DECLARE, detail.record):
            found.append(DECLARE)
        if line.major and (leads or may(actor, STAND_DOWN, detail.record)):
            found.append(STAND_DOWN)
        found.append(PARTS)
    return found


def facts(detail: Detail, response: Response) -> list[dict[str, object]]:
    """For the head: when the next update is due, and who commands a major incident."""
    found: list[dict[str, object]] = []
    if response.due_at is not None:
        found.append({"label": "Next update", "due": response.due_at.isoformat()})
    commander = response.holder("commander")
    if commander is not None:
        found.append({"label": roles.ROLES["commander"], "person": commander.name})
    elif detail.line.major and detail.line.state in UNCLOSED:
        found.append({"label": roles.ROLES["commander"], "value": "Nobody yet", "tone": "late"})
    return found


def box(actor: Actor, detail: Detail, response: Response, now: datetime) -> None:
    """Drawn once there is a response: a major incident, parts taken, or an update."""
    going = detail.line.major and detail.line.state in UNCLOSED
    if not (going or response.held or response.newest or response.waiting or response.due_at):
        return
    key = f"response.{detail.line.number}"
    works = may(actor, "note", detail.record) and detail.line.state != "cancelled"
    failure: Failure | None = st.session_state.get(f"{key}.failure")
    with st.container(border=True, gap="small", key=f"{key}.box"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.header("Response", width="stretch")
            if works:
                late = response.due_at is not None and response.due_at <= now
                st.button(
                    WORDS[UPDATE],
                    type="primary" if late else "secondary",
                    icon=f":material/{ICONS[UPDATE]}:",
                    key=f"{key}.write",
                    on_click=_ask,
                    args=(UPDATE,),
                )
        if going and response.holder("commander") is None:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(":red[:material/error: **Nobody leads the response.**]", width="stretch")
                if works:
                    st.button("Take command", key=f"{key}.take", on_click=_take, args=(actor, detail, key))
        field_problem(failure.sentence if failure else None)
        if going and response.declared_at is not None:
            began = detail.started_at or detail.line.reported_at
            lasts = span((now - began).total_seconds())
            st.caption(f"Lasts {lasts} so far. A major incident since {times.short(response.declared_at, now)}.")
        if response.held:
            st.markdown(" · ".join(_part(held) for held in response.held))
        for waiting in response.waiting:
            _waiting(actor, detail, response, waiting, key, now)
        if response.newest:
            _told(response.newest[0], now)
            if works:
                st.button(
                    "Correct it",
                    type="tertiary",
                    icon=":material/edit:",
                    key=f"{key}.correct",
                    on_click=_correct,
                    args=(response.newest[0].id,),
                )
            if response.newest[1:]:
                count = len(response.newest) - 1
                with st.expander("One update before" if count == 1 else f"{count} updates before"):
                    for written in response.newest[1:]:
                        _told(written, now)
        elif going:
            st.caption("Nobody outside the room was told anything yet.")


def _part(held: Held) -> str:
    about = f" ({literal(held.subject)})" if held.subject else ""
    return f"**{roles.ROLES[held.role]}**{about} {literal(held.name)}"


def _told(written: Written, now: datetime) -> None:
    assert written.published_at is not None
    verb = "Correction, told" if written.corrects else "Told"
    said = f"{verb} {_TO[written.audience]} {times.ago(written.published_at, now)} by {literal(written.writer)}"
    st.markdown(f":{_TONES[written.stage]}-badge[{STAGES[written.stage]}] :gray[{said}]  \n{literal(written.text)}")


def _waiting(actor: Actor, detail: Detail, response: Response, written: Written, key: str, now: datetime) -> None:
    """What the public is to be told, for whoever decides; for the others that it waits."""
    with st.container(border=True, gap="small"):
        wrote = f"{literal(written.writer)} wrote this for {_TO[written.audience]}"
        st.markdown(
            f":orange-badge[:material/hourglass_empty: Waits for a word] "
            f":gray[{wrote}, {times.ago(written.written_at, now)}]  \n"
            f"**{literal(written.title)}**  \n{literal(written.text)}"
        )
        if not response.decides:
            commander = response.holder("commander")
            st.caption(f"{literal(commander.name) if commander else 'A lead or the desk'} reads it before it goes out.")
            return
        passed = written.next_at is not None and written.next_at <= now
        name = f"{key}.{written.id}"
        if passed:
            st.selectbox(
                "The promised time has passed. Next update",
                list(updates.WAITS),
                format_func=updates.WAITS.__getitem__,
                key=f"{name}.next",
            )
        with st.container(horizontal=True):
            st.button(
                "Publish",
                type="primary",
                icon=":material/send:",
                key=f"{name}.publish",
                on_click=_decide,
                args=(actor, detail, written.id, True, name, key),
            )
            with st.popover("Decline", icon=":material/undo:", key=f"{name}.decline"):
                st.text_area("What should be different", key=f"{name}.why")
                st.button(
                    "Send it back",
                    key=f"{name}.back",
                    on_click=_decide,
                    args=(actor, detail, written.id, False, name, key),
                )


def _decide(actor: Actor, detail: Detail, update_id: int, publish: bool, name: str, key: str) -> None:
    why = str(st.session_state.get(f"{name}.why") or "")
    minutes: int | None = st.session_state.get(f"{name}.next") if publish else None

    def change(db, now):  # type: ignore[no-untyped-def]
        next_at = updates.after(now, minutes) if minutes is not None else None
        telling.decide(db, detail.line.id, update_id, publish, why, next_at=next_at, actor=actor, now=now)

    st.session_state[f"{key}.failure"] = attempt(change)


def _take(actor: Actor, detail: Detail, key: str) -> None:
    st.session_state[f"{key}.failure"] = attempt(
        lambda db, now: commands.give(db, detail.line.id, "commander", actor.id, actor=actor, now=now)
    )


def _ask(name: str) -> None:
    st.session_state["incident.ask"] = name


def _correct(update_id: int) -> None:
    st.session_state["incident.ask"] = UPDATE
    st.session_state["response.corrects"] = update_id


def ask(actor: Actor, detail: Detail, name: str) -> None:
    """Open the dialog that one of WORDS asks for."""
    number = detail.line.number
    key = f"{name}.{number}"
    st.session_state.pop(f"{key}.failure", None)
    icon = f":material/{ICONS[name]}:"
    if name == UPDATE:
        updates.ask(actor, detail, icon=icon, corrects=st.session_state.pop("response.corrects", None))
    elif name == PARTS:
        dialogs.show(f"{WORDS[name]}: {number}", _parts_dialog, actor, detail, key, icon=icon)
    else:
        dialogs.show(f"{WORDS[name]}: {number}", _major_dialog, actor, detail, name, key, icon=icon)


def _major_dialog(actor: Actor, detail: Detail, name: str, key: str) -> None:
    if st.session_state.pop(f"{key}.done", False):
        st.rerun()
    failure: Failure | None = st.session_state.get(f"{key}.failure")
    wrong = failure.fields if failure else {}
    if name == DECLARE:
        st.caption(
            "It goes to the top of the queue, somebody leads, and those who wait hear from you within five minutes."
        )
    else:
        st.caption("It takes its place in the queue again, and everybody's part ends. Promised updates stay owed.")
    if failure is not None and not failure.fields:
        st.error(literal(failure.sentence), icon=":material/error:")
    with st.form(f"{key}.form", border=False, enter_to_submit=False):
        st.text_area("Why", key=f"{key}.reason", placeholder="No ward can admit a patient." if name == DECLARE else "")
        field_problem(wrong.get("reason"))
        if name == DECLARE:
            people = _people(detail)
            st.selectbox(
                "Who leads it (optional)",
                list(people),
                index=list(people).index(actor.id) if actor.id in people else None,
                format_func=people.__getitem__,
                key=f"{key}.commander",
                placeholder="Choose the commander by name",
            )
            field_problem(wrong.get("person_id"))
        st.form_submit_button(
            "Declare it" if name == DECLARE else "Stand down",
            type="primary",
            icon=f":material/{ICONS[name]}:",
            on_click=_major,
            args=(actor, detail, name, key),
        )


def _people(detail: Detail) -> dict[int, str]:
    """Id -> name of those who may take a part."""
    with reading() as db:
        return rooms.nameable(db, detail.record, to="note")


def _major(actor: Actor, detail: Detail, name: str, key: str) -> None:
    reason = str(st.session_state.get(f"{key}.reason") or "")
    commander = st.session_state.get(f"{key}.commander")

    def change(db, now):  # type: ignore[no-untyped-def]
        if name == DECLARE:
            commands.declare(db, detail.line.id, None, reason, commander_id=commander, actor=actor, now=now)
        else:
            commands.stand_down(db, detail.line.id, None, reason, actor=actor, now=now)

    failure = attempt(change)
    st.session_state[f"{key}.failure"] = failure
    st.session_state[f"{key}.done"] = failure is None


def _parts_dialog(actor: Actor, detail: Detail, key: str) -> None:
    """Each part with who has it; choosing another hands it over."""
    failure: Failure | None = st.session_state.get(f"{key}.failure")
    with reading() as db:
        people, held = rooms.nameable(db, detail.record, to="note"), updates.held_by(db, actor, detail)
    if failure is not None:
        st.error(literal(failure.sentence), icon=":material/error:")
    for role in roles.LEADING:
        now_has = next((each.person_id for each in held if each.role == role), NOBODY)
        names = {NOBODY: "Nobody", **people, **{each.person_id: each.name for each in held}}
        options = [NOBODY, *people]
        if now_has not in options:
            options.append(now_has)
        widget = f"{key}.{role}.{now_has}"
        st.selectbox(
            f"{roles.ROLES[role]}: {roles.DUTIES[role]}",
            options,
            index=options.index(now_has),
            format_func=names.__getitem__,
            key=widget,
            on_change=_give,
            args=(actor, detail, role, now_has, widget, key),
        )
    experts = [each for each in held if each.role == "expert"]
    for each in experts:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(_part(each), width="stretch")
            st.button(
                "Let go",
                type="tertiary",
                key=f"{key}.gone.{each.person_id}",
                on_click=_leave,
                args=(actor, detail, "expert", each.person_id, key),
            )
    with st.form(f"{key}.expert", border=False, clear_on_submit=True):
        left, right = st.columns(2)
        left.selectbox(
            "Expert",
            list(people),
            index=None,
            format_func=people.__getitem__,
            key=f"{key}.expert.person",
            placeholder="Choose by name",
        )
        right.text_input("For (optional)", key=f"{key}.expert.subject", max_chars=commands.SUBJECT_LIMIT)
        st.form_submit_button("Add the expert", on_click=_add_expert, args=(actor, detail, key))
    if st.button("Done", type="primary", key=f"{key}.close"):
        st.rerun()


def _give(actor: Actor, detail: Detail, role: str, now_has: int, widget: str, key: str) -> None:
    chosen = st.session_state[widget]
    if chosen == NOBODY:
        _leave(actor, detail, role, now_has, key)
    else:
        st.session_state[f"{key}.failure"] = attempt(
            lambda db, now: commands.give(db, detail.line.id, role, chosen, actor=actor, now=now)
        )


def _leave(actor: Actor, detail: Detail, role: str, person_id: int, key: str) -> None:
    st.session_state[f"{key}.failure"] = attempt(
        lambda db, now: commands.leave(db, detail.line.id, role, person_id, actor=actor, now=now)
    )


def _add_expert(actor: Actor, detail: Detail, key: str) -> None:
    chosen = st.session_state.get(f"{key}.expert.person")
    subject = str(st.session_state.get(f"{key}.expert.subject") or "")
    if chosen is None:
        st.session_state[f"{key}.failure"] = Failure("Choose who the expert is.")
        return
    st.session_state[f"{key}.failure"] = attempt(
        lambda db, now: commands.give(db, detail.line.id, "expert", chosen, subject, actor=actor, now=now)
    )
