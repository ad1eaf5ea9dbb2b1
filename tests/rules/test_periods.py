"""Periods in local days: changes of the clock, cut ends, and the period before at the same elapsed point."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.errors import RuleError
from rules.periods import PRESETS, day_of, days, midnight, months, of_days, preset, steps_of, weeks, zone_of


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
