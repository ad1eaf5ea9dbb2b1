"""Which words tell something, and what the nearest texts say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.likeness import History, shares, weight, words

PRIOR = {1: 0.5, 2: 0.3, 3: 0.2}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The printer, the PRINTER!", {"the": 2, "printer": 2}),
        ("Drücker Straße café", {"drucker": 1, "strasse": 1, "cafe": 1}),
        ("a 2 42 x86 – ok_now", {"x86": 1, "ok_now": 1}),
        ("شبكة 打印机", {"شبكة": 1, "打印机": 1}),
        ("", {}),
        ("w" * 100, {"w" * 40: 1}),
    ],
)
def test_words_are_compared_without_case_accents_and_numbers(text, found):
    assert dict(words(text)) == found


@given(st.text())
def test_any_text_has_words(text):
    assert all(1 < len(word) <= 40 and times > 0 for word, times in words(text).items())


def test_a_word_that_stands_everywhere_alike_tells_nothing():
    assert weight({1: 50, 2: 30, 3: 20}, PRIOR) == pytest.approx(0, abs=1e-6)


def test_a_word_tells_more_the_more_it_keeps_to_a_category():
    told = [weight(counts, PRIOR) for counts in ({3: 50}, {3: 25, 1: 25}, {3: 12, 2: 13, 1: 25})]
    assert told == sorted(told, reverse=True)
    assert weight({3: 50}, PRIOR) > weight({3: 2}, PRIOR), "and the more often it was seen to"


@given(st.dictionaries(st.sampled_from([1, 2, 3]), st.integers(1, 1000), min_size=1))
def test_weights_are_never_below_nothing(counts):
    assert 0 <= weight(counts, PRIOR) < 2


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0.01, 1)), min_size=1))
def test_shares_are_parts_of_one_greatest_first(neighbours):
    found = shares(neighbours)
    assert sum(found.values()) == pytest.approx(1)
    assert list(found.values()) == sorted(found.values(), reverse=True)


def test_the_nearer_is_the_louder_and_nobody_says_nothing():
    assert list(shares([("near", 0.9), ("far", 0.6), ("far", 0.6)])) == ["near", "far"]
    assert shares([]) == {}
    assert shares([("a", 0.0)]) == {}


def test_a_history_finds_what_shares_the_words_that_tell():
    history = History()
    for number in range(10):
        history.add(number, 1, words("please help, the printer is jammed"))
        history.add(100 + number, 2, words("please help, the password is wrong"))
    history.add(200, None, words("please help, the printer is on fire"))
    assert history.categorised == 20
    found = dict(history.alike(words("Printer jammed again")))
    assert set(found) == {*range(10), 200}
    assert found[0] > 0.99
    assert 0 < found[200] < found[0]
