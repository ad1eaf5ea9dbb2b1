"""Kinds of reports: what an administrator may ask, what may be answered, and how an incident begins."""

from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import templates
from rules.errors import RuleError
from rules.templates import KINDS, Question

DEVICE = Question("device", "Which device?", required=True)
KIND = Question("kind", "What is it?", "choice", options=("Pump", "Monitor"))
COUNT = Question("count", "How many", "number")
SINCE = Question("since", "Since which day?", "date")
USED = Question("used", "Is it needed for a patient now?", "yes_no")
ALL = (DEVICE, KIND, COUNT, SINCE, USED)


def asked(**more):
    return {"label": "Which device?", "kind": "text"} | more


def refused(check, *given):
    with pytest.raises(RuleError) as refusal:
        check(*given)
    return refusal.value.fields


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ([asked(label="  ")], {"questions.0.label": "Write the question."}),
        ([asked(label=None)], {"questions.0.label": "Write the question."}),
        ([asked(), asked(label=" which  DEVICE? ")], {"questions.1.label": "This is asked already. Ask it once."}),
        ([asked(label="x" * 151)], {"questions.0.label": "Shorten the question to 150 characters; it has 151."}),
        ([asked(help="x" * 301)], {"questions.0.help": "Shorten the hint to 300 characters; it has 301."}),
        ([asked(kind="colour")], {"questions.0.kind": "Choose from the list what kind of answer it takes."}),
        (
            [asked(kind="choice", options=["One", " ", ""])],
            {"questions.0.options": "Give two answers or more to choose from, each on its own line."},
        ),
        ([asked(kind="choice", options=["a", "A"])], {"questions.0.options": "Each answer stands in the list once."}),
        (
            [asked(kind="choice", options=[f"{n}" for n in range(51)])],
            {"questions.0.options": "Give at most 50 answers to choose from; ask for words instead."},
        ),
        (
            [asked(kind="choice", options=["a", "b" * 121])],
            {"questions.0.options": "Shorten the answer to 120 characters; it has 121."},
        ),
        (
            [asked(label=f"{n}") for n in range(13)],
            {"questions": "Ask at most 12 questions: a report takes a minute."},
        ),
    ],
)
def test_what_cannot_be_asked(typed, wrong):
    assert refused(templates.questions, typed) == wrong


def test_everything_wrong_is_told_at_once():
    typed = [asked(label="", kind="choice", help="x" * 301), asked(), asked(kind="?")]
    fields = refused(templates.questions, typed)
    assert set(fields) == {
        "questions.0.label", "questions.0.help", "questions.0.options", "questions.2.label", "questions.2.kind"
    }  # fmt: skip


def test_a_question_keeps_its_key_and_a_new_one_gets_its_own():
    kept = templates.questions([asked(key="which_device", label="Which pump?"), asked(), asked(label="日本語")])
    assert [question.key for question in kept] == ["which_device", "which_device_2", "question"]
    assert templates.read([question.as_dict() for question in kept]) == kept


def test_options_are_kept_of_a_choice_only():
    typed = asked(options=["One", "Two"])
    assert templates.questions([typed | {"kind": "text"}])[0].options == ()
    assert templates.questions([typed | {"kind": "choice"}])[0].options == ("One", "Two")


def test_what_needs_an_answer_is_asked_first():
    stored = [question.as_dict() for question in (KIND, DEVICE, COUNT)]
    assert [question.key for question in templates.read(stored)] == ["device", "kind", "count"]


def test_a_checklist_keeps_each_step_once_in_its_order():
    assert templates.checklist([" Look  at it ", "", "Call", "Look at it"]) == ["Look at it", "Call"]
    assert refused(templates.checklist, ["x" * 301]) == {"checklist": "Shorten the step to 300 characters; it has 301."}
    assert refused(templates.checklist, [f"{n}" for n in range(31)]) == {
        "checklist": "Give at most 30 steps; it has 31."
    }


@pytest.mark.parametrize(
    ("question", "value", "kept"),
    [
        (DEVICE, "  Pump \n 7 ", "Pump 7"),
        (DEVICE, "NUL \x00", "NUL \ufffd"),
        (KIND, "Pump", "Pump"),
        (COUNT, "12", "12"),
        (COUNT, " 3,5 ", "3,5"),
        (COUNT, "-2.75", "-2.75"),
        (COUNT, "1 200", "1 200"),
        (COUNT, "1,234.50", "1,234.50"),
        (COUNT, 7, "7"),
        (COUNT, 0.5, "0.5"),
        (SINCE, date(2026, 5, 3), "3 May 2026"),
        (SINCE, datetime(2026, 5, 3, 23, 59), "3 May 2026"),
        (SINCE, " 2026-05-03 ", "3 May 2026"),
        (USED, "yes", "Yes"),
        (USED, "No", "No"),
        (USED, False, "No"),
    ],
)
def test_an_answer_is_kept_as_it_was_read(question, value, kept):
    given = {"device": "x"} | {question.key: value, "unknown": "left out"}
    found = {each["question"]: each["answer"] for each in templates.answers(ALL, given)}
    assert found[question.label] == kept
    assert len(found) == len({"device", question.key})


@pytest.mark.parametrize(
    ("question", "value", "sentence"),
    [
        (DEVICE, None, "Write an answer."),
        (DEVICE, "  ", "Write an answer."),
        (DEVICE, 7, "Type text here."),
        (DEVICE, "x" * 1001, "Shorten the answer to 1,000 characters; it has 1,001."),
        (KIND, "Pumps", "Choose one from the list."),
        (KIND, ["Pump"], "Type text here."),
        (COUNT, "about twelve", "Give a number in digits, such as 12 or 3.5."),
        (COUNT, "1.2.3", "Give a number in digits, such as 12 or 3.5."),
        (COUNT, True, "Give a number in digits, such as 12 or 3.5."),
        (COUNT, float("nan"), "Give a number in digits, such as 12 or 3.5."),
        (COUNT, 10**400, "Give a number in digits, such as 12 or 3.5."),
        (COUNT, "1" * 41, "Give a number in digits, such as 12 or 3.5."),
        (SINCE, "yesterday", "Choose a date, or write it as 2026-05-31."),
        (SINCE, "2026-02-30", "Choose a date, or write it as 2026-05-31."),
        (SINCE, 20260503, "Choose a date, or write it as 2026-05-31."),
        (USED, "maybe", "Choose yes or no."),
        (USED, 1, "Choose yes or no."),
    ],
)
def test_an_answer_that_cannot_be_used_is_refused_with_what_to_do(question, value, sentence):
    assert refused(templates.answers, ALL, {"device": "x"} | {question.key: value}) == {question.field: sentence}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_required_is_required_of_every_kind(kind):
    question = Question("it", "It?", kind, required=True, options=("a", "b"))
    for nothing in (None, "", " "):
        assert set(refused(templates.answers, [question], {"it": nothing})) == {"answers.it"}
    optional = Question("it", "It?", kind, options=("a", "b"))
    assert templates.answers([optional], {"it": ""}) == []
    assert templates.answers([optional], {}) == []


def test_answers_are_told_as_lines():
    kept = templates.answers(ALL, {"device": "Pump 7", "count": 2})
    assert templates.as_text(kept) == "Which device? Pump 7\nHow many: 2"


@pytest.mark.parametrize(
    ("preset", "said", "begins"),
    [
        ((None, None), (None, None), (2, 2)),
        ((None, None), ("site", "stopped"), (1, 1)),
        ((3, 3), (None, None), (3, 3)),
        ((3, 3), ("everyone", None), (1, 3)),
        ((3, 3), (None, "stopped"), (3, 1)),
        ((1, 1), ("me", "some"), (1, 1)),
    ],
)
def test_the_reporters_words_raise_what_the_template_says_and_never_lower_it(preset, said, begins):
    assert templates.levels(*preset, *said) == begins


def tried(check, *given):
    """What is kept, and what was wrong."""
    try:
        return check(*given), {}
    except RuleError as error:
        return (), error.fields


anything = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=50), st.dates(), st.binary(max_size=5),
    st.lists(st.text(max_size=5), max_size=2),
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from([question.key for question in ALL]), anything))
def test_any_answer_is_kept_as_text_or_refused_with_a_sentence(typed):
    kept, wrong = tried(templates.answers, ALL, typed)
    assert set(wrong) <= {question.field for question in ALL}
    assert all(sentence.endswith(".") for sentence in wrong.values())
    if not wrong:
        assert all(isinstance(each["answer"], str) and each["answer"].strip() for each in kept)
        assert kept[0]["question"] == "Which device?"


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {"label": st.text(max_size=160), "kind": st.sampled_from([*KINDS, "x"])},
            optional={"required": st.booleans(), "options": st.lists(st.text(max_size=4), max_size=4)},
        ),
        max_size=14,
    )
)
def test_any_questions_are_kept_whole_or_refused_in_their_place(typed):
    kept, wrong = tried(templates.questions, typed)
    assert all(name == "questions" or int(name.split(".")[1]) < len(typed) for name in wrong)
    if not wrong:
        assert len({question.key for question in kept}) == len({question.label.casefold() for question in kept})
        assert len(kept) == len(typed)
        assert sorted(templates.read([question.as_dict() for question in kept]), key=kept.index) == list(kept)
