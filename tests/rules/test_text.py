"""What is typed is kept as typed; what cannot be stored is marked, what is too long is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import text
from rules.errors import RuleError
from rules.text import block, email, line


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  two \t words\nhere ", "two words here"),
        ("nul\x00here", "nul\ufffdhere"),
        ("half \ud800 pair", "half \ufffd pair"),
        ("bell\x07", "bell\ufffd"),
        ("<b>x</b> [a](http://b) ![](c)", "<b>x</b> [a](http://b) ![](c)"),
        ("الطابعة لا تعمل", "الطابعة لا تعمل"),
        ("👩🏽‍⚕️ printer", "👩🏽‍⚕️ printer"),
        ("e\u0301", "é"),
    ],
)
def test_a_line_is_kept_as_typed_but_for_what_cannot_be_stored(typed, kept):
    assert line(typed, "title", 200) == kept


def test_a_block_keeps_its_lines():
    assert block("a\r\nb\rc\n", "description", 200) == "a\nb\nc"


@pytest.mark.parametrize("check", [line, block])
def test_too_much_is_refused_with_both_numbers(check):
    with pytest.raises(RuleError, match="Shorten the description to 20,000 characters; it has 1,000,000") as refused:
        check("x" * 1_000_000, "description", 20_000)
    assert refused.value.fields == {"description": str(refused.value)}


@pytest.mark.parametrize("check", [line, block])
def test_nothing_is_refused_only_where_something_is_required(check):
    assert check(" \n ", "title", 10) == ""
    with pytest.raises(RuleError, match="Say what is wrong"):
        check(" \n ", "title", 10, required="Say what is wrong.")


@given(st.text(alphabet=st.characters(codec=None), max_size=300))
def test_what_is_kept_can_be_stored_anywhere_and_stays_the_same(typed):
    for check in (line, block):
        kept = check(typed, "title", 10_000)
        kept.encode("utf-8")
        assert "\x00" not in kept
        assert check(kept, "title", 10_000) == kept


@pytest.mark.parametrize("typed", ["Ana@Example.org", " ana@example.org "])
def test_an_address_is_folded(typed):
    assert email(typed) == "ana@example.org"


@pytest.mark.parametrize(
    "typed", ["", "ana", "ana@", "@example.org", "a b@example.org", "a@b", "a\x00@b.org", "x" * 260 + "@b.org"]
)
def test_what_cannot_be_an_address_is_refused(typed):
    with pytest.raises(RuleError):
        email(typed)


def test_what_is_far_too_long_is_refused_before_it_is_looked_at(monkeypatch):
    monkeypatch.setattr(text, "_clean", lambda value: pytest.fail("it was read"))
    for check in (line, block):
        with pytest.raises(RuleError, match="Shorten what is wrong to 200 characters; it has 400,000"):
            check("a\u0301" * 200_000, "title", 200)
