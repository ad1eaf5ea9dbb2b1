"""The room's routes: who may, what is refused, and a stream that tells what is said, what changed and who is here."""

import json
import os
import signal
import socket
import threading
import urllib.request
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice

import psutil
import pytest
import uvicorn
from sqlalchemy import update
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from api import rooms as routes
from api.gate import Gate
from db.commands import conversation, sign_in
from db.engine import writing
from db.models import Person, SignInSession
from db.settings import settings
from tests.browser.running import started
from tests.db.office import MONDAY, Office

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 50
OURS = {"x-incident-desk": "room"}
SOON = 60.0


@pytest.fixture
def office(app_database):
    return Office(app_database)


@pytest.fixture
def app():
    return Starlette(routes=routes.routes, middleware=[Middleware(Gate)])


def session(office, who):
    with writing(office.engine) as db:
        return sign_in.begin_session(
            db, db.get_one(Person, office.people[who].id), user_agent="x", now=datetime.now(UTC)
        )


@pytest.fixture
def client(office, app):
    with TestClient(app, base_url="http://desk.example", follow_redirects=False) as made:

        def of(who):
            made.cookies.clear()
            if who:
                made.cookies.set(settings().cookie, session(office, who))
            return made

        yield of


@pytest.fixture
def number(office):
    return office.incident(office.report()).number


def say(client, number, text="", *, headers=OURS, file=None, **more):
    parts = {name: (None, str(value)) for name, value in {"text": text, **more}.items()}
    if file is not None:
        parts["file"] = ("screen.png", file, "image/png")
    return client.post(f"/rooms/{number}/messages", files=parts, headers=headers)


def said(client, number, query=""):
    return client.get(f"/rooms/{number}/messages{query}").json()["said"]


def test_words_and_pictures_go_in_and_come_out_as_they_were(client, number):
    priya, words = client("Priya"), "<b>no</b> [x](javascript:alert(1)) \u202eevil"
    assert say(priya, number, words, token="one").status_code == 201
    assert say(priya, number, words, token="one").status_code == 201
    assert say(priya, number, file=PNG).status_code == 201
    [first, second] = said(priya, number)
    assert (first["text"], first["who"]) == (words, "Priya")
    assert second["file"]["name"] == "screen.png"
    assert [each["id"] for each in said(priya, number, f"?before={second['id']}")] == [first["id"]]
    assert [each["id"] for each in said(priya, number, "?q=NO")] == [first["id"]]
    path = f"/rooms/{number}/messages/{first['id']}"
    for change in ("pin", "task"):
        assert priya.post(f"{path}/{change}", files={"x": (None, "")}, headers=OURS).status_code == 201
    assert priya.post(f"{path}/edit", files={"text": (None, "other")}, headers=OURS).status_code == 201
    [first, _] = said(priya, number)
    assert (first["text"], first["pinned"], first["task"], bool(first["edited"])) == ("other", True, True, True)
    assert priya.post(f"{path}/retract", files={"x": (None, "")}, headers=OURS).status_code == 201
    assert said(priya, number)[0]["gone"]


@pytest.mark.parametrize("who", [None, "Rita", "Ada"])
def test_strangers_get_nothing(client, number, who):
    stranger = client(who)
    for answer in (
        stranger.get(f"/rooms/{number}/messages"),
        stranger.get(f"/rooms/{number}/live"),
        say(stranger, number, "Hello"),
    ):
        assert answer.status_code in (400, 401, 403, 404)
        assert "Priya" not in answer.text


def test_another_sites_page_cannot_write(client, number):
    priya = client("Priya")
    assert say(priya, number, "Hello", headers={}).status_code == 400
    assert say(priya, number, "Hello", headers=OURS | {"origin": "https://evil.example"}).status_code == 400
    assert said(priya, number) == []


@pytest.mark.parametrize("change", ["edit", "retract", "pin", "task", "nothing", "../../x"])
def test_what_is_not_there_is_refused_with_a_sentence(client, number, change):
    priya = client("Priya")
    answer = priya.post(f"/rooms/{number}/messages/99999999999999999/{change}", files={"x": (None, "")}, headers=OURS)
    assert answer.status_code in (400, 404)
    assert priya.post("/rooms/INC-999999/messages/1/pin", files={"x": (None, "")}, headers=OURS).status_code == 400
    assert priya.get("/rooms/INC-999999/messages").status_code == 404
    assert priya.get(f"/rooms/{number}/messages?before=x&q=").status_code == 200


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "text/plain"),
        (b"--x", "multipart/form-data; boundary=x"),
        (b"text=hello", "application/x-www-form-urlencoded"),
        (b"\xff" * 100, "multipart/form-data"),
    ],
)
def test_broken_bodies_are_answered_with_a_sentence(client, number, body, kind):
    answer = client("Priya").post(f"/rooms/{number}/messages", content=body, headers=OURS | {"content-type": kind})
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_too_long_and_empty_are_refused_and_a_lying_file_too(client, number):
    priya = client("Priya")
    assert "Shorten the message" in say(priya, number, "x" * 4001).json()["error"]
    assert "Write something first" in say(priya, number, "  ").json()["error"]
    assert "not a picture" in say(priya, number, "look", file=b"MZ" + b"0" * 50).json()["error"]
    assert said(priya, number) == []


class Stream:
    """What one open stream tells, read in a thread."""

    def __init__(self, answer) -> None:
        self.lines = iter(answer)

    def next(self, kind):
        """The data of the next event of that kind, and its id."""
        event = {}
        for raw in self.lines:
            line = raw.decode().rstrip("\n")
            if line:
                name, _, value = line.partition(": ")
                event[name] = value
            elif event.get("event") == kind:
                return json.loads(event["data"]), event.get("id")
            else:
                event = {}
        raise AssertionError("the stream ended")

    def ends(self, within):
        """True when it ends within so many lines."""
        return sum(1 for _ in islice(self.lines, within)) < within


@pytest.fixture
def listen(office, app, monkeypatch):
    """A real server, and streams from it."""
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
    running = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    running.start()

    @contextmanager
    def opened(number, who, query=""):
        cookie = session(office, who) if "=" not in who else who
        asked = urllib.request.Request(f"http://127.0.0.1:{port}/rooms/{number}/live{query}")
        asked.add_header("cookie", f"{settings().cookie}={cookie}")
        with urllib.request.urlopen(asked, timeout=SOON) as answer:
            yield Stream(answer)

    while not server.started:
        assert running.is_alive()
        running.join(0.01)
    yield opened
    server.should_exit = True
    running.join(SOON)


def test_a_stream_tells_what_is_said_who_is_here_and_that_the_incident_changed(office, client, number, listen):
    with listen(number, "Lena") as lena:
        told, turn = lena.next("said")
        assert (told, turn) == ({"said": [], "whole": True, "earlier": False}, "0")
        say(client("Priya"), number, "Hello")
        told, turn = lena.next("said")
        assert ([each["text"] for each in told["said"]], turn) == (["Hello"], "1")
        with listen(number, "Priya"):
            while lena.next("here")[0] != ["Lena", "Priya"]:
                pass
        while lena.next("here")[0] != ["Lena"]:
            pass
        with writing(office.engine) as db:
            incident = office.incident(1).id
            conversation.comment(db, incident, "Note", public=False, actor=office.people["Sam"], now=MONDAY)
        before = lena.next("change")[0]
    say(client("Priya"), number, "While away")
    with listen(number, "Lena", f"?turn=1&mark={before}") as lena:
        told, turn = lena.next("said")
        assert ([each["text"] for each in told["said"]], turn, "whole" in told) == (["While away"], "2", False)


def test_a_stream_ends_when_its_session_does(office, number, listen, monkeypatch):
    monkeypatch.setattr(routes, "ASKS_EVERY", 0.05)
    with listen(number, "Lena") as lena:
        lena.next("said")
        with writing(office.engine) as db:
            db.execute(update(SignInSession).values(ended_at=datetime.now(UTC)))
        assert lena.ends(within=400)


@pytest.mark.parametrize("why", ["signed out", "restricted"])
def test_who_may_no_longer_listen_is_told_nothing_more_however_busy_the_room_is(office, client, number, listen, why):
    with listen(number, "Sam") as sam:
        sam.next("said")
        with writing(office.engine) as db:
            if why == "signed out":
                db.execute(update(SignInSession).values(ended_at=datetime.now(UTC)))
        if why == "restricted":
            office.perform(1, "accept", "Lena", MONDAY, **office.triage, restricted=True)
        assert say(client("Priya"), number, "Not for Sam").status_code == 201
        assert not any(b"Not for Sam" in line for line in sam.lines)


@pytest.mark.parametrize("number_of_signal", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_process_that_is_asked_to_end_does_not_wait_for_open_rooms(office, number, tmp_path, number_of_signal):
    url = office.engine.url.render_as_string(hide_password=False)
    environment = os.environ | {"DATABASE_URL": url}
    with started(environment, tmp_path / "server.log") as (address, pid):
        asked = urllib.request.Request(f"{address}/rooms/{number}/live")
        asked.add_header("cookie", f"{settings().cookie}={session(office, 'Lena')}")
        with urllib.request.urlopen(asked, timeout=SOON) as answer:
            answer.readline()
            process = psutil.Process(pid)
            os.kill(pid, number_of_signal)
            process.wait(SOON)
