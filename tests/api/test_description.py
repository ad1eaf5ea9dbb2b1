"""The API keeps to its own description at /api/openapi.json, and describes all that it has."""

import pytest
from hypothesis import HealthCheck, given, seed, settings

from api import alerts
from rules.states import ACTIONS
from tests.api.programs import API

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
EXAMPLES = 4
TRIED = {"accept", "hold", "verify"}
KNOWN = {
    "title": "Mail is slow", "affected": "Outlook", "service": "E-mail", "category": "Network", "team": "Network",
    "assignee": "priya@example.org", "reporter": "rita@example.org", "started_at": "2026-03-02T09:00:00Z",
    "text": "We look.", "source": "api",
}  # fmt: skip
"""stands in for what is made up, so that some of it is taken"""


def test_everything_is_described(made):
    described = made.client.get("/api/openapi.json").json()
    beside = {path: methods.pop("servers") for path, methods in described["paths"].items() if "servers" in methods}
    assert beside == {route.path: [{"url": "/"}] for route in alerts.routes}, "it is not beneath /api"
    found = {f"{method.upper()} {path}" for path, methods in described["paths"].items() for method in methods}
    of_one = "/v1/incidents/{number}"
    assert found == {
        "POST /v1/alerts/{format}", "GET /v1/heartbeats", "POST /v1/heartbeats", "POST /v2/enqueue",
        "GET /v1/incidents", "POST /v1/incidents", f"GET {of_one}", f"PATCH {of_one}",
        *(f"POST {of_one}/{action}" for action in ACTIONS),
        f"GET {of_one}/timeline", f"GET {of_one}/messages", f"POST {of_one}/messages", f"POST {of_one}/notes",
        f"GET {of_one}/updates", f"POST {of_one}/updates", f"GET {of_one}/files", f"GET {of_one}/files/{{file_id}}",
        "GET /v1/oncall", "GET /v1/schedules/{id}.ics", "GET /v1/trends",
    }  # fmt: skip
    for path, methods in described["paths"].items():
        for method, told in methods.items():
            assert told["summary"], (method, path)
            assert told["security"], (method, path)
            assert not any("HTTPValidationError" in str(answer) for answer in told["responses"].values()), path
    needed = described["paths"][f"{of_one}/resolve"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert needed["required"] == ["version", "resolution_code", "resolution_note"]


def test_every_answer_is_as_it_is_described(made):
    schemathesis = pytest.importorskip("schemathesis")
    number = made.report(service="E-mail")["number"]
    made.call("triage", "POST", f"/api/v1/incidents/{number}/notes", json={"text": "Known."})
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", made.client.app)
    checks = schemathesis.specs.openapi.checks
    kept = [
        schemathesis.checks.not_a_server_error,
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_schema_conformance,
    ]
    token = made.token("everything", ["incidents:triage", "oncall:read", "trends:read"])
    headers = {"authorization": f"Bearer {token}"}
    taken = {}
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path.startswith(("/v1/alerts", "/v1/heartbeats", "/v2/enqueue")):
            continue  # tested with the token of an integration
        if operation.path.rpartition("/")[2] in set(ACTIONS) - TRIED:
            continue  # one way serves them all

        @seed(7)
        @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(operation.as_strategy())
        def call(case):
            if "number" in case.path_parameters:
                case.path_parameters["number"] = number
            if isinstance(case.body, dict):
                case.body |= {name: value for name, value in KNOWN.items() if case.body.get(name) is not None}
                if "version" in case.body:
                    case.body["version"] = made.client.get(f"{API}/{number}", headers=headers).json()["version"]
            answer = case.call_and_validate(headers=headers, checks=kept)
            taken.setdefault(operation.label, set()).add(answer.status_code)  # noqa: B023

        call()
    assert len(taken) == 30 - len(ACTIONS) + len(TRIED)
    assert {label.split()[0] for label, codes in taken.items() if codes & {200, 201}} == {"GET", "POST", "PATCH"}, taken
