"""What to do, in the room: the runbook that goes with the incident is offered, what was opened is shown with its steps
to tick, and what the category says in a few words stands beneath. Where no runbook names the incident's service or
category, those words stand first, and open.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

import streamlit as st

from db.commands import opened_runbooks as commands
from db.engine import Session
from db.queries.incidents import Detail
from db.queries.room_parts import Offer, Opened
from pages.parts import prose, session, times
from pages.parts.empty import field_problem
from pages.parts.forms import Failure, attempt
from pages.parts.texts import literal
from rules import runbooks as rules
from rules.access import Actor, may


def box(actor: Actor, detail: Detail, opened: Sequence[Opened], offers: Sequence[Offer], advice: str) -> None:
    """Draw what there is; nothing where nobody has written down what to do. `advice`: the words of its category."""
    works = may(actor, "note", detail.record)
    offers = offers if works else ()
    fits = bool(opened) or any(each.particular for each in offers)
    if advice and not fits:
        _advice(detail, advice, expanded=True)
    _runbooks(actor, detail, opened, offers, works)
    if advice and fits:
        _advice(detail, advice, expanded=False)


def _advice(detail: Detail, advice: str, *, expanded: bool) -> None:
    about = literal(detail.line.pair or "its category")
    with st.expander(f"What to do about {about}", icon=":material/lightbulb:", expanded=expanded):
        st.text(advice)


def _runbooks(actor: Actor, detail: Detail, opened: Sequence[Opened], offers: Sequence[Offer], works: bool) -> None:
    key = f"runbooks.{detail.line.number}"
    failure: Failure | None = st.session_state.pop(f"{key}.failure", None)
    if failure is not None:
        field_problem(failure.sentence)
    for place, one in enumerate(opened):
        if place == 0:
            with st.container(border=True):
                st.header(f"Runbook: {literal(one.name)}", anchor=False)
                _one(actor, detail, one, key, works)
        else:
            with st.expander(f"Runbook: {literal(one.name)}", key=f"{key}.{one.id}.fold", on_change="rerun") as folded:
                if folded.open:
                    _one(actor, detail, one, key, works)
    if offers:
        _offer(actor, detail, offers, key)


def _offer(actor: Actor, detail: Detail, offers: Sequence[Offer], key: str) -> None:
    """The one that goes best with the incident as a button, the others in a menu."""
    best = offers[0] if offers[0].suggested else None
    others = {each.id: each for each in offers if each is not best}
    with st.container(horizontal=True, gap="small"):
        if best is not None:
            st.button(
                f"Runbook: {literal(best.name)}",
                icon=":material/menu_book:",
                key=f"{key}.best",
                help="It goes with the incident's service or category. Opening it is written on the timeline.",
                on_click=_open,
                args=(actor, detail, best.id, key),
            )
        if others:
            chosen = st.menu_button(
                "Other runbooks" if best is not None else "Open a runbook",
                list(others),
                type="tertiary",
                icon=None if best is not None else ":material/menu_book:",
                format_func=lambda runbook_id: others[runbook_id].name,
                key=f"{key}.others",
            )
            if chosen is not None:
                _open(actor, detail, chosen, key)
                st.rerun()


def _one(actor: Actor, detail: Detail, one: Opened, key: str, works: bool) -> None:
    """Its head and its text, with the steps to tick."""
    steps = len(rules.steps(one.text))
    said = [f"Version {one.version}, opened by {literal(one.opened_by)}, {times.short(one.opened_at, session.now())}"]
    if steps:
        done = len(one.done)
        said.insert(0, f"{done} of {steps} done" if done < steps else "All done")
    st.caption(" · ".join(said))
    if one.superseded:
        st.caption("A newer version of it is open here too.")
    elif one.newest > one.version and one.in_use:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f":material/info: Version {one.newest} is newer. What is ticked here stays.", width="content")
            if works:
                st.button(
                    f"Open version {one.newest}",
                    type="tertiary",
                    key=f"{key}.{one.id}.newer",
                    on_click=_open,
                    args=(actor, detail, one.runbook_id, key),
                )
    with st.container(gap="xsmall"):
        for part in rules.parts(one.text):
            if part.step is None:
                prose.draw(part.blocks)
            else:
                _step(actor, detail, one, part, key, works)


def _step(actor: Actor, detail: Detail, one: Opened, part: rules.Part, key: str, works: bool) -> None:
    name = f"{key}.{one.id}.{part.step}"
    place = part.step or 0
    kept = one.done.get(place)
    st.session_state[name] = kept is not None  # others tick too: what is kept counts, not what was drawn
    who = f" :small[:gray[{literal(kept[1])}, {times.short(kept[0], session.now())}]]" if kept else ""
    st.checkbox(
        f"{prose.inline(part.blocks[0].spans)}{who}",
        key=name,
        on_change=_tick,
        args=(actor, detail, one.id, place, key),
        disabled=not works,
    )


def _open(actor: Actor, detail: Detail, runbook_id: int, key: str) -> None:
    _do(key, lambda db, now: commands.open_newest(db, detail.line.id, runbook_id, actor=actor, now=now))


def _tick(actor: Actor, detail: Detail, opened_id: int, place: int, key: str) -> None:
    done = bool(st.session_state[f"{key}.{opened_id}.{place}"])
    _do(key, lambda db, now: commands.tick(db, detail.line.id, opened_id, place, done, actor=actor, now=now))


def _do(key: str, change: Callable[[Session, datetime], object]) -> None:
    st.session_state[f"{key}.failure"] = attempt(change)
