"""A map from another tool's columns to ours: what it may say, and the sentence for what it may not."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.errors import RuleError
from rules.import_map import JIRA, parse
from rules.states import LABELS

GOOD = """
[columns]
number = "Ticket"
title = "Subject"
reported = "Created"
state = "Status"
[values.state]
"Waiting for parts" = "on_hold"
"Done" = "Closed"
"" = "new"
[values.priority]
"Sev 1" = 1
[dates]
format = "%d.%m.%Y %H:%M"
zone = "Europe/Berlin"
"""


def test_a_map_says_what_columns_and_words_mean():
    told = parse(GOOD, "csv:test")
    assert dict(told.columns) == {"number": "Ticket", "title": "Subject", "reported": "Created", "state": "Status"}
    assert [
        told.state(theirs) for theirs in ("waiting for PARTS", "done", "", "Work in progress", "Awaiting Vendor")
    ] == [
        "On hold",
        "Closed",
        "New",
        "In progress",
        "Awaiting Vendor",
    ]
    assert told.state("Frozen") == "Frozen", "what is not known is left to be refused by name"
    assert told.value("priority", "SEV 1") == "1"
    assert told.value("title", "Anything") == "Anything"
    assert told.date("24.11.2026 08:05") == "2026-11-24 08:05:00"
    assert told.date("11/24/2026") == "11/24/2026"
    assert told.zone == "Europe/Berlin"


def test_a_format_with_an_offset_keeps_it():
    told = parse('[columns]\ntitle = "T"\n[dates]\nformat = "%Y-%m-%dT%H:%M:%S%z"', "m")
    assert told.date("2026-11-24T08:05:09+0200") == "2026-11-24 08:05:09+02:00"


def test_jira_needs_no_map():
    assert JIRA.state("Waiting for customer") == "On hold"
    assert JIRA.date("24/Nov/26 2:07 PM") == "2026-11-24 14:07:00"
    assert JIRA.value("priority", "Highest") == "1"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[columns", "not TOML"),
        ("", r"nothing under \[columns\]"),
        ('[columns]\nnumber = "N"', "a column for title or for description"),
        ('[columns]\ntitle = ""', "must be a text"),
        ("[columns]\ntitle = 3", "must be a text"),
        ('[columns]\ntitle = "T"\nsubject = "S"', "'subject', which is no field"),
        ('[columns]\ntitle = "T"\ndescription = "T"', "'T' for two fields"),
        ('[columns]\ntitle = "T"\nmoment = "M"', "A history .* needs columns for number and state"),
        ('[columns]\ntitle = "T"\n[other]\na = 1', r"\[other\]"),
        ('[columns]\ntitle = "T"\n[values]\nstate = "x"', r"\[values.state\] with lines"),
        ('[columns]\ntitle = "T"\n[values.state]\na = "gone"', "'gone' is no state. States are: new, assigned"),
        ('[columns]\ntitle = "T"\n[values.impact]\na = "9"', "Use 1 to 3"),
        ('[columns]\ntitle = "T"\n[values.colour]\na = "b"', "'colour', which is no field"),
        ('[columns]\ntitle = "T"\n[dates]\nformat = "%H:%M"', "does not name day, month and year"),
        ('[columns]\ntitle = "T"\n[dates]\nformat = "%Q"', "no date format|does not name"),
        ('[columns]\ntitle = "T"\n[dates]\nzone = "Mars/Base"', "no zone 'Mars/Base'"),
        ('[columns]\ntitle = "T"\n[dates]\nlocale = "de"', "there may be format and zone"),
        ('[columns]\ntitle = "T"\n[dates]\nzone = 1', "zone must be a text"),
    ],
)
def test_what_a_map_may_not_say(text, said):
    with pytest.raises(RuleError, match=said):
        parse(text, "m")


@given(st.text(max_size=60), st.text(max_size=20), st.text(max_size=20))
def test_no_map_breaks_the_reader(key, theirs, ours):
    quoted = [part.replace("\\", "").replace('"', "") for part in (key, theirs, ours)]
    text = f'[columns]\n"{quoted[0]}" = "{quoted[1]}"\ntitle = "T"\n[values.state]\n"{quoted[1]}" = "{quoted[2]}"'
    with suppress(RuleError):
        told = parse(text, "m")
        assert told.state(theirs) in LABELS.values() or told.state(theirs) == theirs
