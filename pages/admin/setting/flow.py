"""The way of every change of settings: edit, preview what it moves, apply."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import streamlit as st

from db.commands import policies
from db.commands import settings as commands
from db.engine import reading, writing
from db.queries import settings as queries
from db.queries.settings import Edited
from pages.parts import session, times
from pages.parts.empty import field_problem
from pages.parts.forms import Failure, attempt, summary
from pages.parts.texts import literal
from rules.errors import RuleError

DRAFT, TOLD = "settings.draft", "settings.told"
BATCHES = 10
"""Batches applied by one run of the screen; the rest follows while it shows how far it came."""
WIDTH = 760
_LABELS = {
    "sla.targets": "SLA targets",
    "sla.services": "SLA targets of a service",
    "sla.calendars": "Calendars",
    "sla.ola": "Teams",
    "priority": "Priority",
    "rank": "Head starts",
    "updates": "Updates",
    "organisation": "Organisation",
}


@dataclass(frozen=True)
class Draft:
    """What is to be applied, as it was previewed."""

    part: str
    values: Mapping[str, Any]
    seen: Mapping[str, Any]
    preview: policies.Preview


@dataclass
class Editor:
    """One part of the settings as it is being edited: the values it began with, and what was typed since."""

    part: str
    edited: Edited
    base: dict[str, Any]
    """the settings of this part as they were when editing began"""
    prefix: str
    top: Any
    bottom: Any = None
    """where the preview stands; None: after everything that was drawn"""
    labels: dict[str, str] = field(default_factory=dict)

    @property
    def failure(self) -> Failure | None:
        return st.session_state.get(f"{self.prefix}.failure")

    def key(self, name: str) -> str:
        """The key of the widget for a field."""
        return f"{self.prefix}.{name}"

    def typed(self, name: str) -> Any:
        """What the field holds."""
        return st.session_state.get(self.key(name))

    def problem(self, name: str, label: str) -> None:
        """The sentence beneath the field, if there is one."""
        self.labels[name] = label
        if self.failure is not None:
            field_problem(self.failure.fields.get(name))

    def text(self, name: str, label: str, value: str, **more: Any) -> None:
        """A line of text."""
        st.text_input(label, value, key=self.key(name), autocomplete="off", **more)
        self.problem(name, label)

    def choice(self, name: str, label: str, options: Mapping[Any, str], value: Any, **more: Any) -> Any:
        """One of `options` (value -> words)."""
        known = list(options)
        chosen = st.selectbox(
            label,
            known,
            index=known.index(value) if value in options else 0,
            format_func=lambda option: options[option],
            key=self.key(name),
            **more,
        )
        self.problem(name, label)
        return chosen

    def number(self, name: str, label: str, value: int, most: int) -> None:
        """A whole number from 1 on."""
        st.number_input(label, 1, most, min(max(value, 1), most), step=1, key=self.key(name))
        self.problem(name, label)

    def preview_button(self, collect: Callable[["Editor"], Mapping[str, Any]]) -> None:
        """The form's button; `collect` gives the settings by what was typed, or raises RuleError with `fields`."""
        st.form_submit_button(
            "Preview", type="primary", icon=":material/visibility:", on_click=look, args=(self, collect)
        )


def begin(part: str, keys: Sequence[str], edited: Edited) -> Editor:
    """The editor of a part. It keeps what it began with until it is applied, or asked for anew."""
    state = st.session_state
    turn = state.setdefault(f"settings.{part}.turn", 0)
    base = state.setdefault(f"settings.{part}.base", {key: edited.values[key] for key in keys})
    editor = Editor(part, edited, base, f"settings.{part}.{turn}", st.container())
    if any(base[key] != edited.values[key] for key in keys):
        with st.container(border=True):
            st.markdown(
                f":material/sync_problem: **{literal(edited.changed_by or 'Somebody')}** changed these settings "
                "meanwhile. What you see here is as you began it."
            )
            st.button("See them as they are now", on_click=renew, args=(part,), key=f"{editor.prefix}.renew")
    return editor


def renew(part: str) -> None:
    """Begin anew with the settings as they are."""
    state = st.session_state
    state[f"settings.{part}.turn"] = state.get(f"settings.{part}.turn", 0) + 1
    for name in (f"settings.{part}.base", DRAFT):
        state.pop(name, None)


def discard() -> None:
    """Forget the preview; what was typed stays."""
    st.session_state.pop(DRAFT, None)


def look(editor: Editor, collect: Callable[[Editor], Mapping[str, Any]]) -> None:
    """Find out what the change would do."""
    actor = session.require("settings")
    state, found = st.session_state, {}

    def ask(db, now):  # type: ignore[no-untyped-def]
        values = collect(editor)
        found["draft"] = Draft(
            editor.part,
            values,
            {key: editor.base[key] for key in values},
            commands.preview(db, values, actor=actor, now=now),
        )

    state.pop(DRAFT, None)
    state[f"{editor.prefix}.failure"] = failure = attempt(ask, reading)
    if failure is None:
        state[DRAFT] = found["draft"]


def gathered(wrong: dict[str, str], read: Callable[[], Any]) -> Any:
    """What `read` gives; None when it is refused, with the sentence kept in `wrong`."""
    try:
        return read()
    except RuleError as error:
        wrong |= error.fields
        return None


def refuse(wrong: Mapping[str, str]) -> None:
    """RuleError for everything in `wrong`, if there is anything."""
    if wrong:
        raise RuleError(" ".join(dict.fromkeys(wrong.values())), fields=wrong)


def end(editor: Editor) -> None:
    """What stands above the form when something is wrong with it, and beneath it once it has been previewed."""
    if editor.failure is not None:
        labels = {name: editor.labels.get(name) or _label(name) for name in editor.failure.fields}
        with editor.top:
            summary(editor.failure, labels, outcome="Nothing was changed yet.")
    draft: Draft | None = st.session_state.get(DRAFT)
    if draft is not None and draft.part == editor.part:
        with editor.bottom or st.container(), st.container(border=True, width=WIDTH):
            show(editor, draft)


def _label(name: str) -> str:
    return next((label for start, label in _LABELS.items() if name.startswith(start)), name)


def show(editor: Editor, draft: Draft) -> None:
    """What the change would do, and the button that does it."""
    found, now = draft.preview, session.now()
    if not found.changes:
        st.markdown("**Nothing is different yet.** Change something above, then preview it.")
        st.button("Close", on_click=discard, key=f"{editor.prefix}.close")
        return
    st.header(headline(found), anchor=False)
    rest = details(found)
    if rest:
        st.caption(rest)
    for sentence in found.odd:
        st.warning(literal(sentence), icon=":material/help:")
    if found.biggest:
        st.markdown("\n\n".join(["**The biggest moves**", *(_told(move, now) for move in found.biggest)]))
    with st.container(horizontal=True):
        st.button(
            "Apply",
            type="primary",
            icon=":material/check:",
            on_click=apply,
            args=(editor, draft),
            key=f"{editor.prefix}.apply",
        )
        st.button("Do not apply", on_click=discard, key=f"{editor.prefix}.discard")


def headline(found: policies.Preview) -> str:
    """'14 open incidents move; 3 become late.'"""
    if not found.moved:
        return "No open incident gets another due time." if found.place else "No open incident moves."
    verb = "incident moves" if found.moved == 1 else "incidents move"
    said = f"{found.moved:,} open {verb}"
    if found.late:
        said += f"; {found.late:,} {'becomes' if found.late == 1 else 'become'} late"
    return f"{said}."


def details(found: policies.Preview) -> str:
    """The same in numbers: of how many, why, and what else."""
    if not found.open:
        return ""
    parts = [f"{found.open:,} open"]
    for count, words in (
        (found.priority, "get another priority"),
        (found.due, "another time to answer or resolve"),
        (found.place, "another place in the queue"),
        (found.saved, "no longer late"),
    ):
        if count:
            parts.append(f"{count:,} {words}")
    return " · ".join(parts)


def _told(move: policies.Move, now: datetime) -> str:
    parts = []
    if move.priority[0] != move.priority[1]:
        parts.append(f"P{move.priority[0] or '?'} → P{move.priority[1]}")
    if move.due[0] != move.due[1]:
        before, after = (times.short(due, now) if due else "no time" for due in move.due)
        parts.append(f"due {before} → {after}")
    if move.place[0] != move.place[1]:
        parts.append(f"place {move.place[0]:,} → {move.place[1]:,}")
    if move.late == (False, True):
        parts.append(":red[late]")
    title = f" {literal(move.title)}" if move.title else ""
    return f"{literal(move.number)}{title}  \n:small[:gray[{' · '.join(parts)}]]"


def apply(editor: Editor, draft: Draft) -> None:
    """Write the settings, and begin to apply them to what is open."""
    actor = session.require("settings")
    failure = attempt(lambda db, now: commands.change(db, draft.values, seen=draft.seen, actor=actor, now=now))
    st.session_state[f"{editor.prefix}.failure"] = failure
    if failure is None:
        renew(editor.part)
        st.session_state[TOLD] = True
        go_on()
    else:
        discard()


def go_on() -> None:
    """Apply the last change to some more of the open incidents."""
    seen = -1
    for _ in range(BATCHES):
        with writing() as db:
            so_far = policies.apply_some(db, session.now())
        if so_far.done or so_far.seen == seen:
            return
        seen = so_far.seen


def progress(edited: Edited) -> None:
    """How far the last change has come, while it is being applied; that it was applied, once."""
    if edited.pending is not None and not edited.pending.done:
        st.session_state[TOLD] = True
        watch()
    elif st.session_state.pop(TOLD, False):
        said = ""
        if edited.pending is not None and edited.pending.moved:
            late = f"; {edited.pending.late:,} became late" if edited.pending.late else ""
            noun = "incident" if edited.pending.moved == 1 else "incidents"
            said = f" {edited.pending.moved:,} open {noun} moved{late}."
        st.success(f"Applied.{said}", icon=":material/check_circle:")


@st.fragment(run_every="1s")
def watch() -> None:
    """Apply some more, and say how far it came. The worker goes on when this screen is closed."""
    actor = session.require("settings")
    go_on()
    with reading() as db:
        now_at = queries.pending(db, actor)
    if now_at is None or now_at.done:
        st.rerun()
    whole = now_at.seen + now_at.left
    st.progress(
        min(now_at.seen / whole, 1.0) if whole else 1.0,
        text=f"Applying to open incidents: {now_at.seen:,} of {whole:,}. You may leave this page; it goes on.",
    )
