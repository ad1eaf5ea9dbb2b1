"""Process: the ways incidents really took, where they wait, and who sends them back."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from db.engine import reading
from db.queries import process, travel
from db.queries.process import Figure, Move, Process, Spread, Variant, Visit
from db.queries.process_report import (
    IN_A_STATE,
    PATH,
    STATES,
    STATES_DRAWN,
    TEAMS,
    TEAMS_DRAWN,
    WITH_A_TEAM,
    left_out,
    longest_of,
    most_often,
    pictures,
    place_names,
)
from db.queries.report import first_and_last
from db.queries.travel import NOBODY
from pages.parts import address, chart_card, charts, drawing, export, period, session, times
from pages.parts.counted import Counted, Opener, follow, show
from pages.parts.empty import empty
from pages.parts.marks import gray
from rules import period_words
from rules.panels import incidents
from rules.priority import span
from rules.process import FEW, drawn, goes_back
from rules.states import LABELS, OPEN

KEY = "process"
PARTS = {"states": "States", "ways": "Ways", "waits": "Waits", "teams": "Teams"}
MOST_DRAWN = 12
MOST_HANDOVERS_DRAWN = 8
"""More would be too wide to be read on a phone; the list below has all."""
LEAST_HOURS = 1 / 60
"""where the axis of waits begins; it has no zero"""


def page() -> None:
    actor = session.require("trends")
    follow()
    now, zone = session.now(), str(times.zone())
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Process", width="stretch")
        leaving = st.empty()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = period.chooser(KEY)
        own = period.own_days(KEY) if chosen == period.OWN else None
        filters = period.filters(KEY, period.offered())
    with reading() as db:
        first, _ = first_and_last(db, actor)
        asked = period.period(chosen, own, now, first)
        found = process.seen(db, actor, asked, filters)
        names = place_names(db, actor)
    st.caption(about(found, period_words.period(asked.start, asked.end, zone)))
    if not found.states:
        empty(
            "Nothing was reported yet." if first is None else "Nothing was reported in this period.",
            "The ways of incidents appear here." if first is None else "Choose a longer period, or clear the filters.",
            key=f"{KEY}.nothing",
        )
        return
    with leaving:
        export.popover(PATH, zone, pictures(found))

    def opener(title: str, figure: Figure) -> None:
        with reading() as db:
            ids = process.members(travel.read(db, actor, asked, filters), figure)
        show(actor, title, ids)

    part = st.segmented_control(
        "Part",
        list(PARTS),
        format_func=lambda option: gray(PARTS[option]),
        key=address.begin(KEY, "part", PARTS, "states"),
        label_visibility="collapsed",
        required=True,
    )
    address.keep({"part": part if part != "states" else None})
    if part == "ways":
        ways(opener, found)
    elif part == "waits":
        waits(opener, found, names)
    elif part == "teams":
        teams(opener, found, names)
    else:
        states(opener, found)


def about(found: Process, days: str) -> str:
    """Which incidents these are, and which are left out."""
    looked_at = incidents(found.incidents)
    if found.total > found.incidents:
        looked_at = f"the newest {found.incidents:,} of {found.total:,} incidents"
    return f"{days} · {looked_at} reported in it, as their timelines tell · {left_out(found)} · times are elapsed"


def states(opener: Opener, found: Process) -> None:
    """The moves between states as a drawing, and each of them."""
    shown = drawn(found.moves, found.incidents)
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"**{STATES_DRAWN}**")
        st.caption(
            "How often, and the median time before it. Thicker: more often. Dashed: a step back."
            + _left_out(found.moves, shown)
        )
        if shown:
            places = {visit.place: LABELS[visit.place] for visit in found.states}
            arrows = [
                drawing.Arrow(move.before, move.after, move.n, _short(move), goes_back(move.before, move.after))
                for move in shown
            ]
            drawing.draw(_used(places, arrows), arrows, says=most_often(found.moves, LABELS))
        else:
            st.markdown("No incident has moved yet.")
    _moves(opener, found.moves, LABELS, "move", "Every move between states")


def _left_out(moves: list[Move], shown: list[Move]) -> str:
    """What the drawing does not show."""
    rest = len(moves) - len(shown)
    made = sum(move.n for move in moves) - sum(move.n for move in shown)
    if not rest:
        return ""
    which = "One rarer move" if rest == 1 else f"{rest:,} rarer moves"
    return f" {which}, made {_times(made)} in all, not drawn but listed below."


def _used(places: Mapping[Any, str], arrows: list[drawing.Arrow]) -> dict[Any, str]:
    used = {arrow.before for arrow in arrows} | {arrow.after for arrow in arrows}
    return {place: words for place, words in places.items() if place in used}


def _short(move: Move) -> tuple[str, str]:
    return f"{move.n:,}".replace(",", "\u2009"), _span(move.wait)


def _span(spread: Spread) -> str:
    return span(spread.median) if spread.median is not None else "–"


def _moves(opener: Opener, moves: list[Move], names: Mapping[Any, str], kind: str, heading: str) -> None:
    """The most frequent moves as a list; each opens its incidents."""
    listed = Counted(f"{KEY}.{kind}")
    for move in moves:
        title = f"{names[move.before]} → {names[move.after]}"
        said = f"{_times(move.n)} in {incidents(move.incidents)} · {_waited(move.wait)}"
        listed.add(title, said, Figure(kind, (move.before, move.after)))
    listed.draw(opener, heading)


def _times(n: int) -> str:
    return "once" if n == 1 else f"{n:,} times"


def _handovers(n: int) -> str:
    return "1 handover" if n == 1 else f"{n:,} handovers"


def _waited(wait: Spread) -> str:
    """'waited 4 h before it, one in ten over 2 d'; with a word when they are few."""
    if wait.median is None or wait.p90 is None:
        return "none has left yet"
    if wait.n < FEW:
        return f"median wait {span(wait.median)} of {wait.n}, too few to say much"
    return f"median wait {span(wait.median)}, one in ten over {span(wait.p90)}"


def ways(opener: Opener, found: Process) -> None:
    """The most common ways to the end."""
    whole = sum(variant.n for variant in found.variants)
    if not whole:
        empty(
            "None of these has come to an end yet.",
            "Ways appear with the first resolution. Choose a longer period to see earlier ones.",
            key=f"{KEY}.under_way",
        )
        return
    left = f"; {found.under_way:,} still under way are left out" if found.under_way else ""
    st.caption(
        f"The states up to the last resolution or cancellation, of the {whole:,} that have come there{left}. "
        "What follows, restored and closed, is under States."
    )
    listed = Counted(f"{KEY}.way")
    for variant in found.variants:
        title = " → ".join(LABELS[state] for state in variant.path)
        listed.add(title, _way(variant, whole), Figure("variant", variant.path))
    listed.draw(opener, f"{len(found.variants):,} ways to the end")


def _way(variant: Variant, whole: int) -> str:
    spent, took = variant.spent, ""
    share = f"{variant.n / whole:.1%}".replace("%", " %")
    if spent.median is not None:
        few = ", too few to say much" if spent.n < FEW else ""
        took = f" · {span(spent.median)} from report to resolution (median of {spent.n:,}{few})"
    return f"{incidents(variant.n)}, {share}{took}"


def waits(opener: Opener, found: Process, names: Mapping[Any, str]) -> None:
    """How long they stay in a state and with a team, and how many are there now."""
    left, right = st.columns(2, gap="small")
    with left:
        _stays(found.states, LABELS, STATES, IN_A_STATE, "states")
    with right:
        cut = f" The {MOST_DRAWN} of {len(found.teams)} teams that had most." if len(found.teams) > MOST_DRAWN else ""
        _stays(found.teams[:MOST_DRAWN], names, TEAMS, WITH_A_TEAM + cut, "teams")
    _visits(opener, found.states, LABELS, "state", "States")
    _visits(opener, found.teams, names, "team", "Teams")
    there = Counted(f"{KEY}.there")
    for kind, places, named in (("there", found.states, LABELS), ("held", found.teams, names)):
        for visit in places:
            if visit.there and (kind == "held" or visit.place in OPEN):
                said = f"{incidents(visit.there)} of those reported in the period"
                there.add(named[visit.place], said, Figure(kind, (visit.place,)))
    there.draw(opener, "Waiting there now")


def _stays(visits: list[Visit], names: Mapping[Any, str], title: str, definition: str, key: str) -> None:
    drawn_rows = [
        {
            "name": names[visit.place],
            "kind": kind,
            "hours": seconds / 3600,
            "shown": max(seconds / 3600, LEAST_HOURS),
            "n": visit.wait.n,
            "few": visit.wait.n < FEW,
        }
        for visit in visits
        if visit.wait.n
        for kind, seconds in (("Median", visit.wait.median or 0.0), ("90th percentile", visit.wait.p90 or 0.0))
    ]
    if not drawn_rows:
        empty("None has left yet.", "Times appear with the first that does.", key=f"{KEY}.{key}.none")
        return
    longest = max(visits, key=lambda visit: visit.wait.median or 0.0)
    chart_card.draw(
        title,
        f"{definition} Hollow: fewer than {FEW}.",
        charts.waits_spec,
        drawn_rows,
        says=longest_of(longest, names),
        key=f"{KEY}.stays.{key}",
        columns={"name": "Where", "kind": "What", "hours": "Hours", "n": "n"},
    )


def _visits(opener: Opener, visits: list[Visit], names: Mapping[Any, str], kind: str, heading: str) -> None:
    listed = Counted(f"{KEY}.{kind}")
    for visit in visits:
        said = f"{incidents(visit.incidents)} · {_waited(visit.wait)}"
        listed.add(names[visit.place], said, Figure(kind, (visit.place,)))
    listed.draw(opener, heading)


def teams(opener: Opener, found: Process, names: Mapping[Any, str]) -> None:
    """The ways between teams, and who sends back."""
    if not found.handovers:
        empty(
            "None of these changed its team.",
            "Every handover between teams shows here. Choose a longer period, or clear the filters.",
            key=f"{KEY}.stayed",
        )
        return
    shown = drawn(found.handovers, 0)[:MOST_HANDOVERS_DRAWN]
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"**{TEAMS_DRAWN}**")
        st.caption(
            f"{found.handed_over:,} of {found.incidents:,} incidents were handed from one team to another, "
            f"{found.came_back:,} came back to a team that had them before. On each arrow: how often, and the median "
            "time the team had it. Dashed: most of them came back." + _left_out(found.handovers, shown)
        )
        arrows = [
            drawing.Arrow(move.before, move.after, move.n, _short(move), 2 * move.back > move.n) for move in shown
        ]
        drawing.draw(_used(names, arrows), arrows, says=most_often(found.handovers, names))
    _returns(opener, found.handovers, names)
    _moves(opener, found.handovers, names, "handover", "Every handover")


def _returns(opener: Opener, moves: list[Move], names: Mapping[Any, str]) -> None:
    back = sorted((move for move in moves if move.back), key=lambda move: -move.back)
    listed = Counted(f"{KEY}.back")
    for move in back:
        title = f"{names[move.before]} sent back to {names[move.after]}"
        if move.after == NOBODY:
            title = f"{names[move.before]} sent back to triage"
        said = f"{_times(move.back)} in {incidents(move.back_incidents)}, of {_handovers(move.n)} this way"
        listed.add(title, said, Figure("back", (move.before, move.after)))
    if back:
        listed.draw(opener, "Who sends back")


page()
