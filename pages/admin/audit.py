"""Audit: who changed what, with the values before and after."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import streamlit as st

from db.engine import reading
from db.queries import audit as queries
from pages.parts import address, rows, session, times
from pages.parts.marks import gray
from pages.parts.texts import literal
from rules.access import Actor
from rules.states import ACTIONS

PARTS = {"settings": "Settings and people", "incidents": "Incidents"}
KINDS = {
    "report": "Reported",
    "prioritise": "Set in triage",
    **{name: action.label for name, action in ACTIONS.items()},
    "undo": "Took back a change",
    "pin": "Pin",
    "correct": "Corrected moments",
    "relate": "Links and parts",
    "named": "Who may see it",
    "comment": "Comment",
    "note": "Note",
    "file": "File",
    "follow": "Follows it",
    "sla": "Promises",
}
"""kind of an incident's entry -> what the filter calls it"""
LONGEST_VALUE = 160
SHOWN_IN_ROW = 3


def page() -> None:
    actor = session.require("audit")
    part_key = address.begin("audit", "part", PARTS, "settings")
    about_key = address.begin("audit", "q", None, "")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Audit", width="stretch")
        check = st.button("Check now", icon=":material/fact_check:", key="audit.check")
    if check:
        _check(actor)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.segmented_control(
            "Changes of",
            list(PARTS),
            format_func=lambda option: gray(PARTS[option]),
            key=part_key,
            label_visibility="collapsed",
            required=True,
            on_change=_other_part,
        )
        part = st.session_state[part_key] or "settings"
        about = st.text_input(
            "Find",
            key=about_key,
            label_visibility="collapsed",
            placeholder="Number or words of the title" if part == "incidents" else "Find by what was changed",
            icon=":material/search:",
            width=260,
            on_change=_first_page,
        )
        filters = _filters(actor, part, about)
    address.keep({"part": part if part != "settings" else None, "q": about})
    wanted = st.session_state.get("audit.page", 1)
    with reading() as db:
        ask = queries.incident_changes if part == "incidents" else queries.changes
        found = ask(db, actor, filters, wanted)
    many = found.total > queries.MOST_COUNTED
    count = f"More than {queries.MOST_COUNTED:,}" if many else f"{found.total:,}"
    st.caption(f"{count} change{'' if found.total == 1 else 's'}, newest first")
    now = session.now()
    event = rows.rows(
        [row(change, now) for change in found.changes],
        key=f"audit.list.{part}",
        plain=True,
        label=PARTS[part],
        empty=("Nothing here.", "Change the search or the filter." if filters != queries.Filters() else _NOTHING[part]),
    )
    pages = -(-min(found.total, queries.MOST_COUNTED) // queries.PAGE_SIZE)
    if pages > 1:
        st.pagination(pages, key="audit.page")
    if event is not None:
        chosen = next((change for change in found.changes if str(change.id) == event.id), None)
        if chosen is not None:
            compare(actor, chosen)


_NOTHING = {
    "settings": "Changes of people, roles, settings and the catalogue are kept here from the first on.",
    "incidents": "Everything that happens to incidents is kept here.",
}


def _first_page() -> None:
    st.session_state["audit.page"] = 1


def _other_part() -> None:
    _first_page()
    st.session_state["audit.what"] = ""


def _filters(actor: Actor, part: str, about: str) -> queries.Filters:
    with reading() as db:
        names = {name: name.capitalize() for name in queries.actions(db, actor)} if part == "settings" else KINDS
    set_now = sum(bool(st.session_state.get(f"audit.{name}")) for name in ("who", "what", "from", "to"))
    with st.popover(f"Filter · {set_now}" if set_now else "Filter", icon=":material/filter_list:"):
        who = st.text_input("Who (optional)", key="audit.who", placeholder="Part of a name", on_change=_first_page)
        what = st.selectbox(
            "What (optional)",
            ["", *names],
            format_func=lambda name: names.get(name, "Everything"),
            key="audit.what",
            on_change=_first_page,
        )
        first = st.date_input("From (optional)", None, key="audit.from", format="YYYY-MM-DD", on_change=_first_page)
        last = st.date_input("To (optional)", None, key="audit.to", format="YYYY-MM-DD", on_change=_first_page)
    end = _start_of(last + timedelta(days=1)) if last else None
    return queries.Filters(who, what, about, _start_of(first) if first else None, end)


def _start_of(day: date) -> datetime:
    """The first instant of the day on the reader's clock."""
    return datetime.combine(day, time.min, times.zone()).astimezone(UTC)


def row(change: queries.Change, now: datetime) -> dict[str, object]:
    """A change as a row of the list."""
    fields = list(dict.fromkeys([*change.before, *change.after]))
    named = ", ".join(_field(name) for name in fields[:SHOWN_IN_ROW])
    more = f" and {len(fields) - SHOWN_IN_ROW} more" if len(fields) > SHOWN_IN_ROW else ""
    if change.words:
        title, told = f"{change.about}: {change.words}", KINDS.get(change.what, change.what.capitalize())
    else:
        title, told = f"{change.what.capitalize()}: {change.about}", named + more
    return {
        "id": str(change.id),
        "reference": None,
        "title": title,
        "explanation": " · ".join(part for part in (change.who or "Unknown", told) if part),
        "meta": [times.short(change.at, now)],
        "action": "Compare" if fields else "Open",
    }


@st.dialog("What was changed", width="large", icon=":material/policy:")
def compare(actor: Actor, change: queries.Change) -> None:
    """Who, when, and the values before and after side by side."""
    what = change.words or change.what
    st.markdown(f"**{literal(change.who or 'Unknown')}** · {literal(change.about)}  \n{literal(what)}")
    st.caption(f"{times.full(change.at)} · entry {change.id}")
    with reading() as db:
        differing = queries.compared(db, actor, change)
    if differing:
        table = [
            {"What": literal(_field(name)), "Before": literal(shown(name, was)), "After": literal(shown(name, now))}
            for name, was, now in differing
        ]
        st.table(table, hide_index=True)
    else:
        st.write("It says who did what; there are no values to compare.")


def _field(name: str) -> str:
    return name.removesuffix("_id").replace("_", " ").replace(".", ": ")


def shown(name: str, value: Any) -> str:
    """The value of a field in words; instants on the reader's clock."""
    if isinstance(value, str) and value and name.endswith(("_at", "_until")):
        return times.full(datetime.fromisoformat(value))
    if value is None or value == "" or value == [] or value == {}:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        text = ", ".join(shown(name, each) for each in value)
    else:
        text = str(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def _check(actor: Actor) -> None:
    with reading() as db:
        found = queries.checked(db, actor)
    if found.wrong:
        st.error("  \n".join(map(literal, found.wrong)), icon=":material/error:")
        return
    which = "newest " if found.entries == queries.MOST_CHECKED else ""
    entries = f"{found.entries:,} {which}entr{'y' if found.entries == 1 else 'ies'}"
    st.success(
        f"The audit is whole: {entries} checked. `python -m db verify` also checks incidents and compares with an "
        "anchor that you keep elsewhere.",
        icon=":material/fact_check:",
    )


page()
