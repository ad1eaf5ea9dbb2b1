"""Who gets in, who sees what, and what every answer carries."""

import re
from collections.abc import Callable, Iterator

import pytest

pytest.importorskip("playwright", reason="pip install -r requirements-dev.txt")

import httpx
from playwright.sync_api import ConsoleMessage, Page, expect
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.browser.people import PASSWORD, ready, sign_in

Visit = Callable[..., Page]
PAGES = {
    "home": "What needs you now",
    "report": "Report a problem",
    "triage": "Triage",
    "board": "Board",
    "trends": "Trends",
    "problems": "Problems",
    "digest": "Weekly digest",
    "reports": "Reports",
    "people": "People",
    "settings": "Settings",
    "catalogue": "Catalogue",
    "templates": "Templates",
    "integrations": "Integrations",
    "tokens": "API tokens",
    "alerts": "Alerts",
    "import": "Import",
    "audit": "Audit",
    "on-call": "On-call",
    "schedules": "Schedules",
    "escalation": "Escalation policies",
    "maintenance": "Maintenance",
    "my-reports": "My reports",
    "incident": "Incident",
    "account": "My account",
    "messages": "Messages",
    "deliveries": "Delivery log",
    "postmortems": "Postmortems",
}
LEARNING = {"trends", "problems", "postmortems", "digest", "reports"}
EVERYBODY = {"report", "my-reports", "incident", "messages", "account"}
ON_CALL = {"on-call", "alerts", "schedules", "escalation", "runbooks", "maintenance"}
OPEN_TO = {
    "reporter": EVERYBODY,
    "responder": EVERYBODY | {"home", "board", "problems", "postmortems"} | ON_CALL,
    "lead": EVERYBODY | {"home", "board", "triage", "deliveries"} | LEARNING | ON_CALL,
    "desk": EVERYBODY | {"home", "board", "triage"} | LEARNING | ON_CALL,
    "manager": EVERYBODY | LEARNING | {"home"},
    "admin": EVERYBODY
    | LEARNING
    | {"home", "people", "settings", "catalogue", "templates", "integrations", "tokens", "import"}
    | {"deliveries", "audit", "on-call", "schedules", "escalation", "runbooks", "maintenance", "status-page"},
}
RESPONSE = ["On-call", "Alerts", "Schedules", "Escalation policies", "Runbooks", "Maintenance"]
READING = ["Trends", "Problems", "Postmortems", "Weekly digest", "Reports"]
IN_MENU = {
    "reporter": ["Report a problem", "My reports", "Messages", "My account"],
    "responder": ["Home", "Report a problem", "Board", *RESPONSE, "Problems", "Postmortems"],
    "lead": ["Home", "Report a problem", "Triage", "Board", *RESPONSE, *READING, "Delivery log"],
    "desk": ["Home", "Report a problem", "Triage", "Board", *RESPONSE, *READING],
    "manager": ["Home", "Report a problem", *READING],
    "admin": [
        "Home",
        "Report a problem",
        "On-call",
        "Schedules",
        "Escalation policies",
        "Runbooks",
        "Maintenance",
        *READING,
        "People",
        "Catalogue",
        "Templates",
        "Integrations",
        "API tokens",
        "Status page",
        "Settings",
        "Import",
        "Delivery log",
        "Audit",
    ],
}
WAITS = 60.0
NOT_FOUND = "There is no such page, or it is not open to you."
SECURITY = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


def email(role: str) -> str:
    return f"{role}@gate.example"


@pytest.fixture(scope="module")
def url(server) -> str:
    for role in OPEN_TO:
        given = ("person", "add", f"{role.capitalize()} Person", "--email", email(role), "--role", role)
        server.command(*given, "--password-stdin", words=PASSWORD)
    return server.url


@pytest.fixture
def web(url: str) -> Iterator[httpx.Client]:
    """Asks as a program does: follows nothing, is nobody."""
    with httpx.Client(base_url=url, trust_env=False, timeout=WAITS) as client:
        yield client


def proof(web: httpx.Client, path: str = "/login") -> str:
    found = re.search(r'name="proof" value="([0-9a-f]+)"', web.get(path).text)
    assert found, f"{path} has no proof"
    return found.group(1)


def log_in(web: httpx.Client, who: str, password: str = PASSWORD, **more: str) -> httpx.Response:
    return web.post("/login", data={"proof": proof(web), "email": who, "password": password, **more})


def handshake(url: str, cookie: str = "", origin: str | None = None) -> int:
    """The status that a websocket is answered with; 101 when it opens."""
    headers = {"cookie": cookie} if cookie else {}
    address = url.replace("http", "ws", 1) + "/_stcore/stream"
    try:
        with connect(address, additional_headers=headers, origin=origin, proxy=None, open_timeout=WAITS):  # type: ignore[arg-type]
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


@pytest.mark.parametrize("path", ["/", *(f"/{page}" for page in PAGES), "/nowhere", "/incident?number=INC-000001"])
def test_without_a_session_every_page_leads_to_the_sign_in(web: httpx.Client, path: str) -> None:
    answer = web.get(path, headers={"accept": "text/html"})
    assert answer.status_code == 303
    wanted = "" if path == "/" else f"?next={path.replace('?', '%3F').replace('=', '%3D')}"
    assert answer.headers["location"] == f"/login{wanted}"


@pytest.mark.parametrize(
    "path",
    [
        "/media/0123456789abcdef.png",
        "/_stcore/health",
        "/_stcore/host-config",
        "/_stcore/upload_file/a/b",
        "/component/incident_desk.board/index.js",
        "/_stcore/bidi-components/incident_desk.board/index.js",
        "/files/1",
        "/static/js/index.js",
        "/api/incidents",
    ],
)
def test_without_a_session_no_file_is_served(web: httpx.Client, path: str) -> None:
    answer = web.get(path)
    assert (answer.status_code, answer.text) == (401, "Sign in first.") or answer.status_code == 303


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_without_a_session_nothing_is_taken(web: httpx.Client, method: str) -> None:
    for path in ("/_stcore/upload_file/a/b", "/", "/report", "/files/1"):
        assert web.request(method, path, content=b"x").status_code == 403


def test_without_a_session_no_websocket_opens(url: str) -> None:
    assert handshake(url) == 403
    assert handshake(url, cookie="incident_desk_session=guessed; incident_desk=guessed") == 403


def test_a_session_opens_the_websocket_but_not_for_another_site(url: str, web: httpx.Client) -> None:
    assert log_in(web, email("reporter")).status_code == 303
    cookie = "; ".join(f"{name}={value}" for name, value in web.cookies.items())
    assert handshake(url, cookie) == 101
    assert handshake(url, cookie, origin=url) == 101
    assert handshake(url, cookie, origin="https://evil.example") == 403


def test_after_signing_out_the_cookie_opens_nothing(url: str, web: httpx.Client) -> None:
    log_in(web, email("reporter"))
    kept = dict(web.cookies.items())
    assert web.get("/report").status_code == 200
    assert web.post("/logout", data={"proof": proof(web, "/logout")}).status_code == 303
    assert web.get("/report").status_code == 303
    cookie = "; ".join(f"{name}={value}" for name, value in kept.items())
    assert handshake(url, cookie) == 403


@pytest.mark.parametrize("path", ["/login", "/logout", "/report", "/files/1", "/nowhere/at/all", "/healthz"])
def test_every_answer_carries_the_security_headers(web: httpx.Client, path: str) -> None:
    anonymous = web.get(path)
    log_in(web, email("reporter"))
    for answer in (anonymous, web.get(path)):
        assert {name: answer.headers.get(name) for name in SECURITY} == SECURITY
        policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";")[:-1])
        if path == "/files/1":
            continue
        assert "'unsafe-inline'" not in policy["script-src"]
        assert "'unsafe-eval'" not in policy["script-src"].split()
        assert "'self'" in policy["default-src"]
        assert policy["object-src"] == "'none'"
        assert answer.headers["content-security-policy"].endswith("frame-ancestors 'none'")


def test_the_session_cookie_is_kept_from_scripts_and_other_sites(web: httpx.Client) -> None:
    cookies = log_in(web, email("reporter")).headers.get_list("set-cookie")
    assert cookies
    for cookie in cookies:
        assert "httponly" in cookie.lower()
        assert "samesite=lax" in cookie.lower()


def test_a_form_without_its_proof_is_refused(web: httpx.Client) -> None:
    typed = {"email": email("reporter"), "password": PASSWORD}
    for given in ({}, {"proof": ""}, {"proof": "0" * 64}):
        answer = web.post("/login", data=typed | given)
        assert answer.status_code == 400
        assert "Send the form once more" in answer.text
        assert web.get("/report").status_code == 303
    right = proof(web)
    web.cookies.clear()
    assert web.post("/login", data=typed | {"proof": right}).status_code == 400


def test_a_form_from_another_site_is_refused(web: httpx.Client) -> None:
    typed = {"email": email("reporter"), "password": PASSWORD, "proof": proof(web)}
    answer = web.post("/login", data=typed, headers={"origin": "https://evil.example"})
    assert answer.status_code == 400
    assert "another site" in answer.text
    assert web.get("/report").status_code == 303


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil.example", "/logout", "javascript:1"],
)
def test_the_sign_in_leads_nowhere_else(web: httpx.Client, target: str) -> None:
    assert log_in(web, email("reporter"), next=target).headers["location"] == "/"


def test_the_sign_in_keeps_the_way_within_the_app(web: httpx.Client) -> None:
    wanted = "/incident?number=INC-000001"
    assert log_in(web, email("reporter"), next=wanted).headers["location"] == wanted


def test_the_sign_in_says_the_same_for_a_stranger_and_a_wrong_password(web: httpx.Client) -> None:
    stranger = log_in(web, "stranger@gate.example", "wrong password")
    known = log_in(web, email("manager"), "wrong password")
    assert stranger.status_code == known.status_code == 400
    said = [re.findall(r'<div class="problem".*?</div>', answer.text, re.DOTALL) for answer in (stranger, known)]
    assert said[0] == said[1] != []


def test_after_many_failures_the_sign_in_says_how_long_to_wait(web: httpx.Client) -> None:
    for _ in range(40):
        answer = log_in(web, "guessed@gate.example", "wrong password")
        if answer.status_code == 429:
            break
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert re.search(r"(second|minute)s?", answer.text)


def test_a_file_of_nobody_is_not_found(web: httpx.Client) -> None:
    log_in(web, email("reporter"))
    for path in ("/files/1", "/files/999999999999999999999999"):
        assert web.get(path).status_code == 404


def troubles(window: Page) -> list[str]:
    """What goes wrong in the window from now on, but for what Streamlit does by itself.

    On a deep link it first looks for its own addresses below the page's.
    """
    broken: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        usual = "/_stcore/" in message.location.get("url", "")
        if message.type == "error" and not usual:
            broken.append(f"{message.text} {message.location.get('url', '')}")

    window.on("console", hear)
    window.on("pageerror", lambda error: broken.append(str(error)))
    return broken


@pytest.mark.parametrize("role", OPEN_TO)
def test_a_role_sees_only_its_pages(url: str, page: Visit, role: str) -> None:
    window = page()
    broken = troubles(window)
    sign_in(window, url, email(role))
    shown = window.get_by_test_id("stSidebar").or_(window.get_by_test_id("stHeader"))
    links = shown.get_by_test_id("stPageLink-NavLink").or_(shown.get_by_test_id("stTopNavLink"))
    expect(links).to_have_text([re.compile(rf"{re.escape(title)}\s*\d*$") for title in IN_MENU[role]])
    for path, title in PAGES.items():
        window.goto(f"{url}/{path}")
        ready(window)
        heading = window.get_by_role("heading", level=1, name=title, exact=True)
        if path in OPEN_TO[role]:
            expect(heading).to_be_visible()
        else:
            expect(window.get_by_text(NOT_FOUND)).to_be_visible()
            expect(heading).to_have_count(0)
    assert broken == []
