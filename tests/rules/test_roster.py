"""A schedule through its versions: a change never reaches back, people who left are not on call."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import roster
from rules.errors import RuleError
from rules.oncall import Handover, Schedule, Shift
from rules.roster import Difference, Roster, Segment, Turn

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR, DAY, TICK = timedelta(hours=1), timedelta(days=1), timedelta(microseconds=1)
WEEK = 7 * DAY
OFFICE = [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "17:00"}]


def turning(*members, overrides=(), **more):
    layer = {"name": "First", "members": list(members), "start": MONDAY, "unit": "week", "length": 1} | more
    return Schedule.from_dict({"zone": "UTC", "layers": [layer], "overrides": list(overrides)})


def stands_in(start, end, person, for_):
    return {"start": start, "end": end, "replace": {for_: person}}


CHANGED = Roster(((MONDAY, turning("ana", "bo")), (MONDAY + 3 * DAY, turning("cy"))))


def test_each_version_holds_until_the_next():
    assert roster.shifts(CHANGED, MONDAY - WEEK, MONDAY + WEEK) == [
        Shift("ana", MONDAY, MONDAY + 3 * DAY),
        Shift("cy", MONDAY + 3 * DAY, MONDAY + WEEK),
    ]
    assert roster.on_call(CHANGED, MONDAY - TICK) == ()
    assert roster.on_call(CHANGED, MONDAY + 3 * DAY - TICK) == ("ana",)
    assert roster.on_call(CHANGED, MONDAY + 3 * DAY) == ("cy",)


def test_next_looks_over_the_edge_of_a_version():
    assert roster.now_and_next(CHANGED, MONDAY) == Handover(("ana",), MONDAY + 3 * DAY, ("cy",))
    assert roster.now_and_next(CHANGED, MONDAY + 4 * DAY) == Handover(("cy",), None, ())
    assert roster.until(CHANGED, "ana", MONDAY) == MONDAY + 3 * DAY
    assert roster.until(CHANGED, "cy", MONDAY + 4 * DAY) is None


def test_who_left_is_on_call_until_then_and_leaves_a_gap():
    left = Roster(((MONDAY, turning("ana", "bo")),), gone={"bo": MONDAY + WEEK + DAY})
    assert roster.on_call(left, MONDAY + WEEK) == ("bo",)
    assert roster.gaps(left, MONDAY, MONDAY + 3 * WEEK) == [(MONDAY + WEEK + DAY, MONDAY + 2 * WEEK)]
    assert roster.missing(left, MONDAY, MONDAY + 3 * WEEK) == [(MONDAY + WEEK + DAY, MONDAY + 2 * WEEK)]


def test_an_archived_schedule_ends_and_nobody_is_missing():
    ended = Roster(((MONDAY, turning("ana")),), ends=MONDAY + DAY)
    assert roster.shifts(ended, MONDAY, MONDAY + WEEK) == [Shift("ana", MONDAY, MONDAY + DAY)]
    assert roster.missing(ended, MONDAY, MONDAY + WEEK) == []


def test_outside_its_hours_nobody_is_missing_and_inside_somebody_is():
    absent = {"start": MONDAY + 6 * HOUR, "end": MONDAY + 12 * HOUR, "remove": ["ana"]}
    office = Roster(((MONDAY, turning("ana", windows=OFFICE, overrides=[absent])),))
    end = MONDAY + DAY
    assert roster.gaps(office, MONDAY, end) == [(MONDAY + 6 * HOUR, end)]
    assert roster.missing(office, MONDAY, end) == [(MONDAY + 6 * HOUR, MONDAY + 8 * HOUR)]


def test_segments_mark_who_stands_in():
    swapped = Roster(
        ((MONDAY, turning("ana", "bo", overrides=[stands_in(MONDAY + DAY, MONDAY + 2 * DAY, "cy", "ana")])),)
    )
    assert roster.segments(swapped, MONDAY, MONDAY + WEEK) == [
        Segment("ana", MONDAY, MONDAY + DAY, False),
        Segment("cy", MONDAY + DAY, MONDAY + 2 * DAY, True),
        Segment("ana", MONDAY + 2 * DAY, MONDAY + WEEK, False),
    ]


def test_turns_are_told_by_layer_even_where_another_goes_before_it():
    layers = [
        {"name": "Nights", "members": ["ana"], "start": MONDAY, "unit": "day", "length": 1},
        {"name": "Office", "priority": 1, "members": ["bo"], "start": MONDAY, "unit": "day", "windows": OFFICE},
    ]
    both = Roster(((MONDAY, Schedule.from_dict({"layers": layers})),))
    assert roster.turns(both, MONDAY, MONDAY + DAY) == [
        Turn("Nights", "ana", MONDAY, MONDAY + DAY),
        Turn("Office", "bo", MONDAY, MONDAY + 8 * HOUR),
    ]


def test_differences_are_what_another_definition_changes():
    before, after = Roster(((MONDAY, turning("ana", "bo")),)), Roster(((MONDAY, turning("ana", "cy")),))
    assert roster.differences(before, after, MONDAY, MONDAY + 3 * WEEK) == [
        Difference(MONDAY + WEEK, MONDAY + 2 * WEEK, ("bo",), ("cy",))
    ]
    assert roster.differences(before, before, MONDAY, MONDAY + 3 * WEEK) == []
    assert roster.differences(before, after, MONDAY, MONDAY) == []


def test_a_handoff_is_now_when_people_have_just_changed():
    assert roster.handoff(CHANGED, MONDAY) == MONDAY
    assert roster.handoff(CHANGED, MONDAY + HOUR) == MONDAY + 3 * DAY
    assert roster.handoff(CHANGED, MONDAY + 4 * DAY) is None


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        ([], "Add a layer"),
        ([{"name": "One", "members": ["1"], "start": MONDAY, "unit": "day"}] * 2, "called 'One'"),
        ([{"name": "One", "members": ["1"] * 41, "start": MONDAY, "unit": "day"}], "more than 40"),
        ([{"name": f"L{n}", "members": ["1"], "start": MONDAY, "unit": "day"} for n in range(9)], "at most 8"),
    ],
)
def test_a_definition_is_refused_with_a_sentence(layers, said):
    with pytest.raises(RuleError, match=said):
        roster.checked({"zone": "UTC", "layers": layers})


PEOPLE = ("ana", "bo", "cy", "di")
definitions = st.builds(
    turning,
    st.sampled_from(PEOPLE),
    st.sampled_from(PEOPLE),
    unit=st.sampled_from(["hour", "day", "week"]),
    length=st.integers(1, 5),
    windows=st.sampled_from([[], OFFICE]),
)
hours = st.integers(-24 * 20, 24 * 60).map(lambda number: MONDAY + number * HOUR)


@settings(max_examples=120, deadline=None)
@given(st.lists(st.tuples(hours, definitions), min_size=1, max_size=4, unique_by=lambda one: one[0]), hours, hours)
def test_spans_cover_everything_and_agree_with_each_instant(versions, start, end):
    known = Roster(tuple(sorted(versions, key=lambda one: one[0])), gone={"di": MONDAY + 9 * DAY})
    parts = list(roster.stretches(known, start, end))
    if start >= end:
        assert parts == []
        return
    assert [parts[0].start, parts[-1].end] == [start, end]
    for part, following in pairwise(parts):
        assert part.end == following.start
        assert set(part.people) != set(following.people)
    for part in parts[:40]:
        for at in (part.start, part.end - TICK):
            assert set(roster.on_call(known, at)) == set(part.people)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(hours, definitions), max_size=3), st.tuples(hours, definitions), hours)
def test_a_version_from_a_moment_on_changes_nothing_before_it(versions, change, at):
    before = sorted({since: one for since, one in versions}.items())
    moment = change[0]
    after = [version for version in before if version[0] < moment] + [change]
    one, other = Roster(tuple(before)), Roster(tuple(after))
    early = min(at, moment - TICK)
    assert roster.on_call(one, early) == roster.on_call(other, early)
    assert roster.shifts(one, early - 10 * DAY, early) == roster.shifts(other, early - 10 * DAY, early)
