"""Workbooks: what the screen shows, as typed cells that no spreadsheet computes."""

import io
from datetime import UTC, datetime

import openpyxl
import pytest

from db.engine import reading
from db.queries import figure, figure_book
from db.workbook import as_xlsx, names
from rules.exports import of_report
from rules.measures import Filters
from rules.panels import Opens
from tests.db.office import DAY, HOUR, MONDAY, Office
from tests.rules.test_exports import a_report


def opened(content):
    return openpyxl.load_workbook(io.BytesIO(content))


def cells(sheet):
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def test_a_workbook_says_what_it_is_and_has_typed_cells():
    made = opened(as_xlsx(of_report(a_report(), ["Team: Network"])))
    assert made.sheetnames == ["About", "Numbers", "By team"]
    about = cells(made["About"])
    assert about[:3] == [
        ["Report", "Trends: Overview"],
        ["Period", "1 Mar 2026 to 31 May 2026"],
        ["Compared with", "29 Nov 2025 to 28 Feb 2026"],
    ]
    assert about[3:6] == [["Filters", "Team: Network"], ["Zone", "Europe/Berlin"], ["As of", "1 Jun 2026, 09:30"]]
    assert ["By team", "Nothing is left out."] in about
    numbers = cells(made["Numbers"])
    assert [row[:4] for row in numbers[1:]] == [
        ["Opened", 1284, "incidents", 1284],
        ["Time to resolve", 5.25, "hours", 90],
        ["Fixed in time", 0.934, "part of 1", 80],
    ]
    assert [made["Numbers"].cell(line, 2).number_format for line in (2, 3, 4)] == ["#,##0", "#,##0.00", "0.0%"]
    panel = made["By team"]
    assert cells(panel)[1:] == [
        ["'=HYPERLINK(0)", -3, datetime(2026, 3, 1), "'+12", 32, datetime(2026, 3, 9), 0.25, "part of 1"],
        ["Net\nwork", None, None, None, -1204, None, 5.5, "hours"],
    ]
    assert [cell.data_type for cell in panel[2]] == ["s", "n", "d", "s", "n", "d", "n", "s"]
    assert [panel.cell(2, place).number_format for place in (5, 6, 7)] == ["+#,##0;-#,##0;0", "yyyy-mm-dd", "0.0%"]
    assert panel.cell(3, 7).number_format == "#,##0.00", "each of the kind that its row says"
    assert panel.freeze_panes == "A2"
    assert panel.cell(2, 1).data_type == "s", "text, no formula"


def test_names_of_sheets_are_short_allowed_and_each_there_once():
    given = names(["About", "A/B: what?", "a b what", "x" * 40, "x" * 41, "'[]'", "History"])
    assert len({name.casefold() for name in given} | {"about", "history"}) == len(given) + 2
    assert all(0 < len(name) <= 31 and not set(name) & set("[]:*?/\\'") for name in given)


@pytest.mark.parametrize("key", ["opened", "to_resolve"])
def test_the_list_behind_a_figure_is_a_workbook_of_the_same_incidents(engine, key):
    office = Office(engine)
    done = office.bring_to("resolved", title="=cmd|' /C calc'!A0", at=MONDAY)
    office.report("@later", at=MONDAY + HOUR)
    opens = Opens(key, MONDAY - DAY, MONDAY + 2 * DAY, Filters())
    now = MONDAY + DAY
    with reading(engine) as db:
        found = figure.all_incidents(db, office.people["Max"], opens, "Asia/Kolkata", now)
    made = opened(as_xlsx(figure_book.book(found, opens, [], "Asia/Kolkata", now)))
    head, *rows = cells(made.worksheets[1])
    assert [row[0] for row in rows] == [counted.line.number for counted in found.rows]
    assert len(rows) == found.counted == (2 if key == "opened" else 1)
    row = dict(zip(head, rows[-1], strict=True))
    assert row["Number"] == office.incident(done).number
    assert row["Title"] == "'=cmd|' /C calc'!A0"
    assert row["Reported"] == datetime(2026, 3, 2, 14, 30)
    assert ("Hours" in head, row.get("Hours")) == ((True, 3) if key == "to_resolve" else (False, None))
    assert ["Zone", "Asia/Kolkata"] in cells(made["About"])


def test_a_day_that_no_spreadsheet_knows_is_written_in_words():
    report = a_report()
    early = datetime(1807, 5, 1, tzinfo=UTC)
    report.panels[0].rows[0]["at"] = early
    made = opened(as_xlsx(of_report(report, [])))
    assert made["By team"].cell(2, 3).value.startswith("1807-05-01T")
