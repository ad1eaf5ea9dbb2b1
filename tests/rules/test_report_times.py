"""When reports are due: local hours through changes of the clock, and what is too late to be sent."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import report_times
from rules.errors import RuleError
from rules.report_times import Times

BERLIN, CHICAGO = "Europe/Berlin", "America/Chicago"


@pytest.mark.parametrize(
    ("times", "after", "due"),
    [
        (Times("week", 0, 8, BERLIN), "2026-03-23T07:00+00:00", "2026-03-30T06:00+00:00"),  # summer has begun
        (Times("week", 0, 8, BERLIN), "2026-03-30T05:59:59+00:00", "2026-03-30T06:00+00:00"),
        (Times("week", 0, 8, BERLIN), "2026-10-19T06:00+00:00", "2026-10-26T07:00+00:00"),  # winter has begun
        (Times("week", 0, 8, CHICAGO), "2026-03-02T14:00+00:00", "2026-03-09T13:00+00:00"),
        (Times("week", 0, 8, CHICAGO), "2026-10-26T13:00+00:00", "2026-11-02T14:00+00:00"),
        (Times("week", 6, 2, BERLIN), "2026-03-25T00:00+00:00", "2026-03-29T01:00+00:00"),  # 02:00 does not exist
        (Times("week", 6, 2, BERLIN), "2026-10-24T00:00+00:00", "2026-10-25T00:00+00:00"),  # the first of two 02:00
        (Times("month", None, 7, BERLIN), "2026-01-01T06:00+00:00", "2026-02-01T06:00+00:00"),
        (Times("month", None, 7, BERLIN), "2026-12-31T23:00+00:00", "2027-01-01T06:00+00:00"),
        (Times("week", 4, 8, "Pacific/Apia"), "2011-12-28T00:00+00:00", "2011-12-30T10:00+00:00"),  # no such Friday
        (Times("week", 4, 8, "Pacific/Apia"), "2011-12-30T10:00+00:00", "2012-01-05T18:00+00:00"),
        (Times("month", None, 0, CHICAGO), "2026-03-01T05:59+00:00", "2026-03-01T06:00+00:00"),
    ],
)
def test_it_is_due_at_the_local_hour(times, after, due):
    assert report_times.next_at(times, datetime.fromisoformat(after)) == datetime.fromisoformat(due)


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1)).map(lambda at: at.replace(tzinfo=UTC)),
    st.one_of(
        st.tuples(st.just("week"), st.integers(0, 6)),
        st.tuples(st.just("month"), st.none()),
    ),
    st.integers(0, 23),
    st.sampled_from([BERLIN, CHICAGO, "UTC", "Australia/Lord_Howe"]),
)
@settings(max_examples=200)
def test_it_comes_after_and_on_its_day_and_never_leaves_one_out(after, day, hour, zone):
    times = Times(*day, hour, zone)
    due = report_times.next_at(times, after)
    assert after < due <= after + timedelta(days=32)
    local = due.astimezone(ZoneInfo(zone))
    assert local.hour in (hour, hour + 1), "an hour that the clock skips is its end"
    assert times.weekday in (None, local.weekday())
    assert times.weekday is not None or local.day == 1
    between = report_times.next_at(times, due - timedelta(microseconds=1))
    assert between == due


@pytest.mark.parametrize(
    ("given_", "field"),
    [
        (("day", 0, 8, "UTC"), "every"),
        (("week", None, 8, "UTC"), "weekday"),
        (("week", 7, 8, "UTC"), "weekday"),
        (("week", 0, 24, "UTC"), "hour"),
        (("month", None, "8", "UTC"), "hour"),
        (("month", None, 8, "Mars/Base"), "zone"),
    ],
)
def test_times_that_are_none_are_refused_at_their_field(given_, field):
    with pytest.raises(RuleError) as refused:
        report_times.checked(*given_)
    assert field in refused.value.fields


def test_times_in_words():
    assert report_times.checked("week", 0, 8, BERLIN).words == "every Monday at 08:00 (Europe/Berlin)"
    assert report_times.checked("month", 3, 17, "UTC").words == "every month on the 1st at 17:00 (UTC)"


def test_what_is_too_late_is_left_out():
    due = datetime(2026, 3, 2, 8, tzinfo=UTC)
    week, month = Times("week", due.weekday(), due.hour, "UTC"), Times("month", None, 8, "UTC")
    assert not report_times.too_late(week, due, due + timedelta(days=3))
    assert report_times.too_late(week, due, due + timedelta(days=3, seconds=1))
    assert report_times.too_late(week, due, due + timedelta(days=24, seconds=1))
    assert not report_times.too_late(week, due, due + timedelta(days=21)), "the newest has just come"
    first = datetime(2026, 2, 1, 8, tzinfo=UTC)
    assert not report_times.too_late(month, first, first + timedelta(days=14)), "the next one is as far away"
    assert report_times.too_late(month, first, first + timedelta(days=14, seconds=1))
    assert not report_times.too_late(month, first, datetime(2026, 3, 2, tzinfo=UTC))
