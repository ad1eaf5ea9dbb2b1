"""Who is on call, for programs and calendars, through the real routes and the gate."""

from datetime import UTC, datetime, timedelta

import pytest
from icalendar import Calendar
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.testclient import TestClient

from api import oncall as routes
from api import v1
from api.gate import Gate
from db.commands import calendar_feed, people, schedules, sign_in
from db.engine import engine, writing
from db.models import Person
from db.settings import settings
from tests.db.rota import Rota

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOW = datetime.now(UTC).replace(microsecond=0)
BEGAN = NOW - 30 * DAY


@pytest.fixture(params=["sqlite"])
def database_url(request):
    return request.getfixturevalue("sqlite_url")


@pytest.fixture
def rota(app_database):
    return Rota(engine())


@pytest.fixture
def network(rota):
    """Priya and Sam, a day each, for 30 days."""
    return rota.make(
        rota.turning("Priya", "Sam", unit="day", start=BEGAN.isoformat()), at=BEGAN, name="Net, first; line"
    )


@pytest.fixture
def client(rota, monkeypatch):
    monkeypatch.setattr(routes, "_limit", routes.Limit())
    mounted = Mount("/api", v1.make(routes.router))
    app = Starlette(routes=[*routes.routes, mounted], middleware=[Middleware(Gate)])
    with TestClient(app, base_url="http://desk.example", follow_redirects=False) as made:
        yield made


def signed_in(client, rota, name):
    with writing() as db:
        person = db.get_one(Person, rota.ids[name])
        client.cookies.set(settings().cookie, sign_in.begin_session(db, person, user_agent="test", now=NOW))
    return client


def address(rota, name):
    with writing() as db:
        return f"/calendar/{calendar_feed.renew(db, actor=rota.people[name], now=NOW)}.ics"


def test_who_is_on_call_is_told_at_any_moment(client, rota, network):
    told = signed_in(client, rota, "Dora").get("/api/v1/oncall", params={"at": BEGAN.isoformat()}).json()
    assert told == {
        "at": BEGAN.isoformat(),
        "schedules": [
            {
                "id": network,
                "name": "Net, first; line",
                "team": "Network",
                "zone": "UTC",
                "on_call": [{"id": rota.ids["Priya"], "name": "Priya"}],
                "until": (BEGAN + DAY).isoformat(),
                "next": [{"id": rota.ids["Sam"], "name": "Sam"}],
            }
        ],
    }
    later = client.get(f"/api/v1/oncall?at={(BEGAN + DAY).isoformat()}").json()  # its plus sign arrives as a blank
    assert later["schedules"][0]["on_call"][0]["name"] == "Sam"
    assert client.get("/api/v1/oncall").status_code == 200


@pytest.mark.parametrize("at", ["yesterday", "2026-11-23T09:00", "9999-12-31T23:59:59-12:00"])
def test_a_moment_that_is_none_is_refused_with_a_sentence(client, rota, at):
    response = signed_in(client, rota, "Dora").get("/api/v1/oncall", params={"at": at})
    assert response.status_code == 400
    assert response.json()["error"]["fields"]["at"].startswith("Write at as")


def test_a_schedule_is_a_calendar_for_those_who_work(client, rota, network):
    response = signed_in(client, rota, "Dora").get(f"/api/v1/schedules/{network}.ics")
    assert response.headers["content-type"].startswith("text/calendar")
    events = Calendar.from_ical(response.content).walk("VEVENT")
    assert {str(event["summary"]) for event in events} == {"Priya · Net, first; line", "Sam · Net, first; line"}
    assert all(event.decoded("dtend") - event.decoded("dtstart") <= DAY for event in events)
    assert client.get(f"/api/v1/schedules/{network + 1}.ics").status_code == 404
    assert client.get(f"/api/v1/schedules/{10**30}.ics").status_code == 404


def test_reporters_and_strangers_get_neither(client, rota, network):
    for path in ("/api/v1/oncall", f"/api/v1/schedules/{network}.ics"):
        assert client.get(path).status_code == 401
    signed_in(client, rota, "Rita")
    for path in ("/api/v1/oncall", f"/api/v1/schedules/{network}.ics"):
        assert client.get(path).status_code == 403


def test_ones_own_shifts_are_a_feed_at_an_address_that_only_one_knows(client, rota, network):
    path = address(rota, "Priya")
    response = client.get(path)
    assert response.status_code == 200
    assert response.headers["cache-control"] == "private, no-store"
    calendar = Calendar.from_ical(response.content)
    events = calendar.walk("VEVENT")
    assert str(calendar["x-wr-calname"]) == "On call"
    assert {str(event["summary"]) for event in events} == {"On call: Net, first; line"}
    assert not calendar.walk("VALARM")
    starts = sorted(event.decoded("dtstart") for event in events)
    assert starts[:2] == [BEGAN, BEGAN + 2 * DAY]
    assert NOW + 364 * DAY <= starts[-1] < NOW + 400 * DAY
    assert len({str(event["uid"]) for event in events}) == len(events)


def test_the_same_turn_keeps_its_name_and_an_unchanged_feed_its_tag(client, rota, network):
    path = address(rota, "Priya")
    before = client.get(path)
    assert client.get(path, headers={"if-none-match": before.headers["etag"]}).status_code == 304
    rota.override(network, BEGAN + 40 * DAY + 3 * HOUR, BEGAN + 40 * DAY + 4 * HOUR, add="Devi", remove="Priya", at=NOW)
    after = client.get(path, headers={"if-none-match": before.headers["etag"]})
    assert after.status_code == 200
    old, new = ({str(one["uid"]) for one in Calendar.from_ical(got.content).walk("VEVENT")} for got in (before, after))
    assert old <= new
    assert len(new - old) == 1, "the turn goes on after the hour that another took"


@pytest.mark.parametrize("token", ["x", "A" * 43, "A" * 44, "..", "%00", "é"])
def test_any_other_address_leads_nowhere(client, rota, token):
    assert client.get(f"/calendar/{token}.ics").status_code == 404


def test_an_ended_address_and_a_disabled_person_lead_nowhere(client, rota, network):
    first = address(rota, "Priya")
    second = address(rota, "Priya")
    assert [client.get(path).status_code for path in (first, second)] == [404, 200]
    with writing() as db:
        people.disable(db, rota.ids["Priya"], actor=rota.people["Ada"], now=NOW)
    assert client.get(second).status_code == 404


def test_a_feed_asked_for_all_the_time_is_told_to_wait(client, rota, monkeypatch):
    monkeypatch.setattr(routes, "OFTEN", 3)
    path, other = address(rota, "Priya"), address(rota, "Sam")
    assert [client.get(path).status_code for _ in range(4)] == [200, 200, 200, 429]
    assert client.get(other).status_code == 200
    monkeypatch.setattr(routes, "WITHIN_SECONDS", -1.0)
    assert client.get(path).status_code == 200


def test_an_archived_schedule_stays_in_the_calendar_until_its_end(client, rota, network):
    with writing() as db:
        schedules.archive(db, network, actor=rota.people["Lena"], now=NOW)
    events = Calendar.from_ical(client.get(address(rota, "Priya")).content).walk("VEVENT")
    assert max(event.decoded("dtend") for event in events) <= NOW
