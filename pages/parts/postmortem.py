"""One postmortem: how far it is and what comes next, what it says, its actions, what the public reads, its versions."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import streamlit as st

from db.commands import postmortems as commands
from db.engine import Session, reading
from db.queries import choices
from db.queries import postmortems as queries
from db.queries.postmortems import Whole
from pages.parts import dialogs, postmortem_actions, postmortem_editor, postmortem_public, prose, session, times
from pages.parts.empty import field_problem
from pages.parts.forms import Failure, attempt, begun, send, summary
from pages.parts.texts import link_to, literal
from rules import postmortem_export as export
from rules import postmortems as rules
from rules.access import Actor
from rules.markdown import blocks
from rules.postmortems import DISCARDED, DRAFT, LABELS, PUBLISHED, REVIEW, SECTIONS

KEY = "postmortem"
LOOKS = {
    DRAFT: ("violet", "edit_note"),
    REVIEW: ("blue", "rate_review"),
    PUBLISHED: ("green", "check_circle"),
    DISCARDED: ("gray", "cancel"),
}
_ASKED, _FAILED = f"{KEY}.asked", f"{KEY}.failure"
_BACK, _DISCARD, _GIVE = "Send back", "Discard the draft", "Change the owner"


def open_one(postmortem_id: str) -> None:
    """Show one, as it is read."""
    st.query_params.clear()
    st.query_params["id"] = postmortem_id


def leave() -> None:
    """Go back to the library. What is being written stays until it is saved or dropped."""
    st.query_params.clear()


def page(actor: Actor, postmortem_id: int) -> None:
    """Draw it. NotFound when there is none, or it is not open to the actor."""
    with reading() as db:
        found = queries.one(db, actor, postmortem_id, session.now())
    st.set_page_config(page_title=f"{found.number}: {found.words['title']} · Incident Desk")
    head(found)
    failure: Failure | None = st.session_state.pop(_FAILED, None)
    summary(failure, {name: section.label for name, section in SECTIONS.items()}, outcome="Nothing was changed.")
    if found.may_edit and st.query_params.get("edit") and found.state != DISCARDED:
        postmortem_editor.form(actor, found)
        return
    steps(actor, found)
    standing(found)
    left, right = st.columns([1.45, 1], gap="medium")
    with left:
        read(found.words)
    with right:
        postmortem_actions.box(actor, found)
        postmortem_public.box(actor, found)
        versions(actor, found)
    _open(actor, found)


def head(found: Whole) -> None:
    """Title, where it stands, and the incident that it is about."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title(literal(found.words["title"]), width="stretch", anchor=False)
        st.button("All postmortems", icon=":material/arrow_back:", type="tertiary", on_click=leave)
    tone, icon = LOOKS[found.state]
    rated = "Major incident" if found.major else f"P{found.priority}" if found.priority else ""
    facts = [
        f":{tone}-badge[:material/{icon}: {LABELS[found.state]}]",
        link_to(found.number),
        *(["restricted"] if found.restricted else []),
        *(literal(part) for part in (rated, found.service) if part),
        f"owner: {literal(found.owner) or 'nobody yet'}",
        f"version {found.version}, {literal(found.saved_by)}, {times.full(found.saved_at)}",
    ]
    st.markdown(" · ".join(facts))


def steps(actor: Actor, found: Whole) -> None:
    """What may be done with it now: the likely step filled, the rare ones in a menu; the file and the page to print."""
    with st.container(horizontal=True, gap="small"):
        if found.may_edit:
            _moves(actor, found)
        st.download_button(
            "Markdown",
            lambda: export.as_markdown(
                found.number,
                found.facts(),
                found.state,
                found.words,
                [action.exported() for action in found.actions],
                found.zone,
            ),
            file_name=f"{found.number}-postmortem.md",
            mime="text/markdown",
            icon=":material/download:",
            type="tertiary",
            on_click="ignore",
        )
        st.link_button("Print", f"/postmortems/{found.id}/print", icon=":material/print:", type="tertiary")


def _moves(actor: Actor, found: Whole) -> None:
    missing = rules.lacking(found.words, found.counted)
    held = postmortem_editor.is_held(found.id)
    if found.state == DISCARDED:
        _step(
            "Take it up again",
            "restart_alt",
            lambda db, now: commands.start(db, found.incident_id, actor=actor, now=now),
        )
        return
    likely = held or (found.state == DRAFT and bool(missing))
    write = "Go on writing" if held else "Amend" if found.state == PUBLISHED else "Edit"
    st.button(
        write,
        icon=":material/edit:",
        type="primary" if likely else "secondary",
        key=f"{KEY}.edit",
        on_click=_edit,
    )
    if found.state == DRAFT:
        _step(
            "Give to review",
            "rate_review",
            lambda db, now: commands.send(db, found.id, found.version, actor=actor, now=now),
            primary=not likely,
        )
    elif found.state == REVIEW:
        own = actor.id in found.authors
        _step(
            "Publish",
            "check",
            lambda db, now: commands.publish(db, found.id, found.version, actor=actor, now=now),
            primary=not own,
            off="You wrote this version. Somebody else reads and publishes it." if own else None,
        )
    rare = {DRAFT: [_GIVE, _DISCARD], REVIEW: [_BACK, _GIVE], PUBLISHED: [_GIVE]}[found.state]
    chosen = st.menu_button("More", rare, icon=":material/more_horiz:", key=f"{KEY}.more", type="tertiary")
    if chosen:
        st.session_state[_ASKED] = chosen


def _step(
    label: str,
    icon: str,
    change: Callable[[Session, datetime], object],
    *,
    primary: bool = True,
    off: str | None = None,
) -> None:
    """The button of one step; `off` says why it is not to be taken by this person."""
    st.button(
        label,
        icon=f":material/{icon}:",
        type="primary" if primary else "secondary",
        key=f"{KEY}.step.{icon}",
        disabled=off is not None,
        help=off,
        on_click=_take,
        args=(change,),
    )


def _take(change: Callable[[Session, datetime], object]) -> None:
    st.session_state[_FAILED] = attempt(change)


def _edit() -> None:
    st.query_params["edit"] = "1"


def standing(found: Whole) -> None:
    """What it waits for, in a sentence or two."""
    if found.incident_state == "cancelled":
        st.warning(
            f"**{literal(found.number)} was cancelled or merged into another since.** "
            + ("Discard the draft if nothing is to be learned." if found.state == DRAFT else "What was learned stays."),
            icon=":material/warning:",
        )
    elif found.incident_state not in rules.FOR_ALL:
        st.info(f"**{literal(found.number)} was reopened.** Add what came after.", icon=":material/info:")
    said = postmortem_editor.said()
    if said:
        st.success(said, icon=":material/check_circle:")
    missing = rules.lacking(found.words, found.counted)
    if found.state == DRAFT and missing:
        st.info("**Still missing:** " + " ".join(missing.values()), icon=":material/info:")
    elif found.state == REVIEW and found.sent_at is not None:
        st.caption(
            f"In review since {times.full(found.sent_at)}. Whoever did not write it publishes it or sends it back."
        )
    elif found.state == PUBLISHED and found.published_at is not None:
        st.caption(f"Reviewed and published by {literal(found.reviewer)}, {times.full(found.published_at)}.")
    elif found.state == DISCARDED:
        st.caption(f"Discarded: {literal(found.discarded_why)}")


def read(words: Mapping[str, str]) -> None:
    """The sections as they are read; those that are empty in one line."""
    empty = []
    for name, section in SECTIONS.items():
        text = words[name]
        if not text:
            if name != "no_action":
                empty.append(section.label)
            continue
        with st.container(gap="small"):
            st.header(section.label, anchor=False)
            if name == "factors":
                st.markdown("\n".join(f"- {literal(factor)}" for factor in rules.factors(text)))
            else:
                prose.draw(blocks(text))
    if empty:
        st.caption(f"Nothing was written yet under: {', '.join(empty)}.")


def versions(actor: Actor, found: Whole) -> None:
    """Every former version, to be read."""
    if found.version == 1:
        return
    with st.expander("Earlier versions", icon=":material/history:", key=f"{KEY}.versions", on_change="rerun") as folded:
        if not folded.open:
            return
        with reading() as db:
            known = {each.number: each for each in queries.versions(db, actor, found.id)}
        for each in known.values():
            if each.why:
                st.markdown(
                    f"**Version {each.number}:** {literal(each.why)}  \n"
                    f":small[:gray[{literal(each.saved_by)}, {times.full(each.saved_at)}]]"
                )
        chosen = st.selectbox(
            "Version",
            [number for number in known if number < found.version],
            format_func=lambda number: (
                f"Version {number}, {known[number].saved_by}, {times.full(known[number].saved_at)}"
            ),
            key=f"{KEY}.version.{found.id}.{found.version}",
        )
        with reading() as db:
            words = queries.words(db, actor, found.id, chosen)
        with st.container(border=True):
            st.markdown(f"**{literal(words['title'])}**")
            read(words)


def _open(actor: Actor, found: Whole) -> None:
    """The dialog that was asked for, if any."""
    asked = st.session_state.pop(_ASKED, None)
    if asked == _GIVE:
        dialogs.show(f"{_GIVE}: {found.number}", give, actor, found, icon=":material/person:")
    elif asked is not None:
        dialogs.show(f"{asked}: {found.number}", reason, actor, found, asked, icon=":material/edit_note:")
    else:
        postmortem_actions.open_asked(actor, found)


def give(actor: Actor, found: Whole) -> None:
    """The dialog that lets somebody else see to it."""
    key = f"{KEY}.give"
    failure = begun(key, ("owner_id",))
    with reading() as db:
        people = choices.readers(db)
    with st.form(f"{key}.form", border=False):
        st.selectbox(
            "Who sees to it that it is written",
            list(people),
            index=list(people).index(found.owner_id) if found.owner_id in people else None,
            format_func=people.__getitem__,
            placeholder="Choose a person",
            key=f"{key}.owner",
        )
        field_problem(failure.fields.get("owner_id") if failure else None)
        st.form_submit_button("Give it", type="primary", on_click=_give, args=(actor, found, key))


def _give(actor: Actor, found: Whole, key: str) -> None:
    owner = st.session_state.get(f"{key}.owner")
    send(key, ("owner",), lambda db, now: commands.give(db, found.id, owner, actor=actor, now=now))


def reason(actor: Actor, found: Whole, what: str) -> None:
    """The dialog for a step that needs words."""
    key = f"{KEY}.reason.{what}"
    failure = begun(key, ("reason",))
    with st.form(f"{key}.form", border=False, enter_to_submit=False):
        asks = "What is to be changed" if what == _BACK else "Why nothing is to be learned"
        st.text_area(asks, key=f"{key}.words", height=96, max_chars=rules.WHY_LIMIT)
        field_problem(failure.fields.get("reason") if failure else None)
        st.form_submit_button(what, type="primary", on_click=_say, args=(actor, found, what, key))


def _say(actor: Actor, found: Whole, what: str, key: str) -> None:
    words = str(st.session_state.get(f"{key}.words") or "")
    command: Any = commands.send_back if what == _BACK else commands.discard
    send(key, ("words",), lambda db, now: command(db, found.id, words, actor=actor, now=now))
