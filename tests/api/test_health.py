"""What those who watch the app are told."""

from datetime import UTC, datetime, timedelta

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from api import health
from db.commands import outbox
from db.engine import DatabaseProblem, writing


@pytest.fixture(params=["sqlite"])
def database_url(request):
    return request.getfixturevalue("sqlite_url")


@pytest.fixture
def client(app_database):
    with TestClient(Starlette(routes=health.routes)) as made:
        yield made


def test_metrics_tell_how_the_outbox_stands_and_a_full_one_is_still_ready(client):
    now = datetime.now(UTC)
    with writing() as db:
        for minutes in (1, 10):
            to = outbox.To("webhook", "https://slow.example/x")
            outbox.put(db, to, outbox.Words("note", "Secret words"), now=now - timedelta(minutes=minutes))
        given_up = outbox.put(db, to, outbox.Words("note", "x"), now=now)
        given_up.given_up_at = now
    told = client.get("/metrics").text
    assert "incident_desk_outbox_waiting 2.0" in told
    assert "incident_desk_outbox_given_up 1.0" in told
    [oldest] = [line for line in told.splitlines() if line.startswith("incident_desk_outbox_oldest_seconds ")]
    assert 600 <= float(oldest.split()[1]) < 660
    assert "Secret" not in told
    assert client.get("/readyz").status_code == 200


def test_metrics_are_served_without_a_database_too(client, monkeypatch):
    def unreachable(*_given):
        raise DatabaseProblem("The database cannot be reached.")

    monkeypatch.setattr(health, "reading", unreachable)
    assert client.get("/metrics").status_code == 200
    assert client.get("/readyz").status_code == 503
