"""The way out of a report's mail: it works without sign-in, ends that report for that person, and nothing else."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from api import act
from api.gate import Gate
from db.commands import people
from db.engine import reading, writing
from db.models import Person, ReportSchedule, to_micros
from db.queries import report_schedules
from db.settings import settings
from rules import page_links
from tests.db.office import HOUR, MONDAY
from tests.db.ordered import Ordered

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


@pytest.fixture
def office(app_database):
    return Ordered(app_database)


@pytest.fixture
def client(office):
    app = Starlette(routes=act.routes, middleware=[Middleware(Gate)])
    with TestClient(app, base_url="http://desk.example", follow_redirects=False) as made:
        yield made


def way_out(office, who, name):
    """The path in the mail that brings this report to them."""
    [sending] = [one for one in office.sendings(who) if one.name == name]
    with reading(office.engine) as db:
        return report_schedules.leave_path(db, sending.id, office.people[who].id)


def reads(office, who):
    return sorted(one.name for one in office.sendings(who))


def test_a_reader_leaves_one_report_in_one_click_and_nothing_else(client, office):
    for name in ("Month", "Week"):
        office.have_sent(office.view(name, "Max"), "Max", "Lena", "Dora")
    office.subscribe("Lena")
    path = way_out(office, "Lena", "Month")
    assert client.get(path).status_code == client.head(path).status_code == 200
    assert "Lena, “Month” is then not sent to you any more" in client.get(path).text
    assert reads(office, "Lena") == ["Month", "Week", "Weekly digest"], "looking changes nothing"
    assert client.post(path, data=ONE_CLICK).status_code == 200
    assert reads(office, "Lena") == ["Week", "Weekly digest"]
    assert (reads(office, "Dora"), reads(office, "Max")) == (["Month", "Week"], ["Month", "Week"])
    assert office.audited()[-1] == ("Lena", "report sending set", "Month")
    for again in (client.get(path), client.post(path, data=ONE_CLICK)):
        assert (again.status_code, "You get no more of this report" in again.text) == (200, True), "twice is once"
    with reading(office.engine) as db:
        assert db.get_one(Person, office.people["Lena"].id).preferences in (None, {}), "notices still leave"


def test_the_digest_is_left_and_an_old_link_does_not_end_what_is_ordered_later(client, office):
    office.subscribe("Max")
    path = way_out(office, "Max", "Weekly digest")
    assert client.post(path, data=ONE_CLICK).status_code == 200
    assert reads(office, "Max") == []
    assert office.audited()[-1] == ("Max", "report sending ended", "Weekly digest")
    office.subscribe("Max", at=MONDAY + HOUR)
    assert client.post(path, data=ONE_CLICK).status_code == 200
    assert reads(office, "Max") == ["Weekly digest"]


def test_what_is_no_link_of_ours_ends_nothing(client, office):
    office.have_sent(office.view("Month", "Max"), "Max", "Lena", "Dora")
    path, secret = way_out(office, "Lena", "Month"), settings().secret()
    with reading(office.engine) as db:
        [row] = db.scalars(select(ReportSchedule))
    dora, lena = office.people["Dora"].id, office.people["Lena"].id
    signed = path.rpartition(".")[2]
    for token in (
        "x", "1.2.3", "1.2.3.4", f"{row.id}.{dora}.{to_micros(row.created_at)}.{signed}", "é.1.2.3", "9" * 300,
        page_links.leave_token(secret, lena), page_links.subscriber_token(secret, "choose", lena, "seed"),
    ):  # fmt: skip
        assert client.get(f"/leave/report/{token}").status_code == 404
        assert client.post(f"/leave/report/{token}", data=ONE_CLICK).status_code == 404
    assert client.post(path, headers={"origin": "https://evil.example"}).status_code == 400
    assert client.post(path.replace("/report/", "/"), data=ONE_CLICK).status_code == 404, "it ends no notices"
    with writing(office.engine) as db:
        people.disable(db, lena, actor=office.people["Ada"], now=datetime.now(UTC))
    assert client.post(path, data=ONE_CLICK).status_code == 404
    assert reads(office, "Dora") == ["Month"]
