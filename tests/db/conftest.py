"""What several tests of the database ask for."""

import fcntl
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, NamedTuple, NoReturn

import pytest
from sqlalchemy import Engine, make_url

from db.commands import facts
from db.engine import make_engine
from db.queries import columns
from db.verify import measured
from tests.db.imported import LOG, take


@pytest.fixture
def short(monkeypatch):
    """Ranges of five ids, so that few incidents fill many, and hardly any that lie beside the base."""
    for module in (columns, facts, measured):
        monkeypatch.setattr(module, "LENGTH", 5)
    monkeypatch.setattr(columns, "_LOOSE", 8)


class Log(NamedTuple):
    """A database into which the whole log has been imported, as it came, and how databases of its kind come and go."""

    address: str
    copy: Callable[[str | None], str]
    drop: Callable[[str], None]


@pytest.fixture(scope="session")
def _sqlite_log(of_all_workers: Path, scratch: Path, _sqlite_template: Path) -> Iterator[Log]:
    def copy(of: str | None) -> str:
        place = Path(mkdtemp(prefix="incident-desk-", dir=scratch)) / "incidents.db"
        shutil.copyfile(make_url(of).database if of else _sqlite_template, place)
        return f"sqlite:///{place}"

    def drop(address: str) -> None:
        shutil.rmtree(Path(make_url(address).database or "").parent)

    with _made_once(of_all_workers / "log-sqlite", copy, drop) as log:
        yield log


@pytest.fixture(scope="session")
def _postgres_log(of_all_workers: Path, _postgres_copies: Any) -> Iterator[Log]:
    def copy(of: str | None) -> str:
        url, _ = _postgres_copies(of and make_url(of))
        return str(url.render_as_string(hide_password=False))

    with _made_once(
        of_all_workers / "log-postgresql", copy, lambda address: _postgres_copies.drop(make_url(address))
    ) as log:
        yield log


@contextmanager
def _made_once(place: Path, copy: Callable[[str | None], str], drop: Callable[[str], None]) -> Iterator[Log]:
    """The import is made by the first worker that asks, while others wait, and thrown away by the last."""
    with _held(place) as known:
        if not known.get("users"):
            known |= {"address": copy(None), "users": 0}
            _import(known["address"])
        known["users"] += 1
        log = Log(known["address"], copy, drop)
    yield log
    with _held(place) as known:
        known["users"] -= 1
        if not known["users"]:
            drop(log.address)


@contextmanager
def _held(place: Path) -> Iterator[dict[str, Any]]:
    """What the workers of this run know of the log, to be read and changed by one of them at a time."""
    with place.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        known = json.loads(file.read() or "{}")
        yield known
        file.truncate(0)
        file.write(json.dumps(known))


def _import(address: str) -> None:
    engine = make_engine(address)
    take(engine, LOG)
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            connection.exec_driver_sql("pragma wal_checkpoint(truncate)")
    engine.dispose()  # nobody may use what is copied


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def copy_of_the_log(
    request: pytest.FixtureRequest, missing: Callable[[str], NoReturn]
) -> Callable[[], AbstractContextManager[Engine]]:
    """Makes copies of a database with the whole log."""
    if not LOG.exists():
        missing("The whole log is not beside the project (../shared/data/servicenow_event_log.csv.gz).")
    log: Log = request.getfixturevalue("_sqlite_log" if request.param == "sqlite" else "_postgres_log")

    @contextmanager
    def database() -> Iterator[Engine]:
        address = log.copy(log.address)
        made = make_engine(address)
        yield made
        made.dispose()
        log.drop(address)

    return database


@pytest.fixture
def of_the_log(copy_of_the_log: Callable[[], AbstractContextManager[Engine]]) -> Iterator[Engine]:
    """A database with the whole log; the test runs once on each kind."""
    with copy_of_the_log() as engine:
        yield engine
