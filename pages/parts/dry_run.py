"""What would happen if an escalation policy began: who would be asked when, and where nobody would be."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import streamlit as st

from db.engine import reading
from db.queries import escalation_policies as queries
from pages.parts import session, times
from pages.parts.texts import literal
from rules import durations
from rules.access import Actor
from rules.errors import RuleError

KEY = "dry_run"


def box(actor: Actor, steps: Sequence[dict[str, Any]], repeats: int) -> None:
    """Draw the dry run of `steps`, kept or not, for now or for a moment that is chosen."""
    with st.container(border=True):
        st.header("Dry run", anchor=False)
        chosen = st.datetime_input("If it began at (optional)", value=None, key=f"{KEY}.at")
        at = chosen.replace(tzinfo=times.zone()) if chosen is not None else session.now()
        try:
            with reading() as db:
                found = queries.dry_run(db, actor, steps, repeats, at)
        except RuleError as error:
            st.caption(literal(error.sentence))
            return
        when = f"on {times.full(at)}" if chosen is not None else "now"
        st.markdown(f"If this fired {when}: {sentence(found, at)}.")
        after = durations.exact(int((found.ends_at - at).total_seconds()))
        rounds = f" {repeats + 1} rounds" if repeats else ""
        st.caption(
            f"If nobody answers, the lead and the service desk are told after{rounds and f'{rounds},'} {after}."
            if found.ends_at > at
            else "The lead and the service desk are told at once."
        )
        for step in found.steps:
            _warn(step, at)


def sentence(found: queries.DryRun, at: datetime) -> str:
    """'Ana at once, Bo and Cy after 5 min'."""
    told = []
    for step in found.steps:
        after = durations.exact(int((step.at - at).total_seconds()))
        names = " and ".join(f"**{literal(name)}**" for name in step.names) or ":red[nobody]"
        told.append(f"{names} {'at once' if step.at <= at else f'after {after}'}")
    return ", ".join(told)


def _warn(step: queries.Firing, at: datetime) -> None:
    if not step.warnings:
        return
    said = literal(", ".join(step.warnings))
    if step.names:
        st.warning(f"Step {step.step + 1}: {said}.", icon=":material/warning:")
        return
    moment = "at once" if step.at <= at else times.short(step.at, at)
    st.error(
        f"**Step {step.step + 1} ({moment}) reaches nobody:** {said}. The next is asked without waiting, and those who "
        "lead are told.",
        icon=":material/error:",
    )
