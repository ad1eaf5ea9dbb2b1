"""The form of a postmortem, a preview beside each section. What is typed stays until saved, whoever else saves."""

from dataclasses import dataclass, field

import streamlit as st

from db.commands import postmortems as commands
from db.engine import reading
from db.queries import postmortems as queries
from db.queries.postmortems import Whole
from pages.parts import prose, session, times
from pages.parts.empty import field_problem
from pages.parts.forms import UNSAVED, Failure, attempt, error_title, summary
from pages.parts.texts import literal
from rules import postmortems as rules
from rules.access import Actor
from rules.markdown import blocks
from rules.postmortems import FIELDS, PUBLISHED, SECTIONS

LABELS = {"title": "Title", "why": "What you change, and why"} | {name: one.label for name, one in SECTIONS.items()}
_DRAFTS, _TURN, _SAID = "postmortem.drafts", "postmortem.turn", "postmortem.said"


@dataclass
class Draft:
    """A postmortem as it is being written."""

    version: int
    """the one it began with"""
    values: dict[str, str]
    """what stood in its fields last"""
    turn: int
    """tells its fields from those of another draft"""
    failure: Failure | None = field(default=None)

    def key(self, name: str) -> str:
        return f"postmortem.{self.turn}.{name}"


def is_held(postmortem_id: int) -> bool:
    """True while words on it were typed here and not saved."""
    return postmortem_id in st.session_state.get(_DRAFTS, {})


def said() -> str | None:
    """What is to be said once, after saving."""
    words: str | None = st.session_state.pop(_SAID, None)
    return words


def _draft(found: Whole) -> Draft:
    drafts: dict[int, Draft] = st.session_state.setdefault(_DRAFTS, {})
    if found.id not in drafts:
        turn = st.session_state[_TURN] = st.session_state.get(_TURN, 0) + 1
        drafts[found.id] = Draft(found.version, dict(found.words) | {"why": ""}, turn)
    return drafts[found.id]


def _forget(postmortem_id: int) -> None:
    st.session_state.get(_DRAFTS, {}).pop(postmortem_id, None)


def _stop(postmortem_id: int) -> None:
    _forget(postmortem_id)
    st.query_params.pop("edit", None)


def form(actor: Actor, found: Whole) -> None:
    """Title, sections, and what saves."""
    made = _draft(found)
    error_title(made.failure, f"{found.number}: {found.words['title']}")
    if made.failure is not None and "version" in made.failure.fields:
        _conflict(actor, made, found)
    else:
        summary(made.failure, LABELS, outcome="Nothing was saved yet.")
    wrong = made.failure.fields if made.failure else {}
    for name in made.values:  # Streamlit forgets a field that another page did not draw
        st.session_state.setdefault(made.key(name), made.values[name])
    st.text_input(
        "Title", key=made.key("title"), max_chars=rules.TITLE_LIMIT, autocomplete="off", persist_state="session"
    )
    field_problem(wrong.get("title"))
    for name in SECTIONS:
        _section(made, name, wrong.get(name))
    if found.state == PUBLISHED:
        st.text_input(
            LABELS["why"], key=made.key("why"), max_chars=rules.WHY_LIMIT, autocomplete="off", persist_state="session"
        )
        field_problem(wrong.get("reason"))
    made.values = {name: st.session_state[made.key(name)] or "" for name in made.values}
    with st.container(horizontal=True, gap="small"):
        st.button(
            f"Save as version {found.version + 1}",
            type="primary",
            key=made.key("save"),
            on_click=_save,
            args=(actor, made, found.id),
        )
        st.button("Leave without saving", type="tertiary", key=made.key("stop"), on_click=_stop, args=(found.id,))
    field_problem(UNSAVED if made.failure else None)


def _section(made: Draft, name: str, wrong: str | None) -> None:
    section = SECTIONS[name]
    left, right = st.columns(2, gap="medium")
    with left:
        st.text_area(
            f"{section.label}{' (optional)' if section.optional else ''}",
            key=made.key(name),
            persist_state="session",
            height="content",
            placeholder=section.hint,
            help=f"{section.hint} Markdown; HTML and pictures stay text." if name != "factors" else section.hint,
        )
        field_problem(wrong)
    text = str(st.session_state[made.key(name)] or "")
    with right, st.container(border=True, gap="small"):
        st.markdown(f":small[:gray[{section.label}, as it is read]]")
        if not text.strip():
            st.caption(section.hint)
        elif name == "factors":
            st.markdown("\n".join(f"- {literal(factor)}" for factor in rules.factors(text)))
        else:
            prose.draw(blocks(text))


def _conflict(actor: Actor, made: Draft, found: Whole) -> None:
    """Somebody else saved first: where theirs differs from mine, and the choice."""
    with reading() as db:
        theirs = queries.one(db, actor, found.id, session.now())
    st.error(literal(made.failure.sentence) if made.failure else "", icon=":material/error:")
    different = [name for name in FIELDS if theirs.words[name].strip() != made.values[name].strip()]
    with st.expander(
        f"Version {theirs.version}, {literal(theirs.saved_by)}, {times.full(theirs.saved_at)}", expanded=True
    ):
        if not different:
            st.caption("It says the same as yours.")
        for name in different:
            st.markdown(f"**{LABELS[name]}**")
            if theirs.words[name]:
                st.code(theirs.words[name], language=None, wrap_lines=True)
            else:
                st.caption("Nothing.")
    with st.container(horizontal=True):
        st.button(
            f"Save mine as version {theirs.version + 1}",
            type="primary",
            key=made.key("mine"),
            on_click=_use_mine,
            args=(actor, made, found.id, theirs.version),
        )
        st.button("Take theirs", key=made.key("theirs"), on_click=_forget, args=(found.id,))


def _use_mine(actor: Actor, made: Draft, postmortem_id: int, version: int) -> None:
    made.version = version
    _save(actor, made, postmortem_id)


def _save(actor: Actor, made: Draft, postmortem_id: int) -> None:
    typed = {name: str(st.session_state.get(made.key(name), made.values[name]) or "") for name in made.values}
    words, kept = {name: typed[name] for name in FIELDS}, []
    made.failure = attempt(
        lambda db, now: kept.append(
            commands.save(db, postmortem_id, made.version, words, typed["why"], actor=actor, now=now)
        )
    )
    if made.failure is None:
        _stop(postmortem_id)
        changed = kept[-1] > made.version
        st.session_state[_SAID] = f"Saved as version {kept[-1]}." if changed else "Nothing was changed."
