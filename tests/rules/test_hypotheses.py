"""Suspected causes: which state follows which, and the words that must go with it."""

import pytest

from rules import hypotheses as rules
from rules.errors import RuleError
from rules.hypotheses import CONFIRMED, RULED_OUT, SUSPECTED

MAY = {(SUSPECTED, RULED_OUT), (SUSPECTED, CONFIRMED), (RULED_OUT, SUSPECTED), (CONFIRMED, SUSPECTED)}


@pytest.mark.parametrize("state", rules.LABELS)
@pytest.mark.parametrize("to", rules.LABELS)
def test_what_was_decided_is_suspected_again_before_it_is_decided_otherwise(state, to):
    if (state, to) in MAY:
        speaks = {CONFIRMED: "for", RULED_OUT: "against", SUSPECTED: "neither"}[to]
        assert rules.decided(state, to, " The log. ") == ("The log.", speaks)
    else:
        with pytest.raises(RuleError, match="Suspect it again first"):
            rules.decided(state, to, "The log.")


@pytest.mark.parametrize(
    ("state", "to", "sentence"),
    [
        (SUSPECTED, RULED_OUT, "Say what rules it out."),
        (SUSPECTED, CONFIRMED, "Say what confirms it."),
        (CONFIRMED, SUSPECTED, "Say why it is suspected again."),
    ],
)
def test_every_decision_says_why(state, to, sentence):
    with pytest.raises(RuleError) as refused:
        rules.decided(state, to, "  ")
    assert refused.value.fields == {"evidence": sentence}


@pytest.mark.parametrize(
    ("check", "given", "field"),
    [
        (rules.cause, " ", "cause"),
        (rules.cause, "x" * 301, "cause"),
        (rules.evidence, "", "evidence"),
        (rules.evidence, "x" * 4001, "evidence"),
        (rules.speaks, "loudly", "speaks"),
    ],
)
def test_what_says_nothing_or_too_much_is_refused(check, given, field):
    with pytest.raises(RuleError) as refused:
        check(given)
    assert set(refused.value.fields) == {field}


def test_a_cause_is_one_line():
    assert rules.cause("The\n  cable ") == "The cable"
    assert rules.evidence("", required=False) == ""


def test_a_state_that_there_is_not_is_refused():
    with pytest.raises(RuleError, match="no state called"):
        rules.decided(SUSPECTED, "maybe", "x")
