"""The pages before the app and the gate in front of it, through the real routes."""

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from argon2 import PasswordHasher
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from api import files, forms, health
from api import sign_in as routes
from api.gate import Gate
from db.commands import files as file_commands
from db.commands import incidents, people, setup, sign_in
from db.engine import engine as db_engine
from db.engine import reading, writing
from db.models import SignInSession
from pages.parts.session import now as clock
from rules.access import SYSTEM, Actor

PASSWORD = "four words to remember"


async def page(request):
    return PlainTextResponse("the app")


async def socket(websocket):
    await websocket.accept()
    await websocket.send_text("hello")
    await websocket.close()


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch):
    monkeypatch.setattr(sign_in, "hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture(params=["sqlite"])
def database_url(request):
    return request.getfixturevalue("sqlite_url")


@pytest.fixture
def client(app_database):
    app = Starlette(
        routes=[
            *health.routes,
            *routes.routes,
            *files.routes,
            WebSocketRoute("/_stcore/stream", socket),
            Route("/{path:path}", page, methods=["GET", "POST", "PUT"]),
        ],
        middleware=[Middleware(Gate)],
    )
    with TestClient(app, base_url="http://desk.example", follow_redirects=False) as made:
        yield made


@pytest.fixture
def ada(app_database):
    with writing() as db:
        return people.add(db, "Ada", "ada@example.org", ["admin"], PASSWORD, actor=SYSTEM, now=clock()).id


def proof(client, path):
    return re.search(r'name="proof" value="([^"]+)"', client.get(path).text).group(1)


def enter(client, password=PASSWORD, **other):
    values = {"proof": proof(client, "/login"), "email": "ada@example.org", "password": password} | other
    return client.post("/login", data=values)


def test_without_an_account_everything_leads_to_the_set_up(client):
    assert client.get("/triage").headers["location"] == "/setup"
    assert client.get("/login").headers["location"] == "/setup"


def test_an_anonymous_page_leads_to_the_sign_in_and_back_to_where_one_was_going(client, ada):
    response = client.get("/incident?number=INC-000123&x=1")
    assert response.status_code == 303
    target = parse_qs(urlsplit(response.headers["location"]).query)["next"][0]
    assert target == "/incident?number=INC-000123&x=1"
    back = enter(client, next=target)
    assert (back.status_code, back.headers["location"]) == (303, target)
    assert client.get("/incident?number=INC-000123&x=1").text == "the app"


@pytest.mark.parametrize(
    "path",
    [
        "/_stcore/upload_file/a/b",
        "/media/abc.png",
        "/component/x/index.js",
        "/static/js/main.js",
        "/files/1",
        "/api/x",
    ],
)
def test_an_anonymous_file_is_refused(client, ada, path):
    assert client.get(path).status_code == 401
    assert client.put(path).status_code == 403


def test_an_anonymous_websocket_is_refused_and_one_with_a_session_is_not(client, ada):
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("ws://desk.example/_stcore/stream") as refused:
        refused.receive_text()
    enter(client)
    with client.websocket_connect("ws://desk.example/_stcore/stream") as connection:
        assert connection.receive_text() == "hello"


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(client, ada):
    cookie = next(value for value in enter(client).headers.get_list("set-cookie") if value.startswith("incident_desk="))
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie


def test_under_https_the_cookie_is_bound_to_the_host(client, ada, monkeypatch):
    from db.settings import settings

    monkeypatch.setattr(settings(), "base_url", "https://desk.example")
    client.base_url = "https://desk.example"
    cookies = enter(client).headers.get_list("set-cookie")
    session = next(value for value in cookies if value.startswith("__Host-incident_desk="))
    assert "Secure" in session
    assert "Domain" not in session
    assert "max-age" in client.get("/login").headers["strict-transport-security"]


def test_a_wrong_password_keeps_what_was_typed_but_not_the_password(client, ada):
    response = enter(client, password="wrong-password-typed", next="/board")
    assert response.status_code == 400
    assert "<title>Error: Sign in" in response.text
    assert "There is a problem" in response.text
    assert 'value="ada@example.org"' in response.text
    assert 'value="/board"' in response.text
    assert "wrong-password-typed" not in response.text


def test_many_failures_are_answered_with_429_and_a_time(client, ada):
    for _ in range(sign_in.FREE_FAILURES):
        enter(client, password="wrong")
    response = enter(client)
    assert response.status_code == 429
    assert int(response.headers["retry-after"]) >= 1
    assert "Try again in" in response.text


@pytest.mark.parametrize("size", [forms.MOST_BYTES, 1_000_000])
def test_a_form_that_holds_too_much_is_refused_however_it_is_sent(client, ada, size):
    def in_parts():
        yield b"email="
        yield b"x" * size

    headers = {"content-type": "application/x-www-form-urlencoded"}
    for content in (in_parts(), b"email=" + b"x" * size):
        response = client.post("/login", content=content, headers=headers)
        assert (response.status_code, "holds too much" in response.text) == (400, True)
    many = "&".join(f"field{number}=1" for number in range(forms.MOST_FIELDS + 1))
    assert "holds too much" in client.post("/login", content=many, headers=headers).text


def test_what_is_no_text_is_answered_like_a_wrong_name(client, ada):
    for typed in ("ada\0@example.org", "\u202eada", "\U0001f5a8" * 300, "<script>alert(1)</script>"):
        response = enter(client, email=typed, password="wrong")
        assert (response.status_code, sign_in.REFUSED in response.text) == (400, True)
        assert "<script>alert" not in response.text


@pytest.mark.parametrize("path", ["/login", "/setup", "/sample", "/invite/abc", "/triage", "/files/1"])
def test_a_database_that_is_gone_is_told_in_a_sentence(client, ada, path):
    enter(client)
    database = Path(db_engine().url.database)
    db_engine().dispose()
    database.write_bytes(b"this is no database" * 100)
    for left in database.parent.glob("*-wal"):
        left.unlink()
    response = client.get(path)
    assert (response.status_code, "Restore it from a backup." in response.text) == (503, True)
    assert "The database file is damaged" in client.get("/readyz").text


@pytest.mark.parametrize("path", ["/login", "/logout", "/setup", "/sample", "/invite/abc"])
def test_a_form_without_its_proof_is_refused(client, ada, path):
    response = client.post(path, data={"email": "ada@example.org", "password": PASSWORD})
    assert response.status_code in (303, 400, 404)
    assert not [value for value in response.headers.get_list("set-cookie") if value.startswith("incident_desk=")]


def test_a_form_from_another_site_is_refused(client, ada):
    values = {"proof": proof(client, "/login"), "email": "ada@example.org", "password": PASSWORD}
    response = client.post("/login", data=values, headers={"origin": "https://evil.example"})
    assert response.status_code == 400
    assert "another site" in response.text
    assert client.post("/login", data=values, headers={"origin": "http://desk.example"}).status_code == 303


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x", "/a\nb", ""]
)
def test_nobody_is_led_to_another_site(client, ada, target):
    assert enter(client, next=target).headers["location"] == "/"


def test_signing_out_takes_a_press_not_a_visit(client, ada):
    enter(client)
    token = client.cookies["incident_desk"]
    client.get("/logout")
    assert client.get("/board").status_code == 200
    client.post("/logout", data={"proof": proof(client, "/logout")})
    client.cookies.set("incident_desk", token)
    assert client.get("/board").status_code == 303


def test_signing_in_again_ends_the_session_it_replaces(client, ada):
    enter(client)
    first = client.cookies["incident_desk"]
    enter(client)
    with reading() as db:
        open_ones = db.query(SignInSession).filter(SignInSession.ended_at.is_(None)).count()
    assert client.cookies["incident_desk"] != first
    assert open_ones == 1


def test_the_code_of_the_log_sets_the_app_up(client):
    with writing() as db:
        code = setup.new_code(db, clock())
    typed = {"proof": proof(client, "/setup"), "choice": "own", "organisation": "North", "name": "Ada", "zone": "UTC"}
    refused = client.post("/setup", data=typed | {"code": code, "email": "ada", "password": "short"})
    assert refused.status_code == 400
    assert 'value="North"' in refused.text
    assert "name@example.org" in refused.text
    done = client.post("/setup", data=typed | {"code": code, "email": "ada@example.org", "password": PASSWORD})
    assert done.status_code == 303
    assert client.get("/home").text == "the app"
    assert client.get("/setup").headers["location"] == "/login"


def test_an_invitation_works_once(client, ada):
    with writing() as db:
        _, token = people.invite(db, "Bo", "bo@example.org", ["lead"], actor=SYSTEM, now=clock())
    typed = {"proof": proof(client, f"/invite/{token}"), "password": PASSWORD}
    assert "not the same" in client.post(f"/invite/{token}", data=typed | {"again": "other"}).text
    assert client.post(f"/invite/{token}", data=typed | {"again": PASSWORD}).status_code == 303
    assert client.get("/home").text == "the app"
    assert client.get(f"/invite/{token}").status_code == 404


def test_nobody_is_a_sample_person_unless_sample_data_is_shown(client, ada):
    assert client.get("/sample").headers["location"] == "/login"
    typed = {"proof": proof(client, "/login"), "person": str(ada)}
    assert client.post("/sample", data=typed).status_code == 303
    assert "incident_desk" not in client.cookies


def test_every_answer_carries_the_security_headers(client, ada):
    enter(client)
    for path in ("/login", "/home", "/files/1", "/nothing"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "same-origin"
        scripts = re.search(r"script-src ([^;]+)|default-src 'none'", headers["content-security-policy"]).group(0)
        assert "unsafe-inline" not in scripts
        assert "unsafe-eval" not in scripts.replace("wasm-unsafe-eval", "")


def test_a_file_is_a_download_for_those_who_may_read_its_incident(client, ada):
    with writing() as db:
        rita = people.add(db, "Rita", "rita@example.org", [], PASSWORD, actor=SYSTEM, now=clock())
        actor = Actor(rita.id, "Rita", frozenset({"reporter"}))
        upload = file_commands.Upload("Fehler 1 <b>.png", b"\x89PNG\r\n\x1a\n" + b"0" * 20)
        incidents.report(db, title="X", affected="Y", attachments=[upload], actor=actor, now=clock())
        people.add(db, "Eve", "eve@example.org", [], PASSWORD, actor=SYSTEM, now=clock())
    enter(client, email="rita@example.org")
    got = client.get("/files/1")
    assert got.status_code == 200
    assert got.content.startswith(b"\x89PNG")
    assert got.headers["content-disposition"] == "attachment; filename*=UTF-8''Fehler%201%20%3Cb%3E.png"
    enter(client, email="eve@example.org")
    assert client.get("/files/1").status_code == 404
    assert client.get("/files/2").status_code == 404


def test_the_process_says_whether_it_runs_and_can_serve(client, monkeypatch):
    assert client.get("/healthz").text == "ok"
    assert client.get("/readyz").text.startswith("ok\nNo worker runs")
    assert "python_info" in client.get("/metrics").text
