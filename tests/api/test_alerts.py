"""Alerts over HTTP, through the real routes and the gate: taken whole or not at all, and never a 5xx."""

import base64
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

import api.alerts
import api.intake
from api import alerts, v1
from api.gate import Gate
from api.rates import Rates
from db.commands import integrations
from db.engine import DatabaseProblem, reading, writing
from db.models import Alert, Incident, Integration, IntegrationToken, Notice, ReceivedSignal
from rules import webhook_signature
from rules.signals import FORMATS

GENERIC = "/api/v1/alerts/generic"
BODIES = {
    "alertmanager": {
        "version": "4",
        "groupKey": "{}:{}",
        "status": "firing",
        "alerts": [
            {"status": "firing", "labels": {"alertname": "Down", "instance": "web-1"}, "fingerprint": "f1"},
            {"status": "firing", "labels": {"alertname": "Down", "instance": "web-2"}, "fingerprint": "f2"},
        ],
    },
    "grafana": {"alerts": [{"status": "firing", "labels": {"alertname": "Slow"}, "fingerprint": "g1"}]},
    "pagerduty": {"event_action": "trigger", "payload": {"summary": "Down", "source": "web-1", "severity": "critical"}},
    "zabbix": {"event_id": "77", "event_name": "Disk is full", "event_value": "1", "host_name": "db-1"},
    "cloudwatch": {
        "Type": "Notification",
        "Message": json.dumps({"AlarmName": "CPU", "AlarmArn": "arn:aws:1", "NewStateValue": "ALARM"}),
    },
    "pingdom": {"check_id": 12, "check_name": "Site", "current_state": "DOWN"},
    "generic": {"title": "Disk is full", "status": "firing"},
}


async def page(request):
    return PlainTextResponse("the app")


@pytest.fixture
def client(app_database):
    app = Starlette(
        routes=[
            *alerts.routes,
            Mount("/api", v1.make(alerts.router, beside=alerts.events)),
            Route("/{path:path}", page),
        ],
        middleware=[Middleware(Gate)],
    )
    with TestClient(app, base_url="http://desk.example", follow_redirects=False) as made:
        yield made


sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def integration(office, format="generic", **given):
    """Its id and token."""
    given = {"name": f"From {format}", "format": format, "service_id": office.service} | given
    with writing() as db:
        made, token = integrations.add(db, given, actor=office.people["Ada"], now=datetime.now(UTC))
        return made.id, token


def bearer(token):
    return {"authorization": f"Bearer {token}"}


def stored():
    """How many signals, alerts and incidents there are."""
    with reading() as db:
        return tuple(db.scalar(select(func.count()).select_from(one)) for one in (ReceivedSignal, Alert, Incident))


def error(answer):
    said = answer.json()["error"]
    assert said["message"]
    return said["code"]


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_is_taken_and_committed(client, office, format):
    _, token = integration(office, format)
    answer = client.post(f"/api/v1/alerts/{format}", json=BODIES[format], headers=bearer(token))
    assert answer.status_code == 202, answer.text
    count = 2 if format == "alertmanager" else 1
    assert stored() == (count, count, count)
    assert client.post(f"/api/v1/alerts/{format}", json=BODIES[format], headers=bearer(token)).status_code == 202
    assert stored() == (2 * count, count, count)


@sqlite
def test_pagerduty_events_are_answered_as_pagerduty_does(client, office):
    _, token = integration(office, "pagerduty")
    event = BODIES["pagerduty"] | {"routing_key": token}
    answer = client.post("/v2/enqueue", json=event)
    assert answer.status_code == 202
    said = answer.json()
    assert (said["status"], said["message"]) == ("success", "Event processed")
    key = said["dedup_key"]
    assert key.startswith("made:")
    resolve = {"routing_key": token, "event_action": "resolve", "dedup_key": key}
    assert client.post("/v2/enqueue", json=resolve).json()["dedup_key"] == key
    with reading() as db:
        assert db.scalars(select(Incident.state)).all() == ["recovered"]
    for wrong, status in (({"routing_key": "nobody's"}, 401), ({"event_action": "explode"}, 400)):
        refused = client.post("/v2/enqueue", json=event | wrong)
        assert refused.status_code == status
        assert error(refused)
    assert client.post("/v2/enqueue", json=[]).status_code == 401


@sqlite
def test_who_sends_is_known_by_a_token_in_a_header_only(client, office):
    integration_id, token = integration(office)
    body = BODIES["generic"]
    basic = base64.b64encode(f"anybody:{token}".encode()).decode()
    for headers in (bearer(token), {"authorization": f"Basic {basic}"}, {"x-token": token}):
        assert client.post(GENERIC, json=body, headers=headers).status_code == 202
    for headers in ({}, bearer("wrong"), bearer(""), {"authorization": "Basic %%%"}, {"authorization": "Bearer"}):
        answer = client.post(GENERIC, json=body, headers=headers)
        assert (answer.status_code, error(answer)) == (401, "unknown_token")
        assert answer.headers["www-authenticate"].startswith("Basic ")
    assert client.post(f"{GENERIC}?token={token}", json=body).status_code == 401
    with reading() as db:
        assert db.scalars(select(IntegrationToken.last_used_at)).one() is not None
        token_id = db.scalars(select(IntegrationToken.id)).one()
    with writing() as db:
        integrations.revoke_token(db, integration_id, token_id, actor=office.people["Ada"], now=datetime.now(UTC))
    answer = client.post(GENERIC, json=body, headers=bearer(token))
    assert (answer.status_code, error(answer)) == (401, "unknown_token"), "at once, though it was known a moment ago"


@sqlite
def test_what_is_archived_or_sent_to_the_wrong_address_is_refused(client, office):
    integration_id, token = integration(office)
    wrong = client.post("/api/v1/alerts/zabbix", json=BODIES["zabbix"], headers=bearer(token))
    assert (wrong.status_code, error(wrong)) == (400, "wrong_format")
    unknown = client.post("/api/v1/alerts/nagios", json={}, headers=bearer(token))
    assert (unknown.status_code, error(unknown)) == (404, "unknown_format")
    assert client.post(GENERIC, json=BODIES["generic"], headers=bearer(token)).status_code == 202
    with writing() as db:
        integrations.archive(db, integration_id, actor=office.people["Ada"], now=datetime.now(UTC))
    answer = client.post(GENERIC, json=BODIES["generic"], headers=bearer(token))
    assert (answer.status_code, error(answer)) == (403, "archived")
    assert stored()[0] == 1


@sqlite
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"\xff\xfe\x00",
        b'{"title": "a", "title": "b"}',
        b'{"title": NaN}',
        b'{"title": ' + b"9" * 200 + b"}",
        b"[" * 10_000 + b"]" * 10_000,
        b'{"a":' * 200 + b"1" + b"}" * 200,
        b'[{"title": "good"}, 3]',
        b'[{"title": "good"}, {"title": ["bad"]}]',
        '{"title": "x"}'.encode("utf-16"),
        b'{"title": "x"}\x00',
    ],
)
def test_what_cannot_be_understood_is_refused_with_a_reason_and_nothing_is_stored(client, office, body):
    _, token = integration(office)
    answer = client.post(GENERIC, content=body, headers=bearer(token))
    assert (answer.status_code, error(answer)) == (400, "not_understood")
    assert stored() == (0, 0, 0)


@sqlite
def test_what_a_database_cannot_hold_is_cleaned(client, office):
    _, token = integration(office)
    body = b'{"title": "a\\u0000b\\ud800c", "dedup_key": "k\\u0000", "labels": {"x\\udfff": "\\u0000"}}'
    assert client.post(GENERIC, content=body, headers=bearer(token)).status_code == 202
    assert stored() == (1, 1, 1)


@sqlite
@pytest.mark.parametrize("kind", ["text/plain; charset=UTF-8", "application/x-www-form-urlencoded", "nonsense", ""])
def test_any_content_type_will_do_for_json(client, office, kind):
    _, token = integration(office)
    answer = client.post(GENERIC, content=b'{"title": "x"}', headers=bearer(token) | {"content-type": kind})
    assert answer.status_code == 202


@sqlite
def test_a_body_that_is_too_large_is_not_read_to_its_end(client, office):
    _, token = integration(office)
    large = b'{"title": "' + b"x" * (5 * 1024 * 1024) + b'"}'
    promised = client.post(GENERIC, content=large, headers=bearer(token))
    read = []

    def parts():
        for _ in range(100):
            read.append(1)
            yield b"x" * 65_536

    streamed = client.post(GENERIC, content=parts(), headers=bearer(token))
    for answer in (promised, streamed, client.post("/v2/enqueue", content=large[: 600 * 1024])):
        assert (answer.status_code, error(answer)) == (413, "too_large")
    assert stored() == (0, 0, 0)


@sqlite
def test_a_flood_is_told_when_to_come_back(client, office, monkeypatch):
    _, token = integration(office)
    monkeypatch.setattr(api.alerts, "rates", Rates(3, 10.0))
    got = [client.post(GENERIC, json=BODIES["generic"], headers=bearer(token)) for _ in range(5)]
    assert [answer.status_code for answer in got] == [202, 202, 202, 429, 429]
    assert int(got[-1].headers["retry-after"]) >= 1
    assert stored()[0] == 3, "what was accepted is kept, what was refused is not"
    monkeypatch.setattr(api.alerts, "rates", Rates(3, 10.0))
    monkeypatch.setattr("api.intake.PLACES", 0)
    full = client.post(GENERIC, json=BODIES["generic"], headers=bearer(token))
    assert (full.status_code, full.headers["retry-after"]) == (429, "1")


def test_rates_slide():
    rates = Rates(10, 10.0)
    assert [rates.wait(1, 0.0) for _ in range(10)] == [0] * 10
    assert rates.wait(1, 5.0) > 0
    assert rates.wait(2, 5.0) == 0, "another sender"
    assert [rates.wait(1, 10.1) > 0 for _ in range(2)] == [False, True], "nearly all ten were within ten seconds"
    assert [rates.wait(1, 15.0) for _ in range(5)] == [0, 0, 0, 0, 3]
    assert rates.wait(1, 60.0) == 0


@sqlite
def test_a_database_that_cannot_be_used_is_said_and_nothing_accepted(client, office):
    _, token = integration(office)
    with writing() as db:
        db.execute(text("alter table received_signal rename to elsewhere"))
    try:
        answer = client.post(GENERIC, json=BODIES["generic"], headers=bearer(token))
        assert answer.status_code == 500
        assert error(answer) == "failed"
    finally:
        with writing() as db:
            db.execute(text("alter table elsewhere rename to received_signal"))
    assert stored() == (0, 0, 0)


@sqlite
def test_a_database_that_answers_nothing_is_said_with_a_time_to_come_back(client, office, monkeypatch):
    _, token = integration(office)
    assert client.post(GENERIC, json=BODIES["generic"], headers=bearer(token)).status_code == 202

    def full(*_given):
        raise DatabaseProblem("The disk is full. Nothing was stored. Free some space, then try again.")

    monkeypatch.setattr("api.intake.intake.take", full)
    answer = client.post(GENERIC, json=BODIES["generic"], headers=bearer(token))
    assert (answer.status_code, error(answer)) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0


@sqlite
def test_one_message_that_fails_takes_no_other_with_it(client, office, monkeypatch):
    _, token = integration(office)
    whole, gate = api.intake.intake.take, threading.Event()
    sizes = []

    def take(db, messages, now):
        gate.wait(60)  # so that the others wait meanwhile, and are then taken together
        sizes.append(len(messages))
        if any(signal.title == "bad" for message in messages for signal in message.signals):
            whole(db, messages, now)
            raise ValueError("a fault of ours")
        return whole(db, messages, now)

    monkeypatch.setattr(api.intake.intake, "take", take)

    def send(title):
        return client.post(GENERIC, json={"title": title}, headers=bearer(token)).status_code

    titles = [f"good {number}" for number in range(6)]
    with ThreadPoolExecutor(7) as pool:
        got = [pool.submit(send, title) for title in [titles[0], "bad", *titles[1:]]]
        pause, ends = threading.Event(), time.monotonic() + 60
        while len(api.alerts.intake._waiting) < 6 and time.monotonic() < ends:
            pause.wait(0.02)
        gate.set()
        statuses = [one.result(60) for one in got]
    assert sorted(statuses) == [202] * 6 + [500]
    assert max(sizes) > 1
    with reading() as db:
        assert sorted(db.scalars(select(Alert.title))) == titles


def signed(secret, body, message_id="msg_1", at=None, **more):
    seconds = int((at or datetime.now(UTC)).timestamp())
    return webhook_signature.headers([secret], message_id, seconds, body) | more


@sqlite
def test_a_signed_message_is_taken_once_and_only_as_it_was_signed(client, office):
    integration_id, token = integration(office, signed=True)
    with writing() as db:
        secret = integrations.secret(db, integration_id, actor=office.people["Ada"])
    body, now = json.dumps(BODIES["generic"]).encode(), datetime.now(UTC)

    def send(headers, content=body):
        return client.post(GENERIC, content=content, headers=bearer(token) | headers)

    assert send(signed(secret, body)).status_code == 202
    again = send(signed(secret, body))
    assert (again.status_code, error(again)) == (409, "repeated")
    wrong = [
        ({}, body),
        (signed(secret, body, "msg_2"), body + b" "),
        (signed(secret, body, "msg_3", now - timedelta(minutes=6)), body),
        (signed(secret, body, "msg_4", now + timedelta(minutes=6)), body),
        (signed(webhook_signature.secret_of(b"x" * 32), body, "msg_5"), body),
    ]
    for headers, content in wrong:
        answer = send(headers, content)
        assert (answer.status_code, error(answer)) == (403, "signature")
    assert stored()[0] == 1
    assert send(signed(secret, body, "m" * 255)).status_code == 202
    silent = client.get("/api/v1/heartbeats", headers=bearer(token))
    assert (silent.status_code, error(silent)) == (403, "signature")
    headers = bearer(token) | signed(secret, b"", "beat_1")
    assert client.get("/api/v1/heartbeats", headers=headers).status_code == 202


@sqlite
def test_a_secret_is_changed_without_a_message_lost(client, office):
    integration_id, token = integration(office, signed=True)
    with writing() as db:
        old = integrations.secret(db, integration_id, actor=office.people["Ada"])
        new = integrations.new_secret(db, integration_id, actor=office.people["Ada"], now=datetime.now(UTC))
    assert old != new
    body = json.dumps(BODIES["generic"]).encode()
    for number, secret in enumerate((old, new)):
        headers = bearer(token) | signed(secret, body, f"msg_{number}")
        assert client.post(GENERIC, content=body, headers=headers).status_code == 202
    with reading() as db:
        turn = db.get_one(Integration, integration_id)
        later = datetime.now(UTC) + timedelta(hours=25)
        assert integrations.live_secrets(turn.id, turn.secret_turn, turn.old_secret_until, later) == [new]


@sqlite
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_heartbeat_is_a_call_without_alerts(client, office, method):
    integration_id, token = integration(office, heartbeat_seconds=60)
    assert client.request(method, "/api/v1/heartbeats", headers=bearer(token)).status_code == 202
    with reading() as db:
        held = db.get_one(Integration, integration_id)
        assert held.heartbeat_due_at - held.heartbeat_at == timedelta(seconds=60)
    assert stored() == (0, 0, 0)
    assert client.request(method, "/api/v1/heartbeats").status_code == 401


@sqlite
def test_the_subscription_of_sns_is_shown_to_administrators_and_not_called(client, office):
    _, token = integration(office, "cloudwatch")
    address = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t"
    body = {"Type": "SubscriptionConfirmation", "SubscribeURL": address}
    for _ in range(3):
        assert client.post("/api/v1/alerts/cloudwatch", json=body, headers=bearer(token)).status_code == 202
    with reading() as db:
        (notice,) = db.scalars(select(Notice)).all()
    assert notice.person_id == office.people["Ada"].id
    assert address in notice.body


@sqlite
def test_the_gate_opens_for_machines_and_nothing_else_beneath_api(client, office):
    assert client.get("/api/openapi.json").status_code == 200
    for path in ("/api", "/api/", "/api/v1", "/api/docs", "/api/redoc"):
        assert client.get(path).status_code in (401, 303), path
    for path in ("/api/v1/", "/api/v1/heartbeats/x", "/api/v1/../../home"):
        assert client.get(path).status_code in (404, 303), path
    assert client.post("/v2/other", json={}).status_code == 403
    nowhere = client.get("/api/v1/alerts/generic")
    assert (nowhere.status_code, error(nowhere)) == (405, "method_not_allowed")
    assert client.get("/v2/enqueue").status_code == 405


_words = st.text(max_size=8)
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_words, inner, max_size=3),
    max_leaves=8,
)
_NAMES = (
    "alerts status labels fingerprint groupKey startsAt annotations title dedup_key severity check_id current_state "
    "event_action payload Message Type AlarmName NewStateValue event_id event_name links details"
).split()
_bodies = st.dictionaries(st.sampled_from(_NAMES), _values, max_size=6) | _values


@sqlite
def test_no_body_makes_an_error_of_the_server_or_is_half_stored(client, office):
    tokens = {format: integration(office, format)[1] for format in FORMATS}

    @settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(FORMATS), _bodies | st.binary(max_size=40))
    def send(format, body):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        before = stored()
        answer = client.post(f"/api/v1/alerts/{format}", content=content, headers=bearer(tokens[format]))
        assert answer.status_code in (202, 400), answer.text
        if answer.status_code == 400:
            assert stored() == before
            assert error(answer)
        elif format != "pagerduty":
            assert stored()[0] == before[0] + answer.json()["signals"]

    send()


@sqlite
def test_the_api_keeps_to_its_own_description(client, office):
    schemathesis = pytest.importorskip("schemathesis")
    tokens = {True: integration(office, "pagerduty")[1], False: integration(office)[1]}
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", client.app)
    checks = schemathesis.checks
    kept = [
        checks.not_a_server_error,
        schemathesis.specs.openapi.checks.status_code_conformance,
        schemathesis.specs.openapi.checks.content_type_conformance,
        schemathesis.specs.openapi.checks.response_schema_conformance,
    ]
    called = {}
    for result in schema.get_all_operations():
        operation = result.ok()
        beside = operation.path == "/v2/enqueue"
        taken = set()
        sent = {"headers": bearer(tokens[beside]), "base_url": "http://desk.example" if beside else None}

        @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
        @given(operation.as_strategy())
        def call(case):
            taken.add(case.call_and_validate(**sent, checks=kept).status_code)  # noqa: B023

        call()
        called[operation.label] = taken
    assert set(called) == {"POST /v1/alerts/{format}", "GET /v1/heartbeats", "POST /v1/heartbeats", "POST /v2/enqueue"}
    assert 202 in called["POST /v2/enqueue"], "what is described is taken"
