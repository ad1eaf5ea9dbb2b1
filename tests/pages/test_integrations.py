"""Integrations and alerts on the screen: made by an administrator, seen by those who answer."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from db.commands import alerts, integrations
from db.engine import reading, writing
from db.models import Incident, Integration, IntegrationToken
from db.queries import integrations as queries
from pages.parts.snippets import NAMES, snippet
from rules.signals import FORMATS, Signal
from tests.pages.conftest import seen

PAGE = "admin/integrations.py"
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def button(at, label):
    return next(found for found in at.button if found.label == label)


def field(at, kind, label):
    return next(found for found in getattr(at, kind) if found.label == label)


@pytest.fixture
def made(desk):
    """The id of an integration with two alerts of one group, one of them resolved."""
    with writing() as db:
        given = {"name": "Prometheus", "format": "alertmanager", "team_id": desk.team_id, "grouping": "group"}
        integration, _ = integrations.add(db, given, actor=desk.actors["Ada"], now=desk.now)
        links = (("Graph", "https://grafana.example/d/1?a=(b)"),)
        signals = [
            Signal(key, "firing", f"Disk of {key} is *full*", "critical", key, desk.now, group_key="g", links=links)
            for key in ("db1", "db2")
        ]
        held = alerts.locked(db, [integration.id])[integration.id]
        alerts.receive(db, held, signals, desk.now)
        gone = Signal("db2", "resolved", "x", "", "", desk.now)
        alerts.receive(db, held, [gone, Signal("nobody", "resolved", "Stray", "", "", desk.now)], desk.now)
        return integration.id


def test_an_integration_is_added_and_its_token_shown_once(desk, opened):
    at = button(opened(PAGE, "Ada"), "Add an integration").click().run()
    field(at, "text_input", "Name").set_value("Prometheus")
    field(at, "selectbox", "What sends").set_value("alertmanager")
    field(at, "selectbox", "Team that answers").set_value(desk.team_id)
    field(at, "text_area", "What its severities mean (optional)").set_value("page = 1\nticket = 4")
    at = button(at, "Add").click().run()
    with reading() as db:
        held = db.scalars(select(Integration)).one()
        assert db.scalars(select(IntegrationToken.ending)).one() == at.session_state["integrations.new.token"][-4:]
    assert (held.name, held.severities) == ("Prometheus", {"page": 1, "ticket": 4})


def test_what_is_wrong_is_kept_for_the_form_to_say(desk, opened):
    at = button(opened(PAGE, "Ada"), "Add an integration").click().run()
    field(at, "text_area", "What its severities mean (optional)").set_value("page: 1")
    at = button(at, "Add").click().run()
    assert "Line 1 is not like" in at.session_state["integrations.new.failure"].fields["severities"]
    at = button(opened(PAGE, "Ada"), "Add an integration").click().run()
    at = button(at, "Add").click().run()
    assert set(at.session_state["integrations.new.failure"].fields) == {"name", "service_id"}


def test_the_list_says_what_each_sends_and_how_it_is(desk, opened, made):
    with writing() as db:
        held = db.get_one(Integration, made)
        held.heartbeat_seconds, held.heartbeat_at, held.heartbeat_due_at = 60, desk.now - timedelta(hours=1), None
    at = opened(PAGE, "Ada")
    assert not at.exception
    with reading() as db:
        (row,) = queries.rows(db, desk.actors["Ada"])
    assert (row.silent, row.firing, row.team) == (True, 1, "Network")


@pytest.mark.parametrize("format", FORMATS)
def test_a_snippet_holds_address_and_token_and_no_token_in_a_query(desk, format):
    told = snippet(format, "https://desk.example", "tok-123")
    path = "/v2/enqueue" if format == "pagerduty" else f"/api/v1/alerts/{format}"
    assert path in told.code
    assert "tok-123" in told.code
    assert "?" not in told.code
    assert NAMES[format]
    if format in ("pagerduty", "generic"):
        body = told.code.split("-d '")[1].rsplit("'", 1)[0]
        assert json.loads(body)


def test_alerts_are_listed_and_lead_to_their_incident(desk, opened, made):
    at = opened("responders/alerts.py", "Priya", integration=str(made))
    assert not at.exception
    assert "2 alerts" in seen(at)
    assert "about no known alert" in seen(at)
    at = opened("responders/alerts.py", "Priya", state="resolved")
    assert "1 alert" in seen(at)


def test_the_incident_shows_its_alerts(desk, opened, made):
    with reading() as db:
        number = db.scalars(select(Incident.number)).one()
    at = opened("responders/incident.py", "Priya", number=number)
    assert not at.exception
    said = seen(at)
    assert "1 of 2 still firing" in said
    assert "Disk of db1 is \\*full\\*" in said
    assert "(https://grafana.example/d/1?a=%28b%29)" in said
