"""Who is woken: the night on the person's own clock, and which rules apply."""

from datetime import UTC, datetime

import pytest

from rules.paging import after_the_night, is_louder, may_wake, urgency


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "zone", "expected"),
    [
        ("2026-03-02T07:00", "UTC", "2026-03-02T07:00"),
        ("2026-03-02T21:59:59", "UTC", "2026-03-02T21:59:59"),
        ("2026-03-02T22:00", "UTC", "2026-03-03T07:00"),
        ("2026-03-02T00:00", "UTC", "2026-03-02T07:00"),
        ("2026-03-02T06:59:59", "UTC", "2026-03-02T07:00"),
        ("2026-03-02T21:30", "Europe/Berlin", "2026-03-03T06:00"),
        ("2026-03-02T15:00", "America/Los_Angeles", "2026-03-02T15:00"),
        ("2026-03-02T14:59", "America/Los_Angeles", "2026-03-02T15:00"),
        # the clocks go forward and back in these nights
        ("2026-03-28T22:00", "Europe/London", "2026-03-29T06:00"),
        ("2026-10-24T22:00", "Europe/London", "2026-10-25T07:00"),
        ("2026-04-04T12:00", "Australia/Lord_Howe", "2026-04-04T20:30"),
        ("2026-03-02T23:00", "Nowhere/Known", "2026-03-03T07:00"),
    ],
)
def test_the_night_ends_at_seven_on_the_persons_clock(moment, zone, expected):
    assert after_the_night(at(moment), zone) == at(expected)


@pytest.mark.parametrize(
    ("priority", "rules", "wakes"),
    [(1, "high", True), (2, "high", True), (3, "other", True), (4, "other", False), (5, "other", False),
     (None, "other", True)],
)  # fmt: skip
def test_priorities(priority, rules, wakes):
    assert (urgency(priority), may_wake(priority)) == (rules, wakes)


@pytest.mark.parametrize(
    ("was", "level", "louder"),
    [(4, 1, True), (5, 2, True), (3, 2, True), (4, 3, True), (None, 1, True),
     (2, 1, False), (5, 4, False), (1, 4, False), (4, None, False), (None, 3, False), (1, 1, False)],
)  # fmt: skip
def test_what_is_louder_reaches_people_by_other_rules_or_at_night(was, level, louder):
    assert is_louder(was, level) is louder
