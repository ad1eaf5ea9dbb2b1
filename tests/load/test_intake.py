"""Alerts a second beside what the bare insert and commit reaches in the same run, and floods that stay bounded.

The databases wait for the disk here, as they do in use.
"""

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, func, insert, select
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount

from api import alerts as routes
from api import v1
from api.gate import Gate
from db.commands import alerts, integrations
from db.engine import reading, writing
from db.models import Alert, Incident, Integration, ReceivedSignal, TimelineEntry
from rules.signals import Signal
from tests.db.office import MONDAY, Office

ROUNDS, SECONDS = 3, 1.0
"""Both are measured in turn, so that whatever else the machine does slows both."""
SENDERS = 256
SHARE = 0.5
FLOOD, TOGETHER = 10_000, 500
ONE_KEY_SECONDS, DISTINCT_SECONDS = 30.0, 45.0


@pytest.fixture
def office(app_database):
    if app_database.dialect.name == "sqlite":
        event.listen(app_database, "connect", lambda made, _: made.execute("pragma synchronous = full"))
        app_database.dispose()
    else:
        event.listen(app_database, "connect", _wait_for_the_disk)
        app_database.dispose()
    return Office(app_database)


def _wait_for_the_disk(made, _record):
    made.autocommit = True
    made.execute("set synchronous_commit = on")
    made.autocommit = False


def integration(office, **given):
    given = {"name": "Load", "format": "generic", "service_id": office.service} | given
    with writing() as db:
        made, token = integrations.add(db, given, actor=office.people["Ada"], now=MONDAY)
        return made.id, token


def floor(integration_id):
    """Transactions a second that insert one signal and commit, one after the other, by the same engine."""
    row = {
        "integration_id": integration_id,
        "received_at": MONDAY,
        "status": "firing",
        "dedup_key": "k",
        "title": "Disk is full",
        "severity": "",
        "source": "",
        "outcome": "counted",
    }
    done, ends = 0, time.perf_counter() + SECONDS
    while time.perf_counter() < ends:
        with writing() as db:
            db.execute(insert(ReceivedSignal), [row])
        done += 1
    return done / SECONDS


async def post(app, path, token, body):
    """The status of one request, asked of the app as a server does; a client would take longer than the app."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [
            (b"host", b"desk.example"),
            (b"authorization", b"Bearer " + token.encode()),
            (b"content-length", str(len(body)).encode()),
        ],
        "client": ("127.0.0.1", 1),
        "server": ("desk.example", 80),
    }
    answers = []

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        answers.append(message)

    await app(scope, receive, send)
    return answers[0]["status"]


def accepted(token):
    """Messages of one alert each a second that were answered with 202, from many senders at once."""
    app = Starlette(routes=[*routes.routes, Mount("/api", v1.make(routes.router))], middleware=[Middleware(Gate)])
    counted = [0]
    bodies = [json.dumps({"title": "Disk is full", "dedup_key": f"k{n % 20}"}).encode() for n in range(SENDERS)]

    async def keep_sending(body, ends):
        while time.perf_counter() < ends:
            assert await post(app, "/api/v1/alerts/generic", token, body) == 202
            counted[0] += 1

    async def run():
        await keep_sending(bodies[0], time.perf_counter() + 0.2)
        counted[0], ends = 0, time.perf_counter() + SECONDS
        await asyncio.gather(*(keep_sending(body, ends) for body in bodies))

    asyncio.run(run())
    return counted[0] / SECONDS


def test_alerts_a_second_beside_the_bare_insert_and_commit(office):
    integration_id, token = integration(office)
    accepted(token)
    rounds = [(floor(integration_id), accepted(token)) for _ in range(ROUNDS)]
    bare, taken = (sum(column) / ROUNDS for column in zip(*rounds, strict=True))
    print(f"\n{office.engine.dialect.name}: bare {bare:,.0f}/s, accepted {taken:,.0f}/s, {taken / bare:.2f} of it")
    assert taken >= SHARE * bare


def flood(office, integration_id, keys):
    """Signals with these keys within a minute, in messages of some; the seconds it takes."""
    began, now = time.perf_counter(), datetime.now(UTC)
    messages = range(0, len(keys), TOGETHER)
    for number, start in enumerate(messages):
        at = now + timedelta(seconds=59 * number / len(messages))
        signals = [
            Signal(key, "firing", "Disk is full", "critical", "web-1", at) for key in keys[start : start + TOGETHER]
        ]
        with writing() as db:
            alerts.receive(db, alerts.locked(db, [integration_id])[integration_id], signals, at)
    return time.perf_counter() - began


def count(model):
    with reading() as db:
        return db.scalar(select(func.count()).select_from(model))


def test_ten_thousand_of_one_key_are_one_incident(office):
    integration_id, _ = integration(office)
    took = flood(office, integration_id, ["k"] * FLOOD)
    print(f"\n{office.engine.dialect.name}: {FLOOD:,} signals of one key in {took:.1f} s")
    assert (count(Incident), count(Alert), count(ReceivedSignal), count(TimelineEntry)) == (1, 1, FLOOD, 1)
    assert took <= ONE_KEY_SECONDS


def test_ten_thousand_keys_are_one_storm_and_all_are_kept(office):
    integration_id, _ = integration(office)
    took = flood(office, integration_id, [f"k{number}" for number in range(FLOOD)])
    print(f"\n{office.engine.dialect.name}: {FLOOD:,} different alerts in {took:.1f} s")
    with reading() as db:
        limit = db.get_one(Integration, integration_id).storm_limit
    assert (count(Incident), count(Alert), count(ReceivedSignal)) == (limit + 1, FLOOD, FLOOD)
    assert count(TimelineEntry) == limit + 1
    assert took <= DISTINCT_SECONDS
