"""Periods in local days: changes of the clock, cut ends, and the period before at the same elapsed point."""

import itertools
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.errors import RuleError
from rules.periods import (
    PRESETS,
    chosen_days,
    day_of,
    days,
    midnight,
    months,
    of_days,
    offsets,
    preset,
    steps,
    steps_of,
    weeks,
    zone_of,
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_the_day_on_which_clocks_change_has_23_or_25_hours():
    spring, autumn = (
        days(at(start), at(end), "Europe/London")
        for start, end in (
            ("2026-03-29T00:00+00:00", "2026-03-30T00:00+01:00"),
            ("2026-10-25T00:00+01:00", "2026-10-26T00:00+00:00"),
        )
    )
    assert [(bucket.end - bucket.start) / timedelta(hours=1) for bucket in spring + autumn] == [23, 25]


def test_months_are_those_of_the_zone():
    found = months(at("2016-02-29T23:30Z"), at("2016-04-01T00:00Z"), "Asia/Kathmandu")
    assert [(bucket.name, bucket.start) for bucket in found] == [
        ("2016-03", at("2016-02-29T23:30Z")),
        ("2016-04", at("2016-03-31T18:15Z")),
    ]


def test_weeks_begin_on_monday_and_are_cut_by_the_period():
    found = weeks(at("2026-11-18T00:00Z"), at("2026-11-24T12:00Z"), "UTC")
    assert [(bucket.name, bucket.start, bucket.end) for bucket in found] == [
        ("2026-11-16", at("2026-11-18T00:00Z"), at("2026-11-23T00:00Z")),
        ("2026-11-23", at("2026-11-23T00:00Z"), at("2026-11-24T12:00Z")),
    ]


def test_the_period_before_is_cut_at_the_same_elapsed_point():
    now = at("2026-11-23T15:00Z")
    found = preset("30", now, "UTC", None)
    assert found.start == at("2026-10-25T00:00Z")
    assert found.before == (at("2026-09-25T00:00Z"), at("2026-09-25T00:00Z") + (now - found.start))


def test_all_begins_with_the_first_record_and_has_nothing_before():
    found = preset("all", at("2026-11-23T15:00Z"), "Europe/Berlin", at("2016-02-29T23:30Z"))
    assert (found.start, found.before) == (at("2016-02-29T23:00Z"), None)


@pytest.mark.parametrize("call", [lambda: preset("7", datetime.now(UTC), "UTC", None), lambda: zone_of("Mars")])
def test_an_unknown_period_or_zone_is_refused(call):
    with pytest.raises(RuleError):
        call()


instants = st.datetimes(datetime(2010, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))


@given(
    instants,
    st.timedeltas(timedelta(minutes=1), timedelta(days=400)),
    st.sampled_from(["UTC", "Europe/London", "Australia/Lord_Howe", "America/Havana", "Pacific/Apia"]),
    st.sampled_from([days, weeks, months]),
)
def test_buckets_cover_the_period_without_gap_or_overlap(start, length, zone, cut):
    buckets = cut(start, start + length, zone)
    assert buckets[0].start == start
    assert buckets[-1].end == start + length
    assert all(one.end == other.start for one, other in itertools.pairwise(buckets))
    place = zone_of(zone)
    for bucket in buckets[1:]:
        assert bucket.start == midnight(bucket.start.astimezone(place).date(), place)


def test_every_preset_is_a_number_of_days_or_all():
    assert all(key == "all" or int(key) > 0 for key in PRESETS)


def test_two_days_are_a_period_with_both_of_them():
    first, last = day_of("2026-03-01", "from"), day_of("2026-03-31", "to")
    assert of_days(first, last, "Europe/Berlin") == (at("2026-02-28T23:00Z"), at("2026-03-31T22:00Z"))
    with pytest.raises(RuleError) as refused:
        of_days(last, first, "UTC")
    assert refused.value.field == "to"


@pytest.mark.parametrize("written", ["", "tomorrow", "0001-01-01", "9999-12-31", "2026-03-01T00:00"])
def test_a_day_that_is_none_is_refused_by_the_name_of_its_field(written):
    with pytest.raises(RuleError, match="'from' is a day") as refused:
        day_of(written, "from")
    assert refused.value.field == "from"


def test_a_step_is_one_that_there_is_and_there_are_not_too_many():
    start, end = at("2026-03-30T00:00Z"), at("2026-04-02T00:00Z")
    assert [bucket.name for bucket in steps_of("month", start, end, "UTC")] == ["2026-03", "2026-04"]
    assert [bucket.name for bucket in steps_of("week", start, end, "UTC")] == ["2026-03-30"]
    assert [bucket.name for bucket in steps_of("day", start, end, "UTC")] == ["2026-03-30", "2026-03-31", "2026-04-01"]
    for by, begun in (("year", start), ("day", at("1990-01-01T00:00Z"))):
        with pytest.raises(RuleError) as refused:
            steps_of(by, begun, end, "UTC")
        assert refused.value.field == "by"


@pytest.mark.parametrize(
    ("zone", "changes"),
    [
        ("America/Chicago", [("2026-01-01T00:00Z", -6), ("2026-03-08T08:00Z", -5), ("2026-11-01T07:00Z", -6)]),
        ("Europe/London", [("2026-01-01T00:00Z", 0), ("2026-03-29T01:00Z", 1), ("2026-10-25T01:00Z", 0)]),
        # By half an hour, and the other way round.
        ("Australia/Lord_Howe", [("2026-01-01T00:00Z", 11), ("2026-04-04T15:00Z", 10.5), ("2026-10-03T15:30Z", 11)]),
        ("Asia/Kathmandu", [("2026-01-01T00:00Z", 5.75)]),
        ("UTC", [("2026-01-01T00:00Z", 0)]),
    ],
)
def test_the_clock_of_a_zone_changes_at_these_instants(zone, changes):
    first, last = seconds("2026-01-01T00:00Z"), seconds("2027-01-01T00:00Z")
    expected = [(seconds(when), round(hours * 3600)) for when, hours in changes]
    assert offsets(first, last, zone) == expected
    for when, ahead in expected[1:]:
        assert offsets(when, when, zone) == [(when, ahead)], "from the change itself on"
        assert offsets(when - 1, when, zone)[1:] == [(when, ahead)], "also in the last second that is asked for"
        assert len(offsets(when - 2, when - 1, zone)) == 1, "not before"


def seconds(text: str) -> int:
    return int(at(text).timestamp())


@pytest.mark.parametrize(
    ("length", "step", "bars"),
    [
        (timedelta(minutes=1), "day", 1),
        (timedelta(days=14), "day", 14),
        (timedelta(days=14, hours=23), "day", 15),
        (timedelta(days=15), "week", 3),
        (timedelta(days=200), "week", 29),
        (timedelta(days=201), "month", 7),
        (timedelta(days=730), "month", 24),
    ],
)
def test_a_period_is_drawn_in_steps_that_fit_its_length(length, step, bars):
    start = at("2026-06-01T00:00Z")
    found, buckets = steps(start, start + length, "UTC")
    assert (found, len(buckets)) == (step, bars)
    assert (buckets[0].start, buckets[-1].end) == (start, start + length)


@pytest.mark.parametrize(
    ("zone", "day", "start", "end", "before"),
    [
        # The day before is cut at the same elapsed point, or where it ends.
        ("America/Chicago", "2026-03-08", "03-08T06:00", "03-09T05:00", ("03-07T06:00", "03-08T05:00")),
        ("America/Chicago", "2026-11-01", "11-01T05:00", "11-02T06:00", ("10-31T05:00", "11-01T05:00")),
        ("Europe/London", "2026-03-29", "03-29T00:00", "03-29T23:00", ("03-28T00:00", "03-28T23:00")),
        ("Europe/London", "2026-10-25", "10-24T23:00", "10-26T00:00", ("10-23T23:00", "10-24T23:00")),
        ("Australia/Lord_Howe", "2026-10-04", "10-03T13:30", "10-04T13:00", ("10-02T13:30", "10-03T13:00")),
        ("Australia/Lord_Howe", "2026-04-05", "04-04T13:00", "04-05T13:30", ("04-03T13:00", "04-04T13:00")),
        ("Asia/Kathmandu", "2026-03-29", "03-28T18:15", "03-29T18:15", ("03-27T18:15", "03-28T18:15")),
        # Its first hour is skipped.
        ("America/Havana", "2026-03-08", "03-08T05:00", "03-09T04:00", ("03-07T05:00", "03-08T04:00")),
    ],
)
def test_one_chosen_day_is_as_long_as_it_was_there(zone, day, start, end, before):
    chosen = date.fromisoformat(day)
    found = chosen_days(chosen, chosen, at("2026-12-01T00:00Z"), zone)
    assert (found.start, found.end) == (at(f"2026-{start}Z"), at(f"2026-{end}Z"))
    assert found.before == (at(f"2026-{before[0]}Z"), at(f"2026-{before[1]}Z"))


def test_chosen_days_end_now_and_are_compared_with_as_many_before():
    found = chosen_days(date(2026, 11, 16), date(2026, 11, 30), at("2026-11-23T15:00Z"), "UTC")
    assert (found.start, found.end) == (at("2026-11-16T00:00Z"), at("2026-11-23T15:00Z"))
    assert found.before == (at("2026-11-01T00:00Z"), at("2026-11-08T15:00Z"))


@pytest.mark.parametrize(
    ("oldest", "compared"),
    [(None, True), ("2026-09-17T00:00Z", True), ("2026-09-17T00:01Z", False), ("2026-11-30T00:00Z", False)],
)
def test_a_period_is_not_compared_with_one_that_begins_before_the_first_record(oldest, compared):
    now, first = at("2026-11-15T15:00Z"), oldest and at(oldest)
    for period in (preset("30", now, "UTC", first), chosen_days(date(2026, 10, 17), now.date(), now, "UTC", first)):
        assert (period.start, period.end) == (at("2026-10-17T00:00Z"), now)
        assert (period.before is not None) is compared


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (date(2026, 11, 2), date(2026, 11, 1), "before it begins"),
        (date(2026, 12, 1), date(2026, 12, 2), "in the future"),
        (date.min, date(2026, 1, 1), "too early"),
    ],
)
def test_days_that_cannot_be_a_period_are_refused_with_a_reason(first, last, words):
    with pytest.raises(RuleError, match=words):
        chosen_days(first, last, at("2026-11-23T15:00Z"), "UTC")
