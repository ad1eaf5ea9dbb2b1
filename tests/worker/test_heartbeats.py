"""A worker that is missed is seen: by its heartbeat, on /readyz, in /metrics."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from api import health
from db.commands import heartbeats as commands
from db.engine import reading, writing
from db.queries import heartbeats
from tests.db.office import HOUR, MONDAY
from worker import loop

SECOND = timedelta(seconds=1)
WAITS = 60.0


def problem(engine, at):
    with reading(engine) as db:
        return heartbeats.problem(db, at)


def test_a_worker_says_that_it_works_and_is_missed_when_it_does_not(engine):
    assert "No worker runs" in problem(engine, MONDAY)
    running = loop.Loop(engine, clock=lambda: MONDAY)
    running.turn()
    assert problem(engine, MONDAY + 59 * SECOND) is None
    assert problem(engine, MONDAY + HOUR) == (
        "No worker has run for 1 h: nothing is sent, and nothing falls due."
    )  # fmt: skip


def test_one_of_several_is_enough_and_one_that_ended_as_asked_is_not_missed(engine):
    with writing(engine) as db:
        commands.beat(db, "a", MONDAY)
        commands.beat(db, "b", MONDAY + HOUR)
        commands.beat(db, "b", MONDAY + HOUR)
    assert problem(engine, MONDAY + HOUR) is None
    with writing(engine) as db:
        commands.end(db, "b")
    assert "for 1 h" in problem(engine, MONDAY + HOUR)


def test_a_heartbeat_from_the_future_does_not_hide_that_nobody_works(engine):
    with writing(engine) as db:
        commands.beat(db, "ahead", MONDAY + 24 * HOUR)
        commands.beat(db, "right", MONDAY)
    assert "for 2 h" in problem(engine, MONDAY + 2 * HOUR)


def test_the_thread_leaves_as_it_came(engine):
    running = loop.Loop(engine).start()
    with running_until(running, lambda: problem(engine, datetime.now(UTC)) is None):
        pass
    assert "No worker runs" in problem(engine, datetime.now(UTC))


class running_until:
    """Wait until `seen`, then stop the worker."""

    def __init__(self, running, seen):
        self.running, self.seen = running, seen

    def __enter__(self):
        ends = time.monotonic() + WAITS
        while not self.seen():
            assert time.monotonic() < ends, "it never said that it works"
            self.running._stopping.wait(0.01)

    def __exit__(self, *_):
        assert self.running.stop(WAITS)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_replica_is_taken_away_only_when_its_own_worker_has_died(app_database, monkeypatch):
    client = TestClient(Starlette(routes=health.routes))
    monkeypatch.setattr(health, "_embedded", [])
    answer = client.get("/readyz")
    assert (answer.status_code, answer.text.split("\n")[0]) == (200, "ok")
    assert "No worker runs" in answer.text
    assert "incident_desk_worker_quiet_seconds -1.0" in client.get("/metrics").text
    with writing() as db:
        commands.beat(db, "somewhere", datetime.now(UTC))
    assert client.get("/readyz").text == "ok"
    health.watch(lambda: False)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.text) == (503, "The worker of this process has died. Start the process anew.")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_worker_that_hangs_is_a_reason_once_it_should_have_worked_and_no_other_does(app_database, monkeypatch):
    client = TestClient(Starlette(routes=health.routes))
    monkeypatch.setattr(health, "_embedded", [])
    with writing() as db:
        commands.beat(db, "somewhere", datetime.now(UTC) - HOUR)
    assert client.get("/readyz").status_code == 200, "this replica needs none of its own"
    health.watch(lambda: True)
    answer = client.get("/readyz")
    assert (answer.status_code, "No worker has run for 1 h" in answer.text) == (200, True), "it has just begun"
    monkeypatch.setattr(health, "_embedded", [(lambda: True, time.monotonic() - 301)])
    answer = client.get("/readyz")
    assert (answer.status_code, "hangs" in answer.text) == (503, True)
    with writing() as db:
        commands.beat(db, "elsewhere", datetime.now(UTC) - 2 * timedelta(minutes=1))
    answer = client.get("/readyz")
    assert (answer.status_code, "No worker has run for 2 min" in answer.text) == (200, True)


def test_a_worker_that_died_by_itself_is_told_from_one_that_was_stopped(engine, monkeypatch):
    assert loop.healthy()

    def die(self):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(loop.Loop, "turn", die)
        patched.setattr("threading.excepthook", lambda _args: None)
        running = loop.start(engine)
        running.wait()
    assert not loop.healthy()
    loop.stop()
    assert loop.healthy()
