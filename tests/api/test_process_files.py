"""What leaves the screens of process and forecast: their lists as files and on paper, as trends leave theirs."""

import csv
import io
from datetime import UTC, datetime, timedelta
from html import unescape
from itertools import pairwise
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from PIL import Image
from sqlalchemy import insert

from api import trends as routes
from db.engine import reading, writing
from db.models import Incident, Team
from db.queries import forecast
from rules.measures import Filters
from tests.api.visitor import visitor
from tests.db.office import DAY, HOUR, MONDAY

sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PERIOD = "period=own&from=2026-03-01&to=2026-03-31&zone=Asia/Kolkata"


@pytest.fixture
def ask(office):
    with visitor(office, routes.routes) as asked:
        yield asked


def tables(answer):
    """Of a CSV file: title -> rows by heading, and under '' the head."""
    found, lines = {}, list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    edges = [-1, *(number for number, row in enumerate(lines) if not row), len(lines)]
    for begun, ended in pairwise(edges):
        part = lines[begun + 1 : ended]
        if begun < 0:
            found[""] = dict(part)
            continue
        body = next(number for number, row in enumerate(part) if len(row) > 1)
        found[part[0][0]] = [dict(zip(part[body], row, strict=True)) for row in part[body + 1 :]]
    return found


def sent_round(office):
    """One incident that went to the servers, whose name a spreadsheet would run, and came back; one that waits."""
    number = office.bring_to("in_progress")
    with writing(office.engine) as db:
        db.get_one(Team, office.teams["Servers"]).name = "=Servers"
    servers, network = office.teams["Servers"], office.teams["Network"]
    office.perform(number, "assign", "Priya", MONDAY + 3 * HOUR, team_id=servers, reason="The mail server.")
    office.perform(number, "assign", "Lena", MONDAY + 5 * HOUR, team_id=network, reason="It is well.")
    office.report("Printer", at=MONDAY + DAY)
    return number


@sqlite
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_file_of_the_process_holds_every_move_way_wait_and_handover(office, ask, form):
    sent_round(office)
    answer = ask("Max", f"/trends-process/report.{form}?{PERIOD}&part=teams")
    name = f"process-2026-03-01-to-2026-03-31-Asia-Kolkata.{form}"
    assert answer.headers["content-disposition"].endswith(f"''{name}")
    if form == "xlsx":
        book = openpyxl.load_workbook(io.BytesIO(answer.content))
        assert book.sheetnames[1:] == [
            "Numbers", "Between the states", "Ways to the end", "In a state", "With a team", "Between the teams",
        ]  # fmt: skip
        handovers = list(book["Between the teams"].values)
        assert handovers[1][:6] == ("Network", "'=Servers", 1, 1, 2, 2)
        return
    found = tables(answer)
    assert (found[""]["Report"], found[""]["Period"]) == ("Process", "1 Mar 2026 to 31 Mar 2026")
    assert (found[""]["Zone"], found[""]["Filters"]) == ("Asia/Kolkata", "none")
    numbers = {row["Number"]: row["Value"] for row in found["Numbers"]}
    assert numbers == {"Reported": "2", "Under way": "2", "Handed over": "1", "Came back": "1"}
    first = found["Between the states"][0]
    assert (first["From"], first["To"], first["Times"]) == ("New", "Assigned", "1")
    assert float(first["Median, hours"]) == 1
    assert found["Ways to the end"] == []
    assert {row["State"]: row["There now"] for row in found["In a state"]}["New"] == "1"
    assert [row["Team"] for row in found["With a team"]] == ["Network", "'=Servers"]
    back = [row for row in found["Between the teams"] if row["Sent back"] == "1"]
    assert [(row["From"], row["To"]) for row in back] == [("'=Servers", "Network")]


@sqlite
def test_the_files_and_the_paper_of_the_process_carry_the_filters(office, ask):
    office.bring_to("closed")
    sent_round(office)
    query = f"{PERIOD}&team={office.teams['Network']}"
    found = tables(ask("Max", f"/trends-process/report.csv?{query}"))
    assert found[""]["Filters"] == "Team: Network"
    assert next(row for row in found["Numbers"] if row["Number"] == "Reported")["Value"] == "2"
    (way,) = found["Ways to the end"]
    assert way["Way"] == "New → Assigned → In progress → Resolved"
    assert (way["Share"], float(way["Median, hours"])) == ("1.0", 3)
    page = unescape(ask("Max", f"/trends-process/print?{query}").text)
    assert "<h1>Process</h1>" in page
    assert "Team: Network" in page
    assert way["Way"] in page
    assert "Back to Process" in page
    assert f"/trends-process/report.xlsx?{query.replace('/', '%2F')}" in page
    for panel in ("moves", "states", "teams", "handovers"):
        answer = ask("Max", f"/trends-process/chart.png?{query}&panel={panel}")
        name = f"process-{panel}-2026-03-01-to-2026-03-31-Asia-Kolkata.png"
        assert answer.headers["content-disposition"].endswith(name)
        assert Image.open(io.BytesIO(answer.content)).width > 1_000
        assert f"{query.replace('/', '%2F')}&panel={panel}" in page, "the paper leads to it"
    assert "Network to =Servers" in page, "names are text in a picture"


def past(office, now):
    """Thirty printers that took 40 hours each, a few every week, so that something can be said."""
    with writing(office.engine) as db:
        values = [
            {
                "id": 5_000 + number,
                "number": f"OLD-{number}",
                "title": f"Paper jam {number}",
                "state": "resolved",
                "queue_group": 2,
                "category_pair_id": office.pair,
                "priority": 2,
                "reported_at": (ended := now - timedelta(days=2 + 3 * number)) - timedelta(hours=40),
                "changed_at": ended,
                "rank_at": ended,
                "resolved_at": ended,
            }
            for number in range(30)
        ]
        db.execute(insert(Incident.__table__), values)


@sqlite
def test_the_file_of_the_forecast_holds_what_is_likely_to_breach_and_what_will_come(office, ask):
    now = datetime.now(UTC)
    past(office, now)
    for title, more in (("=Jam", {}), ("Salary list", {"restricted": True})):
        incident = office.report(title, at=now - HOUR)
        office.perform(incident, "accept", "Lena", now - HOUR, **office.triage | {"impact": 1, "urgency": 2}, **more)
    answer = ask("Max", "/trends-forecast/report.csv?zone=Asia/Kolkata")
    assert "''forecast-20" in answer.headers["content-disposition"]
    found = tables(answer)
    assert found[""]["Report"] == "Forecast"
    now_there = now.astimezone(ZoneInfo("Asia/Kolkata"))
    with reading(office.engine) as db:
        days, week = forecast.expected(db, office.people["Max"], Filters(), now, "Asia/Kolkata")
    (row,) = found["Likely to breach"]
    assert "Salary" not in answer.text, "a restricted one is not in the file of who may not open it"
    assert (row["Title"], row["Priority"], row["Resolved"]) == ("'=Jam", "P2", "30")
    assert row["Similar by"] == "the same category"
    assert datetime.fromisoformat(row["Due"]).utcoffset() == timedelta(hours=5.5)
    assert week is not None
    weeks = found["Reported each week"]
    assert len(weeks) == len(days) // 7 + 1
    assert sum(int(row["Incidents"]) for row in weeks[:-1]) == sum(days[len(days) % 7 :])
    coming = weeks[-1]
    assert (coming["What it is"], coming["At least"], coming["At most"]) == ("Expected", str(week.low), str(week.high))
    assert [float(row["Expected"]) for row in found["Expected each day"]] == list(week.by_day)
    assert (coming["From"], coming["Incidents"]) == ((now_there + DAY).date().isoformat(), str(round(week.expected)))
    drawn = ask("Max", "/trends-forecast/chart.png?zone=Asia/Kolkata&panel=weeks")
    assert "''forecast-weeks-20" in drawn.headers["content-disposition"]
    assert Image.open(io.BytesIO(drawn.content)).width > 1_000
    page = unescape(ask("Max", "/trends-forecast/print?zone=Asia/Kolkata").text)
    assert f"{week.low:,} to {week.high:,}</text>" in page
    assert "=Jam" in page
    assert "the interval is as wide as 80 %" in page
    counts_only = ask("Ada", "/trends-forecast/report.csv")
    assert tables(counts_only)["Likely to breach"] == []
    assert "Left out: 1 incident not open to you." in counts_only.text
    nothing = tables(ask("Max", "/trends-forecast/report.csv?source=mail"))
    assert nothing["Likely to breach"] == nothing["Reported each week"] == []
    assert ask("Max", "/trends-forecast/chart.png?source=mail&panel=weeks").status_code == 404


@sqlite
def test_lists_of_nothing_are_files_with_headings(ask):
    found = tables(ask("Max", f"/trends-process/report.csv?{PERIOD}"))
    assert found["Between the states"] == found["Between the teams"] == []
    assert ask("Max", f"/trends-process/chart.png?{PERIOD}&panel=moves").status_code == 404
