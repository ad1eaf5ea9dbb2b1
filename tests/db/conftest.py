"""What several tests of the database ask for."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

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


@pytest.fixture(scope="session")
def _folder_of_logs(scratch: Path) -> Iterator[Path]:
    with TemporaryDirectory(prefix="incident-desk-", dir=scratch, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def copy_of_the_log(
    request: pytest.FixtureRequest, missing: Callable[[str], NoReturn], _folder_of_logs: Path
) -> Iterator[Callable[[], AbstractContextManager[Engine]]]:
    """Makes copies of a database into which the whole log has been imported, as it came; the import is made once."""
    if not LOG.exists():
        missing("The whole log is not beside the project (../shared/data/servicenow_event_log.csv.gz).")
    places = (_folder_of_logs / f"{number}.db" for number in range(1_000))

    @contextmanager
    def database(of: str | None) -> Iterator[Engine]:
        if request.param == "sqlite":
            place = next(places)
            shutil.copyfile(of or request.getfixturevalue("_sqlite_template"), place)
            made = make_engine(f"sqlite:///{place}")
        else:
            url, drop = request.getfixturevalue("_postgres_copies")(of and make_url(of))
            made = make_engine(url.render_as_string(hide_password=False))
        yield made
        made.dispose()
        if request.param == "sqlite":
            place.unlink()
        else:
            drop()

    with database(None) as first:
        take(first, LOG, zone="UTC")
        if request.param == "sqlite":
            with first.connect() as connection:
                connection.exec_driver_sql("pragma wal_checkpoint(truncate)")
        address = first.url.render_as_string(hide_password=False)
        first.dispose()  # nobody may use what is copied
        yield lambda: database(address.removeprefix("sqlite:///"))


@pytest.fixture
def of_the_log(copy_of_the_log: Callable[[], AbstractContextManager[Engine]]) -> Iterator[Engine]:
    """A database with the whole log; the test runs once on each kind."""
    with copy_of_the_log() as engine:
        yield engine
