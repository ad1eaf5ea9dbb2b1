"""What several tests of the database ask for."""

import pytest

from db.commands import facts
from db.queries import columns
from db.verify import measured


@pytest.fixture
def short(monkeypatch):
    """Ranges of five ids, so that few incidents fill many, and hardly any that lie beside the base."""
    for module in (columns, facts, measured):
        monkeypatch.setattr(module, "LENGTH", 5)
    monkeypatch.setattr(columns, "_LOOSE", 8)
