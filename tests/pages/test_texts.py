"""Words for the screen: text as it was typed, and times on the reader's clock."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from pages.parts import texts, times

MARKUP = ("**b", "](", "$x$")
"""what a backslash is enough for"""


@pytest.mark.parametrize(
    ("typed", "never"),
    [
        ("**b** _i_ `c`", "**b"),
        (":red[x] :material/home: :streamlit:", ":material/"),
        ("https://b.example", "://"),
        ("www.b.example", "www."),
        ("me@b.example", "me@"),
        ("[a](b) ![i](c)", "]("),
        ("a -> b", "->"),
        ("$x$ <b>", "$x$"),
    ],
)
def test_nothing_in_typed_text_formats_or_links(typed: str, never: str) -> None:
    safe = texts.literal(typed)
    assert (
        never not in safe.replace("\\", "")
        if never in ("://", "www.", "me@", ":material/", "->")
        else never not in safe
    )
    assert safe.replace("\u2060", "").replace("\\", "") == typed


@pytest.mark.parametrize(
    ("number", "asked"), [("INC-000012", "INC-000012"), ("#4/a&b=)1 x", "%234%2Fa%26b%3D%291%20x")]
)
def test_a_link_opens_the_number_that_it_shows_whatever_signs_it_has(number: str, asked: str) -> None:
    assert texts.link_to(number) == f"[{texts.literal(number)}](/incident?number={asked})"


def test_lines_stay_within_one_paragraph() -> None:
    assert texts.literal("one\n\n  two") == "one  \ntwo"


def test_turned_text_does_not_turn_its_neighbours() -> None:
    assert texts.literal("\u202eabc") == "abc"
    assert texts.literal("שלום") == "\u2068שלום\u2069"


@pytest.mark.parametrize(("count", "words"), [(0, "0 bytes"), (2048, "2 kB"), (3_565_158, "3.4 MB")])
def test_sizes_are_short(count: int, words: str) -> None:
    assert texts.size(count) == words


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Chicago", "Australia/Lord_Howe", "Asia/Kathmandu"])
@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25", "2026-04-05", "2026-11-01"])
def test_moments_to_choose_are_past_distinct_and_newest_first(
    zone: str, day: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.fromisoformat(f"{day}T12:34:56+00:00")
    monkeypatch.setattr(times, "zone", lambda: ZoneInfo(zone))
    offered = [datetime.fromisoformat(moment) for moment in texts.moments(now)]
    assert offered == sorted(set(offered), reverse=True)
    assert offered[0] <= now
    assert offered[0].astimezone(ZoneInfo(zone)).minute == 0
    words = [texts.moment_words(moment.isoformat(), now) for moment in offered]
    assert words[0].startswith("Today, ")
