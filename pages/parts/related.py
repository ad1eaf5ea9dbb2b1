"""What an incident belongs with: the larger one and its parts, what was merged into it, links."""

from datetime import datetime
from typing import Any

import streamlit as st

from db.commands import relations as commands
from db.commands.bulk import Item
from db.queries.incidents import Detail
from db.queries.relations import Related, Relations
from pages.parts import bulk, conflict, dialogs, merging, times
from pages.parts.empty import field_problem
from pages.parts.forms import Failure, attempt
from pages.parts.texts import link_to, literal
from rules import web_address
from rules.access import Actor, may
from rules.states import LABELS, OPEN

_FIXED = frozenset({"resolved", "recovered", "closed"})


def merged(detail: Detail) -> None:
    """Say what it was merged into, above everything else."""
    if detail.duplicate_of and detail.line.state == "cancelled":
        number = detail.duplicate_of
        words = f"**Merged into {link_to(number)}**, which goes on with its text and files."
        if "unmerge" in detail.allowed:
            words += " 'Undo the merge' takes it out again."
        st.info(words, icon=":material/call_merge:")


def duplicates(found: Relations, now: datetime) -> None:
    """The words and files of what was merged into this one."""
    if not found.duplicates:
        return
    with st.container(border=True):
        st.header("Also reported as")
        for other in found.duplicates:
            who = f"{literal(other.reporter)}, " if other.reporter else ""
            st.markdown(f"**{_named(other)}**  \n:small[:gray[{who}reported {times.ago(other.reported_at, now)}]]")
            if other.description:
                st.text(other.description)
            for file_id, name in other.files:
                st.markdown(f":material/attach_file: [{literal(name)}](/files/{file_id})")


def box(actor: Actor, detail: Detail, found: Relations) -> None:
    """Parent, parts and links, and what changes them."""
    changes = may(actor, "relate", detail.record)
    if not (changes or found.parent or found.parts or found.links):
        return
    key = f"related.{detail.line.number}"
    with st.container(border=True):
        st.header("Belongs with")
        failure: Failure | None = st.session_state.pop(f"{key}.problem", None)
        if failure is not None:
            st.error(literal(failure.sentence), icon=":material/error:")
        if found.parent is not None:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"Part of {_named(found.parent)} {_state(found.parent)}", width="stretch")
                if changes:
                    st.button(
                        "Take it out", type="tertiary", on_click=_take_out, args=(actor, detail, key), key=f"{key}.out"
                    )
        parts(actor, detail, found.parts)
        for link in found.links:
            with st.container(horizontal=True, vertical_alignment="center"):
                name = literal(link.reference)
                kind = "" if link.kind == "other" else f"{commands.KINDS[link.kind]} "
                url = f"/problems?number={link.reference}" if link.kept_here else link.url
                st.markdown(f":material/link: {kind}{f'[{name}]({url})' if url else name}", width="stretch")
                if changes:
                    st.button(
                        "Remove",
                        type="tertiary",
                        help=f"Remove the link with {name}",
                        on_click=_unlink,
                        args=(actor, detail, link.id, key),
                        key=f"{key}.unlink.{link.id}",
                    )
        if not (found.parent or found.parts or found.links):
            st.caption("Nothing yet: a larger incident that it is part of, a change or a problem.")
        if changes:
            _offer(actor, detail, found, key)


def _offer(actor: Actor, detail: Detail, found: Relations, key: str) -> None:
    with st.container(horizontal=True):
        alone = found.parent is None and not found.parts
        if alone and st.button("Make it part of another", icon=":material/account_tree:", key=f"{key}.join"):
            st.session_state.pop(f"parent.{detail.line.number}.failure", None)
            dialogs.show(f"Make {detail.line.number} part of another", join, actor, detail, width="medium")
        if st.button("Add a link", icon=":material/add_link:", key=f"{key}.add"):
            st.session_state.pop(f"link.{detail.line.number}.failure", None)
            dialogs.show(f"Link {detail.line.number}", link_dialog, actor, detail)


def parts(actor: Actor, detail: Detail, found: tuple[Related, ...]) -> None:
    """Its parts with their states; those still open can be resolved with it, never by the way."""
    if not found:
        return
    many = f"{len(found)} part{'s' if len(found) > 1 else ''}"
    st.markdown(f"**{many}**  \n:small[:gray[Who reported them reads its updates.]]")
    for part in found:
        st.markdown(f"{_named(part)} {_state(part)}")
    still = [Item(part.id, part.number, part.version) for part in found if part.state in OPEN]
    if still and detail.line.state in _FIXED and may(actor, "resolve", detail.record):
        label = f"Resolve its {len(still)} part{'s' if len(still) > 1 else ''} too"
        if st.button(label, icon=":material/check_circle:", key=f"related.{detail.line.number}.resolve"):
            for name in ("resolution_code", "resolution_note"):
                st.session_state[f"bulk.resolve.{name}"] = getattr(detail, name)
            bulk.ask(actor, still, "resolve", lambda results: None)


def _named(other: Related) -> str:
    number = link_to(other.number) if other.open else literal(other.number)
    return f"{number} {literal(other.title)}"


def _state(other: Related) -> str:
    return f":gray[· {LABELS[other.state].lower()}]"


def _take_out(actor: Actor, detail: Detail, key: str) -> None:
    st.session_state[f"{key}.problem"] = _set(actor, detail, None)


def _set(actor: Actor, detail: Detail, parent_id: int | None) -> Failure | None:
    line = detail.line
    return attempt(lambda db, now: commands.set_parent(db, line.id, line.version, parent_id, actor=actor, now=now))


def _unlink(actor: Actor, detail: Detail, link_id: int, key: str) -> None:
    st.session_state[f"{key}.problem"] = attempt(
        lambda db, now: commands.unlink(db, detail.line.id, link_id, actor=actor, now=now)
    )


def join(actor: Actor, detail: Detail) -> None:
    """Choose the larger incident and see it before."""
    key = f"parent.{detail.line.number}"
    failure: Failure | None = st.session_state.get(f"{key}.failure")
    if st.session_state.pop(f"{key}.done", False):
        st.rerun()
    if failure is not None and failure.since:
        seen, parent = st.session_state[f"{key}.asked"]
        conflict.choose(
            actor, seen, failure, {}, None, key,
            keep=lambda: _done(key),
            use=lambda now, again, action: _send_join(actor, now, parent, key),
        )  # fmt: skip
        return
    wrong = (failure.fields.get("parent_id") or failure.sentence) if failure else None
    title, number = detail.line.title, detail.line.number
    parent = merging.find(actor, title, key, "Number of the larger incident", wrong, without=(number,))
    if parent is not None:
        merging.card(parent, "The larger one")
        st.caption("Who reported this one reads what is written there, and when it is resolved.")
    st.button(
        "Make it part of it",
        type="primary",
        disabled=parent is None,
        on_click=_press_join,
        args=(actor, detail, parent, key),
        key=f"{key}.go",
    )


def _press_join(actor: Actor, detail: Detail, parent: Detail, key: str) -> None:
    if merging.shown(key, parent):
        _send_join(actor, detail, parent, key)


def _send_join(actor: Actor, detail: Detail, parent: Detail, key: str) -> None:
    failure = _set(actor, detail, parent.line.id)
    if failure is None:
        _done(key)
        return
    st.session_state[f"{key}.failure"] = failure
    st.session_state[f"{key}.asked"] = (detail, parent)


def link_dialog(actor: Actor, detail: Detail) -> None:
    key = f"link.{detail.line.number}"
    failure: Failure | None = st.session_state.get(f"{key}.failure")
    if st.session_state.pop(f"{key}.done", False):
        st.rerun()
    wrong = failure.fields if failure else {}
    if failure is not None and not wrong:
        st.error(literal(failure.sentence), icon=":material/error:")
    with st.form(f"{key}.form", border=False, enter_to_submit=False):
        st.selectbox("What is it?", list(commands.KINDS), format_func=commands.KINDS.__getitem__, key=f"{key}.kind")
        field_problem(wrong.get("kind"))
        st.text_input(
            "Number or name",
            key=f"{key}.reference",
            max_chars=commands.REFERENCE_LIMIT,
            help="The number of a problem that is kept here, such as PRB-000012, links with that problem.",
        )
        field_problem(wrong.get("reference"))
        st.text_input("Address (optional)", key=f"{key}.url", placeholder="https://", max_chars=web_address.LIMIT)
        field_problem(wrong.get("url"))
        st.form_submit_button("Add", type="primary", on_click=_send_link, args=(actor, detail, key))


def _send_link(actor: Actor, detail: Detail, key: str) -> None:
    given: dict[str, Any] = {name: st.session_state.get(f"{key}.{name}") or "" for name in ("kind", "reference", "url")}
    failure = attempt(lambda db, now: commands.link(db, detail.line.id, **given, actor=actor, now=now))
    if failure is None:
        _done(key)
    else:
        st.session_state[f"{key}.failure"] = failure


def _done(key: str) -> None:
    for name in ("failure", "asked", "number", "reference", "url"):
        st.session_state.pop(f"{key}.{name}", None)
    st.session_state[f"{key}.done"] = True
