"""Passwords: long enough, not common, not one's own name; nothing else is asked."""

import pytest

from rules.errors import RuleError
from rules.passwords import check


@pytest.mark.parametrize(
    "password",
    ["correct horse battery", "        x y z 1", "пароль для работы", "é" * 4 + "abcd", "a1" * 4 + "xyz" * 40],
)
def test_a_long_enough_password_is_taken_whatever_it_is_made_of(password):
    check(password, "Ana Berg", "ana@example.org")


@pytest.mark.parametrize(
    ("password", "says"),
    [
        ("short", "8 characters"),
        ("", "8 characters"),
        ("x" * 257 + "abc", "256"),
        ("Password1", "first that others"),
        ("PASSWORD123", "first that others"),
        ("aaaaaaaaaaaa", "first that others"),
        ("kowalczyk", "own name"),
        ("Kowalczyk99", "own name"),
        ("hospital-north.org", "own name"),
    ],
)
def test_a_weak_password_says_how_to_choose_better(password, says):
    with pytest.raises(RuleError, match=says) as refused:
        check(password, "Marta Kowalczyk", "marta@hospital-north.org")
    assert refused.value.field == "password"
