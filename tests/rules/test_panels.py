"""Numbers of trends in words, and what they say against the period before."""

import pytest

from rules.panels import Number


@pytest.mark.parametrize(
    ("kind", "value", "before", "change"),
    [
        ("count", 127, 150, "-15 %"),
        ("count", 14, 14, None),
        ("count", 1001, 1000, None),
        ("count", 9, 3, None),
        ("hours", 5.2, 6.0, "-48 min"),
        ("hours", 6.0, 6.0, None),
        ("share", 0.9, 0.881, "+1.9 pts"),
        ("share", 0.9, 0.9001, None),
        ("share", None, 0.5, None),
        ("count", 20, None, None),
    ],
)
def test_a_change_is_told_where_it_is_one(kind, value, before, change):
    number = Number("x", "X", kind, value, 30, "", "", before)
    assert number.change == change
