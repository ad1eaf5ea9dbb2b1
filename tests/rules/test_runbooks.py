"""Runbooks: their steps, their limits, and which of them goes with an incident."""

import pytest

from rules import runbooks
from rules.errors import RuleError
from rules.runbooks import fit

WRITTEN = """# Mail does not arrive

- [ ] Look at the **queue**
Is it longer than 100?

```
- [ ] not a step
```
1. [x] Restart `postfix`
- [ ] Tell [the desk](mailto:desk@example.org)
"""


def test_steps_stand_anywhere_in_it():
    assert runbooks.steps(WRITTEN) == (
        "Look at the queue Is it longer than 100?",
        "Restart postfix",
        "Tell the desk",
    )
    assert [part.step for part in runbooks.parts(WRITTEN)] == [None, 0, None, 1, 2]


def test_one_without_steps_is_only_read():
    assert [part.step for part in runbooks.parts("Call the vendor.")] == [None]
    assert runbooks.parts("") == ()


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        (" \n ", "Write what to do."),
        ("x" * 30_001, "Shorten the text to 30,000 characters; it has 30,001."),
        ("- [ ] a\n" * 51, "A runbook has at most 50 steps; it has 51. Split it into two."),
        ("- [ ] a\n- [ ] " + "b" * 301,
         "Shorten step 2 to 300 characters. What explains it can stand beneath it, as text."),
        (7, "Type text here."),
    ],
)  # fmt: skip
def test_what_says_nothing_or_too_much_is_refused(written, sentence):
    with pytest.raises(RuleError) as refused:
        runbooks.checked(written)
    assert refused.value.sentence == sentence


def test_fifty_steps_are_taken_and_line_ends_are_one_kind():
    assert len(runbooks.steps(runbooks.checked("- [ ] a\r\n" * 50))) == 50


@pytest.mark.parametrize(
    ("of", "incident", "how_well"),
    [
        ((1, 2), (1, 2), 3),
        ((1, None), (1, 2), 2),
        ((None, 2), (1, 2), 1),
        ((None, None), (1, 2), 0),
        ((1, 2), (1, None), None),
        ((1, 2), (1, 3), None),
        ((1, None), (None, 2), None),
        ((None, None), (None, None), 0),
    ],
)
def test_the_more_it_names_the_better_it_goes_with_an_incident(of, incident, how_well):
    assert fit(of, incident) == how_well
