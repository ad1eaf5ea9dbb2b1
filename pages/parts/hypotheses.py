"""Suspected causes in the room: what is suspected, what speaks for and against it, what was ruled out or confirmed."""

from collections.abc import Sequence

import streamlit as st

from db.commands import hypotheses as commands
from db.engine import reading
from db.queries import hypotheses as queries
from db.queries import incidents
from db.queries.hypotheses import Evidence, Suspicion
from db.queries.incidents import Detail
from pages.parts import dialogs, session, times
from pages.parts.empty import field_problem
from pages.parts.forms import begun, send
from pages.parts.marks import gray
from pages.parts.texts import literal
from rules.access import Actor, NotFound, may
from rules.hypotheses import CONFIRMED, EVIDENCE_LIMIT, LABELS, LIMIT, MOVES, RULED_OUT, SPEAKS, SUSPECTED

_LOOKS = {SUSPECTED: ("blue", "help"), CONFIRMED: ("green", "check_circle"), RULED_OUT: ("gray", "block")}
_ASKED, _NEW = "hypotheses.asked", ("new", None)
_VERBS = {"evidence": "Add evidence", RULED_OUT: "Rule it out", CONFIRMED: "Confirm it", SUSPECTED: "Suspect it again"}
_ASKS = {RULED_OUT: "What rules it out", CONFIRMED: "What confirms it", SUSPECTED: "Why it is suspected again"}
_FIELDS = ("cause", "evidence", "speaks")
_TYPED = (*_FIELDS, "words")
_SIGNS = {"for": "add", "against": "remove", "neither": "drag_handle"}


def box(actor: Actor, detail: Detail, found: Sequence[Suspicion]) -> None:
    """Draw them for those who work on the incident; others who may read it see them when there are any."""
    works = may(actor, "note", detail.record)
    if not (found or works):
        return
    key = f"hypotheses.{detail.line.number}"
    asked: tuple[str, int | None] | None = st.session_state.pop(_ASKED, None)
    if not found:  # most incidents need none, so that it takes little room
        st.button(
            "Suspect a cause", icon=":material/help:", key=f"{key}.new", type="tertiary", on_click=_ask, args=_NEW
        )
    else:
        with st.container(border=True):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.header("Suspected causes", width="stretch", anchor=False)
                if works:
                    st.button("Suspect", icon=":material/add:", key=f"{key}.more", on_click=_ask, args=_NEW)
            for one in found:
                chosen = _one(one, key, works)
                asked = (chosen, one.id) if chosen else asked
    if asked is not None and works:
        _open(actor, detail, *asked)


def _ask(what: str, hypothesis_id: int | None) -> None:
    st.session_state[_ASKED] = (what, hypothesis_id)


def _one(one: Suspicion, key: str, works: bool) -> str | None:
    """Draw one; what its menu was asked for in this run."""
    tone, icon = _LOOKS[one.state]
    chosen = None
    words = literal(one.text)
    with st.container(gap=None):
        st.markdown(
            f":{tone}-badge[:material/{icon}: {LABELS[one.state]}] "
            f"{f':gray[{words}]' if one.state == RULED_OUT else f'**{words}**'}  \n:small[:gray[{_told(one)}]]"
        )
        if one.evidence:
            name = f"{key}.{one.id}.evidence"
            with st.expander(_evidence_words(one), key=name, type="compact", on_change="rerun") as folded:
                if folded.open:
                    for piece in one.evidence:
                        _piece(piece)
        if works:
            possible = ["evidence", *(state for state in LABELS if state in MOVES[one.state])]
            chosen = st.menu_button(
                "Decide" if one.state == SUSPECTED else "Change",
                possible,
                type="tertiary",
                format_func=_VERBS.__getitem__,
                key=f"{key}.{one.id}.menu",
            )
    return chosen


def _told(one: Suspicion) -> str:
    now = session.now()
    told = f"{literal(one.by)}, {times.short(one.at, now)}"
    if one.version > 1:
        verb = {SUSPECTED: "suspected again", RULED_OUT: "ruled out", CONFIRMED: "confirmed"}[one.state]
        told += f"; {verb} by {literal(one.changed_by)}, {times.short(one.changed_at, now)}"
    return told


def _evidence_words(one: Suspicion) -> str:
    """'Evidence: 2 for, 1 against'."""
    counted = [f"{one.count(side)} {side}" for side in ("for", "against") if one.count(side)]
    other = one.count("neither")
    return "Evidence: " + ", ".join([*counted, *([f"{other} other"] if other else [])])


def _piece(piece: Evidence) -> None:
    led = f" :gray[· {LABELS[piece.led_to].lower()}]" if piece.led_to else ""
    st.markdown(
        f":gray[:material/{_SIGNS[piece.speaks]}:] {literal(piece.text)}  \n"
        f":small[:gray[{SPEAKS[piece.speaks]} · {literal(piece.by)}, {times.short(piece.at, session.now())}]{led}]"
    )


def _open(actor: Actor, detail: Detail, what: str, hypothesis_id: int | None) -> None:
    number = detail.line.number
    st.session_state.pop(f"hypothesis.{number}.{what}.failure", None)
    if hypothesis_id is None:
        dialogs.show(f"Suspect a cause: {number}", suspect, actor, detail, icon=":material/help:")
        return
    icon = f":material/{_LOOKS[what][1] if what in _LOOKS else 'add_notes'}:"
    dialogs.show(f"{_VERBS[what]}: {number}", decide, actor, detail, what, hypothesis_id, icon=icon)


def suspect(actor: Actor, detail: Detail) -> None:
    """The dialog that names one more."""
    key = f"hypothesis.{detail.line.number}.new"
    failure = begun(key, _FIELDS)
    wrong = failure.fields if failure else {}
    with st.form(f"{key}.form", border=False, enter_to_submit=False):
        st.text_input("What may be the cause", key=f"{key}.cause", max_chars=LIMIT, autocomplete="off")
        field_problem(wrong.get("cause"))
        st.text_area("What speaks for it (optional)", key=f"{key}.evidence", height=96, max_chars=EVIDENCE_LIMIT)
        field_problem(wrong.get("evidence"))
        st.form_submit_button("Suspect it", type="primary", on_click=_send_new, args=(actor, detail, key))


def _send_new(actor: Actor, detail: Detail, key: str) -> None:
    cause, evidence = (str(st.session_state.get(f"{key}.{name}") or "") for name in ("cause", "evidence"))
    send(key, _TYPED, lambda db, now: commands.suspect(db, detail.line.id, cause, evidence, actor=actor, now=now))


def decide(actor: Actor, detail: Detail, what: str, hypothesis_id: int) -> None:
    """The dialog that adds evidence to one, or decides on it; it shows what others found meanwhile.

    What somebody else has decided meanwhile takes nothing that was typed: it can be added as evidence.
    """
    key = f"hypothesis.{detail.line.number}.{what}"
    failure = begun(key, _FIELDS)
    wrong = failure.fields if failure else {}
    try:
        with reading() as db:
            known = queries.suspicions(db, actor, incidents.by_number(db, actor, detail.line.number))
    except NotFound as missing:
        st.error(literal(missing.sentence), icon=":material/error:")
        return
    one = next(each for each in known if each.id == hypothesis_id)
    tone, icon = _LOOKS[one.state]
    st.markdown(f":{tone}-badge[:material/{icon}: {LABELS[one.state]}] **{literal(one.text)}**")
    for piece in one.evidence[-3:]:
        _piece(piece)
    takes = what if what in MOVES[one.state] else "evidence"
    if takes != what:
        st.caption(f"{literal(one.changed_by)} has decided meanwhile. What you found can be added to it.")
    with st.form(f"{key}.form", border=False, enter_to_submit=False):
        st.text_area(_ASKS.get(what, "What you found"), key=f"{key}.words", height=96, max_chars=EVIDENCE_LIMIT)
        field_problem(wrong.get("evidence"))
        if takes == "evidence":
            st.segmented_control(
                "It speaks",
                list(SPEAKS),
                default="against" if what == RULED_OUT else "for",
                format_func=lambda side: gray(SPEAKS[side]),
                key=f"{key}.speaks",
                required=True,
            )
            field_problem(wrong.get("speaks"))
        st.form_submit_button(
            _VERBS[takes],
            type="primary",
            on_click=_send_words,
            args=(actor, detail, takes, one.id, one.version, key),
        )


def _send_words(actor: Actor, detail: Detail, what: str, hypothesis_id: int, version: int, key: str) -> None:
    words, incident = str(st.session_state.get(f"{key}.words") or ""), detail.line.id
    if what == "evidence":
        speaks = str(st.session_state.get(f"{key}.speaks") or "")
        send(
            key,
            _TYPED,
            lambda db, now: commands.add_evidence(db, incident, hypothesis_id, words, speaks, actor=actor, now=now),
        )
        return
    command = {RULED_OUT: commands.rule_out, CONFIRMED: commands.confirm, SUSPECTED: commands.suspect_again}[what]
    send(key, _TYPED, lambda db, now: command(db, incident, hypothesis_id, version, words, actor=actor, now=now))
