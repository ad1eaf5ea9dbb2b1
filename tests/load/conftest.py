"""Databases to measure on. What fills them runs on both kinds at once, before the first is measured, and only once.

def test_it(sample_url): ...      runs twice, on SQLite and on PostgreSQL, each with a copy of the sample data
def test_it(history_url): ...     the same, with the whole log in it too: the one database of its kind
"""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path
from typing import NoReturn

import pytest
from sqlalchemy import URL, make_url

from tests.browser.running import ROOT
from tests.load.import_speed import LOG

Copy = Callable[..., tuple[URL, Callable[[], None]]]
KINDS = ("sqlite", "postgresql")


class Databases:
    """Makes copies of databases, which are dropped at the end of the run."""

    def __init__(self, template: Path, copies: Copy | None, folder: Path, end: ExitStack) -> None:
        self._template, self._copies, self._folder, self._end = template, copies, folder, end
        self._numbers = count(1)

    def copy(self, kind: str, of: str | None = None) -> str:
        """The address of a copy of the database at `of`, which nobody uses meanwhile; without it, of a migrated one."""
        if kind == "sqlite":
            place = self._folder / f"{next(self._numbers)}.db"
            with (
                closing(sqlite3.connect(str(make_url(of).database if of else self._template))) as source,
                closing(sqlite3.connect(place)) as copy,
            ):
                source.backup(copy)  # what still stands in its log is copied too
            return f"sqlite:///{place}"
        assert self._copies is not None
        url, drop = self._copies(make_url(of) if of else None)
        self._end.callback(drop)
        return str(url.render_as_string(hide_password=False))


def side_by_side(urls: dict[str, str], *command: str) -> dict[str, str]:
    """`python -m db ...` on all of these databases at once."""
    line = [sys.executable, "-m", "db", *command]
    running = [
        subprocess.Popen(
            line, cwd=ROOT, env=os.environ | {"DATABASE_URL": url}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        for url in urls.values()
    ]
    said = [process.communicate()[1].decode() for process in running]
    assert [process.returncode for process in running] == [0] * len(running), said
    return urls


def kinds(request: pytest.FixtureRequest, *fixtures: str) -> list[str]:
    """Of what kinds the tests of this run ask for a database by one of these fixtures."""
    given = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    return [kind for kind in KINDS if any(params.get(name) == kind for params in given for name in fixtures)]


@pytest.fixture(scope="session")
def _databases(
    request: pytest.FixtureRequest, _sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Databases]:
    asked = kinds(request, "sample_url", "history_url")
    copies = request.getfixturevalue("_postgres_copies") if "postgresql" in asked else None
    with ExitStack() as end:
        yield Databases(_sqlite_template, copies, tmp_path_factory.mktemp("databases"), end)


@pytest.fixture(scope="session")
def _samples(request: pytest.FixtureRequest, _databases: Databases) -> dict[str, str]:
    asked = kinds(request, "sample_url", "history_url")
    return side_by_side({kind: _databases.copy(kind) for kind in asked}, "demo")


@pytest.fixture(scope="session")
def _histories(
    request: pytest.FixtureRequest,
    _databases: Databases,
    _samples: dict[str, str],
    missing: Callable[[str], NoReturn],
) -> dict[str, str]:
    if not LOG.exists():
        missing("The whole log is not beside the project (../shared/data/servicenow_event_log.csv.gz).")
    copies = {kind: _databases.copy(kind, _samples[kind]) for kind in kinds(request, "history_url")}
    return side_by_side(copies, "import", str(LOG))


@pytest.fixture(params=KINDS)
def sample_url(request: pytest.FixtureRequest, _databases: Databases, _samples: dict[str, str]) -> str:
    """A copy of the sample data; the test runs once on each kind of database."""
    return _databases.copy(request.param, _samples[request.param])


@pytest.fixture(params=KINDS)
def history_url(request: pytest.FixtureRequest, _histories: dict[str, str]) -> str:
    """The sample data and the whole log; the test runs once on each kind of database."""
    return _histories[request.param]
