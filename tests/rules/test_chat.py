"""Whom a message names."""

import pytest

from rules import chat
from rules.errors import RuleError

PEOPLE = {1: "Ana Silva", 2: "Ana Silva Costa", 3: "Bo", 4: "Leïla Benali", 5: "Bob O'Neil", 6: "Jean-Luc Roy"}


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ("@Ana Silva look", {1}),
        ("@ana silva, look", {1}),
        ("@Ana Silva Costa look", {2}),
        ("@Ana Silva and @Ana Silva Costa", {1, 2}),
        ("@Ana look", set()),  # two are called that
        ("@Bo, @bo", {3}),
        ("@Bob please", {5}),
        ("@Bob O'Neil please", {5}),
        ("@Bobby please", set()),
        ("@LEÏLA", {4}),
        ("@Jean-Luc?", {6}),
        ("mail to bo@Bo.example", set()),
        ("@@Bo", set()),
        ("(@Bo)", {3}),
        ("nobody @", set()),
        ("", set()),
    ],
)
def test_names_behind_an_at_sign_are_found(said, named):
    assert chat.mentioned(said, PEOPLE) == named


def test_a_message_has_words_and_not_too_many():
    assert chat.words("  two\n lines ") == "two\n lines"
    with pytest.raises(RuleError, match="Write something first"):
        chat.words(" \n ")
    with pytest.raises(RuleError, match="Shorten the message to 4,000 characters"):
        chat.words("x" * 4001)
