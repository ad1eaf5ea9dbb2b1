"""What leaves trends: print view, files, pictures and JSON, each for those who may see it, each saying what it is."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from html import unescape
from re import findall

import openpyxl
import pytest
from PIL import Image
from starlette.routing import Mount

from api import trends as routes
from api import trends_measures, v1
from db.engine import reading
from db.queries import figure, trends
from db.queries.report import VIEWS, report
from rules.measures import Filters
from rules.panels import Opens
from rules.periods import chosen_days
from tests.api.visitor import visitor
from tests.db.office import DAY, HOUR, Office

sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)
MARCH = (date(2026, 3, 1), date(2026, 3, 31))
PERIOD = "period=own&from=2026-03-01&to=2026-03-31&zone=Europe/Berlin"
EVERYTHING = (
    "/trends/print",
    "/trends/report.csv",
    "/trends/report.xlsx",
    "/trends/incidents.csv?figure=opened&from=2026-03-01&to=2026-04-01",
    "/trends/chart.png?panel=flow",
    "/trends-process/print",
    "/trends-process/report.csv",
    "/trends-forecast/print",
    "/trends-forecast/report.xlsx",
    "/api/v1/trends",
)


@pytest.fixture
def office(app_database):
    made = Office(app_database)
    done = made.bring_to("recovered", title="=Mail <b>is</b> slow")
    made.report("Printer", at=BEGAN + DAY)
    secret = made.report("Salary list", at=BEGAN + DAY)
    made.perform(secret, "accept", "Lena", BEGAN + DAY + HOUR, **made.triage, restricted=True)
    assert made.incident(done).resolved_at is not None
    return made


@pytest.fixture
def ask(office):
    with visitor(office, [*routes.routes, Mount("/api", v1.make(trends_measures.router))]) as asked:
        yield asked


def text(answer):
    return unescape(answer.text)


@sqlite
@pytest.mark.parametrize("path", EVERYTHING)
def test_it_is_for_those_who_read_trends_and_kept_by_nobody(ask, path):
    assert ask("Max", path).status_code == 200
    assert ask("Max", path).headers["cache-control"] == "private, no-store"
    for who in ("Rita", "Priya"):
        assert ask(who, path).status_code == 403
    assert ask(None, path).status_code in (303, 401)


@sqlite
@pytest.mark.parametrize("view", VIEWS)
def test_the_print_view_has_head_numbers_and_each_panel_with_its_table(office, ask, view):
    answer = ask("Max", f"/trends/print?view={view}&{PERIOD}&team={office.teams['Network']}")
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "script" not in policy
    assert "default-src 'none'" in policy
    page = text(answer)
    assert "<script" not in page
    assert " style=" not in page, "the policy would drop it"
    for words in ("1 Mar 2026 to 31 Mar 2026", "Team: Network", "Europe/Berlin"):
        assert words in page
    period = chosen_days(*MARCH, datetime.now(UTC), "Europe/Berlin", BEGAN)
    with reading(office.engine) as db:
        made = report(db, office.people["Max"], view, period, "Europe/Berlin", Filters(), datetime.now(UTC))
    for number in made.numbers:
        assert f">{number.title}</a>" in page
        assert number.definition in page
    for panel in made.panels:
        assert f'<h2 id="panel-{panel.key}">{panel.title}</h2>' in page


@sqlite
def test_every_link_on_paper_opens_as_many_incidents_as_it_says(office, ask):
    page = text(ask("Max", f"/trends/print?view=causes&{PERIOD}"))
    links = findall(r'<a href="/figure\?([^"]*)">([^<]*)</a>(?:</th><td class="number">(?:<b>)?([\d,]+))?', page)
    told = {words: (query, count) for query, words, count in links}
    assert told["Opened"][1] == "2", "and not the restricted one"
    for name in ("Not sorted yet", "Network"):
        query, count = told[name]
        assert "zone=Europe%2FBerlin" in query
        assert "from%3D2026-03-01" in query.partition("trends=")[2]
        rows = list(csv.reader(io.StringIO(ask("Max", f"/trends/incidents.csv?{query}").text)))
        listed = [row for row in rows if row and row[0].startswith("INC-")]
        assert len(listed) == int(count) == 1


@sqlite
def test_the_files_of_a_view_say_what_they_are_and_what_the_report_says(office, ask):
    team = office.teams["Network"]
    answer = ask("Max", f"/trends/report.xlsx?{PERIOD}&team={team}")
    name = "trends-overview-2026-03-01-to-2026-03-31-Europe-Berlin"
    assert answer.headers["content-disposition"] == f"attachment; filename*=UTF-8''{name}.xlsx"
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    about = {row[0].value: row[1].value for row in book["About"].iter_rows() if row[0].value}
    assert (about["Filters"], about["Zone"]) == ("Team: Network", "Europe/Berlin")
    numbers = {row[0].value: row[1].value for row in book["Numbers"].iter_rows(min_row=2)}
    answer = ask("Max", f"/trends/report.csv?{PERIOD}&team={team}")
    assert answer.headers["content-disposition"].endswith(f"{name}.csv")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    period = chosen_days(*MARCH, datetime.now(UTC), "Europe/Berlin", BEGAN)
    with reading(office.engine) as db:
        made = report(db, office.people["Max"], "overview", period, "UTC", Filters(team_id=team), datetime.now(UTC))
    for number in made.numbers:
        assert numbers[number.title] == number.value
        assert next(row for row in rows if row and row[0] == number.title)[3] == str(number.n)
    assert numbers["Opened"] == 1


@sqlite
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_file_of_a_list_holds_the_incidents_and_no_formula(office, ask, form):
    opens = Opens("opened", BEGAN - DAY, BEGAN + 9 * DAY)
    query = "&".join(f"{name}={value}" for name, value in opens.address().items()).replace("+", "%2B")
    answer = ask("Max", f"/trends/incidents.{form}?{query}&zone=Asia/Kolkata")
    assert answer.headers["content-disposition"].endswith(
        f"incidents-opened-2026-03-01-to-2026-03-11-Asia-Kolkata.{form}"
    )
    if form == "csv":
        cells = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    else:
        sheet = openpyxl.load_workbook(io.BytesIO(answer.content))["Opened"]
        cells = [[str(cell.value or "") for cell in row] for row in sheet.iter_rows()]
    titles = [row[1] for row in cells if row and row[0].startswith("INC-")]
    assert titles == ["Printer", "'=Mail <b>is</b> slow"]


@sqlite
def test_a_picture_is_a_file_that_carries_its_name(ask):
    answer = ask("Max", f"/trends/chart.png?panel=flow&{PERIOD}")
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-disposition"].endswith("trends-flow-2026-03-01-to-2026-03-31-Europe-Berlin.png")
    assert Image.open(io.BytesIO(answer.content)).width > 1_000


@sqlite
@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("/trends/print?view=moon", 400, "There is no view 'moon'"),
        ("/trends/print?period=soon", 400, "Choose a period"),
        ("/trends/print?from=soon", 400, "'from' is a day"),
        ("/trends/print?zone=Nowhere", 400, "There is no zone"),
        ("/trends/print?team=x", 400, "'team' is a number"),
        ("/trends/report.pdf", 404, "Choose csv or xlsx"),
        ("/trends/chart.png?panel=moon", 400, "There is no panel 'moon'"),
        ("/trends/chart.png?view=causes&panel=repeats", 404, "nothing to draw"),
        ("/trends-process/report.csv?period=soon", 400, "Choose a period"),
        ("/trends-process/chart.png?panel=ways", 404, "nothing to draw"),
        ("/trends-forecast/report.xlsx?team=x", 400, "'team' is a number"),
        ("/trends-forecast/report.pdf", 404, "Choose csv or xlsx"),
        ("/trends/incidents.csv?figure=moon&from=2026-03-01&to=2026-03-02", 400, "There is no figure"),
        ("/trends/incidents.csv?figure=opened&from=x", 400, "'from' is an instant"),
    ],
)
def test_nonsense_gets_a_sentence(ask, path, status, sentence):
    answer = ask("Max", path)
    assert answer.status_code == status
    assert sentence in answer.text


@sqlite
def test_before_the_first_report_there_is_a_page_with_nothing_to_count(app_database):
    with visitor(Office(app_database), routes.routes) as asked:
        for view in VIEWS:
            assert asked("Max", f"/trends/print?view={view}&period=all").status_code == 200
        for screen in routes.SCREENS:
            assert asked("Max", f"{screen}/print?period=all").status_code == 200
            assert asked("Max", f"{screen}/report.xlsx?period=all").status_code == 200


@sqlite
def test_json_is_what_the_command_line_prints(office, ask):
    query = "from=2026-03-01&to=2026-03-31&zone=Asia/Kolkata"
    told = ask("Max", f"/api/v1/trends?{query}").json()
    start = datetime(2026, 2, 28, 18, 30, tzinfo=UTC)
    end = start + timedelta(days=31)
    with reading(office.engine) as db:
        actor, now = office.people["Max"], datetime.now(UTC)
        assert told == trends.measures(db, start, end, "Asia/Kolkata", now=now, actor=actor)
        opened = figure.incidents(db, actor, Opens("opened", start, end), "Asia/Kolkata", now).counted
    assert told["opened"] == {"n": opened, "per_month": {"2026-03": 2}}
    by_day = ask("Max", f"/api/v1/trends?{query}&by=day").json()["opened"]["per_day"]
    assert len(by_day) == 31
    assert (by_day["2026-03-02"], by_day["2026-03-03"]) == (1, 1)
    weeks = ask("Max", f"/api/v1/trends?{query}&by=week").json()
    assert weeks["opened"]["per_week"]["2026-03-02"] == 2
    assert list(weeks["backlog"]["unresolved"]) == list(weeks["resolved"]["per_week"])
    assert ask("Max", f"/api/v1/trends?{query}&team={office.teams['Network']}").json()["opened"]["n"] == 1
    everything = ask("Max", "/api/v1/trends").json()
    assert everything["opened"]["n"] == 2
    assert everything["from"] == "2026-03-02T00:00:00+00:00"


@sqlite
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=yesterday", "from"),
        ("from=2026-03-02&to=2026-03-01", "to"),
        ("by=year", "by"),
        ("from=1950-01-01&by=day", "by"),
        ("zone=Nowhere", "zone"),
        ("team=x", "team"),
        ("source=pigeon", "source"),
        ("teams=1", "teams"),
    ],
)
def test_json_refuses_with_the_field_at_fault(ask, query, field):
    answer = ask("Max", f"/api/v1/trends?{query}")
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == "bad_request"
    assert error["fields"] == {field: error["message"]}
    forbidden = ask("Rita", f"/api/v1/trends?{query}")
    assert forbidden.status_code in (400, 403)
