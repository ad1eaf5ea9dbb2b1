"""What the tests of the HTTP API share: the office in the app's database, and programs that call it."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from api import calls
from api.rates import Rates
from tests.api.programs import Programs, programs
from tests.db.office import Office


@pytest.fixture
def office(app_database: Engine) -> Office:
    return Office(app_database)


@pytest.fixture
def made(office: Office, monkeypatch: pytest.MonkeyPatch) -> Iterator[Programs]:
    """Programs that are never told to wait."""
    monkeypatch.setattr(calls, "rates", Rates(100_000, 60.0))
    with programs(office) as given:
        yield given
