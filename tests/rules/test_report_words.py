"""A report in words, for messages; and the address of a view of trends as what it asks for."""

from datetime import UTC, date, datetime, timedelta

import pytest

from rules import report_words
from rules.measures import Filters
from rules.panels import Column, Number, Panel, Report
from rules.trends_address import Wanted, wanted

AT = datetime(2026, 3, 2, tzinfo=UTC)


def report(start=AT, end=AT + timedelta(days=7), zone="UTC", numbers=(), panels=()):
    return Report("overview", "Overview", start, end, zone, Filters(), end, numbers, panels)


@pytest.mark.parametrize(
    ("start", "end", "zone", "words"),
    [
        ("2026-03-02T00:00+00:00", "2026-03-09T00:00+00:00", "UTC", "2 to 8 Mar 2026"),
        ("2026-03-29T22:00+00:00", "2026-04-05T22:00+00:00", "Europe/Berlin", "30 Mar to 5 Apr 2026"),
        ("2026-12-28T00:00+00:00", "2027-01-04T00:00+00:00", "UTC", "28 Dec 2026 to 3 Jan 2027"),
        ("2026-03-02T00:00+00:00", "2026-03-02T08:00+00:00", "UTC", "2 Mar 2026"),
        ("2026-03-02T00:00+00:00", "2026-03-02T00:00+00:00", "UTC", "2 Mar 2026"),
    ],
)
def test_the_subject_says_which_days(start, end, zone, words):
    told = report(datetime.fromisoformat(start), datetime.fromisoformat(end), zone)
    assert report_words.subject(told, "Weekly digest") == f"Weekly digest: {words}"


def test_the_body_says_the_numbers_what_they_mean_and_how_to_end_it():
    numbers = [
        Number("opened", "Opened", "count", 1234, 1234, "", "", 1100, 1100),
        Number("to_resolve", "Time to resolve", "hours", 5.2, 19, "", "", 4, 30),
        Number("share", "Fixed in time", "share", None, 0, "", ""),
    ]
    columns = [
        Column("number", "Incident"),
        Column("title", "What"),
        Column("late", "Late by", "hours"),
        Column("team", "Team"),
    ]
    rows = [{"number": "INC-000007", "title": "Payroll leak", "late": 50.0, "team": ""}]
    panels = [
        Panel("changes", "What changed beyond noise", "", "Nothing was beyond the usual.", "table", [], []),
        Panel("breaches", "Worst breaches", "", "INC-000007 by 2 d 2 h.", "table", columns, rows),
    ]
    told = report(zone="Europe/Berlin", numbers=numbers, panels=panels)
    words = report_words.body(told, ["Team: Network", "Priority: P2 High"], report_words.END_OWN)
    assert words == (
        "Opened: 1,234, 1,100 before\n"
        "Time to resolve: 5 h 12 min (n 19), few cases, 4 h before\n"
        "Fixed in time: –\n\n"
        "What changed beyond noise: Nothing was beyond the usual.\n\n"
        "Worst breaches: INC-000007 by 2 d 2 h.\n"
        "- INC-000007, 2 d 2 h\n\n"
        "Only: Team: Network; Priority: P2 High.\n\n"
        "As of Mon 9 Mar 2026, 01:00, zone Europe/Berlin. You have this sent to yourself. "
        "Change or end it under Reports."
    )


def test_each_sentence_of_what_is_not_usual_has_a_line():
    rows = [{"says": "Opened: 9, above the usual 2."}, {"says": ""}, {"says": "Backlog: 9, above the usual 0."}]
    panel = Panel("changes", "What changed", "", "Opened: 9 … Backlog: 9 …", "table", [], rows)
    words = report_words.body(report(panels=[panel]), [], "")
    expected = "What changed:\n- Opened: 9, above the usual 2.\n- Backlog: 9, above the usual 0.\n\nAs of"
    assert words.startswith(expected)


def test_a_list_of_messages_shows_the_numbers_alone():
    assert report_words.first_part("Opened: 1\nResolved: 2\n\nWorst: none.\n\nAs of") == "Opened: 1 · Resolved: 2"
    assert report_words.first_part("") == ""


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([], ""),
        (["A"], "A"),
        (["A", "B"], "A and B"),
        (["A", "B", "C"], "A, B and C"),
        (list("ABCDEFG"), "A, B, C, D, E and 2 more"),
    ],
)
def test_names_are_listed_in_words(names, words):
    assert report_words.listed(names) == words


@pytest.mark.parametrize(
    ("address", "asked"),
    [
        ("", Wanted()),
        ("period=30&team=4", Wanted("overview", "30", Filters(team_id=4))),
        (
            "?view=causes&period=all&priority=2&category=3&service=5&pair=0&source=alert",
            Wanted("causes", "all", Filters(None, 2, 3, 5, "alert")),
        ),
        (
            "period=own&from=2026-03-01&to=2026-03-31",
            Wanted("overview", "own", Filters(), (date(2026, 3, 1), date(2026, 3, 31))),
        ),
        ("period=soon&team=x&priority=-1&source=pigeon&service=12345678901", Wanted()),
        ("team=%D9%A3", Wanted()),
        ("period=own&from=2026-03-31&to=2026-03-01", Wanted()),
        ("period=own&from=soon", Wanted()),
    ],
)
def test_an_address_asks_for_what_the_screen_shows(address, asked):
    assert wanted(address) == asked
