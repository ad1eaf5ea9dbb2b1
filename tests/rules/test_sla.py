"""The clock of a promise: shared vectors, pauses of every kind, and due time and elapsed time that agree."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import targets
from rules.business_time import ALWAYS, Calendar
from rules.errors import RuleError
from rules.sla import WARNING_SHARE, due_at, elapsed, status

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


@pytest.mark.parametrize("target", [0, 60])
@pytest.mark.parametrize("begins", [hours(-1), hours(0)])
def test_while_it_has_been_paused_from_the_start_there_is_no_due_time(target, begins):
    with pytest.raises(RuleError, match="paused"):
        due_at(OFFICE, MONDAY, target, [(MONDAY + begins, None)])
    with pytest.raises(RuleError, match="paused"):
        due_at(ALWAYS, MONDAY, target, [(MONDAY + begins, None)])


def test_a_pause_that_lasts_is_no_matter_once_the_target_has_run():
    assert due_at(OFFICE, MONDAY, 3600, [(MONDAY + hours(1), None)]) == MONDAY + hours(1)
    assert due_at(OFFICE, MONDAY, 0, [(MONDAY + hours(1), None)]) == MONDAY


def test_a_pause_of_thousands_of_years_is_stepped_over():
    assert due_at(OFFICE, MONDAY, 60, [(MONDAY, at("9000-01-01T00:00Z"))]) == at("9000-01-01T08:01Z")


def test_no_seconds_wait_for_the_end_of_the_pause():
    assert due_at(OFFICE, MONDAY, 0, [(MONDAY, MONDAY + hours(2))]) == MONDAY + hours(2)
    assert due_at(OFFICE, MONDAY, 0, [(MONDAY, MONDAY + hours(9))]) == MONDAY + hours(24)


def test_pauses_are_exact_to_the_second():
    pauses = [(MONDAY + timedelta(seconds=7), MONDAY + timedelta(seconds=18))]
    assert elapsed(OFFICE, MONDAY, MONDAY + timedelta(seconds=19), pauses) == 8
    assert due_at(OFFICE, MONDAY, 7, pauses) == MONDAY + timedelta(seconds=7)
    assert due_at(OFFICE, MONDAY, 8, pauses) == MONDAY + timedelta(seconds=19)


def test_nothing_has_run_before_it_was_opened():
    assert elapsed(OFFICE, MONDAY, MONDAY - hours(1), []) == 0
    assert elapsed(OFFICE, MONDAY, MONDAY, [(MONDAY - hours(3), MONDAY - hours(2))]) == 0


@pytest.mark.parametrize("pauses", [None, 5, [5], ["ab"], [(MONDAY,)], [(MONDAY, MONDAY, MONDAY)]])
def test_mistaken_pauses_are_refused(pauses):
    with pytest.raises(RuleError, match="from and to"):
        elapsed(OFFICE, MONDAY, MONDAY + hours(1), pauses)


def test_instants_without_a_zone_are_refused():
    naive = datetime(2026, 11, 23)
    for opened, until, pauses in (
        (naive, MONDAY, []),
        (MONDAY, naive, []),
        (MONDAY, MONDAY, [(naive, None)]),
        (MONDAY, MONDAY, [(MONDAY, naive)]),
    ):
        with pytest.raises(RuleError, match="zone"):
            elapsed(OFFICE, opened, until, pauses)


@pytest.mark.parametrize("target", [-1, float("nan"), float("inf"), "3", None])
@pytest.mark.parametrize("pauses", [[], [(MONDAY, None)]])
def test_a_mistaken_target_is_refused(target, pauses):
    with pytest.raises(RuleError, match="seconds"):
        due_at(OFFICE, MONDAY, target, pauses)


@pytest.mark.parametrize(
    ("used", "expected"),
    [
        (0, (0.0, "ok")),
        (2999, (0.74975, "ok")),
        (3000, (0.75, "warning")),
        (3999, (0.99975, "warning")),
        (4000, (1.0, "breached")),
        (6000, (1.5, "breached")),
    ],
)
def test_it_warns_from_three_quarters_and_is_breached_from_the_whole(used, expected):
    assert status(used, 4000) == expected


@pytest.mark.parametrize(("used", "target"), [(0, 0), (1, -1), (-1, 60), (float("nan"), 60), (1, float("nan"))])
def test_a_share_of_nothing_is_refused(used, target):
    with pytest.raises(RuleError, match="above 0"):
        status(used, target)


def test_the_share_that_warns_is_the_same_everywhere():
    assert targets.WARNING_SHARE == WARNING_SHARE


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


CHANGES = [
    ("America/Chicago", datetime(2026, 3, 7, 6, tzinfo=UTC)),
    ("America/Chicago", datetime(2026, 10, 31, 6, tzinfo=UTC)),
    ("Europe/London", datetime(2026, 3, 28, 6, tzinfo=UTC)),
    ("Europe/London", datetime(2026, 10, 24, 6, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 6, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 10, 3, 6, tzinfo=UTC)),
    ("America/Havana", datetime(2026, 10, 31, 6, tzinfo=UTC)),
    ("Asia/Kathmandu", datetime(2026, 11, 22, 6, tzinfo=UTC)),
]
"""a zone, and the day before its clock changes (Kathmandu's does not); each has hours that lie away from the change"""


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(CHANGES), spans, st.integers(1, 4000))
def test_elapsed_time_is_what_a_minute_stepper_counts(change, minutes, length):
    zone, opened = change
    every_day = {day: [["08:00", "20:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
    calendar = Calendar.from_dict({"zone": zone, "hours": every_day})
    pauses = [(opened + timedelta(minutes=m), opened + timedelta(minutes=m + n)) for m, n in minutes]
    counted, due = 0, None
    for minute in range(length):
        now = opened + timedelta(minutes=minute)
        if not any(begin <= now < end for begin, end in pauses) and 8 <= now.astimezone(ZoneInfo(zone)).hour < 20:
            counted, due = counted + 1, now + timedelta(minutes=1)
    assert elapsed(calendar, opened, opened + timedelta(minutes=length), pauses) == 60 * counted
    if due is not None:
        assert due_at(calendar, opened, 60 * counted, pauses) == due
