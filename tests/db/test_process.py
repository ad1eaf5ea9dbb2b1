"""The process view against an independent computation, on histories made by hand, random ones and the real log."""

import gzip
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.commands import facts, undo
from db.engine import reading, writing
from db.queries import listed, process, travel
from db.queries.process import Figure
from rules.access import SYSTEM, Actor, Forbidden
from rules.measures import Filters
from rules.periods import Period
from rules.states import STATES
from tests.db.imported import LOG
from tests.db.office import DAY, HOUR, MONDAY, Office
from tests.db.travelled import Step, by_other_means, go_on, log_of, put

YEAR = timedelta(days=400)
MANAGER = Actor(901, "Max", frozenset({"reporter", "manager"}))


def span_of(start: datetime) -> Period:
    return Period(start, start + YEAR, None)


def read(engine: Any, start: datetime = MONDAY - DAY, actor: Actor = SYSTEM, **filters: Any) -> travel.Travel:
    with reading(engine) as db:
        return travel.read(db, actor, span_of(start), Filters(**filters))


def figures(found: process.Process) -> dict[str, Any]:
    """The view in the shape of by_other_means."""

    def spread(one: process.Spread) -> tuple[Any, ...]:
        return one.n, one.median, one.p90

    return {
        "moves": {(move.before, move.after): spread(move.wait) for move in found.moves},
        "states": {visit.place: (spread(visit.wait), visit.there) for visit in found.states},
        "variants": {variant.path: variant.n for variant in found.variants},
        "handovers": {(move.before, move.after): (spread(move.wait), move.back) for move in found.handovers},
        "teams": {visit.place: (spread(visit.wait), visit.there) for visit in found.teams},
        "handed_over": found.handed_over,
        "came_back": found.came_back,
    }


def every_figure(found: process.Process) -> list[tuple[Figure, int]]:
    """Each number of the screen that opens incidents, with how many it says they are."""
    told = [(Figure("move", (move.before, move.after)), move.incidents) for move in found.moves]
    told += [(Figure("variant", variant.path), variant.n) for variant in found.variants]
    for kind, there, visits in (("state", "there", found.states), ("team", "held", found.teams)):
        told += [(Figure(kind, (visit.place,)), visit.incidents) for visit in visits]
        told += [(Figure(there, (visit.place,)), visit.there) for visit in visits]
    told += [(Figure("handover", (move.before, move.after)), move.incidents) for move in found.handovers]
    return told + [(Figure("back", (move.before, move.after)), move.back_incidents) for move in found.handovers]


def test_a_history_worked_out_by_hand(engine):
    office = Office(engine)
    network, servers = office.teams["Network"], office.teams["Servers"]
    mail = office.report()
    office.perform(mail, "accept", "Lena", MONDAY + HOUR, **office.triage)
    office.perform(mail, "acknowledge", "Priya", MONDAY + 3 * HOUR)
    office.perform(mail, "assign", "Priya", MONDAY + 4 * HOUR, team_id=servers, reason="It is the mail server.")
    office.perform(mail, "assign", "Sam", MONDAY + 6 * HOUR, team_id=network, reason="The server is well.")
    office.perform(mail, "acknowledge", "Priya", MONDAY + 7 * HOUR, summary_read=True)
    fixed = {"resolution_code": "fixed", "resolution_note": "New cable."}
    office.perform(mail, "resolve", "Priya", MONDAY + 9 * HOUR, **fixed)
    office.perform(mail, "reject", "Rita", MONDAY + 10 * HOUR, reason="It still fails.")
    office.perform(mail, "resolve", "Priya", MONDAY + 12 * HOUR, **fixed)
    office.perform(mail, "recover", "Priya", MONDAY + 13 * HOUR)
    returned = office.report(at=MONDAY + HOUR)
    office.perform(returned, "accept", "Lena", MONDAY + 2 * HOUR, **office.triage)
    office.perform(returned, "reject", "Priya", MONDAY + 5 * HOUR, reason="Not ours.")
    seen = read(engine)
    found = process.view(seen)
    assert (found.incidents, found.under_way, found.handed_over, found.came_back) == (2, 1, 1, 1)
    assert found.variants == [
        process.Variant(
            ("new", "assigned", "in_progress", "assigned", "in_progress", "resolved", "in_progress", "resolved"),
            1,
            process.Spread(1, 12 * 3600.0, 12 * 3600.0),
        )
    ]
    moves = {(move.before, move.after): (move.n, move.wait.median) for move in found.moves}
    assert moves["new", "assigned"] == (2, 3600.0)
    assert moves["assigned", "in_progress"] == (2, 2.5 * 3600)
    assert moves["resolved", "in_progress"] == (1, 3600.0)
    assert moves["assigned", "new"] == (1, 3 * 3600.0)
    hands = {(move.before, move.after): (move.n, move.back, move.wait.median) for move in found.handovers}
    assert hands == {
        (network, servers): (1, 0, 3 * 3600.0),
        (servers, network): (1, 1, 2 * 3600.0),
        (network, travel.NOBODY): (1, 1, 3 * 3600.0),
    }
    stays = {visit.place: (visit.incidents, visit.wait.n, visit.there) for visit in found.teams}
    assert stays == {network: (2, 4, 0), servers: (1, 1, 0)}
    assert process.members(seen, Figure("back", (servers, network))) == [mail]
    assert process.members(seen, Figure("there", ("new",))) == [returned]


def test_what_was_taken_back_at_once_was_no_step(engine):
    office = Office(engine)
    slip = office.bring_to("assigned")
    version = office.incident(slip).version
    office.perform(slip, "acknowledge", "Priya", MONDAY + 2 * HOUR)
    with writing(engine) as db:
        undo.undo(db, slip, version + 1, actor=office.people["Priya"], now=MONDAY + 2 * HOUR)
    office.perform(slip, "acknowledge", "Priya", MONDAY + 5 * HOUR)
    found = process.view(read(engine))
    assert {(move.before, move.after): (move.n, move.wait.median) for move in found.moves} == {
        ("new", "assigned"): (1, 3600.0),
        ("assigned", "in_progress"): (1, 4 * 3600.0),
    }


def test_merged_ones_are_left_out_and_an_undone_merge_was_none(engine):
    office = Office(engine)
    goes_on, repeats = office.bring_to("assigned"), office.bring_to("assigned")
    office.perform(repeats, "merge", "Lena", MONDAY + 2 * HOUR, duplicate_of_id=goes_on)
    merged = read(engine)
    assert (len(merged.ids), merged.merged) == (1, 1)
    office.perform(repeats, "unmerge", "Lena", MONDAY + 3 * HOUR)
    apart = read(engine)
    assert (len(apart.ids), apart.merged) == (2, 0)
    assert {(move.before, move.after) for move in process.view(apart).moves} == {("new", "assigned")}


def test_restricted_ones_are_counted_for_nobody_who_may_not_open_them(engine):
    put(engine, [[Step(MONDAY, "new")]])
    put(engine, [[Step(MONDAY, "new"), Step(MONDAY + HOUR, "cancelled")]], first_id=2, restricted=True)
    assert process.view(read(engine, actor=MANAGER)).moves == []
    assert len(process.view(read(engine)).moves) == 1
    with reading(engine) as db, pytest.raises(Forbidden):
        travel.read(db, Actor(1, "Rita", frozenset({"reporter", "responder"})), span_of(MONDAY), Filters())


def test_no_history_has_no_figures(engine):
    found = process.view(read(engine))
    assert (found.incidents, found.moves, found.variants, found.states, found.teams) == (0, [], [], [], [])


def test_of_more_than_can_be_looked_at_the_newest_are(engine, monkeypatch):
    put(engine, [[Step(MONDAY + number * HOUR, "new")] for number in range(5)])
    monkeypatch.setattr(travel, "MOST", 3)
    found = read(engine)
    assert (found.ids.tolist(), found.total) == ([3, 4, 5], 5)


def test_ways_of_any_length_are_told_apart(engine):
    states = ("new", "assigned", "in_progress", "assigned") * 6
    long = [Step(MONDAY + number * HOUR, state) for number, state in enumerate(states)]
    ends = [*range(1, 20), 19, 24]
    histories = [[*long[:end], Step(MONDAY + 30 * HOUR, "cancelled")] for end in ends]
    histories.append([*long[:16], Step(MONDAY + 30 * HOUR, "closed")])
    put(engine, histories)
    seen = read(engine)
    found = process.view(seen)
    assert figures(found) == by_other_means(log_of(histories))
    assert {len(variant.path): variant.n for variant in found.variants if variant.path[-1] == "cancelled"} == {
        end + 1: ends.count(end) for end in ends
    }
    for variant in found.variants:
        assert len(process.members(seen, Figure("variant", variant.path))) == variant.n


def test_the_figures_are_made_once_until_something_happens_or_others_are_meant(engine, monkeypatch):
    put(engine, [[Step(MONDAY, "new")], [Step(MONDAY + DAY, "new")]])
    made = []
    monkeypatch.setattr(process, "view", lambda went, as_it_is=process.view: made.append(went) or as_it_is(went))

    def seen(days=9, actor=SYSTEM, **filters):
        with reading(engine) as db:
            found = process.seen(db, actor, Period(MONDAY, MONDAY + days * DAY, None), Filters(**filters))
        return found.incidents, len(found.moves), len(made)

    assert seen() == (2, 0, 1)
    assert seen(days=8) == (2, 0, 1), "the end of a period that goes on is another one each time"
    assert seen(days=1) == (1, 0, 2)
    assert seen(priority=1) == (0, 0, 3)
    assert seen() == (2, 0, 3)
    go_on(engine, 1, Step(MONDAY + 2 * HOUR, "assigned"))
    assert seen() == (2, 1, 4)
    with writing(engine) as db:
        facts.pack(db)
    assert seen() == (2, 1, 5)
    put(engine, [[Step(MONDAY, "new")]], first_id=3, restricted=True)
    assert seen() == (3, 1, 6)
    assert seen(actor=MANAGER) == (2, 1, 7)
    assert seen() == (3, 1, 7)


def test_who_asks_the_same_meanwhile_waits_for_it(engine, monkeypatch):
    put(engine, [[Step(MONDAY, "new")]])
    read(engine)
    made, arrived = [], threading.Barrier(4)
    as_reported, as_viewed = process.reported, process.view

    def reported(*given):
        rows = as_reported(*given)
        arrived.wait(60)
        return rows

    monkeypatch.setattr(process, "reported", reported)
    monkeypatch.setattr(process, "view", lambda went: made.append(went) or as_viewed(went))

    def ask(_):
        with reading(engine) as db:
            return process.seen(db, SYSTEM, span_of(MONDAY - DAY), Filters()).incidents

    with ThreadPoolExecutor(4) as people:
        assert list(people.map(ask, range(4))) == [1, 1, 1, 1]
    assert len(made) == 1


def test_a_list_has_what_may_be_opened_newest_first_by_pages(engine):
    put(engine, [[Step(MONDAY + number * HOUR, "new")] for number in range(12)])
    ids = process.members(read(engine), Figure("there", ("new",)))
    assert ids == list(range(12, 0, -1))
    with reading(engine) as db:
        first, total = listed.page(db, MANAGER, ids, 1)
        last, _ = listed.page(db, MANAGER, ids, 2)
        none, hidden = listed.page(db, Actor(902, "Ada", frozenset({"reporter", "admin"})), ids, 1)
    assert ([line.id for line in first + last], total) == (ids, 12)
    assert (none, hidden) == ([], 0), "an administrator counts what they may not open"


gaps = st.integers(0, 2000)
teams = st.none() | st.integers(1, 3)
steps = st.lists(st.tuples(gaps, st.sampled_from(STATES), teams), min_size=1, max_size=8)
examples = count()


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(steps, max_size=8))
def test_random_histories_count_as_an_independent_computation_does(engine, drawn):
    number = next(examples)
    start = MONDAY + number * YEAR
    histories = []
    for walked in drawn:
        at, history = start, []
        for minutes, state, team in walked:
            at += timedelta(minutes=minutes)
            history.append(Step(at, state, team))
        histories.append(history)
    # Some go on after they were packed, some stay as they are, and some come afterwards.
    first, going_on, early = number * 100 + 1, len(histories) // 3, len(histories) // 3 * 2
    put(engine, [history[:-1] or history for history in histories[:going_on]] + histories[going_on:early], first)
    with writing(engine) as db:
        facts.pack(db)
    for id_, history in enumerate(histories[:going_on], first):
        if len(history) > 1:
            go_on(engine, id_, history[-1])
    put(engine, histories[early:], first + early)
    seen = read(engine, start)
    found = process.view(seen)
    assert found.incidents == len(histories)
    assert figures(found) == by_other_means(log_of(histories))
    for figure, told in every_figure(found):
        ids = process.members(seen, figure)
        assert len(ids) == told, figure
        reported = [histories[id_ - number * 100 - 1][0].at for id_ in ids]
        assert reported == sorted(reported, reverse=True)


@pytest.mark.slow
def test_the_real_log_went_as_it_says_itself(of_the_log):
    now = datetime(2026, 1, 5, 12, tzinfo=UTC)
    everything = Period(datetime(2010, 1, 1, tzinfo=UTC), now, None)
    with reading(of_the_log) as db:
        seen = travel.read(db, SYSTEM, everything, Filters())
        names = process.team_names(db, SYSTEM)
    found = process.view(seen)
    with gzip.open(LOG, "rt", encoding="utf-8") as file:
        raw = pd.read_csv(file, dtype=str)
    ours = {"New": "new", "Active": "in_progress", "Resolved": "resolved", "Closed": "closed"}
    states = raw["incident_state"].where(raw["incident_state"] != "-100")
    states = states.groupby(raw["number"]).ffill().fillna("New")
    log = pd.DataFrame(
        {
            "incident": raw["number"],
            "at": pd.to_datetime(raw["sys_updated_at"], format="%d/%m/%Y %H:%M", utc=True),
            "state": states.map(ours).fillna("on_hold"),
            "team": raw["assignment_group"].where(raw["assignment_group"] != "?", None).str.split().str.join(" "),
        }
    )
    told = by_other_means(log)
    mine = figures(found)
    mine["handovers"] = {(names[a], names[b]): rest for (a, b), rest in mine["handovers"].items()}
    mine["teams"] = {names[team]: rest for team, rest in mine["teams"].items()}
    assert found.incidents == 24_918
    assert (found.handed_over, found.came_back) == (9_575, 2_628)
    assert mine == told
