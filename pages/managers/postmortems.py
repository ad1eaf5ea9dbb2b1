"""Postmortems: the library of what was learned, what is still to be looked back on, and one of them as it is."""

import streamlit as st

from db.commands import postmortems as commands
from db.engine import reading
from db.queries import choices, postmortem_actions
from db.queries import postmortems as queries
from db.queries.postmortem_actions import Action
from pages.parts import address, postmortem, rows, session, times
from pages.parts.empty import empty
from pages.parts.forms import Failure, attempt, summary
from pages.parts.marks import gray
from rules.access import Actor, NotFound
from rules.postmortem_export import day
from rules.postmortems import DISCARDED, LABELS, PUBLISHED

KEY = "postmortems"
FAILED = f"{KEY}.failure"


def page() -> None:
    actor = session.require("postmortems")
    asked = st.query_params.get("id", "")
    if not asked:
        library(actor)
        return
    try:
        postmortem.page(actor, int(asked) if asked.isdecimal() and len(asked) < 10 else 0)
    except NotFound as missing:
        st.title("Postmortems")
        empty(missing.sentence, "Go back to the list.", key=f"{KEY}.missing")
        st.button("All postmortems", on_click=postmortem.leave)


def library(actor: Actor) -> None:
    """What needs somebody first, then everything that was learned."""
    now = session.now()
    st.title("Postmortems", anchor=False)
    st.markdown("What happened, what let it happen, and what we change. Nobody is blamed.")
    failure: Failure | None = st.session_state.pop(FAILED, None)
    summary(failure, {})
    with reading() as db:
        late = postmortem_actions.overdue(db, actor, now)
        due, more = queries.due(db, actor, now)
        offered = choices.known(db)
    if late.actions:
        overdue(late)
    if due:
        without(actor, due, more=more)
    filters = toolbar(offered)
    turn = f"{KEY}.page"
    with reading() as db:
        found, total = queries.library(db, actor, filters, st.session_state.get(turn, 1), now)
    pages = max(1, -(-total // queries.PAGE_SIZE))
    st.caption(f"{total:,} postmortem{'' if total == 1 else 's'}")
    rows.rows(
        [_row(each) for each in found],
        key=f"{KEY}.list",
        plain=True,
        label="Postmortems",
        empty=_nothing(filters),
        on_event=lambda event: postmortem.open_one(event.id),
    )
    if pages > 1:
        st.pagination(pages, key=turn)


def overdue(late: postmortem_actions.Few) -> None:
    """Actions whose day is over, whoever has them."""
    with st.container(gap="small"):
        left = late.total - len(late.actions)
        st.header(f"Overdue actions :gray[{late.total:,}]", anchor=False)
        rows.rows(
            [_late(action) for action in late.actions],
            key=f"{KEY}.overdue",
            plain=True,
            label="Overdue actions",
            on_event=lambda event: postmortem.open_one(event.id.partition(".")[0]),
        )
        if left > 0:
            st.caption(f"{left:,} more; these are the oldest.")


def _late(action: Action) -> dict[str, object]:
    return {
        "id": f"{action.postmortem_id}.{action.id}",
        "reference": None,
        "title": action.text,
        "explanation": f"Overdue since {day(action.due_on)}",
        "meta": [action.owner, action.number],
        "action": "Open",
    }


def without(actor: Actor, due: list[queries.Due], *, more: bool) -> None:
    """Severe incidents that nobody has begun to look back on."""
    with st.container(gap="small"):
        st.header("To look back on", anchor=False)
        st.caption("Major, P1 or P2, recovered within 90 days, and without a postmortem.")
        rows.rows(
            [_due(each) for each in due],
            key=f"{KEY}.due",
            plain=True,
            label="To look back on",
            on_event=lambda event: begin(actor, int(event.id)),
        )
        if more:
            st.caption("There are more; these are the newest.")


def _due(each: queries.Due) -> dict[str, object]:
    rated = "Major incident" if each.major else f"P{each.priority}"
    return {
        "id": str(each.incident_id),
        "reference": None,
        "title": each.title,
        "explanation": f"{rated}, recovered {times.day(each.recovered_at)}",
        "meta": [each.number, each.service] if each.service else [each.number],
        "action": "Begin",
    }


def begin(actor: Actor, incident_id: int) -> None:
    """Draft it and open the draft."""
    made: list[int] = []
    failure = attempt(lambda db, now: made.append(commands.start(db, incident_id, actor=actor, now=now)))
    if failure is None:
        postmortem.open_one(str(made[-1]))
    else:
        st.session_state[FAILED] = failure


def toolbar(offered: choices.Known) -> queries.Filters:
    """State, words, service and team; kept in the address."""
    view, words = address.begin(KEY, "view", list(queries.VIEWS), "all"), address.begin(KEY, "q", None, "")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.segmented_control(
            "State",
            list(queries.VIEWS),
            format_func=lambda name: gray(queries.VIEWS[name]),
            key=view,
            label_visibility="collapsed",
            required=True,
            on_change=_first_page,
        )
        st.text_input(
            "Search",
            key=words,
            placeholder="Words, or a number",
            icon=":material/search:",
            label_visibility="collapsed",
            autocomplete="off",
            max_chars=200,
            on_change=_first_page,
        )
        chosen = address.filters(
            KEY,
            {
                "service": ({each.id: each.name for each in offered.services.values()}, "All services"),
                "team": (offered.teams, "All teams"),
            },
            on_change=_first_page,
        )
    state, text = st.session_state[view] or "all", st.session_state[words] or ""
    address.keep({"view": state if state != "all" else None, "q": text})
    return queries.Filters(state, text, chosen["service"], chosen["team"])


def _first_page() -> None:
    st.session_state.pop(f"{KEY}.page", None)


def _row(each: queries.Row) -> dict[str, object]:
    when = each.published_at if each.state == PUBLISHED and each.published_at else each.made_at
    told = [f"{LABELS[each.state]}, {times.day(when)}"]
    if each.overdue:
        told.append(f"{each.overdue} overdue action{'' if each.overdue == 1 else 's'}")
    elif each.open_actions:
        told.append(f"{each.open_actions} action{'' if each.open_actions == 1 else 's'} to do")
    rated = "Major incident" if each.major else f"P{each.priority}" if each.priority else ""
    return {
        "id": str(each.id),
        "reference": None,
        "title": each.title,
        "explanation": "; ".join(told),
        "meta": [part for part in (each.number, rated, each.service, each.owner) if part],
    }


def _nothing(filters: queries.Filters) -> tuple[str, str]:
    if filters.text or filters.service_id or filters.team_id:
        return "Nothing matches.", "Take words or filters away."
    if filters.view == DISCARDED:
        return "Nothing was discarded.", "A draft that teaches nothing can be discarded, with the reason."
    if filters.view != "all":
        return f"None is {LABELS[filters.view].lower()}.", "All of them are one click to the left."
    return (
        "There are no postmortems yet.",
        "When a major, P1 or P2 incident recovers, a draft of its postmortem appears here by itself.",
    )


page()
