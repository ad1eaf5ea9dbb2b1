"""Our own components with invented data, for the browser tests. `?v=` chooses which."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import streamlit as st

from pages.parts.empty import empty, field_problem, problem
from pages.parts.head import incident_head
from pages.parts.kanban import BoardEvent, board
from pages.parts.marks import gray
from pages.parts.rows import narrow, rows
from pages.parts.timeline import timeline

HOSTILE = "<img src=x onerror=\"document.title='owned'\"> & <script>document.title='owned'</script>"
NOW = datetime.now(UTC)


def _in(**parts: float) -> str:
    return (NOW + timedelta(**parts)).isoformat()


def _rows() -> None:
    items: list[dict[str, Any]] = [
        {
            "id": "INC-000001",
            "title": HOSTILE,
            "rank": 1,
            "priority": 1,
            "state": "in_progress",
            "explanation": HOSTILE,
        },
        {"id": "INC-000002", "title": "لا تعمل الطابعة 🖨️", "rank": 2, "priority": 2, "state": "new", "person": None},
        {"id": "INC-000003", "title": "long" * 60, "rank": 3, "priority": 5, "state": "on_hold", "meta": ["E-mail"]},
    ]
    items[0] |= {"clock": {"due": _in(minutes=78, seconds=40), "share": 0.8}, "person": "Priya Nair"}
    items[1] |= {"clock": {"due": _in(hours=-1, minutes=-12, seconds=-20), "share": 1.2}, "action": "Accept"}
    items[2] |= {"clock": {"due": _in(hours=3), "share": 0.4, "paused": True}}
    items += [{"id": f"INC-{n:06}", "title": f"Number {n}", "rank": n, "state": "closed"} for n in range(4, 51)]
    st.title("Rows")
    event = rows(items, key="queue", selected="INC-000002", folds=True)
    st.text(f"event: {event.kind} {event.id}" if event else "event: none")
    st.text(f"narrow: {narrow('queue')}")
    st.text_input("Words")
    rows([], key="nothing", empty=("All done", "Nothing needs you now."))


def _still() -> None:
    runs = st.session_state["runs"] = st.session_state.get("runs", 0) + 1
    rows([{"id": "INC-000001", "title": "One"}], key="still")
    pressed = st.button("Again")
    st.text(f"{'pressed' if pressed else 'drawn'} in run {runs}")


def _board() -> None:
    moves = {"new": ["assigned", "in_progress"], "assigned": ["in_progress", "new"], "in_progress": ["assigned"]}
    states: dict[str, str] = st.session_state.setdefault("states", {"A-1": "new", "A-2": "new", "A-3": "in_progress"})

    def act(event: BoardEvent) -> None:
        if event.kind == "move" and event.id != "A-2" and event.to:
            states[event.id] = event.to

    cards: list[dict[str, Any]] = [
        {"id": id_, "title": f"{HOSTILE} {id_}", "state": state, "priority": 2, "moves": moves.get(state, [])}
        for id_, state in states.items()
    ]
    cards[0] |= {"clock": {"due": _in(hours=7, minutes=5), "share": 0.1}, "person": None, "service": "Printing"}
    columns = [{"state": "new"}, {"state": "assigned"}, {"state": "in_progress"}]
    st.title("Board")
    event = board([*columns, {"state": "closed", "allowed": False}], cards, key="board", on_event=act)
    st.text(f"event: {event.kind} {event.id} {event.origin} {event.to}" if event else "event: none")
    st.text("states: " + " ".join(f"{id_}={state}" for id_, state in states.items()))


def _room() -> None:
    incident_head(
        "INC-000007",
        HOSTILE,
        key="head",
        state="in_progress",
        priority=1,
        flags=["major", "security", "restricted", "imported"],
        caption=["480 people", HOSTILE],
        facts=[
            {"label": "Next update due", "due": _in(minutes=5, seconds=30)},
            {"label": "Resolution", "due": _in(minutes=-5), "share": 1.0},
            {"label": "Commander", "person": "Amara Osei"},
            {"label": "Scribe", "person": None},
            {"label": "Response", "value": "Met in 8 min"},
        ],
    )
    st.header("Timeline")
    entry = {"who": HOSTILE, "text": "wrote an update", "kind": "update", "detail": HOSTILE, "note": "imported"}
    old = "2020-01-31T23:30:00+00:00"
    timeline([entry | {"at": NOW.isoformat()}, {"at": old, "text": HOSTILE, "kind": "report"}], key="timeline")
    empty(HOSTILE, HOSTILE, key="empty")
    problem({"What is *wrong*?": "Say in a few words what is wrong."})
    field_problem("Say what is [wrong](http://example.org).")
    st.segmented_control("Show", ["Key", "All"], default="Key", format_func=gray)


st.set_page_config(layout="wide", page_title="Parts")
{"rows": _rows, "still": _still, "board": _board, "room": _room}[st.query_params.get("v", "rows")]()
