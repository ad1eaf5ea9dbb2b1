"""Where an escalation may go, and what a useful summary is."""

import pytest

from rules import tiers
from rules.errors import RuleError

# Read from the design: from the row's tier up to the column's; '-' is no team yet.
UP = """
               1   2   3   external
    -          x   x   x   x
    1          .   x   x   x
    2          .   .   x   x
    3          .   .   .   x
    external   .   .   .   x
"""


def _rows():
    header, *lines = [line.split() for line in UP.strip().splitlines()]
    return [(present, to, mark == "x") for present, *row in lines for to, mark in zip(header, row, strict=True)]


def test_the_table_of_this_test_is_whole():
    assert {to for _, to, _ in _rows()} == set(tiers.NAMES)
    assert len(_rows()) == 5 * 4


@pytest.mark.parametrize(("present", "to", "expected"), _rows())
def test_an_escalation_goes_up(present, to, expected):
    known = (None, None) if present == "-" else ("Network", present)
    assert tiers.is_above(to, known[1]) is expected
    if expected:
        tiers.check_escalation("Servers", to, *known)
    else:
        with pytest.raises(RuleError, match=r"^Servers .* is not above Network .* assign it instead\.$") as refused:
            tiers.check_escalation("Servers", to, *known)
        assert list(refused.value.fields) == ["team_id"]


def test_nobody_escalates_to_who_has_it():
    with pytest.raises(RuleError, match="Nordlink has it already"):
        tiers.check_escalation("Nordlink", "external", "Nordlink", "external")


@pytest.mark.parametrize("summary", ["", "Help!", "x" * 19, " " * 40, "a" + " " * 40 + "b"])
def test_a_summary_that_tells_nothing_is_refused(summary):
    with pytest.raises(RuleError, match="at least 20 characters") as refused:
        tiers.check_summary(summary)
    assert list(refused.value.fields) == ["reason"]


def test_a_summary_of_some_use_is_taken():
    tiers.check_summary("x" * 20)


def test_the_parts_of_a_summary_become_one_text():
    assert tiers.summary(" Port 7 is down ", "", "A new switch") == (
        "What is known: Port 7 is down\nWhat is needed: A new switch"
    )
    assert tiers.summary("", " ", "") == ""
