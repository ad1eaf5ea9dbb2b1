"""Somebody else was first: what both did, side by side, and the choice. Triage and every dialog share it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import streamlit as st

from db.commands.incidents import TRIAGE_FIELDS
from db.engine import reading
from db.queries import choices, incidents
from db.queries.incidents import Detail
from pages.parts import times
from pages.parts.forms import Failure
from pages.parts.texts import literal
from rules.access import Actor, NotFound
from rules.moments import MOMENTS
from rules.priority import LABELS as PRIORITIES
from rules.priority import LEVELS, RISKS, span
from rules.states import ACTIONS, HOLD_REASONS, LABELS, RESOLUTION_CODES, VERIFICATIONS

_NAMES = {
    "state": "State",
    "title": "What is wrong",
    "affected": "What or where is affected",
    "category_pair_id": "Category",
    "impact": "Impact",
    "urgency": "Urgency",
    "priority": "Priority",
    "service_id": "Service",
    "people_affected": "People affected",
    "team_id": "Team",
    "assignee_id": "Person",
    "major": "Major incident",
    "restricted": "Restricted",
    **{risk: words.removeprefix("a ").capitalize() for risk, words in RISKS.items()},
    "hold_reason": "What it waits for",
    "hold_until": "Look at it again on",
    "resolution_code": "How it was resolved",
    "resolution_note": "What was done",
    "verification": "Confirmed",
    "verification_note": "Why not needed",
    "duplicate_of": "Merged into",
    "vendor_contact": "The vendor's contact",
    "vendor_reference": "The vendor's reference",
    "pin_seconds": "Pinned",
    "pin_until": "Pinned until",
    "pin_reason": "Why it is pinned",
    "reason": "Reason",
    **MOMENTS,
}
_WORDS: dict[str, Mapping[Any, str]] = {
    "state": LABELS,
    "impact": LEVELS,
    "urgency": LEVELS,
    "priority": {level: f"P{level} {word}" for level, word in PRIORITIES.items()},
    "hold_reason": HOLD_REASONS,
    "resolution_code": RESOLUTION_CODES,
    "verification": VERIFICATIONS,
}
_NOTHING = "–"
_STAND = frozenset({*TRIAGE_FIELDS, "team_id", "assignee_id", "vendor_contact", "vendor_reference"})
"""fields that a form shows as they stand"""
_INSTEAD = {"accept": "assign"}
"""what can still be done when somebody else has accepted it"""
_GIVES = frozenset({"accept", "assign", "escalate"})


@dataclass(frozen=True)
class Row:
    """One field that differs; the words of None are a dash."""

    field: str
    opened: str
    now: str
    mine: str


def choose(
    actor: Actor,
    seen: Detail,
    failure: Failure,
    mine: Mapping[str, Any],
    action: str | None,
    key: str,
    *,
    keep: Callable[[], None],
    use: Callable[[Detail, dict[str, Any], str | None], None],
) -> None:
    """Draw what the others did since `seen`, beside what was asked for (`mine`, with `action` if any), and the choice.

    `keep` lets theirs stand; `use` hears the incident as it is compared, the values to send again and the action.
    """
    st.error(literal(failure.sentence), icon=":material/error:")
    for entry in failure.since:
        who = literal(entry.actor_name or "Incident Desk")
        st.markdown(f"**{who}** {literal(entry.text)}  \n:small[:gray[{times.local(entry.at):%H:%M:%S}]]")
    try:
        with reading() as db:
            now = incidents.by_number(db, actor, seen.line.number)
            known = _known(choices.known(db), seen, now)
    except NotFound as missing:
        st.caption(literal(missing.sentence))
        return
    rows = compared(seen, now, mine, action, known)
    if rows:
        st.table(
            {
                "When you opened it": [f"**{row.field}:** {literal(row.opened)}" for row in rows],
                "Now": [literal(row.now) for row in rows],
                "You chose": [literal(row.mine) for row in rows],
            },
            border="horizontal",
        )
    taken = action if action is None or action in now.allowed else _INSTEAD.get(action, action)
    possible = taken is None or taken in now.allowed
    if not possible and action:
        st.caption(f"It is {LABELS[now.line.state].lower()} now: '{ACTIONS[action].label}' can no longer be done.")
    with st.container(horizontal=True):
        if possible:
            again = own_changes(seen, mine)
            if taken in _GIVES:
                again = {"team_id": now.line.team_id, "assignee_id": now.line.assignee_id} | again
            st.button("Use mine", type="primary", on_click=use, args=(now, again, taken), key=f"{key}.use_mine")
        st.button("Keep theirs", on_click=keep, key=f"{key}.keep_theirs")


def own_changes(seen: Detail, mine: Mapping[str, Any]) -> dict[str, Any]:
    """`mine` without the fields that were left as they stood: those take nothing back from others."""
    return {name: value for name, value in mine.items() if name not in _STAND or value != _value(seen, name)}


def compared(
    seen: Detail, now: Detail, mine: Mapping[str, Any], action: str | None, known: Mapping[str, Mapping[Any, str]]
) -> list[Row]:
    """A row for each field that others changed since `seen`, or that is changed by what was asked for."""
    own = own_changes(seen, mine)
    target = ACTIONS[action].moves.get(seen.line.state) if action else None
    if target is not None and target != seen.line.state:
        own["state"] = target
    rows = []
    for name, label in _NAMES.items():
        before, after = _value(seen, name), _value(now, name)
        if before == after and own.get(name, before) in (before, None, ""):
            continue
        chosen = _told(name, own[name], known) if name in own else _NOTHING
        rows.append(Row(label, _told(name, before, known), _told(name, after, known), chosen))
    return rows


def _value(detail: Detail, name: str) -> Any:
    return getattr(detail.line, name) if hasattr(detail.line, name) else getattr(detail, name, None)


def _told(name: str, value: Any, known: Mapping[str, Mapping[Any, str]]) -> str:
    if value is None or value == "":
        return _NOTHING
    if name == "pin_seconds" and isinstance(value, int):
        return f"{span(abs(value))} {'ahead' if value > 0 else 'back'}" if value else _NOTHING
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, datetime):
        return times.full(value)
    if name in known or name in _WORDS:
        return (known.get(name) or _WORDS[name]).get(value, str(value))
    return f"{value:,}" if isinstance(value, int) else str(value)


def _known(offered: choices.Known, *details: Detail) -> dict[str, dict[int | None, str]]:
    """Field -> id -> name, of what is in use and of what these incidents have."""
    names: dict[str, Any] = {
        "team_id": dict(offered.teams),
        "assignee_id": dict(offered.people),
        "service_id": {service.id: service.name for service in offered.services.values()},
        "category_pair_id": {pair.id: pair.name for pair in offered.pairs.values()},
    }
    for detail in details:
        line = detail.line
        for field, value, name in (
            ("team_id", line.team_id, line.team),
            ("assignee_id", line.assignee_id, line.assignee),
            ("service_id", detail.service_id, line.service),
            ("category_pair_id", detail.category_pair_id, line.pair),
        ):
            names[field][value] = name or _NOTHING
    return names
