"""Files of trends: every one says what it holds, and no cell of it is a formula."""

import csv
import io
from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.exports import Book, Cell, Table, as_csv, of_report, stem
from rules.measures import Filters
from rules.panels import Column, Number, Opens, Panel, Report

START, END = datetime(2026, 2, 28, 23, tzinfo=UTC), datetime(2026, 5, 31, 22, tzinfo=UTC)
NOW = datetime(2026, 6, 1, 7, 30, tzinfo=UTC)


NOTED = {"notes": [{"when": "2 Mar", "note": "New release"}]}


def a_report(**other):
    """A view with each kind of number, and a panel whose names are typed by people."""
    opens = Opens("opened", START, END)
    numbers = [
        Number("opened", "Opened", "count", 1284, 1284, "Reported.", "Nothing.", 1200, 1200, None, opens),
        Number("to_resolve", "Time to resolve", "hours", 5.25, 90, "Last resolved.", "Cancelled."),
        Number("kept", "Fixed in time", "share", 0.934, 80, "In time.", "Cancelled.", 0.9, 70),
    ]
    columns = (
        Column("name", "Team"),
        Column("n", "Incidents", "count"),
        Column("at", "At", "instant"),
        Column("w", ""),
        Column("moved", "Change", "change"),
        Column("on", "Due", "day"),
        Column("usual", "Usual", "measure"),
    )
    rows = [
        {
            "name": "=HYPERLINK(0)",
            "n": -3,
            "at": START,
            "w": "+12",
            "moved": 32,
            "on": date(2026, 3, 9),
            "usual": 0.25,
            "unit": "share",
        },
        {"name": "Net\nwork", "n": None, "at": None, "moved": -1204.0, "usual": 5.5, "unit": "hours"},
    ]
    panel = Panel("teams", "By team", "By team.", "Most: one.", "ranking", columns, rows, [opens, None], marks=NOTED)
    given = {"compared": (START - timedelta(days=92), START)} | other
    return Report("overview", "Overview", START, END, "Europe/Berlin", Filters(), NOW, numbers, [panel], **given)


def lines(book):
    return list(csv.reader(io.StringIO(as_csv(book), newline="")))


def test_a_file_says_what_it_is_before_it_says_anything_else():
    found = lines(of_report(a_report(), ["Team: Network", "Priority: P2 High"]))
    assert found[:6] == [
        ["Report", "Trends: Overview"],
        ["Period", "1 Mar 2026 to 31 May 2026"],
        ["Compared with", "29 Nov 2025 to 28 Feb 2026"],
        ["Filters", "Team: Network; Priority: P2 High"],
        ["Zone", "Europe/Berlin"],
        ["As of", "1 Jun 2026, 09:30"],
    ]
    alone = lines(of_report(a_report(compared=None), []))
    assert ["Filters", "none"] in alone
    assert "Compared with" not in {line[0] for line in alone if line}


def test_numbers_come_with_unit_n_definition_and_what_they_were():
    found = lines(of_report(a_report(), []))
    begun = found.index(["Numbers"])
    assert found[begun + 2][:6] == ["Number", "Value", "Unit", "n", "Before", "n before"]
    assert [line[:6] for line in found[begun + 3 : begun + 6]] == [
        ["Opened", "1284", "incidents", "1284", "1200", "1200"],
        ["Time to resolve", "5.25", "hours", "90", "", ""],
        ["Fixed in time", "0.934", "part of 1", "80", "0.9", "70"],
    ]
    assert found[begun + 3][6:] == ["Reported.", "Nothing."]


def test_a_panel_is_its_table_with_numbers_as_numbers_and_names_as_text():
    found = lines(of_report(a_report(), []))
    begun = found.index(["By team"])
    assert found[begun + 1 : begun + 4] == [["By team."], ["Nothing is left out."], ["Most: one."]]
    assert found[begun + 4] == ["Noted, 2 Mar: New release"]
    assert found[begun + 5 :] == [
        ["Team", "Incidents", "At", "In words", "Change", "Due", "Usual", "Unit"],
        ["'=HYPERLINK(0)", "-3", "2026-03-01T00:00:00+01:00", "'+12", "32", "2026-03-09", "0.25", "part of 1"],
        ["Net work", "", "", "", "-1204", "", "5.5", "hours"],
    ]


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=20), st.text(max_size=20))
def test_no_text_becomes_a_formula_or_a_line_of_its_own(typed, other):
    table = Table(typed, [other], [typed], [[Cell("words", other)], [Cell("words", typed)]])
    found = lines(Book("x", "UTC", [("Report", typed)], [table]))
    assert len(found) == 7
    assert not [cell for line in found for cell in line if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_a_count_is_a_whole_number_and_hours_and_shares_are_what_they_are():
    cells = [Cell("count", 30.0), Cell("count", 2.5), Cell("hours", 2.0), Cell("share", 1.0), Cell("count", 7)]
    assert lines(Book("x", "UTC", [], [Table("t", [], ["h"] * 5, [cells])]))[-1] == ["30", "2.5", "2.0", "1.0", "7"]


def test_the_name_of_a_file_tells_what_period_and_zone():
    assert stem("trends-load", START, END, "Europe/Berlin") == "trends-load-2026-03-01-to-2026-05-31-Europe-Berlin"
    begins = datetime.min.replace(tzinfo=UTC)
    assert stem("x", begins, begins, "UTC") == "x-0001-01-01-to-0001-01-01-UTC"
    assert stem("x", END, END, "Etc/GMT+5") == "x-2026-05-31-to-2026-05-31-Etc-GMT+5"
