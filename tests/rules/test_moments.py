"""Moments corrected afterwards: what may change, in what order they stand, what is only unlikely."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from rules.errors import RuleError
from rules.moments import FREE, MOMENTS, advice, correct, happened

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
NOW = NINE + 10 * HOUR
RESOLVED = {
    "started_at": None,
    "detected_at": None,
    "reported_at": NINE,
    "acknowledged_at": NINE + HOUR,
    "resolved_at": NINE + 2 * HOUR,
    "recovered_at": None,
    "verified_at": None,
    "closed_at": None,
}


@pytest.mark.parametrize(
    "change",
    [
        {"reported_at": NINE - 5 * HOUR},
        {"reported_at": NINE + HOUR},
        {"acknowledged_at": NINE, "resolved_at": NINE},
        {"reported_at": NINE + 3 * HOUR, "acknowledged_at": NINE + 4 * HOUR, "resolved_at": NINE + 5 * HOUR},
        {"started_at": NINE + 9 * HOUR, "detected_at": NINE - 99 * HOUR},
        {"resolved_at": NOW},
        {"started_at": NOW + 5 * MINUTE},
    ],
)
def test_what_keeps_the_order_is_taken(change):
    assert correct(RESOLVED, change, NOW) == change


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"reported_at": NINE + 2 * HOUR}, {"reported_at": "'Work began' cannot be before 'reported'."}),
        ({"resolved_at": NINE}, {"resolved_at": "'Resolved' cannot be before 'work began'."}),
        ({"resolved_at": NOW + MINUTE}, {"resolved_at": "Choose a time in the past."}),
        ({"started_at": NOW + 6 * MINUTE}, {"started_at": "Choose a time in the past."}),
        ({"recovered_at": NINE + 3 * HOUR}, {"recovered_at": "This has not happened yet."}),
        ({"resolved_at": None}, {"resolved_at": "This happened: give its time."}),
        ({"changed_at": NINE}, {"changed_at": "There is no moment called 'changed_at'."}),
        ({"resolved_at": datetime(2026, 3, 2, 12)}, {"resolved_at": "Give a date and a time with its zone."}),
        ({"resolved_at": "noon"}, {"resolved_at": "Give a date and a time with its zone."}),
        (
            {"resolved_at": None, "closed_at": NINE},
            {"resolved_at": "This happened: give its time.", "closed_at": "This has not happened yet."},
        ),
    ],
)
def test_what_cannot_be_is_told_beneath_its_field(change, wrong):
    with pytest.raises(RuleError) as refused:
        correct(RESOLVED, change, NOW)
    assert refused.value.fields == wrong


def test_only_what_differs_changes_and_an_old_disorder_stands_in_nobodys_way():
    imported = RESOLVED | {"acknowledged_at": NINE - HOUR}
    assert correct(imported, {**imported, "resolved_at": NINE + 3 * HOUR}, NOW) == {"resolved_at": NINE + 3 * HOUR}
    assert correct(imported, imported, NOW) == {}
    with pytest.raises(RuleError, match="'Work began' cannot be before 'reported'"):
        correct(imported, {"acknowledged_at": NINE - 2 * HOUR}, NOW)


@pytest.mark.parametrize(
    ("started", "detected", "said"),
    [
        (None, None, []),
        (-2, -1, []),
        (-1, -2, ["'Detected' is before 'started'. Is that right?"]),
        (1, None, ["'Reported' is before 'started'. Is that right?"]),
        (2, 1, ["'Detected' is before 'started'. Is that right?", "'Reported' is before 'detected'. Is that right?"]),
    ],
)
def test_what_is_unlikely_is_only_asked(started, detected, said):
    hours = {"started_at": started, "detected_at": detected}
    known = {name: None if hour is None else NINE + hour * HOUR for name, hour in hours.items()}
    assert advice(RESOLVED | known) == said


_hours = some.integers(0, 12).map(lambda hours: NINE + hours * HOUR)


@given(
    present=some.lists(_hours, min_size=6, max_size=6).map(sorted),
    happened=some.integers(1, 6),
    change=some.dictionaries(some.sampled_from(list(MOMENTS)), some.none() | _hours),
)
def test_whatever_is_taken_leaves_them_in_order(present, happened, change):
    strict = [name for name in MOMENTS if name not in FREE]
    known = dict.fromkeys(MOMENTS) | dict(zip(strict[:happened], present, strict=False))
    try:
        changed = correct(known, change, NOW)
    except RuleError:
        return
    after = known | changed
    moments = [after[name] for name in strict if after[name] is not None]
    assert moments == sorted(moments)
    assert [name for name in strict if after[name] is not None] == strict[:happened]
    assert all(moment is None or moment <= NOW + 5 * MINUTE for moment in changed.values())


@pytest.mark.parametrize(
    ("hours", "sentence"),
    [
        (0, None),
        (-30, None),
        (-24 * 7 - 2, None),
        (1, "Choose a time in the past: this is what has happened."),
        (-24 * 7 - 3, "Choose a time at most 7 days before the incident began."),
        (None, "Say when it happened."),
    ],
)
def test_what_happened_lies_between_what_led_to_it_and_now(hours, sentence):
    at = None if hours is None else NOW + timedelta(hours=hours)
    known = {"started_at": NOW - timedelta(hours=2), "reported_at": NOW - timedelta(hours=1), "closed_at": None}
    if sentence is None:
        assert happened(at, known, NOW) == at
    else:
        with pytest.raises(RuleError) as refused:
            happened(at, known, NOW)
        assert refused.value.fields == {"at": sentence}
