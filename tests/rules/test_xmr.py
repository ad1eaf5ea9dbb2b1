"""Limits of individual values, on examples that others have worked out."""

import pytest

from rules import xmr

# NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.2.2: ten batches; limits by 3 x mean moving range / 1.128.
NIST = [49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1]
# Wheeler, Understanding Variation: the monthly trade deficits of the United States in 1987, in billions of dollars.
WHEELER = [10.7, 13.0, 11.4, 11.5, 12.5, 14.1, 14.8, 14.1, 12.6, 16.0, 11.7, 10.6]


@pytest.mark.parametrize(
    ("values", "low", "mean", "high"),
    [
        (NIST, 45.8159, 50.81, 55.8041),
        (WHEELER, 8.32, 12.75, 17.18),
        ([7] * 8, 7, 7, 7),
        # The mean moving range is 2, so that the lower limit would be 5.32 below the mean.
        ([2, 4] * 4, 0, 3, 8.32),
    ],
)
def test_values_usually_lie_within_2_66_mean_moving_ranges_of_their_mean(values, low, mean, high):
    found = xmr.limits(values)
    # The 2.66 that Wheeler rounds to differs from 3 / 1.128 in the fourth digit.
    assert [found.low, found.mean, found.high] == pytest.approx([low, mean, high], abs=0.01)


def test_the_order_of_the_values_matters():
    assert xmr.limits(sorted(WHEELER)).high < xmr.limits(WHEELER).high


def test_what_may_be_negative_has_a_limit_below_nothing():
    assert xmr.limits([2, 4] * 4, least=-100).low == pytest.approx(3 - 2.66 * 2)


def test_too_few_values_have_no_limits():
    assert xmr.limits([1.0] * (xmr.FEWEST - 1)) is None
    assert xmr.limits([]) is None


@pytest.mark.parametrize(
    ("value", "outside"), [(4.99, True), (5, False), (7, False), (10, False), (10.01, True), (0, True)]
)
def test_a_value_at_a_limit_is_an_ordinary_one(value, outside):
    assert xmr.Limits(5, 7, 10).outside(value) is outside


@pytest.mark.parametrize(
    ("before", "now", "beyond"),
    [
        (0, 0, False),
        (0, 9, False),  # too few to say
        (0, 10, True),
        (10, 0, True),
        (1, 10, False),  # 9 apart, and 3 x the root of 11 is 9.95
        (2, 14, True),  # 12 apart, and 3 x the root of 16 is 12
        (3, 14, False),
        (20, 5, True),
        (20, 6, False),
        (1000, 1134, False),
        (1000, 1140, True),
    ],
)
def test_two_counts_differ_by_more_than_chance_from_three_standard_deviations_on(before, now, beyond):
    assert xmr.beyond_chance(before, now) is beyond
