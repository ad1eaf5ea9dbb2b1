"""Periods in words: whole days of the zone are named by their days, anything else by its times."""

from datetime import UTC, datetime

import pytest

from rules.errors import RuleError
from rules.period_words import hour_of_week, moment, period

BERLIN = "Europe/Berlin"


def at(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "zone", "words"),
    [
        ("2026-03-01T00:00", "2026-06-01T00:00", "UTC", "1 Mar 2026 to 31 May 2026"),
        ("2026-02-28T23:00", "2026-05-31T22:00", BERLIN, "1 Mar 2026 to 31 May 2026"),
        ("2026-03-01T00:00", "2026-03-02T00:00", "UTC", "1 Mar 2026"),
        ("2026-03-01T00:00", "2026-03-02T14:05", "UTC", "1 Mar 2026 to 2 Mar 2026, 14:05"),
        ("2026-03-01T00:00", "2026-03-02T00:00", BERLIN, "1 Mar 2026, 01:00 to 2 Mar 2026, 01:00"),
        ("2026-03-01T00:00", "2026-03-01T00:00", "UTC", "1 Mar 2026 to 1 Mar 2026, 00:00"),
        ("0001-01-01T00:00", "2026-03-02T00:00", "America/New_York", "1 Jan 1 to 1 Mar 2026, 19:00"),
    ],
)
def test_a_period_is_named_by_days_where_it_is_whole_days(start, end, zone, words):
    assert period(at(start), at(end), zone) == words


def test_a_moment_and_an_hour_of_the_week_are_read_from_the_clock_of_the_zone():
    assert moment(at("2026-11-23T13:05"), BERLIN) == "23 Nov 2026, 14:05"
    assert hour_of_week(0) == "Mondays, 00:00 to 01:00"
    assert hour_of_week(167) == "Sundays, 23:00 to 24:00"
    with pytest.raises(RuleError, match="no zone"):
        moment(at("2026-11-23T13:05"), "Nowhere")
