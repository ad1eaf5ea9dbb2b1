"""The status page through the real routes: what it says, what it never says, and what it does without its database."""

import gzip
import json
import re
import threading
import xml.etree.ElementTree as xml
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from api import status, status_copies, status_pages
from api.gate import Gate
from api.status_copies import Copies
from db.commands import conversation, files, incidents, maintenance, sign_in, status_page, window_notices
from db.engine import DatabaseProblem, engine, reading, writing
from db.models import Person
from db.settings import settings
from tests.db.office import HOUR
from tests.db.public import Public, with_mail

ATOM = "{http://www.w3.org/2005/Atom}"
NOW = datetime.now(UTC).replace(microsecond=0)
SECRET = "Geheimnis"
HOSTILE = '<script>alert(1)</script> [x](https://evil.example) **b** <img src=x> & "q" \u202e javascript:alert(1)'
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 50


@pytest.fixture
def clock(monkeypatch):
    """The time of the page, and of its copies; set [0] to go on."""
    passed = [timedelta()]
    monkeypatch.setattr(status, "_now", lambda: NOW + passed[0])
    return passed


@pytest.fixture
def fresh(monkeypatch, clock):
    """Copies of this test alone, which are old as soon as they are made, and are waited for on a busy machine too."""
    monkeypatch.setattr(status, "COPIES", Copies(lambda name, now: status._make(name, now), lambda: status._now()))
    monkeypatch.setattr(status_copies, "FRESH", 0.0)
    monkeypatch.setattr(status_copies, "TRIES_AGAIN", 0.0)
    monkeypatch.setattr(status_copies, "PATIENCE", 60.0)


@pytest.fixture
def public(app_database, fresh):
    made = Public(app_database)
    with writing(app_database) as db:
        for component in made.components.values():
            db.get_one(status_page.Component, component).created_at = NOW - timedelta(days=200)
    return made


@pytest.fixture
def client(public):
    app = Starlette(routes=status.routes, middleware=[Middleware(Gate)])
    with TestClient(app, base_url="http://desk.example", follow_redirects=False) as made:
        yield made


def broken(monkeypatch, problem=None):
    """From now on the database cannot be read."""

    def fail(*_given):
        raise problem or DatabaseProblem("The database cannot be reached.")

    monkeypatch.setattr(status, "reading", fail)


def all_of(client):
    """Every public document, in one text."""
    texts = [client.get(path).text for path in ("/status", "/status.json", "/status.atom", "/status/history")]
    ids = {each["id"] for each in client.get("/status.json").json()["incidents"]}
    return "\n".join([*texts, *(client.get(f"/status/incidents/{each}").text for each in ids)])


def test_before_it_is_published_there_is_no_page(client, public):
    public.page(published=False)
    for path in ("/status", "/status.json", "/status.atom", "/status/history", "/status/incidents/1"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert answer.headers["cache-control"] == "no-store"
    assert "There is no status page yet." in client.get("/status").text
    assert client.get("/status.json").json()["error"]["code"] == "not_found"
    public.page()
    assert client.get("/status").status_code == 200


def test_it_says_how_everything_is(client, public):
    calm = client.get("/status").text
    assert "All systems operational" in calm
    assert "All we run." in calm
    incident = public.report()
    public.update(incident, "We look into it.\nSoon more.", states={"Mail": "major"}, at=NOW - 2 * HOUR)
    public.update(incident, "It is the disk.", "identified", NOW - HOUR, states={"Mail": "partial"})
    page = client.get("/status").text
    for words in (
        "Partial outage", "E-mail is slow", "It is the disk.", "We look into it.\nSoon more.", "Identified",
        "Customers", "Shop", "uptime", "Our status",
    ):  # fmt: skip
        assert words in page
    told = client.get("/status.json").json()
    assert (told["stale"], told["state"], told["headline"]) == (False, "partial", "Partial outage")
    mail = told["components"][0]
    assert (mail["name"], mail["state"]) == ("Mail", "partial")
    assert sum(day["outage_seconds"] for day in mail["days"]) in range(7190, 7300)
    assert 99.8 < mail["uptime"] < 100
    [one] = told["incidents"]
    assert [update["text"] for update in one["updates"]] == ["It is the disk.", "We look into it.\nSoon more."]
    feed = xml.fromstring(client.get("/status.atom").content)
    titles = [entry.findtext(f"{ATOM}title") for entry in feed.findall(f"{ATOM}entry")]
    assert titles == ["E-mail is slow: Identified", "E-mail is slow: Investigating"]
    ids = [entry.findtext(f"{ATOM}id") for entry in feed.findall(f"{ATOM}entry")]
    again = xml.fromstring(client.get("/status.atom").content)
    assert ids == [entry.findtext(f"{ATOM}id") for entry in again.findall(f"{ATOM}entry")]
    assert len(set(ids)) == 2


def test_maintenance_stands_on_all_of_them(client, public):
    with writing(public.engine) as db:
        window = maintenance.add(
            db, name=SECRET, service_ids=[public.service], start=NOW + HOUR, end=NOW + 2 * HOUR,
            actor=public.people["Lena"], now=NOW,
        ).id  # fmt: skip
        window_notices.publish(db, window, title="New disks", words="Mail rests.", actor=public.people["Lena"], now=NOW)
    assert client.get("/status.json").json()["maintenance"][0]["state"] == "scheduled"
    assert "Scheduled" in client.get("/status").text
    assert "New disks: Scheduled" in client.get("/status.atom").text


def test_nothing_that_was_not_published_is_ever_on_it(client, public, monkeypatch):
    with_mail(monkeypatch)
    incident = public.report(f"{SECRET} title", affected=f"{SECRET} place", description=f"{SECRET} description")
    lena = public.people["Lena"]
    with writing(public.engine) as db:
        incidents.prioritise(db, incident, None, {"restricted": True}, actor=lena, now=NOW)
        conversation.comment(db, incident, f"{SECRET} comment", public=True, actor=lena, now=NOW)
        files.attach(
            db, db.get_one(incidents.Incident, incident), files.Upload(f"{SECRET}.png", PNG), actor=lena, now=NOW
        )
        window = maintenance.add(
            db, name=f"{SECRET} window", words=f"{SECRET} words", service_ids=[public.service], start=NOW,
            end=NOW + HOUR, actor=lena, now=NOW,
        ).id  # fmt: skip
    public.update(incident, f"{SECRET} internal", audience="internal", states={"Mail": "major"}, at=NOW)
    public.update(incident, f"{SECRET} waiting", published=False, title=f"{SECRET} waiting", at=NOW)
    assert SECRET not in all_of(client)
    public.subscribe("ana@example.org", at=NOW)
    public.update(incident, "We look into it.", states={"Mail": "major"}, at=NOW)
    public.update(incident, f"{SECRET} waiting", published=False, title=f"{SECRET} waiting", at=NOW)
    with writing(public.engine) as db:
        window_notices.publish(db, window, title="New disks", actor=lena, now=NOW)
    public.perform(incident, "accept", "Lena", NOW, **public.triage)
    public.perform(incident, "acknowledge", "Priya", NOW)
    public.perform(incident, "resolve", "Priya", NOW, resolution_code="fixed", resolution_note=f"{SECRET} note")
    during = all_of(client)
    public.perform(incident, "recover", "Priya", NOW)
    assert during.count("We look into it.") >= 4, "on the page, in JSON, in Atom, and on a page of its own"
    everything = during + all_of(client) + json.dumps([mail.payload for mail in public.mails()])
    assert "We look into it." in everything
    assert "It works again." in everything
    for secret in (SECRET, "INC-", "Lena", "Priya", "Rita", "ana@example.org", 'E-mail"', "Network"):
        assert secret not in everything, secret


def test_what_people_typed_is_text_and_nothing_else(client, public):
    public.page(name=HOSTILE[:100], words=HOSTILE, closing_words=HOSTILE)
    public.components["Bad"] = public.component(HOSTILE[:100], HOSTILE[:100], description=HOSTILE, at=NOW)
    incident = public.report()
    public.update(incident, HOSTILE + "\n<!--stale--> ]]>", states={"Bad": "major"}, title=HOSTILE, at=NOW)
    for path in ("/status", "/status/history", "/status/incidents/1"):
        page = client.get(path).text
        assert "<script" not in page
        assert "<img src=x" not in page
        assert 'href="https://evil' not in page
        assert "<b>b</b>" not in page
        assert page.count("<!--stale-->") == 1
    assert client.get("/status.json").json()["incidents"][0]["title"] == HOSTILE
    feed = xml.fromstring(client.get("/status.atom").content)
    assert HOSTILE in feed.find(f"{ATOM}entry").findtext(f"{ATOM}title")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("worst_case", [False, True])
def test_thirty_components_of_ninety_days_weigh_less_than_50_kb(client, public, worst_case):
    for number in range(27):
        name = f"Component {number}"
        public.components[name] = public.component(
            name, f"Group {number % 4}", description="What it is for, in a line."
        )
    with writing(public.engine) as db:
        for component in public.components.values():
            db.get_one(status_page.Component, component).created_at = NOW - timedelta(days=200)
    if worst_case:
        words = 'Ж<&"' * 500
        for number in range(8):
            incident = public.report(f"number {number}")
            states = dict.fromkeys(list(public.components)[number::2], ("degraded", "partial", "major")[number % 3])
            for day in range(3):
                at = NOW - timedelta(days=89 - day)
                public.update(incident, words, at=at, states=states, title="<Ж>" * 60)
    else:
        for number in range(20):
            incident = public.report(f"number {number}")
            name = list(public.components)[number]
            at = NOW - timedelta(days=number)
            public.update(incident, "We look into it. " * 10, states={name: "major"}, at=at)
            public.update(incident, "It works again. " * 10, "resolved", at + HOUR)
    answer = client.get("/status", headers={"accept-encoding": "identity"})
    assert len(answer.content) < status_pages.MOST_BYTES
    assert answer.text.count("<li>") == 30
    assert len(client.get("/status").content) == len(answer.content)
    packed = gzip.compress(answer.content)
    print(f"{len(answer.content):,} bytes, {len(packed):,} packed; worst case: {worst_case}")
    if not worst_case:
        assert answer.text.count("<title>") > 10, "days have titles"


def test_it_is_a_strict_plain_page(client):
    answer = client.get("/status")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    for missing in ("<script", " style=", "onclick", "http://", "https://"):
        assert missing not in answer.text, missing
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert client.get("/status.json").headers["access-control-allow-origin"] == "*"
    assert "set-cookie" not in answer.headers


def test_who_has_it_already_is_told_so(client, public, clock):
    first = client.get("/status")
    assert client.get("/status", headers={"if-none-match": first.headers["etag"]}).status_code == 304
    assert client.get("/status", headers={"if-none-match": f'"x", {first.headers["etag"]}'}).status_code == 304
    assert client.get("/status", headers={"if-modified-since": first.headers["last-modified"]}).status_code == 304
    assert client.get("/status", headers={"if-modified-since": "nonsense"}).status_code == 200
    clock[0] = timedelta(seconds=30)
    assert client.get("/status").headers["last-modified"] == first.headers["last-modified"], "nothing changed since"
    public.update(public.report(), at=NOW)
    changed = client.get("/status", headers={"if-none-match": first.headers["etag"]})
    assert changed.status_code == 200
    since = first.headers["last-modified"]
    assert client.get("/status", headers={"if-modified-since": since}).status_code == 200
    assert client.get("/status", headers={"accept-encoding": "gzip"}).headers["content-encoding"] == "gzip"
    assert "content-encoding" not in client.get("/status", headers={"accept-encoding": "identity"}).headers


def test_a_copy_serves_until_something_is_published_here(client, public, monkeypatch):
    monkeypatch.setattr(status_copies, "FRESH", 60.0)
    looks = []
    read = status._make
    monkeypatch.setattr(status, "_make", lambda name, now: looks.append(name) or read(name, now))
    for _ in range(5):
        assert "All systems operational" in client.get("/status").text
        client.get("/status.json")
    assert looks == ["page"]
    public.update(public.report(), states={"Shop": "major"}, at=NOW)
    assert "Major outage" in client.get("/status").text
    assert looks == ["page", "page"]


def test_all_who_ask_at_once_share_one_look(client, monkeypatch):
    monkeypatch.setattr(status_copies, "FRESH", 60.0)
    looks, gate, read = [], threading.Event(), status._make

    def slow(name, now):
        looks.append(name)
        gate.wait(60)
        return read(name, now)

    monkeypatch.setattr(status, "_make", slow)
    threading.Timer(0.2, gate.set).start()
    with ThreadPoolExecutor(12) as many:
        asked = [many.submit(client.get, "/status") for _ in range(12)]
        assert {one.result().status_code for one in asked} == {200}
    assert looks == ["page"]


@pytest.mark.parametrize("problem", [None, RuntimeError("no such table")])
def test_without_its_database_the_last_copy_serves_and_says_how_old_it_is(client, public, monkeypatch, clock, problem):
    public.update(public.report(), states={"Mail": "partial"}, at=NOW)
    for path in ("/status", "/status.json", "/status.atom"):
        client.get(path)
    broken(monkeypatch, problem)
    clock[0] = timedelta(minutes=5)
    answer = client.get("/status")
    assert answer.status_code == 200
    assert f"As of {NOW:%H:%M} UTC, 5 minutes ago: what follows cannot be brought up to date" in answer.text.replace(
        f"{NOW.day} {NOW:%b %Y}, ", ""
    )
    assert "E-mail is slow" in answer.text
    told = client.get("/status.json").json()
    assert (told["stale"], told["as_of"], told["state"]) == (True, f"{NOW:%Y-%m-%dT%H:%M:%SZ}", "partial")
    assert client.get("/status.atom").status_code == 200
    clock[0] = timedelta(hours=3)
    assert "3 hours ago" in client.get("/status").text
    monkeypatch.setattr(status, "reading", reading)
    assert "ago:" not in client.get("/status").text
    assert client.get("/status.json").json()["stale"] is False


def test_without_its_database_and_without_a_copy_it_says_so(client, monkeypatch):
    broken(monkeypatch)
    answer = client.get("/status")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    assert status.GONE in answer.text
    assert client.get("/status.json").json()["error"]["code"] == "unavailable"
    assert client.get("/status.atom").status_code == 503
    assert client.get("/status/incidents/1").status_code == 503
    assert client.get("/status/logo/abc").status_code == 503


def test_a_database_that_does_not_answer_holds_nobody_up(client, monkeypatch):
    client.get("/status")
    gate = threading.Event()
    monkeypatch.setattr(status_copies, "PATIENCE", 0.05)
    monkeypatch.setattr(status, "_make", lambda name, now: gate.wait(60) and None)
    answers = [client.get("/status") for _ in range(5)]
    gate.set()
    assert {answer.status_code for answer in answers} == {200}
    assert "ago:" in answers[0].text


def test_a_logo_has_an_address_of_its_own(client, public):
    with writing(public.engine) as db:
        status_page.set_logo(db, None, "logo.png", PNG, actor=public.people["Ada"], now=NOW)
    path = re.search(r'<img src="(/status/logo/\w+)"', client.get("/status").text).group(1)
    answer = client.get(path)
    assert (answer.content, answer.headers["content-type"]) == (PNG, "image/png")
    assert "immutable" in answer.headers["cache-control"]
    assert client.get("/status/logo/0123456789abcdef").status_code == 404


def test_incidents_have_pages_of_their_own_and_unknown_ones_none(client, public):
    incident = public.report()
    for number in range(15):
        public.update(incident, f"Word {number}.", at=NOW - timedelta(minutes=20 - number))
    page = client.get("/status").text
    assert "12 earlier updates" in page
    [told] = client.get("/status.json").json()["incidents"]
    assert (len(told["updates"]), told["updates_in_all"]) == (10, 15)
    whole = client.get(f"/status/incidents/{told['id']}").text
    assert all(f"Word {number}." in whole for number in range(15))
    assert "E-mail is slow" in client.get("/status/history").text
    for unknown in ("999", "99999999999999999999", "9" * 5_000, "0"):
        assert client.get(f"/status/incidents/{unknown}").status_code == 404


def test_the_preview_is_for_administrators(client, public):
    public.page(published=False)
    assert client.get("/status/preview").status_code == 404
    for name, code in (("Lena", 404), ("Ada", 200)):
        with writing(engine()) as db:
            person = db.get_one(Person, public.people[name].id)
            token = sign_in.begin_session(db, person, user_agent="test", now=datetime.now(UTC))
        client.cookies.set(settings().cookie, token)
        answer = client.get("/status/preview")
        assert answer.status_code == code
    assert "A preview: nobody else sees this page." in answer.text
    assert answer.headers["cache-control"] == "private, no-store"
    assert client.get("/status").status_code == 404
