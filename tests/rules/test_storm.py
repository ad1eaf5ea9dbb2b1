"""When one incident for all of an integration's alerts serves people better."""

from datetime import UTC, datetime, timedelta

import pytest

from rules import storm
from rules.errors import RuleError

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("keys", "limit", "is_one"), [(0, 1, False), (100, 100, False), (101, 100, True), (2, 1, True)]
)
def test_more_new_keys_than_the_limit_are_a_storm(keys, limit, is_one):
    assert storm.is_storm(keys, limit) is is_one
    assert storm.is_storm(keys) is (keys > storm.LIMIT)


def test_a_limit_is_at_least_one():
    with pytest.raises(RuleError, match="at least 1"):
        storm.is_storm(5, 0)


@pytest.mark.parametrize(("seconds", "over"), [(0, False), (299, False), (300, True), (86_400, True)])
def test_a_storm_ends_five_minutes_after_it_was_last_past_the_limit(seconds, over):
    assert storm.ended(NOW, NOW + timedelta(seconds=seconds)) is over
