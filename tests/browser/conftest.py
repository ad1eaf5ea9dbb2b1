"""The real app, started as the README says, and people with a browser each.

    def test_it(server, page):
        server.command("person", "add", "Ana", "--email", "a@b.org", "--role", "lead", "--password-stdin", words="...")
        ana = page()                      a fresh browser window of her own; page(width=360, scheme="dark") for a phone
        ana.goto(server.url + "/login")

    def test_it(sample_server, page): ...  the same with the sample data, whose people sign in by /sample

Every window made by `page` is watched: a request to any other host fails its test.
"""

import fcntl
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, NoReturn
from urllib.parse import urlsplit

import pytest

pytest.importorskip("playwright", reason="pip install -r requirements-dev.txt")
pytest.importorskip("axe_playwright_python", reason="pip install -r requirements-dev.txt")

import axe_playwright_python
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.answered import watch
from tests.browser.running import CHROMIUM, FLAGS, ROOT, started

SECRET_KEY = "the key of the browser tests, 32 characters or more"
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
GRAVE = ("serious", "critical")
# What Streamlit itself causes and we cannot mend: (axe's rule, a piece of the element's HTML, why).
STREAMLIT_CAUSES: list[tuple[str, str, str]] = [
    ("target-size", "aria-valuemax=", "day, month and year within a date field stand close together"),
    ("target-size", 'aria-label="Clear value"', "the cross within a date field"),
]

Visit = Callable[..., Page]


@dataclass(frozen=True)
class Server:
    """A running app: `url` has no slash at its end."""

    url: str
    database_url: str
    log: Path
    pid: int
    environment: dict[str, str]

    def command(self, *given: str, words: str = "") -> str:
        """What `python -m db ...` prints on this server's database; it fails when the command refuses."""
        command = [sys.executable, "-m", "db", *given]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, input=words, capture_output=True, text=True)
        assert done.returncode == 0, f"python -m db {' '.join(given)} refused: {done.stderr}"
        return done.stdout


@pytest.fixture(scope="session", autouse=True)
def _chromium(missing: Callable[[str], NoReturn]) -> None:
    if not CHROMIUM.exists():
        missing("Browser tests need Chromium: apt-get install chromium, or set CHROMIUM to its path.")


@contextmanager
def serving(place: Path, **settings: str) -> Iterator[Server]:
    """The app on the SQLite database in this folder, a new one where there is none, with its worker inside."""
    environment = os.environ | {
        "DATABASE_URL": f"sqlite:///{place / 'incidents.db'}",
        "SECRET_KEY": SECRET_KEY,
        "WORKER": "embedded",
    }
    environment |= settings
    log = place / "server.log"
    with started(environment, log) as (url, pid):
        yield Server(url, environment["DATABASE_URL"], log, pid, environment)


@pytest.fixture(scope="module")
def place(scratch: Path) -> Iterator[Path]:
    """The folder of a server; thrown away after its module."""
    with TemporaryDirectory(prefix="incident-desk-", dir=scratch, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def server(place: Path) -> Iterator[Server]:
    """The app of one test module, on a fresh database."""
    with serving(place) as running:
        yield running


@pytest.fixture(scope="session")
def sample_data(of_all_workers: Path) -> Path:
    """A database with the sample data, which takes longer to make than most tests; made once for all workers."""
    made = of_all_workers / "sample.db"
    with (of_all_workers / "sample.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            environment = os.environ | {"DATABASE_URL": f"sqlite:///{made}.part", "SECRET_KEY": SECRET_KEY}
            subprocess.run([sys.executable, "-m", "db", "demo"], cwd=ROOT, env=environment, check=True)
            with closing(sqlite3.connect(f"{made}.part")) as whole:
                whole.execute("pragma wal_checkpoint(truncate)")
            Path(f"{made}.part").rename(made)
    return made


@pytest.fixture(scope="module")
def sample_server(place: Path, sample_data: Path) -> Iterator[Server]:
    """The app of one test module, with the sample data."""
    shutil.copyfile(sample_data, place / "incidents.db")
    with serving(place) as running:
        yield running


@contextmanager
def launched() -> Iterator[Browser]:
    """Chromium; while it is there, nothing else of this thread can run an event loop."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="session")
def browser(_chromium: None) -> Iterator[Browser]:
    with launched() as started:
        yield started


@pytest.fixture
def foreign_requests() -> Iterator[list[str]]:
    """Every address outside the app that a window of this test asked for; the test fails when there is one."""
    asked: list[str] = []
    yield asked
    assert asked == [], "a page asked another host"


@pytest.fixture
def page(browser: Browser, foreign_requests: list[str]) -> Iterator[Visit]:
    """Makes a window for one more person: `page(width=1280, scheme="light", zone="Europe/Berlin")`.

    Cookies and storage are its own. Whatever else is given goes to Playwright's new_context.
    """
    contexts: list[BrowserContext] = []

    def enter(
        width: int = 1280, scheme: Literal["light", "dark"] = "light", zone: str = "Europe/Berlin", **more: Any
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": more.pop("height", 900)},
            color_scheme=scheme,
            timezone_id=zone,
            locale=more.pop("locale", "en-GB"),
            has_touch=width < 500,
            **more,
        )
        contexts.append(watch(context))
        opened = context.new_page()
        context.on("request", lambda request: _note(request.url, foreign_requests))
        opened.on("websocket", lambda socket: _note(socket.url, foreign_requests))
        return opened

    yield enter
    for context in contexts:
        context.close()


def _note(url: str, foreign: list[str]) -> None:
    parts = urlsplit(url)
    if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname not in ("127.0.0.1", "localhost"):
        foreign.append(url)


@pytest.fixture
def axe() -> Callable[[Page], list[str]]:
    """What axe finds serious or critical on the page as it stands: `assert axe(page) == []`."""

    def examine(page: Page) -> list[str]:
        # Through the debugger, so that the app's Content-Security-Policy stays in force while it is examined.
        debugger = page.context.new_cdp_session(page)
        debugger.send("Runtime.evaluate", {"expression": f"if (!window.axe) {{ {AXE} }}"})
        run = f"axe.run(document, {{runOnly: {WCAG}, resultTypes: ['violations']}}).then(found => found.violations)"
        answer = debugger.send("Runtime.evaluate", {"expression": run, "awaitPromise": True, "returnByValue": True})
        debugger.detach()
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return [
            f"{rule['id']} ({rule['impact']}): {rule['help']}: {node['target']}: {node['html'][:200]}"
            for rule in answer["result"]["value"]
            if rule["impact"] in GRAVE
            for node in rule["nodes"]
            if not any(rule["id"] == known and piece in node["html"] for known, piece, _why in STREAMLIT_CAUSES)
        ]

    return examine
