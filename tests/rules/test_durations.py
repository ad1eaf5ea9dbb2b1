"""Lengths of time, hours of a day and lists of days as people type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.durations import days_of, days_words, exact, seconds_of, spans_of, spans_words
from rules.errors import RuleError


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [
        ("15 min", 900),
        ("4h", 14_400),
        ("1 h 30 min", 5400),
        ("1h30m", 5400),
        ("5 d", 432_000),
        ("365 D", 365 * 86_400),
        ("1 d, 12 h", 129_600),
        ("90 s", 90),
    ],
)
def test_a_length_of_time_is_read(typed, seconds):
    assert seconds_of(typed, "f") == seconds


@pytest.mark.parametrize("typed", ["", "soon", "4", "4 hours and more", "-4 h", "4 h x", "1.5 h", "4 hx"])
def test_what_is_no_length_is_refused_by_field(typed):
    with pytest.raises(RuleError, match="Write it in") as refused:
        seconds_of(typed, "sla.targets.1.response")
    assert set(refused.value.fields) == {"sla.targets.1.response"}


def test_a_day_of_business_time_is_not_a_day():
    with pytest.raises(RuleError, match="hours and minutes"):
        seconds_of("2 d", "f", days=False)
    assert exact(172_800, days=False) == "48 h"


@pytest.mark.parametrize("typed", ["", "0", "none"])
def test_nothing_is_nothing_only_where_that_is_allowed(typed):
    assert seconds_of(typed, "f", nothing=True) == 0
    with pytest.raises(RuleError):
        seconds_of(typed, "f")


@given(st.integers(1, 400 * 86_400), st.booleans())
def test_what_is_written_reads_as_the_same(seconds, days):
    assert seconds_of(exact(seconds, days=days), "f", days=days) == seconds


@pytest.mark.parametrize(
    ("typed", "spans"),
    [
        ("09:00-17:00", [["09:00", "17:00"]]),
        ("13-17, 9-12:30", [["09:00", "12:30"], ["13:00", "17:00"]]),
        ("9:00 to 17:00", [["09:00", "17:00"]]),
        ("00:00 – 24:00", [["00:00", "24:00"]]),
        ("", []),
        ("closed", []),
    ],
)
def test_hours_are_read_in_their_order(typed, spans):
    assert spans_of(typed, "f") == spans
    assert spans_of(spans_words(spans), "f") == spans


@pytest.mark.parametrize("typed", ["nine to five", "09:00", "9-12 13-17", "9-12,", "9.00-17.00"])
def test_what_are_no_hours_is_refused(typed):
    with pytest.raises(RuleError, match="09:00-17:00"):
        spans_of(typed, "f")


def test_other_days_are_read_and_written_by_line():
    text = "2026-12-31 9-12\n\n2026-12-24 closed\n2026-12-23"
    days = days_of(text, "f")
    assert days == (["2026-12-23", "2026-12-24"], {"2026-12-31": [["09:00", "12:00"]]})
    assert days_words(*days) == "2026-12-23 closed\n2026-12-24 closed\n2026-12-31 09:00-12:00"


@pytest.mark.parametrize(
    ("text", "says"),
    [("24.12.2026 closed", "is no day"), ("2026-12-24\n2026-12-24 9-12", "twice"), ("2026-12-24 maybe", "Write hours")],
)
def test_a_day_that_cannot_be_read_is_refused(text, says):
    with pytest.raises(RuleError, match=says):
        days_of(text, "f")
