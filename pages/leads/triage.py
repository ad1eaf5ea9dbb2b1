"""Triage: the inbox and the queue in the order to work on them; decide on one incident, or on several at once."""

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from db.commands import incidents as commands
from db.commands.bulk import Item, Result
from db.engine import reading
from db.queries import choices, confirmation, triage
from db.queries.choices import Known
from db.queries.incidents import Detail
from pages.parts import actions, address, bulk, rows, session, shapes, times, undo, views
from pages.parts.forms import Failure, attempt
from pages.parts.marks import gray
from pages.parts.texts import counted
from pages.parts.triage_panel import panel
from rules import states
from rules.access import Actor, may
from rules.errors import RuleError
from rules.priority import LABELS

LIST = "triage.list"
ADDRESS = ("view", "q", "team", "service", "priority", "category", "person")
"""what of the address makes a view"""
COMMANDS = {
    "a": ("accept", "accept"),
    "s": ("assign", "assign"),
    "d": ("merge", "duplicate"),
    "h": ("hold", "hold"),
    "n": ("cancel", "not an incident"),
    "u": ("undo", "undo"),
}
"""letter -> what it does and the word for it; only while the list has the focus"""


def page() -> None:
    actor = session.require("triage")
    now = session.now()
    with reading() as db:
        known = choices.known(db)
        counts = triage.tallies(db, actor, now)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Triage", width="stretch")
        views.picker(actor, "triage", ADDRESS)
    filters = toolbar(actor, known, counts)
    wanted = st.session_state.get("triage.page", 1)
    with reading() as db:
        queue = triage.queue(db, actor, filters, wanted, now, known=counts)
    problem: Failure | None = st.session_state.pop("triage.problem", None)
    if problem is not None:
        actions.show(problem)
    left, right = st.columns([1.25, 1], gap="medium")
    with left:
        above(actor, queue, counts, filters, now)
        chosen = listed(actor, queue, filters, known, now)
        pages = -(-queue.total // triage.PAGE_SIZE)
        if pages > 1:
            st.pagination(pages, key="triage.page")
    asked: tuple[str, str, int | None] | None = st.session_state.pop("triage.ask", None)
    opened = st.session_state.pop("triage.open", None)
    if asked is not None:
        actions.ask(actor, asked[0], asked[1], team_id=asked[2])
    elif rows.narrow(LIST) and opened:
        st.dialog(opened, position="right", width="medium")(panel)(actor, opened, known, now)
    if chosen and not rows.narrow(LIST):
        with right, st.container(border=True):
            panel(actor, chosen, known, now)


def toolbar(actor: Actor, known: Known, counts: dict[str, int]) -> triage.Filters:
    """One view, one search, one filter; all in the address."""
    offered = [view for view in triage.VIEWS if view != "close" or _closes(actor)]
    view_key = address.begin("triage", "view", offered, "open")
    text_key = address.begin("triage", "q", None, "")
    with st.container(horizontal=True, vertical_alignment="center"):
        view = st.segmented_control(
            "Which incidents",
            offered,
            format_func=lambda option: gray(
                f"Inbox {counted(counts['new'], triage.MOST)}"
                if option == "new" and counts["new"]
                else triage.VIEWS[option]
            ),
            key=view_key,
            label_visibility="collapsed",
            required=True,
            on_change=_first_page,
        )
        text = st.text_input(
            "Find",
            key=text_key,
            label_visibility="collapsed",
            placeholder="Find by number, word or person",
            icon=":material/search:",
            width=260,
            on_change=_first_page,
        )
        chosen = address.filters(
            "triage",
            {
                "team": (known.teams, "All teams"),
                "service": ({service.id: service.name for service in known.services.values()}, "All services"),
                "priority": ({level: f"P{level} {word}" for level, word in LABELS.items()}, "All priorities"),
                "category": (known.categories, "All categories"),
                "person": (known.people, "Everybody"),
            },
            _first_page,
        )
    address.keep({"view": view if view != "open" else None, "q": text})
    return triage.Filters(view or "open", text or "", *chosen.values())


def _closes(actor: Actor) -> bool:
    """The desk does, and who responds in a team that closes what it owns."""
    if may(actor, "close") or not actor.has("responder"):
        return may(actor, "close")
    with reading() as db:
        return confirmation.for_closer(db, actor) is not None


def _first_page() -> None:
    st.session_state["triage.page"] = 1
    rows.mark(LIST, ())


def above(actor: Actor, queue: triage.Queue, counts: dict[str, int], filters: triage.Filters, now: datetime) -> None:
    """One line above the list: how many there are and what was done last, or what to do with those marked."""
    items = _marked(queue)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if items:
            st.markdown(f"**{len(items)} marked**", width="stretch")
            way = st.menu_button(
                "Change them", list(bulk.WAYS), format_func=bulk.WAYS.__getitem__, key="triage.bulk", type="primary"
            )
            st.button("Clear", type="tertiary", on_click=rows.mark, args=(LIST, ()), key="triage.clear")
            if way:
                bulk.ask(actor, items, way, _after)
            return
        still, late = (counted(counts[name], triage.MOST) for name in ("open", "late"))
        shown = f"**{still} open** · {late} late"
        if filters != triage.Filters():
            shown = f"**{queue.total:,}{'+' if queue.more else ''} match** · {shown.replace('**', '')}"
        order = "the newest first" if filters.view == "all" else "in the order to work on them"
        st.markdown(f":small[:gray[{shown} · {order}]]", width="stretch")
        undo.line(actor, now)
        if queue.lines:
            numbers = [line.number for line in queue.lines]
            st.button("Mark all", type="tertiary", on_click=rows.mark, args=(LIST, numbers), key="triage.all")


def _marked(queue: triage.Queue) -> list[Item]:
    """The marked incidents as they were last seen here, also those that have left the list since."""
    seen: dict[str, Item] = st.session_state.get("triage.seen", {})
    shown = {line.number: Item(line.id, line.number, line.version) for line in queue.lines}
    items = {number: shown.get(number) or seen.get(number) for number in rows.marked(LIST)}
    found = {number: item for number, item in items.items() if item is not None}
    st.session_state["triage.seen"] = found
    return list(found.values())


def _after(results: Sequence[Result]) -> None:
    """Leave those marked that were refused."""
    rows.mark(LIST, [result.item.number for result in results if not result.done])


def listed(
    actor: Actor,
    queue: triage.Queue,
    filters: triage.Filters,
    known: Known,
    now: datetime,
) -> str | None:
    """Draw the page of the queue; the number of the chosen one: by the address, by a click, else the first."""
    numbers = [line.number for line in queue.lines]
    chosen = st.session_state.get("triage.number") or st.query_params.get("number")
    if chosen is None and numbers:
        chosen = numbers[0]
    ranked = filters in (triage.Filters(), triage.Filters(view="open"))
    zone = str(times.zone())
    rows.rows(
        [
            shapes.row(line, now, zone, rank=queue.first + position if ranked else None)
            for position, line in enumerate(queue.lines)
        ],
        key=LIST,
        selected=chosen,
        label="Queue",
        now=now,
        empty=(
            ("Nothing is open.", "New reports appear here by themselves.")
            if filters == triage.Filters()
            else ("Nothing matches.", "Change the search or the filter.")
        ),
        on_event=lambda event: _heard(actor, numbers, known, event),
        commands=COMMANDS if actor.keys else None,
        marking=True,
        folds=True,
    )
    return chosen


def _heard(actor: Actor, numbers: list[str], known: Known, event: rows.Event) -> None:
    """Open the row, or do what its key says. Runs before the page is drawn again."""
    if event.kind == "command" and event.name == "undo":
        undo.take_back(actor)
    elif event.kind == "command" and event.name in {name for name, _ in COMMANDS.values()}:
        _command(actor, numbers, known, event)
    else:
        st.session_state["triage.number"] = st.session_state["triage.open"] = event.id


def _command(actor: Actor, numbers: list[str], known: Known, event: rows.Event) -> None:
    """Accept at once what is sorted; ask for what the action needs otherwise."""
    try:
        detail = actions.seen(actor, event.id)
        states.target(detail.line.state, event.name)
    except RuleError as refused:
        st.session_state["triage.problem"] = Failure(refused.sentence)
        return
    if event.name not in detail.allowed:
        st.session_state["triage.problem"] = Failure("You may not do this with it.")
        return
    st.session_state["triage.number"] = event.id
    team_id = detail.line.team_id or known.usual_team(detail.category_pair_id, detail.service_id)
    if event.name == "accept" and detail.category_pair_id is not None and team_id is not None:
        _accept(actor, numbers, detail, team_id)
    else:
        st.session_state["triage.ask"] = (event.id, event.name, team_id)


def _accept(actor: Actor, numbers: list[str], detail: Detail, team_id: int) -> None:
    line, made = detail.line, {}

    def change(db, now):  # type: ignore[no-untyped-def]
        given = {"team_id": team_id, "assignee_id": line.assignee_id}
        made["is"] = commands.perform(db, line.id, line.version, "accept", given, actor=actor, now=now)

    failure = attempt(change)
    if failure is not None:
        st.session_state["triage.problem"] = failure
        return
    undo.done(f"{line.number} accepted.", [Item(line.id, line.number, made["is"].version)])
    at = numbers.index(line.number) if line.number in numbers else 0
    st.session_state["triage.number"] = (numbers[at + 1 :] + numbers[:at] + [line.number])[0]


page()
