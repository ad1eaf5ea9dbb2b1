"""Severities of monitoring tools as priorities."""

import pytest

from rules.errors import RuleError
from rules.severities import checked, priority_of


@pytest.mark.parametrize(
    ("severity", "priority"),
    [
        *(("critical", 1), ("Disaster", 1), ("page", 1), ("error", 2), ("HIGH", 2), ("warning", 3), ("Average", 3)),
        *(("info", 4), ("Information", 4), ("low", 4), (" low\n", 4), ("", 3), ("purple", 3)),
    ],
)
def test_a_severity_has_a_priority(severity, priority):
    assert priority_of(severity) == priority


def test_an_integration_says_what_its_words_mean():
    own = {"SEV 1": 1, "Warning": 5}
    assert priority_of("sev  1", own) == 1
    assert priority_of("WARNING", own) == 5
    assert priority_of("critical", own) == 1
    assert priority_of("purple", own, default=4) == 4


def test_a_mapping_is_stored_folded():
    assert checked({" SEV  1 ": 1, "Warning": 5}) == {"sev 1": 1, "warning": 5}


@pytest.mark.parametrize(
    ("mapping", "says"),
    [
        ({"": 1}, "1 to 64"),
        ({"x" * 65: 1}, "1 to 64"),
        ({"A": 1, "a": 2}, "twice"),
        ({"a": 0}, "from 1"),
        ({"a": 6}, "from 1"),
        ({"a": True}, "from 1"),
        ({"a": "1"}, "from 1"),
        ({str(at): 1 for at in range(51)}, "Keep to 50"),
    ],
)
def test_a_mapping_that_cannot_be_is_refused_by_field(mapping, says):
    with pytest.raises(RuleError, match=says) as refused:
        checked(mapping)
    assert refused.value.field == "severities"
