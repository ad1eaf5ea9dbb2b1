"""Updates: what is asked of one, when the next is due, and the words it begins with."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from rules import updates
from rules.errors import RuleError

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
NEXT = NOW + timedelta(minutes=20)
GOOD = {"audience": "both", "stage": "identified", "words": "A disk.", "title": "Mail", "next_at": NEXT, "now": NOW}


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({}, {}),
        ({"audience": "internal", "title": ""}, {}),
        ({"stage": "resolved", "next_at": None}, {}),
        ({"audience": "all"}, {"audience": "Choose who is told."}),
        ({"stage": "done"}, {"stage": "Choose how far the work is."}),
        ({"words": "  "}, {"text": "Write what people should know."}),
        ({"words": "It is {cause} and {next}."}, {"text": "Replace {next} by what is meant."}),
        ({"words": "x" * 4001}, {"text": "Shorten the text to 4,000 characters; it has 4,001."}),
        ({"title": ""}, {"title": "Give it a name that the public may read."}),
        ({"audience": "external", "title": " "}, {"title": "Give it a name that the public may read."}),
        ({"next_at": None}, {"next_at": "Say when the next update comes."}),
        ({"next_at": NOW}, {"next_at": "Choose a time that is still to come, within 14 days."}),
        ({"next_at": NOW + timedelta(days=15)}, {"next_at": "Choose a time that is still to come, within 14 days."}),
    ],
)
def test_every_fault_of_an_update_is_named(given, wrong):
    if wrong:
        with pytest.raises(RuleError) as caught:
            updates.checked(**(GOOD | given))
        assert caught.value.fields == wrong
        return
    found = updates.checked(**(GOOD | given))
    assert found["text"] == "A disk."
    assert found["next_at"] == (None if found["stage"] == "resolved" else NEXT)


def test_what_is_told_here_alone_has_no_public_name():
    assert updates.checked(**(GOOD | {"audience": "internal"}))["title"] == ""


@pytest.mark.parametrize(
    ("priority", "major", "first", "every"),
    [
        (1, False, 5, 20),
        (1, True, 5, 20),
        (2, False, None, 60),
        (2, True, 5, 20),
        (4, False, None, 24 * 60),
        (4, True, 5, 20),
        (None, True, 5, 20),
        (None, False, None, 240),
    ],
)
def test_the_worse_it_is_the_sooner_people_hear(priority, major, first, every):
    soon = updates.first_after(updates.DEFAULT_CADENCE, priority, major=major)
    assert soon == (None if first is None else timedelta(minutes=first))
    assert updates.every(updates.DEFAULT_CADENCE, priority, major=major) == timedelta(minutes=every)


def test_a_template_is_filled_and_what_is_unknown_leaves_no_hole():
    template = "{service} is down since {started}. {commander} More {next}."
    facts = {"service": "E-mail", "started": "09:00", "commander": "", "next": "at 10:00"}
    assert updates.fill(template, facts) == "E-mail is down since 09:00. More at 10:00."
    assert updates.blanks(updates.fill(template, {})) == ["service", "started", "commander", "next"]


@given(some.dictionaries(some.sampled_from(sorted(updates.FACTS["internal"])), some.text(max_size=20)))
def test_facts_are_taken_as_they_are(facts):
    """A fact that looks like a place to fill is not filled itself."""
    assert updates.fill("{title}", {"title": "{number}"} | facts | {"title": "{number}"}) == "{number}"


def _settings(**changed):
    return {**updates.DEFAULTS, **{f"updates.{name}": value for name, value in changed.items()}}


def _templates(stage, audience, words):
    templates = {name: dict(both) for name, both in updates.DEFAULT_TEMPLATES.items()}
    templates[stage][audience] = words
    return templates


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        (_settings(), {}),
        (_settings(approval="yes"), {"updates.approval": "Choose yes or no."}),
        (_settings(cadence={}), {"updates.cadence": "Give a rhythm for each priority."}),
        (
            _settings(cadence={**updates.DEFAULT_CADENCE, "2": {"first": 0, "every": 10}}),
            {"updates.cadence.2.every": "Give a time of at most 14 days."},
        ),
        (
            _settings(cadence={**updates.DEFAULT_CADENCE, "2": {"first": True, "every": None}}),
            {
                "updates.cadence.2.first": "Give a time of at most 14 days.",
                "updates.cadence.2.every": "Give a time of at most 14 days.",
            },
        ),
        (_settings(templates={}), {"updates.templates": "Give words for each stage."}),
        (
            _settings(templates=_templates("resolved", "internal", "")),
            {"updates.templates.resolved.internal": "Write the words it begins with."},
        ),
        (
            _settings(templates=_templates("resolved", "external", "{title} is over.")),
            {
                "updates.templates.resolved.external": "There is no {title} here. "
                "You may use {service}, {started}, {duration}, {next}."
            },
        ),
    ],
)
def test_settings_are_checked_and_the_public_never_gets_what_was_not_written_for_it(values, wrong):
    found: dict[str, str] = {}
    updates.check_settings(values, found)
    assert found == wrong
