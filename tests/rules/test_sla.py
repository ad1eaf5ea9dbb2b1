"""The clock of a promise: shared vectors, pauses of every kind, and due time and elapsed time that agree."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.business_time import Calendar
from rules.errors import RuleError
from rules.sla import due_at, elapsed

VECTORS = Path(__file__).resolve().parents[2].parent / "shared" / "vectors"
OFFICE = Calendar.from_dict(
    {"zone": "Europe/Berlin", "hours": {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}}
)
MONDAY = datetime(2026, 11, 23, 8, tzinfo=UTC)  # 09:00 in Berlin


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


CASES = (
    [case for place in sorted(VECTORS.glob("sla__*.json")) for case in json.loads(place.read_text())]
    if VECTORS.is_dir()
    else []
)


@pytest.mark.skipif(not CASES, reason="the shared vectors are not beside the project")
@pytest.mark.parametrize("case", CASES or [None], ids=lambda case: case and case["case"])
def test_the_shared_vectors_hold(case):
    calendar = Calendar.from_dict(case["calendar"])
    pauses = [(at(begin), at(end)) for begin, end in case["pauses"]]
    if "expect_due" in case:
        assert due_at(calendar, at(case["opened"]), case["target_seconds"], pauses) == at(case["expect_due"])
    if "elapsed_at" in case:
        used = elapsed(calendar, at(case["opened"]), at(case["elapsed_at"]), pauses)
        assert used == case["expect_elapsed_seconds"]


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


@pytest.mark.parametrize(
    ("pauses", "due"),
    [
        ([], hours(4)),
        ([(hours(1), hours(2))], hours(5)),
        ([(hours(1), hours(3)), (hours(2), hours(4))], hours(7)),
        ([(hours(-5), hours(1))], hours(5)),
        ([(hours(-5), hours(-1))], hours(4)),
        ([(hours(8), hours(20))], hours(4)),
        ([(hours(4), hours(9))], hours(4)),
        ([(hours(1), hours(1))], hours(4)),
        ([(hours(2), hours(10))], hours(26)),
    ],
)
def test_pauses_move_the_due_time_by_the_open_time_they_took(pauses, due):
    spans = [(MONDAY + begin, MONDAY + end) for begin, end in pauses]
    assert due_at(OFFICE, MONDAY, 4 * 3600, spans) == MONDAY + due


def test_a_pause_that_lasts_stops_the_clock():
    pauses = [(MONDAY + hours(1), None)]
    assert elapsed(OFFICE, MONDAY, MONDAY + hours(6), pauses) == 3600
    with pytest.raises(RuleError, match="paused"):
        due_at(OFFICE, MONDAY, 4 * 3600, pauses)
    assert due_at(OFFICE, MONDAY, 1800, pauses) == MONDAY + hours(0.5)


def test_a_pause_that_ends_before_it_begins_is_refused():
    with pytest.raises(RuleError, match="before it begins"):
        due_at(OFFICE, MONDAY, 60, [(MONDAY, MONDAY - hours(1))])


spans = st.lists(st.tuples(st.integers(-2000, 6000), st.integers(0, 900)), max_size=5)


@settings(max_examples=100, deadline=None)
@given(spans, st.integers(1, 200_000))
def test_at_the_due_time_exactly_the_target_has_run(minutes, target):
    pauses = [(MONDAY + timedelta(minutes=m), MONDAY + timedelta(minutes=m + n)) for m, n in minutes]
    due = due_at(OFFICE, MONDAY, target, pauses)
    assert elapsed(OFFICE, MONDAY, due, pauses) == target
    assert elapsed(OFFICE, MONDAY, due - timedelta(seconds=1), pauses) == target - 1


@settings(max_examples=100, deadline=None)
@given(spans, st.integers(0, 5000))
def test_elapsed_time_is_what_a_minute_stepper_counts(minutes, length):
    pauses = [(MONDAY + timedelta(minutes=m), MONDAY + timedelta(minutes=m + n)) for m, n in minutes]
    counted = 0
    for minute in range(length):
        now = MONDAY + timedelta(minutes=minute)
        paused = any(begin <= now < end for begin, end in pauses)
        wall = now + hours(1)
        counted += not paused and wall.weekday() < 5 and 9 <= wall.hour < 17
    assert elapsed(OFFICE, MONDAY, MONDAY + timedelta(minutes=length), pauses) == 60 * counted
