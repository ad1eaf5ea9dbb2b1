"""When a message is tried again, and when it is given up."""

from datetime import UTC, datetime, timedelta

import pytest

from rules.retries import OTHERS_LAST, PAGES_LAST, delay, is_given_up

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(1, 15), (2, 30), (3, 60), (4, 120), (5, 240), (6, 480), (7, 900), (8, 900), (999, 900)]
)
def test_the_wait_doubles_up_to_a_quarter_of_an_hour(attempts, seconds):
    waits = {delay(attempts, f"key {number}").total_seconds() for number in range(50)}
    assert min(waits) >= 0.8 * seconds
    assert max(waits) <= 1.2 * seconds
    assert len(waits) == 50, "many messages do not come back at one moment"


def test_the_same_message_waits_the_same():
    assert delay(3, "key") == delay(3, "key") != delay(3, "other")


@pytest.mark.parametrize(("wished", "seconds"), [(None, 15), (0, 15), (5, 15), (600, 600), (86_400, 3600)])
def test_what_the_target_asks_for_is_kept_up_to_an_hour(wished, seconds):
    assert delay(1, "key", wished).total_seconds() == pytest.approx(seconds, rel=0.2)


def test_nothing_tried_is_a_mistake():
    with pytest.raises(ValueError, match="tried"):
        delay(0, "key")


@pytest.mark.parametrize(("page", "limit"), [(True, PAGES_LAST), (False, OTHERS_LAST)])
def test_it_is_given_up_past_its_time_but_never_before_three_attempts(page, limit):
    second = timedelta(seconds=1)
    assert is_given_up(9, MONDAY, MONDAY + limit, page=page) is False
    assert is_given_up(9, MONDAY, MONDAY + limit + second, page=page) is True
    assert is_given_up(2, MONDAY, MONDAY + limit + second, page=page) is False
