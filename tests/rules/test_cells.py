"""Cells that no spreadsheet runs."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.cells import LONGEST, defused, fitting, instant


@pytest.mark.parametrize("first", list("=+-@\t\r\n"))
def test_what_begins_like_a_formula_gets_an_apostrophe(first):
    assert defused(f"{first}cmd|' /C calc'!A0") == f"'{first}cmd|' /C calc'!A0"
    assert defused(first) == f"'{first}"


@pytest.mark.parametrize("value", ["", "Mail is slow", "1-2", " =1", "'=1", "a=b", "Ünïcode", "a\n=1"])
def test_everything_else_stays_as_it_is(value):
    assert defused(value) == value


@given(st.text(max_size=20))
def test_nothing_that_is_defused_begins_like_a_formula(value):
    assert defused(value)[:1] not in set("=+-@\t\r\n")
    assert defused(value).removeprefix("'") == value.removeprefix("'")
    assert defused(defused(value)) == defused(value)


def test_a_text_too_long_for_a_workbook_is_cut_and_says_so():
    whole = "x" * LONGEST
    assert fitting(whole) == whole
    cut = fitting(whole + "y")
    assert len(cut) == LONGEST
    assert cut.endswith(" … (cut)")
    emoji = fitting("x" + "😀" * LONGEST)
    assert len(emoji.encode("utf-16-le")) // 2 <= LONGEST
    assert emoji.endswith("😀 … (cut)")


def test_an_instant_is_written_in_utc():
    at = datetime(2026, 3, 2, 10, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=1)))
    assert instant(at) == "2026-03-02T09:00:00Z"
    assert instant(datetime(2026, 3, 2, 9, tzinfo=UTC)) == "2026-03-02T09:00:00Z"
    assert instant(None) == ""
