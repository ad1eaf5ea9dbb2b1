"""The board: open incidents by state; a card moves by drag, by keyboard or by its menu."""

import streamlit as st

from db.engine import reading
from db.queries import board as queries
from db.queries import choices
from db.queries.lines import Line
from db.queries.triage import MOST
from pages.parts import actions, address, next_up, session, shapes
from pages.parts.forms import Failure
from pages.parts.kanban import BoardEvent
from pages.parts.kanban import board as kanban
from pages.parts.marks import gray
from rules import access, states
from rules.access import Actor, Record
from rules.errors import RuleError
from rules.priority import LABELS

VIEWS = {"all": "All teams", "team": "My teams", "mine": "Mine"}
MORE = 24


def page() -> None:
    actor = session.require("board")
    now = session.now()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Board", width="stretch")
        next_up.button(actor, "board.next_up")
        if st.button("Report a problem", icon=":material/add:"):
            st.switch_page("staff/report.py")
    with reading() as db:
        teams = {team.id: team.name for team in choices.teams(db)}
    view, text, team_id, priority = toolbar(teams)
    shown = st.session_state.get("board.shown", queries.SHOWN)
    with reading() as db:
        found = queries.board(db, actor, view=view, text=text, team_id=team_id, priority=priority, shown=shown)
        ways = {team.id: team.way for team in choices.teams(db)}
    problem = st.session_state.pop("board.problem", None)
    if problem is not None:
        actions.show(problem)
    cards = [
        shapes.card(line, now, moves(actor, line, ways)) for state in queries.COLUMNS for line in found.lines[state]
    ]
    columns = [
        {
            "state": state,
            "count": min(found.counts[state], MOST),
            "over": found.counts[state] > MOST,
            "shown": len(found.lines[state]),
            "more": True,
        }
        for state in queries.COLUMNS
    ]
    filtered = bool(text or team_id or priority or view != "all")
    empty = (
        ("No card matches.", "Change the search or the filter.")
        if filtered
        else ("Nothing is open.", "New reports appear here by themselves.")
    )
    event = kanban(columns, cards, key="board.cards", now=now, empty=empty, on_event=lambda what: _moved(actor, what))
    if event is not None and event.kind == "open":
        address.lead("responders/incident.py", {"number": event.id})
    wanted = st.session_state.pop("board.ask", None)
    if wanted is not None:
        actions.ask(actor, *wanted)


def toolbar(teams: dict[int, str]) -> tuple[str, str, int | None, int | None]:
    """View, words, team and priority that are wanted; all stay in the address."""
    view_key = address.begin("board", "view", VIEWS, "all")
    text_key = address.begin("board", "q", None, "")
    with st.container(horizontal=True, vertical_alignment="center"):
        view = st.segmented_control(
            "Whose cards",
            list(VIEWS),
            format_func=lambda option: gray(VIEWS[option]),
            key=view_key,
            label_visibility="collapsed",
            required=True,
        )
        text = st.text_input(
            "Find a card",
            key=text_key,
            label_visibility="collapsed",
            placeholder="Find a card",
            icon=":material/search:",
            width=220,
        )
        levels = {level: f"P{level} {word}" for level, word in LABELS.items()}
        offered = {"team": (teams, "All teams"), "priority": (levels, "All priorities")}
        chosen = address.filters("board", offered)
    address.keep({"view": view if view != "all" else None, "q": text})
    return view or "all", text or "", chosen["team"], chosen["priority"]


def moves(actor: Actor, line: Line, ways: dict[int, str]) -> list[str]:
    """States the actor may move the card to by hand."""
    record = Record(
        reporter_id=line.reporter_id,
        team_id=line.team_id,
        assignee_id=line.assignee_id,
        restricted=line.restricted,
        named_ids=(actor.id,),
        team_way=ways.get(line.team_id or 0, "itil"),
        denied=line.denied_at is not None,
    )
    return [
        to
        for to in queries.COLUMNS
        if (action := states.between(line.state, to)) is not None and access.may_take(actor, action, record, line.state)
    ]


def _moved(actor: Actor, event: BoardEvent) -> None:
    """Take the action that a move stands for, or ask for what it needs. Runs before the board is drawn again."""
    if event.kind == "more":
        st.session_state["board.shown"] = st.session_state.get("board.shown", queries.SHOWN) + MORE
        return
    if event.kind != "move" or event.origin is None or event.to is None:
        return
    action = states.between(event.origin, event.to)
    if action is None:
        return
    try:
        detail = actions.seen(actor, event.id)
    except RuleError as gone:
        st.session_state["board.problem"] = Failure(gone.sentence)
        return
    if detail.line.state != event.origin:
        return
    if actions.asks(detail, action):
        st.session_state["board.ask"] = (event.id, action)
    else:
        st.session_state["board.problem"] = actions.take(actor, detail, action, {})


page()
