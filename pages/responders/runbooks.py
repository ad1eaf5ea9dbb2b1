"""Runbooks: what to do, step by step. Those who work on incidents read them, leads and administrators write them."""

import streamlit as st

from db.commands import runbooks as commands
from db.engine import reading
from db.queries import choices
from db.queries import runbooks as queries
from pages.parts import rows, runbook_editor, session, times
from pages.parts.empty import empty
from pages.parts.forms import attempt
from pages.parts.texts import literal
from rules.access import Actor, NotFound, may

NEW = "new"


def page() -> None:
    actor = session.require("runbooks")
    asked = st.query_params.get("id", "")
    edits = may(actor, "runbook_edit")
    if not asked or (asked == NEW and not edits):
        every(actor, edits)
        return
    try:
        one(actor, None if asked == NEW else int(asked) if asked.isdecimal() and len(asked) < 10 else 0, edits)
    except NotFound as missing:
        st.title("Runbooks")
        empty(missing.sentence, "Go back to the list.", key="runbooks.missing")
        st.button("All runbooks", on_click=_open, args=("",))


def every(actor: Actor, edits: bool) -> None:
    """The list."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Runbooks", width="stretch")
        if edits:
            st.button("Add a runbook", type="primary", icon=":material/add:", on_click=_open, args=(NEW,))
    st.markdown("An incident's room offers the one that goes with its service and category.")
    archived = st.toggle("Archived", key="runbooks.archived")
    with reading() as db:
        found = queries.everything(db, actor, archived=archived)
    st.caption(f"{len(found):,} {'archived' if archived else 'in use'}")
    add = "Add one for what breaks often, with its steps to tick." if edits else "A lead or an administrator adds one."
    rows.rows(
        [_row(each, edits) for each in found],
        key="runbooks.list",
        plain=True,
        label="Runbooks",
        empty=("Nothing is archived.", "What is offered no longer is kept here.")
        if archived
        else ("There are no runbooks yet.", add),
        on_event=lambda event: _open(event.id),
    )


def _row(each: queries.Known, edits: bool) -> dict[str, object]:
    now = session.now()
    return {
        "id": str(each.id),
        "reference": None,
        "title": each.name,
        "explanation": each.about,
        "meta": [f"version {each.version}", f"{each.saved_by}, {times.ago(each.saved_at, now)}"],
        "action": "Change" if edits and each.archived_at is None else "Read",
    }


def _open(asked: str) -> None:
    runbook_editor.forget()
    if asked:
        st.query_params["id"] = asked
    else:
        st.query_params.clear()


def one(actor: Actor, runbook_id: int | None, edits: bool) -> None:
    """One runbook: its form, or what it says; and its versions."""
    with reading() as db:
        known, text = queries.one(db, actor, runbook_id) if runbook_id is not None else (None, "")
        offered = choices.known(db)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title(literal(known.name) if known else "A new runbook", width="stretch", anchor=False)
        st.button("All runbooks", icon=":material/arrow_back:", type="tertiary", on_click=_open, args=("",))
    said = st.session_state.pop(runbook_editor.SAID, None)
    if said:
        st.success(said, icon=":material/check_circle:")
    if known is not None:
        st.caption(f"{literal(known.about)} · version {known.version}, {literal(known.saved_by)}, {_when(known)}")
    if edits and (known is None or known.archived_at is None):
        runbook_editor.form(actor, runbook_editor.draft(known, text), known, offered)
    else:
        with st.container(border=True):
            runbook_editor.read(text)
    if known is not None:
        _versions(actor, known)
        if edits:
            _archive(actor, known)


def _when(known: queries.Known) -> str:
    return times.full(known.saved_at)


def _versions(actor: Actor, known: queries.Known) -> None:
    """Every former version, to be read."""
    if known.version == 1:
        return
    with st.expander(
        "Earlier versions", icon=":material/history:", key="runbooks.versions", on_change="rerun"
    ) as folded:
        if not folded.open:
            return
        with reading() as db:
            found = {each.number: each for each in queries.versions(db, actor, known.id) if each.number < known.version}
        chosen = st.selectbox(
            "Version",
            list(found),
            format_func=lambda number: (
                f"Version {number}, {found[number].saved_by}, {times.full(found[number].saved_at)}"
            ),
            key=f"runbooks.version.{known.id}.{known.version}",
        )
        with reading() as db:
            text = queries.text(db, actor, known.id, chosen)
        with st.container(border=True):
            st.markdown(f"**{literal(found[chosen].name)}**")
            runbook_editor.read(text)


def _archive(actor: Actor, known: queries.Known) -> None:
    failure = st.session_state.pop("runbooks.problem", None)
    if failure is not None:
        st.error(literal(failure.sentence), icon=":material/error:")
    away = known.archived_at is None
    st.button(
        "Archive" if away else "Bring back",
        icon=":material/archive:" if away else ":material/unarchive:",
        type="tertiary",
        help="It is offered no longer. Where it is open it stays." if away else None,
        key="runbooks.switch",
        on_click=_switch,
        args=(actor, known.id, away),
    )


def _switch(actor: Actor, runbook_id: int, away: bool) -> None:
    command = commands.archive if away else commands.restore
    failure = attempt(lambda db, now: command(db, runbook_id, actor=actor, now=now))
    st.session_state["runbooks.problem"] = failure
    if failure is None:
        runbook_editor.forget()


page()
