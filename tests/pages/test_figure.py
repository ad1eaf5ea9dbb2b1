"""The page behind a number: what is counted, by which definition, and a way to each incident and back."""

from datetime import timedelta

import pytest
import streamlit as st

from db.engine import reading
from db.queries import figure as queries
from db.queries import report
from pages.parts import rows
from pages.parts.rows import Event
from rules.measures import FIGURES, Filters
from rules.panels import Opens
from rules.periods import preset
from tests.pages.conftest import seen

PAGE = "managers/figure.py"
sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def drawn(monkeypatch):
    """The rows of every list that is drawn; `drawn.press` opens one of them."""

    class Drawn(list):
        press: int | None = None

    made = Drawn()

    def draw(items, **given):
        made.append(items or given["empty"])
        return Event("select", items[made.press]["id"]) if items and made.press is not None else None

    monkeypatch.setattr(rows, "rows", draw)
    return made


@pytest.fixture
def asked(desk):
    """`asked("opened", team_id=1)`: the address of a figure over the last two days."""

    def address(key, hour=None, **filters):
        return Opens(
            key, desk.now - timedelta(days=2), desk.now + timedelta(days=1), Filters(**filters), hour
        ).address()

    return address


@sqlite
def test_it_says_what_it_counts_and_lists_each_with_its_moment_and_duration(desk, opened, drawn, asked, monkeypatch):
    number = desk.report("Rita", "Nobody can *print*", minutes_ago=200)
    desk.fix(number, minutes_ago=80)
    desk.report("Rita", "Still open")
    at = opened(
        PAGE, "Max", **asked("to_resolve", team_id=desk.team_id, priority=3), zone="UTC", trends="period=30&team=7&x=y"
    )
    assert not at.exception
    assert at.title[0].value == "Time to resolve"
    words = seen(at)
    assert "**1 incident**" in words
    assert "Last resolved minus reported" in words
    assert "Cancelled incidents" in words
    assert "Team: Network · Priority: P3 Moderate · zone UTC · as of" in words.replace("\\", "")
    (row,) = drawn[-1]
    assert (row["id"], row["title"], row["priority"], row["state"]) == (number, "Nobody can *print*", 3, "recovered")
    assert row["explanation"].startswith("Resolved ")
    assert row["explanation"].endswith("· took 2 h")
    assert row["meta"] == ["Network", "Room 204", "Hardware"]
    gone = []
    monkeypatch.setattr(st, "switch_page", lambda page, query_params: gone.append((page, query_params)))
    at.button(key="figure.back").click().run()
    assert gone == [("managers/trends.py", {"period": "30", "team": "7"})]


@sqlite
def test_every_number_of_trends_opens_a_page_that_counts_the_same(desk, opened, drawn):
    for minutes in (90, 80, 70):
        desk.fix(desk.report("Rita", "Printer", minutes_ago=300), minutes_ago=minutes)
    desk.report("Otto", "Scanner")
    period = preset("30", desk.now, "UTC", None)
    with reading(desk.engine) as db:
        made = report.report(db, desk.actors["Max"], "overview", period, "UTC", Filters(), desk.now)
    for number in made.numbers:
        at = opened(PAGE, "Max", **number.opens.address())
        count = round((number.value or 0) * number.n) if number.kind == "share" else number.n
        assert f"**{count} incident{'' if count == 1 else 's'}**" in seen(at) or not count, number.key


@sqlite
@pytest.mark.parametrize("key", ["opened", "to_recover", "severe", "unresolved"])
def test_a_figure_has_a_page_even_with_nothing_to_count(desk, opened, drawn, asked, key):
    at = opened(PAGE, "Max", **asked(key))
    assert not at.exception
    assert at.title[0].value == FIGURES[key].name
    assert drawn[-1][0] == "It counts no incident."
    assert not at.get("popover"), "there is nothing to export"


@sqlite
def test_the_list_is_paged_and_the_file_holds_all(desk, opened, drawn, asked, monkeypatch):
    monkeypatch.setattr(queries, "PAGE_SIZE", 2)
    numbers = [desk.report("Rita", f"Report {n}", minutes_ago=n) for n in (9, 8, 7, 6, 5)]
    at = opened(PAGE, "Max", **asked("opened"), zone="UTC")
    assert [row["id"] for row in drawn[-1]] == numbers[:2:-1]
    address = "&".join(f"{name}={value}" for name, value in asked("opened").items()).replace(":", "%3A")
    links = [line for line in seen(at).splitlines() if "/trends/incidents." in line]
    assert len(links) == 2
    assert all(address.replace("+", "%2B") in link and "zone=UTC" in link for link in links)
    at.get("pagination")[0].set_value(3).run()
    assert [row["id"] for row in drawn[-1]] == numbers[:1]


@sqlite
def test_who_may_count_but_not_open_is_told_how_many_there_are(desk, opened, drawn, asked):
    desk.report("Rita", "Mine")
    at = opened(PAGE, "Ada", **asked("opened"))
    assert "**1 incident**, of which 0 can be opened by you and 1 only by others." in seen(at)
    assert "none that you may open" in drawn[-1][0]


@sqlite
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"figure": "nonsense"}, "There is no figure"),
        ({"from": "yesterday"}, "'from' is an instant"),
        ({"to": "2000-01-01T00:00:00+00:00"}, "ends before it begins"),
        ({"team": "x"}, "'team' is a number"),
        ({"hour": "168"}, "0 to 167"),
        ({"source": "pigeon"}, "no source"),
        ({"zone": "Nowhere/Land"}, "no zone"),
        ({"zone": "../../etc"}, "no zone"),
    ],
)
def test_an_address_that_asks_for_nonsense_gets_a_sentence(opened, asked, monkeypatch, change, sentence):
    said = []
    monkeypatch.setattr("pages.parts.empty._EMPTY", lambda key, data: said.append(data["sentence"]))
    at = opened(PAGE, "Max", **asked("opened") | change)
    assert not at.exception
    assert sentence in said[0]


@sqlite
def test_the_ends_of_the_calendar_and_what_there_is_not_are_no_error(desk, opened, drawn, asked):
    ends = {"from": "0001-01-01T00:00:00", "to": "9999-12-31T23:59:59"}
    at = opened(PAGE, "Max", **asked("opened", team_id=99, pair_id=5) | ends, zone="America/New_York")
    assert not at.exception
    assert "Team: none of this number" in seen(at).replace("\\", "")
