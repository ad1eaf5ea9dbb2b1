"""The timeline as a download: through the same check as the incident, and never shown inside our pages."""

import csv
import io
import json

import pytest

from api import timelines as routes
from tests.api.visitor import visitor
from tests.db.office import HOUR, MONDAY, Office

sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def office(app_database):
    return Office(app_database)


@pytest.fixture
def ask(office):
    with visitor(office, routes.routes) as asked:
        yield asked


@sqlite
def test_each_form_tells_all_of_it_as_a_download(office, ask):
    incident = office.report("=Mail", description="x")
    office.comment(incident, "[x](https://evil.example)", "Priya", MONDAY + HOUR, public=False)
    number = office.incident(incident).number
    path = f"/rooms/{number}/timeline"
    told = {form: ask("Priya", f"{path}.{form}?zone=Europe/Berlin") for form in ("md", "csv", "json")}
    for form, answer in told.items():
        assert answer.status_code == 200
        assert answer.headers["content-disposition"] == f"attachment; filename*=UTF-8''{number}-timeline.{form}"
        assert answer.headers["cache-control"] == "private, no-store"
    assert "10:00:00 CET (2026-03-02T09:00:00Z) **Rita** reported it" in told["md"].text
    assert "](https" not in told["md"].text
    rows = list(csv.DictReader(io.StringIO(told["csv"].content.decode("utf-8-sig"), newline="")))
    assert [row["kind"] for row in rows] == ["report", "note"]
    assert [entry["kind"] for entry in json.loads(told["json"].text)["entries"]] == ["report", "note"]


@sqlite
@pytest.mark.parametrize("zone", ["", "Nowhere/Land", "../etc/passwd", "Europe", "%00", "x" * 300])
def test_a_zone_that_there_is_not_is_utc(office, ask, zone):
    number = office.incident(office.report()).number
    answer = ask("Priya", f"/rooms/{number}/timeline.md?zone={zone}")
    assert "09:00:00 UTC" in answer.text


@sqlite
def test_it_is_not_there_for_those_to_whom_the_incident_is_not_open(office, ask):
    incident = office.report()
    number = office.incident(incident).number
    assert ask("Otto", f"/rooms/{number}/timeline.md").status_code == 404
    assert ask(None, f"/rooms/{number}/timeline.md").status_code == 401
    assert ask("Priya", "/rooms/INC-999999/timeline.md").status_code == 404
    assert ask("Priya", f"/rooms/{number}/timeline.exe").status_code == 404
    office.perform(incident, "accept", "Lena", MONDAY, **office.triage, restricted=True)
    assert ask("Sam", f"/rooms/{number}/timeline.json").status_code == 404


@sqlite
def test_a_reporter_reads_only_what_is_public(office, ask):
    incident = office.report()
    office.comment(incident, "Among us.", "Priya", MONDAY + HOUR, public=False)
    answer = ask("Rita", f"/rooms/{office.incident(incident).number}/timeline.md")
    assert answer.status_code == 200
    assert "Among us" not in answer.text
