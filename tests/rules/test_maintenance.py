"""Maintenance windows: shared vectors, Alertmanager's fields by hand, and occurrences that agree with the instants."""

import json
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.errors import RuleError
from rules.maintenance import MONTHS, WEEKDAYS, Interval, Window, contains, next_occurrences, valid

VECTORS = Path(__file__).resolve().parents[2].parent / "shared" / "vectors"
NIGHT = {"times": [{"start_time": "01:00", "end_time": "03:00"}]}
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


CASES = (
    [case for place in sorted(VECTORS.glob("maintenance__*.json")) for case in json.loads(place.read_text())]
    if VECTORS.is_dir()
    else []
)


@pytest.mark.skipif(not CASES, reason="the shared vectors are not beside the project")
@pytest.mark.parametrize("case", CASES or [None], ids=lambda case: case and case["case"])
def test_the_shared_vectors_hold(case):
    if case["op"] == "in_maintenance":
        assert contains(case["window"], at(case["at"])) is case["expect"]
    else:
        assert valid(case["window"]) is case["expect"]


@pytest.mark.parametrize(
    ("window", "inside", "outside"),
    [
        ({}, ["2026-11-23T00:00Z"], []),
        (NIGHT, ["2026-11-23T01:00Z", "2026-11-23T02:59:59Z"], ["2026-11-23T00:59:59Z", "2026-11-23T03:00Z"]),
        ({"weekdays": ["saturday", "sunday"]}, ["2026-11-22T12:00Z"], ["2026-11-23T00:00Z", "2026-11-20T23:59Z"]),
        ({"weekdays": ["Sunday:Monday"]}, ["2026-11-22T00:00Z", "2026-11-23T23:59Z"], ["2026-11-21T23:59Z"]),
        ({"days_of_month": ["-1"]}, ["2024-02-29T00:00Z", "2026-11-30T23:59Z"], ["2024-02-28T12:00Z"]),
        ({"days_of_month": ["29:31"]}, ["2024-02-29T00:00Z"], ["2026-02-28T12:00Z", "2026-03-01T00:00Z"]),
        ({"days_of_month": ["31"]}, ["2026-10-31T00:00Z"], ["2026-11-30T12:00Z"]),
        ({"days_of_month": ["-31:-1"]}, ["2026-02-01T00:00Z", "2026-02-28T00:00Z"], []),
        ({"days_of_month": ["-31"]}, ["2026-10-01T00:00Z"], ["2026-11-01T00:00Z", "2026-11-30T00:00Z"]),
        ({"days_of_month": ["20:-5"]}, ["2026-02-24T00:00Z", "2026-10-27T00:00Z"], ["2026-02-25T00:00Z"]),
        ({"days_of_month": [1, "15:16"]}, ["2026-02-01T00:00Z", "2026-02-16T00:00Z"], ["2026-02-17T00:00Z"]),
        ({"months": ["2:MARCH", "december"]}, ["2026-03-31T23:59Z", "2026-12-01T00:00Z"], ["2026-04-01T00:00Z"]),
        ({"years": ["2026", 2030]}, ["2026-12-31T23:59Z", "2030-01-01T00:00Z"], ["2027-01-01T00:00Z"]),
        ({"years": []}, [], ["2026-01-01T00:00Z"]),
        (NIGHT | {"months": ["may"]}, ["2026-05-01T01:00Z"], ["2026-05-01T04:00Z", "2026-06-01T01:00Z"]),
        # by what the clock reads: a doubled hour is in twice, a missing one never
        (NIGHT | {"location": "Europe/London"}, ["2026-10-25T00:00Z", "2026-10-25T02:59Z"], ["2026-10-25T03:00Z"]),
        (NIGHT | {"location": "Europe/London"}, ["2026-03-29T01:00Z"], ["2026-03-29T00:59Z", "2026-03-29T02:00Z"]),
        ({"weekdays": ["friday"], "location": "Pacific/Apia"}, [], ["2011-12-30T09:59Z", "2011-12-30T10:00Z"]),
        ({"days_of_month": ["-1"], "location": "Asia/Kathmandu"}, ["2026-11-29T18:15Z"], ["2026-11-30T18:15Z"]),
    ],
)
def test_every_field_that_is_given_must_match(window, inside, outside):
    assert [contains(window, at(moment)) for moment in inside] == [True] * len(inside)
    assert [contains(window, at(moment)) for moment in outside] == [False] * len(outside)


@pytest.mark.parametrize(
    ("window", "says"),
    [
        ("always", "object"),
        ([], "object"),
        ({"zone": "UTC"}, "'zone' is none"),
        ({"location": "Mars/Olympus"}, "no zone"),
        ({"times": "01:00"}, "as a list"),
        ({"times": [{"start_time": "01:00"}]}, "start_time and end_time"),
        ({"times": ["01:00"]}, "start_time and end_time"),
        ({"times": [{"start_time": "1:00", "end_time": "02:00"}]}, "two digits"),
        ({"times": [{"start_time": "01:00", "end_time": "24:01"}]}, "up to 24:00"),
        ({"times": [{"start_time": "22:00", "end_time": "02:00"}]}, "Split times"),
        ({"times": [{"start_time": "02:00", "end_time": "02:00"}]}, "not before"),
        ({"weekdays": "monday"}, "as a list"),
        ({"weekdays": ["mon"]}, "'mon' is none"),
        ({"weekdays": ["saturday:sunday"]}, "backwards"),
        ({"weekdays": ["monday:tuesday:friday"]}, "is none"),
        ({"weekdays": [1]}, "is none"),
        ({"months": ["0"]}, "is none"),
        ({"months": ["january:13"]}, "is none"),
        ({"months": ["june:may"]}, "backwards"),
        ({"years": ["2027:2026"]}, "backwards"),
        ({"years": ["soon"]}, "is none"),
        ({"years": [True]}, "is none"),
        ({"years": ["9" * 5000]}, "is none"),
        ({"days_of_month": ["0"]}, "is none"),
        ({"days_of_month": ["1:32"]}, "is none"),
        ({"days_of_month": ["-32:-1"]}, "is none"),
        ({"days_of_month": ["-3:3"]}, "two ranges"),
        ({"days_of_month": ["5:2"]}, "backwards"),
        ({"days_of_month": ["-1:-5"]}, "backwards"),
        ({"days_of_month": ["25:-10"]}, "backwards"),
        ({"days_of_month": [None]}, "is none"),
        ({"start": "2026-11-23T10:00Z"}, "Write end"),
        ({"start": "2026-11-23", "end": "2026-11-24T10:00Z"}, "Write start.*zone"),
        ({"start": "2026-11-24T10:00Z", "end": "2026-11-24T10:00Z"}, "later end"),
        ({"start": "2026-11-23T10:00Z", "end": "2026-11-24T10:00Z", "recurring": []}, "at least one"),
        ({"start": "2026-11-23T10:00Z", "end": "2026-11-24T10:00Z", "recurring": [{"years": "2026"}]}, "as a list"),
        ({"recurring": [NIGHT]}, "Write start"),
    ],
)
def test_a_mistaken_window_says_how_to_put_it_right(window, says):
    assert not valid(window)
    with pytest.raises(RuleError, match=says):
        contains(window, at("2026-11-23T10:00Z"))


def test_an_instant_without_a_zone_is_refused():
    with pytest.raises(RuleError, match="zone"):
        contains({}, datetime(2026, 11, 23))


def test_a_single_window_holds_from_its_start_to_before_its_end():
    window = {"start": "2026-11-23T22:00+01:00", "end": at("2026-11-24T02:00Z")}
    assert [contains(window, at(f"2026-11-23T{clock}Z")) for clock in ("20:59:59", "21:00")] == [False, True]
    assert [contains(window, at(f"2026-11-24T{clock}Z")) for clock in ("01:59:59", "02:00")] == [True, False]
    assert next_occurrences(window, at("2026-11-24T01:00Z")) == [(at("2026-11-24T01:00Z"), at("2026-11-24T02:00Z"))]
    assert next_occurrences(window, at("2026-11-24T02:00Z")) == []


def test_a_recurring_window_always_ends():
    window = Window.from_dict(
        {"start": "2026-11-23T02:00Z", "end": "2026-11-25T01:30Z", "recurring": [NIGHT, {"weekdays": ["saturday"]}]}
    )
    assert next_occurrences(window, at("2026-01-01T00:00Z")) == [
        (at("2026-11-23T02:00Z"), at("2026-11-23T03:00Z")),
        (at("2026-11-24T01:00Z"), at("2026-11-24T03:00Z")),
        (at("2026-11-25T01:00Z"), at("2026-11-25T01:30Z")),
    ]
    assert not contains(window, at("2026-11-25T02:00Z"))
    assert not contains(window, at("2026-11-28T12:00Z"))


def test_occurrences_that_touch_or_overlap_are_one():
    found = next_occurrences(
        {"weekdays": ["saturday", "sunday"], "location": "Europe/London"}, at("2026-10-20T00:00Z"), 2
    )
    assert found == [
        (at("2026-10-23T23:00Z"), at("2026-10-26T00:00Z")),
        (at("2026-10-31T00:00Z"), at("2026-11-02T00:00Z")),
    ]
    span = {"start": "2026-11-23T00:00Z", "end": "2026-11-24T00:00Z"}
    evening = {"times": [{"start_time": "02:30", "end_time": "05:00"}]}
    (only,) = next_occurrences(span | {"recurring": [NIGHT, evening]}, at("2026-11-23T00:00Z"))
    assert only == (at("2026-11-23T01:00Z"), at("2026-11-23T05:00Z"))


def test_what_never_comes_is_not_searched_for_ever():
    assert next_occurrences({"days_of_month": ["30"], "months": ["february"]}, at("2026-11-23T00:00Z")) == []
    assert next_occurrences({}, at("9998-12-31T23:59:59.999999Z")) == []


QUARTERS = st.integers(0, 12) | st.integers(0, 95)
TIMES = st.tuples(QUARTERS, QUARTERS).map(lambda each: (min(each), max(each) + 1))
ALWAYS_GIVEN = {
    "times": st.lists(
        TIMES.map(
            lambda each: {
                "start_time": f"{each[0] // 4:02d}:{each[0] % 4 * 15:02d}",
                "end_time": f"{each[1] // 4:02d}:{each[1] % 4 * 15:02d}",
            }
        ),
        min_size=1,
        max_size=3,
    ),
    "location": st.sampled_from(["", "here"]),
}
FIELDS = {
    "weekdays": st.lists(st.sampled_from([*WEEKDAYS, "sunday:monday", "thursday:saturday"]), min_size=3, max_size=4),
    "days_of_month": st.sampled_from([["-3:-1", "1:9"], ["20:-2"], ["1", "25:31"], ["-9:-3"]]),
    "months": st.sampled_from([["march:april", "october", "12"], ["november"], [*MONTHS]]),
}
CHANGES = [
    ("Europe/London", "2026-03-29T01:00Z"),
    ("Europe/London", "2026-10-25T01:00Z"),
    ("Australia/Lord_Howe", "2026-04-04T15:00Z"),
    ("America/Havana", "2026-11-01T05:00Z"),
    ("Pacific/Apia", "2011-12-30T10:00Z"),
    ("Antarctica/Troll", "2026-03-29T01:00Z"),
    ("Asia/Kathmandu", "2026-11-30T18:15Z"),
]
"""a zone, and when its clock changes (Kathmandu's does not)"""


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.fixed_dictionaries(ALWAYS_GIVEN, optional=FIELDS), min_size=1, max_size=2),
    st.sampled_from(CHANGES),
    st.integers(-1500, 300),
    st.integers(1, 4000),
)
def test_the_occurrences_are_exactly_the_instants_inside(intervals, change, offset, minutes):
    start = at(change[1]) + offset * MINUTE
    placed = [each | {"location": each["location"] and change[0]} for each in intervals]
    window = Window(start, start + minutes * MINUTE, tuple(map(Interval.from_dict, placed)))
    spans = next_occurrences(window, start - DAY, 10_000)
    inside = {start + step * MINUTE for step in range(0, minutes, 15) if contains(window, start + step * MINUTE)}
    covered = {
        moment
        for step in range(0, minutes, 15)
        if any(since <= (moment := start + step * MINUTE) < until for since, until in spans)
    }
    assert covered == inside
    for (since, until), (following, _) in pairwise(spans):
        assert since < until < following
    tick = timedelta(microseconds=1)
    for since, until in spans:
        assert contains(window, since)
        assert contains(window, until - tick)
        assert not contains(window, until)
        assert not contains(window, since - tick)
