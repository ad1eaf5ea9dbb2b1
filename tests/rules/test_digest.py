"""The weekly digest: which week, what is beyond the usual, what moved it, and who carries more than their share."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import digest
from rules.digest import Series
from rules.errors import RuleError
from rules.panels import Opens

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
OPENS = Opens("opened", AT, AT)


def series(values, kind="count", ns=None, title="Opened"):
    return Series("opened", title, kind, values, ns or [100] * len(values), None, OPENS)


@pytest.mark.parametrize(
    ("now", "zone", "begins", "ends"),
    [
        ("2026-03-09T08:00+01:00", "Europe/Berlin", "2026-03-01T23:00+00:00", "2026-03-08T23:00+00:00"),
        ("2026-03-09T00:00+01:00", "Europe/Berlin", "2026-03-01T23:00+00:00", "2026-03-08T23:00+00:00"),
        ("2026-03-08T23:59+01:00", "Europe/Berlin", "2026-02-22T23:00+00:00", "2026-03-01T23:00+00:00"),
        # The clock springs forward within the week: 167 hours; back: 169.
        ("2026-03-30T08:00+02:00", "Europe/Berlin", "2026-03-22T23:00+00:00", "2026-03-29T22:00+00:00"),
        ("2026-11-02T08:00-06:00", "America/Chicago", "2026-10-26T05:00+00:00", "2026-11-02T06:00+00:00"),
    ],
)
def test_the_last_whole_week_is_from_monday_to_monday_on_the_readers_clock(now, zone, begins, ends):
    found = digest.week(datetime.fromisoformat(now), zone)
    assert (found.start, found.end) == (datetime.fromisoformat(begins), datetime.fromisoformat(ends))


@pytest.mark.parametrize(("day", "why"), [(date(2026, 3, 3), "begins on a Monday"), (date(2026, 3, 9), "not ended")])
def test_a_week_that_is_none_is_refused(day, why):
    with pytest.raises(RuleError, match=why):
        digest.week(datetime(2026, 3, 11, tzinfo=UTC), "UTC", day)


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1)).map(lambda at: at.replace(tzinfo=UTC)),
    st.sampled_from(["UTC", "Europe/Berlin", "America/Chicago", "Pacific/Apia", "Asia/Kathmandu", "Africa/Cairo"]),
)
@settings(max_examples=150)
def test_weeks_follow_one_another_without_a_gap_and_the_told_one_is_over(now, zone):
    told = digest.week(now, zone)
    assert told.end <= now < told.end + timedelta(days=8)
    place = ZoneInfo(zone)
    assert told.start.astimezone(place).weekday() == 0
    earlier = digest.before(told, zone, datetime(1900, 1, 1, tzinfo=UTC))
    assert len(earlier) == digest.WEEKS
    edges = [*earlier, told]
    assert all(one.end == other.start for one, other in pairwise(edges))
    cut = digest.before(told, zone, earlier[3].start + timedelta(seconds=1))
    assert cut == earlier[4:], "a week that began before the first record is no whole one"


def test_before_the_first_record_there_is_no_week():
    assert digest.before(digest.week(AT, "UTC"), "UTC", None) == []


EIGHT = [100, 96, 104, 98, 102, 100, 97, 103]


@pytest.mark.parametrize(
    ("values", "side", "says"),
    [
        ([*EIGHT, 132], 1, "Opened: 132, above the usual 88 to 112."),
        ([*EIGHT, 60], -1, "Opened: 60, below the usual 88 to 112."),
        ([*EIGHT, 112], 0, "Opened: 112, within the usual 88 to 112."),
        ([*EIGHT, 113], 1, "Opened: 113, above the usual 88 to 112."),
        ([5] * 13 + [6] * 13 + [6], 0, "Opened: 6, within the usual 5 to 6."),
        ([0] * 8 + [4], 0, "Opened: 4, within the usual 0."),  # a handful is no news
        ([0] * 8 + [5], 1, "Opened: 5, above the usual 0."),
    ],
)
def test_a_count_beyond_its_limits_is_told(values, side, says):
    found = digest.usual(series(values))
    assert found is not None
    assert (found.side, found.sentence) == (side, says)


def test_fewer_than_eight_weeks_say_nothing():
    assert digest.usual(series([*EIGHT[:7], 500])) is None


@pytest.mark.parametrize("kind", ["hours", "share"])
def test_medians_and_shares_of_few_cases_count_for_nothing(kind):
    values = [0.9, 0.91, 0.9, 0.89, 0.9, 0.91, 0.9, 0.89, 0.2]
    assert digest.usual(series(values, kind)).side == -1
    assert digest.usual(series(values, kind, [100] * 8 + [19])) is None
    assert digest.usual(series(values, kind, [19] + [100] * 8)) is None, "only seven weeks are left to compare with"
    assert digest.usual(series([*values[:8], None], kind)) is None


@given(st.lists(st.integers(0, 500), min_size=9, max_size=27), st.integers(-50, 50))
@settings(max_examples=150)
def test_limits_move_with_what_they_are_of_and_hold_the_mean(values, shift):
    found = digest.usual(series(values))
    mean = sum(values[:-1]) / len(values[:-1])
    assert 0 <= found.low <= found.high
    assert found.low - 1 < mean < found.high + 1
    assert (found.side > 0) == (values[-1] > found.high and values[-1] - mean >= digest.SMALLEST)
    moved = digest.usual(series([value + 1000 + shift for value in values]))
    assert moved.high - found.high == 1000 + shift


def test_a_share_is_never_usual_beyond_the_whole():
    found = digest.usual(series([0.99, 0.9, 0.99, 0.9, 0.99, 0.9, 0.99, 0.9, 1.0], "share"))
    assert found.high == 1.0


@pytest.mark.parametrize(
    ("by_name", "side", "whole", "says"),
    [
        ({"VPN": (40, 8.2), "Mail": (5, 4)}, 1, 33, "Most of it: VPN (+32)."),
        ({"VPN": (12, 8), "Mail": (7, 4), "Wi-Fi": (9, 6)}, 1, 10, "The largest part: VPN (+4)."),
        ({"VPN": (1, 9), "Mail": (9, 4)}, -1, -3, "Most of it: VPN (-8)."),
        ({"VPN": (1, 9)}, 1, 20, ""),
        ({"VPN": (9, 9.2)}, 1, 20, ""),
        ({}, 1, 20, ""),
    ],
)
def test_what_moved_it_most_is_named(by_name, side, whole, says):
    assert digest.part(by_name, side, whole) == says


@pytest.mark.parametrize(
    ("told", "weeks", "says"),
    [
        ([], 0, "What is usual takes 8 whole weeks; so far 0 whole weeks lie before this one."),
        ([], 1, "What is usual takes 8 whole weeks; so far one whole week lies before this one."),
        (["Opened: 5."], 7, "What is usual takes 8 whole weeks; so far 7 whole weeks lie before this one."),
        ([], 8, "Nothing was beyond the usual."),
        (["One.", "Two."], 8, "One. Two."),
    ],
)
def test_the_week_as_a_whole(told, weeks, says):
    assert digest.conclusion(told, weeks) == says


@pytest.mark.parametrize(
    ("hours", "more"),
    [
        ({1: 100, 2: 40, 3: 40}, {1}),
        ({1: 90, 2: 45, 3: 45}, set()),  # exactly one and a half times the equal share
        ({1: 168, 2: 10}, set()),  # two cannot share more fairly than one more
        ({}, set()),
    ],
)
def test_who_carries_more_than_their_share(hours, more):
    assert digest.carries_more(hours) == more
