"""A real Alertmanager, set up with the text that the screen gives to copy: it sends, groups, repeats and resolves."""

import json
import os
import shutil
import subprocess
import threading
import time
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from db.commands import integrations
from db.engine import make_engine, migrate, reading, writing
from db.models import Alert, Incident, TimelineEntry
from pages.parts.snippets import snippet
from rules.access import SYSTEM
from tests.browser.running import free_port, started
from tests.db.office import MONDAY, Office

WAITS = 60.0
ROUTE = """
route:
  receiver: incident-desk
  group_by: [alertname]
  group_wait: 100ms
  group_interval: 300ms
  repeat_interval: 500ms
"""
pytestmark = pytest.mark.slow


@pytest.fixture
def program(missing):
    found = shutil.which("prometheus-alertmanager")
    if found is None:
        missing("This test needs Alertmanager: apt-get install prometheus-alertmanager.")
    return found


@pytest.fixture
def desk(tmp_path):
    """(address of a running app, its database, a token)."""
    url = f"sqlite:///{tmp_path / 'incidents.db'}"
    migrate(url)
    engine = make_engine(url)
    office = Office(engine)
    given = {"name": "Prometheus", "format": "alertmanager", "service_id": office.service, "grouping": "group"}
    with writing(engine) as db:
        _, token = integrations.add(db, given, actor=SYSTEM, now=MONDAY)
    with started(os.environ | {"DATABASE_URL": url}, tmp_path / "server.log") as (address, _):
        yield address, engine, token
    engine.dispose()


@pytest.fixture
def fire(program, desk, tmp_path):
    """Tells Alertmanager of alerts on these hosts; `ended` ones are over."""
    address, _, token = desk
    config = tmp_path / "alertmanager.yml"
    config.write_text(ROUTE + snippet("alertmanager", address, token).code)
    port = free_port()
    command = [program, f"--config.file={config}", f"--storage.path={tmp_path / 'alertmanager'}"]
    command += [f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="]
    with (tmp_path / "alertmanager.log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def ready():
        try:
            return direct.open(f"http://127.0.0.1:{port}/-/ready", timeout=30).status == 200
        except OSError:
            return False

    def send(*hosts, ended=False):
        now = datetime.now(UTC)
        alerts = [
            {
                "labels": {"alertname": "DiskFull", "severity": "critical", "instance": host},
                "annotations": {"summary": f"Disk of {host} is full"},
                "startsAt": (now - timedelta(minutes=1)).isoformat(),
                "endsAt": (now - timedelta(seconds=1) if ended else now + timedelta(hours=1)).isoformat(),
            }
            for host in hosts
        ]
        asked = urllib.request.Request(
            f"http://127.0.0.1:{port}/api/v2/alerts", json.dumps(alerts).encode(), {"content-type": "application/json"}
        )
        assert direct.open(asked, timeout=30).status == 200

    try:
        until(ready, lambda: (tmp_path / "alertmanager.log").read_text())
        yield send
    finally:
        process.terminate()
        process.wait(60)


def until(true, said):
    """Wait for what is awaited."""
    ends, pause = time.monotonic() + WAITS, threading.Event()
    while not true():
        assert time.monotonic() < ends, said()
        pause.wait(0.05)


def test_a_real_alertmanager_sends_groups_repeats_and_resolves(fire, desk, tmp_path):
    _, engine, _ = desk

    def state():
        with reading(engine) as db:
            alerts = db.scalars(select(Alert).order_by(Alert.dedup_key)).all()
            return db.scalars(select(Incident)).all(), alerts

    def log():
        return (tmp_path / "alertmanager.log").read_text() + (tmp_path / "server.log").read_text()

    fire("db1", "db2")
    until(lambda: len(state()[1]) == 2, log)
    until(lambda: all(alert.signals >= 2 for alert in state()[1]), log)
    (incident,), alerts = state()
    assert incident.title in ("Disk of db1 is full", "Disk of db2 is full")
    assert (incident.priority, incident.state) == (1, "new")
    assert {alert.source for alert in alerts} == {"db1", "db2"}
    fire("db1", "db2", ended=True)
    until(lambda: state()[0][0].state == "recovered", log)
    assert all(alert.status == "resolved" for alert in state()[1])
    fire("db1")
    until(lambda: state()[0][0].state == "new", log)
    (incident,), alerts = state()
    assert (incident.reopen_count, len(alerts)) == (1, 2)
    with reading(engine) as db:
        kinds = db.scalars(select(TimelineEntry.kind).order_by(TimelineEntry.id)).all()
    assert len(kinds) < 10, "what is repeated leaves no entry"
