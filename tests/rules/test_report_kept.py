"""A report that is kept opens later exactly as it was."""

import json
import zlib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from rules import report_kept
from rules.measures import Filters
from rules.panels import Column, Number, Opens, Panel, Report

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))
IDS = st.one_of(st.none(), st.integers(0, 10**9))
FILTERS = st.builds(Filters, IDS, IDS, IDS, IDS, st.sampled_from([None, "form", "alert"]), IDS)
OPENS = st.builds(Opens, st.just("opened"), INSTANTS, INSTANTS, FILTERS, st.one_of(st.none(), st.integers(0, 167)))
VALUES = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False), st.integers(0, 10**12))
CELLS = st.one_of(VALUES, st.text(), st.booleans(), INSTANTS, st.dates(date(2000, 1, 1), date(2100, 1, 1)))
NUMBERS = st.builds(
    Number,
    st.text(max_size=20),
    st.text(max_size=20),
    st.sampled_from(["count", "hours", "share"]),
    VALUES,
    st.integers(0, 10**9),
    st.text(),
    st.text(),
    VALUES,
    IDS,
    st.sampled_from([None, "up", "down"]),
    st.one_of(st.none(), OPENS),
)
PANELS = st.builds(
    Panel,
    st.just("changes"),
    st.text(),
    st.text(),
    st.text(),
    st.just("table"),
    st.lists(st.builds(Column, st.text(), st.text(), st.sampled_from(["words", "count", "instant"])), max_size=3),
    st.lists(st.dictionaries(st.sampled_from(["a", "b", "c"]), CELLS), max_size=3),
    st.lists(st.one_of(st.none(), OPENS), max_size=3),
    marks=st.dictionaries(st.sampled_from(["low", "high"]), st.one_of(VALUES, st.lists(VALUES, max_size=3))),
)
REPORTS = st.builds(
    Report,
    st.just("overview"),
    st.text(),
    INSTANTS,
    INSTANTS,
    st.just("Europe/Berlin"),
    FILTERS,
    INSTANTS,
    st.lists(NUMBERS, max_size=3),
    st.lists(PANELS, max_size=3),
    st.one_of(st.none(), st.tuples(INSTANTS, INSTANTS)),
)


@given(REPORTS)
@settings(max_examples=40)
def test_what_was_kept_is_what_was(report):
    assert report_kept.read(report_kept.kept(report)) == report


def test_an_instant_of_another_zone_is_the_same_instant():
    panel = Panel("p", "P", "", "", "table", [], [{"at": AT.astimezone()}])
    report = Report("overview", "Overview", AT, AT + timedelta(days=1), "UTC", Filters(), AT, [], [panel])
    assert report_kept.read(report_kept.kept(report)).panels[0].rows[0]["at"] == AT


def test_what_an_earlier_version_kept_has_the_defaults_of_what_came_later():
    number = Number("opened", "Opened", "count", 5, 5, "What came.", "Nothing.", better="up")
    report = Report("overview", "Overview", AT, AT, "UTC", Filters(), AT, [number], [])
    said = json.loads(zlib.decompress(report_kept.kept(report)))
    del said["numbers"][0]["better"]
    said["numbers"][0]["colour"] = "a field that is gone"
    assert report_kept.read(zlib.compress(json.dumps(said).encode())) == replace(
        report, numbers=[replace(number, better=None)]
    )


def test_titles_are_not_kept_and_come_back_as_far_as_they_may_be_told():
    rows = [{"number": "INC-000001", "title": "Mail", "late": 2.0}, {"number": "INC-000002", "title": "Payroll leak"}]
    panels = [Panel("breaches", "B", "", "", "table", [], rows), Panel("p", "P", "", "", "table", [], [{"title": "T"}])]
    report = Report("digest", "Digest", AT, AT, "UTC", Filters(), AT, [], panels)
    content = report_kept.kept(report)
    assert "Mail" not in zlib.decompress(content).decode()
    assert report_kept.numbers(report) == ["INC-000001", "INC-000002"]
    told = report_kept.titled(report_kept.read(content), {"INC-000001": "Mail"})
    assert [row["title"] for row in told.panels[0].rows] == ["Mail", "Not open to you"]
    assert told.panels[1].rows == [{"title": "T"}], "what is about no incident is kept as it is"
