"""Forecasts as arithmetic: what similar ones tell, and a week's arrivals with an interval that past weeks bear out."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.forecast import LEAST_DAYS, LEAST_SIMILAR, MOST_DAYS, arrivals, lifetimes, remaining

WEEK = (5, 5, 5, 5, 5, 1, 1)


def all_ended(*spent):
    return lifetimes((seconds, True) for seconds in spent)


def by_the_book(incidents, age, left):
    """(part that takes longer than `left`, seconds until a quarter is left) by the product over distinct times."""
    part, late, enough = 1.0, 1.0, None
    for at in sorted({seconds for seconds, ended in incidents if ended and seconds > age}):
        at_risk = sum(seconds >= at for seconds, _ in incidents)
        part *= 1 - sum(ended and seconds == at for seconds, ended in incidents) / at_risk
        if at <= age + left:
            late = part
        if enough is None and part <= 0.25 + 1e-9:
            enough = at - age
    return late, enough


def test_only_those_that_lasted_longer_tell_what_is_still_to_come():
    found = remaining(all_ended(*range(1, 41)), age=10, left=20)
    assert found is not None
    assert (found.n, found.still) == (30, 0)
    assert found.share == pytest.approx(10 / 30)
    assert found.likely_late
    assert found.seconds == 23, "23 of 30 are three quarters"
    assert not remaining(all_ended(*range(1, 41)), age=10, left=23).likely_late


def test_those_that_are_open_still_tell_that_it_may_take_long():
    ended = [(float(hours), True) for hours in range(1, 41)]
    hopeful = remaining(lifetimes(ended), age=0, left=20)
    honest = remaining(lifetimes(ended + [(100.0, False)] * 40), age=0, left=20)
    assert (hopeful.share, honest.share) == (pytest.approx(0.5), pytest.approx(0.75))
    assert (honest.n, honest.still) == (40, 40)
    assert honest.seconds is None, "half of them were open after all the time that they were watched"
    assert honest.likely_late


def test_too_few_similar_ones_say_nothing():
    assert remaining(all_ended(*[5.0] * LEAST_SIMILAR), age=4, left=1) is not None
    assert remaining(all_ended(*[5.0] * (LEAST_SIMILAR - 1)), age=4, left=1) is None
    assert remaining(all_ended(*[5.0] * 100), age=5, left=1) is None, "none of them lasted longer"
    assert remaining(lifetimes([(5.0, False)] * 100), age=4, left=1) is None, "none of them has ended"
    assert remaining(lifetimes([]), age=4, left=1) is None


@given(
    st.lists(st.tuples(st.integers(0, 200), st.booleans() | st.just(True)), max_size=70),
    st.integers(0, 100),
    st.integers(0, 150),
)
def test_what_is_told_is_what_the_book_tells(incidents, age, left):
    n = sum(ended and seconds > age for seconds, ended in incidents)
    found = remaining(lifetimes(incidents), age, left)
    assert (found is None) == (n < LEAST_SIMILAR)
    if found is not None:
        late, enough = by_the_book(incidents, age, left)
        assert (found.n, found.still) == (n, sum(not ended and seconds > age for seconds, ended in incidents))
        assert found.share == pytest.approx(late)
        assert found.seconds == enough
        assert found.likely_late == (enough is None or enough > left)


def test_a_steady_past_is_expected_again_day_by_day():
    found = arrivals(list(WEEK) * 10)
    assert found is not None
    assert (found.expected, found.low, found.high, found.miss, found.naive_miss) == (27.0, 27, 27, 0, 0)
    assert found.by_day == (5, 5, 5, 5, 1, 1, 5), "the week begins a day after the last one that is known"
    assert sum(found.by_day) == found.expected


@pytest.mark.parametrize(("length", "says"), [(LEAST_DAYS, True), (LEAST_DAYS - 1, False), (0, False)])
def test_a_short_past_says_nothing(length, says):
    assert (arrivals([3] * length) is not None) == says


def test_the_interval_is_what_past_weeks_were_off_by():
    rng = Random(7)
    days = [rng.randrange(20) for _ in range(LEAST_DAYS + 21)]
    found = arrivals(days)
    assert found is not None
    misses = []
    for end in range(28, len(days) - 7, 1):
        if (len(days) - 8 - end) % 7 == 0:
            misses.append(abs(sum(days[end + 1 : end + 8]) - sum(days[end - 28 : end]) / 4))
    assert (found.errors, found.tested) == (len(misses), len(misses) - 4) == (7, 3)
    width = sorted(misses)[6]  # the seventh of seven: four in five of eight
    assert found.expected == sum(days[-28:]) / 4
    assert (found.low, found.high) == (int(max(0, found.expected - width)), -int(-(found.expected + width) // 1))
    assert found.miss == pytest.approx(sum(misses) / 7)


def test_a_week_that_was_unlike_all_before_lay_outside():
    days = [4] * LEAST_DAYS + [40] * 7
    found = arrivals(days)
    assert found is not None
    assert (found.tested, found.held) == (1, 0)


def test_of_a_long_past_the_last_weeks_are_looked_at():
    assert arrivals([900] * 300 + [1] * MOST_DAYS) == arrivals([1] * MOST_DAYS)


def test_four_in_five_weeks_of_a_random_past_lie_within():
    rng = Random(1)
    held = tested = 0
    for _ in range(60):
        found = arrivals([rng.randrange(30) for _ in range(MOST_DAYS)])
        assert found is not None
        held, tested = held + found.held, tested + found.tested
    assert 0.78 < held / tested < 0.88
