"""What every test of what leaves may ask for."""

from collections.abc import Callable, Iterator

import pytest

from db.settings import settings
from tests.worker.post_office import Hook, Mailbox, hook_server, mail_server


@pytest.fixture
def set_up(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """`set_up(SMTP_URL=..., BASE_URL=...)` sets what is set from outside the app."""

    def put(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        settings.cache_clear()

    settings.cache_clear()
    yield put
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def mailbox(set_up: Callable[..., None]) -> Iterator[Mailbox]:
    """A mail server that the app writes to."""
    with mail_server() as box:
        set_up(SMTP_URL=box.url, BASE_URL="https://desk.example")
        yield box


@pytest.fixture
def hook(set_up: Callable[..., None]) -> Iterator[Hook]:
    """A web server on loopback that the app may speak to."""
    with hook_server() as made:
        set_up(OUTGOING_ALLOW="127.0.0.0/8", BASE_URL="https://desk.example")
        yield made
