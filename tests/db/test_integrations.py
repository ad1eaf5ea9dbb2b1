"""Senders of alerts: who sets them up, what is refused, tokens in turn, and what is written down of it."""

import pytest
from sqlalchemy import select

from db.commands import integrations
from db.engine import reading, writing
from db.models import AuditEntry, Category, CategoryPair, Incident, Integration, IntegrationToken
from db.queries import alerts as alert_queries
from db.queries import integrations as queries
from db.queries.sessions import hashed
from rules.access import Forbidden, NotFound
from rules.errors import RuleError
from tests.db.office import HOUR, MONDAY, Office


@pytest.fixture
def office(engine):
    return Office(engine)


def add(office, by="Ada", **given):
    given = {"name": "Prometheus", "format": "alertmanager", "service_id": office.service} | given
    with writing(office.engine) as db:
        made, token = integrations.add(db, given, actor=office.people[by], now=MONDAY)
        return made.id, token


def take(office, command, *given, by="Ada", now=MONDAY, **more):
    with writing(office.engine) as db:
        return command(db, *given, actor=office.people[by], now=now, **more)


def audited(office):
    with reading(office.engine) as db:
        return list(db.scalars(select(AuditEntry).order_by(AuditEntry.id)))


def test_the_first_integration_makes_the_category_that_its_incidents_need(office):
    first, _ = add(office)
    second, _ = add(office, name="Grafana")
    with reading(office.engine) as db:
        pairs = [db.get_one(Integration, one).category_pair_id for one in (first, second)]
        pair = db.get_one(CategoryPair, pairs[0])
        assert db.get_one(Category, pair.category_id).name == "Monitoring"
    assert pairs[0] == pairs[1]


def test_everything_wrong_is_named_at_once(office):
    with pytest.raises(RuleError) as refused:
        add(
            office,
            name=" ",
            format="carrier pigeon",
            service_id=None,
            team_id=999,
            grouping="a, b",
            severities={"bad": 9},
            storm_limit=0,
            heartbeat_seconds=5,
        )
    assert set(refused.value.fields) == {
        "name", "format", "team_id", "grouping", "severities", "storm_limit", "heartbeat_seconds",
    }  # fmt: skip
    with pytest.raises(RuleError, match="storm"):
        add(office, storm_limit=True)
    add(office)
    with pytest.raises(RuleError, match="already"):
        add(office, name="PROMETHEUS")


@pytest.mark.parametrize("who", ["Rita", "Priya", "Lena", "Dora", "Max"])
def test_only_administrators_set_them_up(office, who):
    made, _ = add(office)
    with pytest.raises(Forbidden):
        add(office, by=who, name="Other")
    for command, given in (
        (integrations.change, (made, 1, {"name": "x"})),
        (integrations.archive, (made,)),
        (integrations.restore, (made,)),
        (integrations.new_token, (made,)),
        (integrations.revoke_token, (made, 1)),
        (integrations.new_secret, (made,)),
        (integrations.send_test, (made,)),
    ):
        with pytest.raises(Forbidden):
            take(office, command, *given, by=who)
    with reading(office.engine) as db:
        for query, given in ((queries.rows, ()), (queries.one, (made,))):
            with pytest.raises(Forbidden):
                query(db, office.people[who], *given)
        with pytest.raises(Forbidden):
            integrations.secret(db, made, actor=office.people[who])


@pytest.mark.parametrize("who", ["Rita", "Max"])
def test_alerts_are_for_those_who_work_on_incidents(office, who):
    with reading(office.engine) as db:
        for query, given in ((alert_queries.listed, ()), (alert_queries.one, (1,)), (alert_queries.unknown, (1,))):
            with pytest.raises(Forbidden):
                query(db, office.people[who], *given)


def test_the_alert_of_a_restricted_incident_is_not_listed_for_others(office):
    made, _ = add(office)
    incident = take(office, integrations.send_test, made)
    with reading(office.engine) as db:
        assert alert_queries.listed(db, office.people["Priya"])[1] == 1
    with writing(office.engine) as db:
        db.get_one(Incident, incident.id).restricted = True
    with reading(office.engine) as db:
        assert alert_queries.listed(db, office.people["Priya"]) == ([], 0)
        assert alert_queries.listed(db, office.people["Sam"])[1] == 1, "his team's"
        with pytest.raises(NotFound):
            alert_queries.one(db, office.people["Priya"], 1)


def test_a_change_by_two_at_once_is_told_to_the_second(office):
    made, _ = add(office)
    take(office, integrations.change, made, 1, {"name": "Alertmanager"})
    with pytest.raises(RuleError, match="meanwhile"):
        take(office, integrations.change, made, 1, {"name": "Other"})
    take(office, integrations.change, made, 2, {"name": "Alertmanager"})
    with reading(office.engine) as db:
        assert db.get_one(Integration, made).version == 2, "what changes nothing leaves no trace"


def test_two_tokens_live_at_a_time_so_that_one_can_be_changed(office):
    made, first = add(office)
    second = take(office, integrations.new_token, made)
    with pytest.raises(RuleError, match="two tokens"):
        take(office, integrations.new_token, made)
    with reading(office.engine) as db:
        assert {queries.by_token(db, hashed(token)).id for token in (first, second)} == {made}
        kept = db.scalars(select(IntegrationToken)).all()
        assert all(first.encode() not in token.token_hash for token in kept)
        old = min(kept, key=lambda token: token.id)
    take(office, integrations.revoke_token, made, old.id)
    with reading(office.engine) as db:
        assert queries.by_token(db, hashed(first)) is None
        assert queries.by_token(db, hashed(second)).id == made
    take(office, integrations.new_token, made)


def test_a_token_of_another_integration_is_not_ended_through_this_one(office):
    made, _ = add(office)
    _, token = add(office, name="Other")
    with reading(office.engine) as db:
        foreign = queries.by_token(db, hashed(token)).token_id
    with pytest.raises(NotFound):
        take(office, integrations.revoke_token, made, foreign)


def test_every_change_is_written_down_without_a_secret(office):
    made, token = add(office)
    secret = take(office, integrations.new_secret, made)
    take(office, integrations.change, made, None, {"signed": True})
    take(office, integrations.archive, made)
    take(office, integrations.restore, made)
    entries = audited(office)
    assert [entry.action for entry in entries] == [
        "integration added",
        "integration token made",
        "integration secret made",
        "integration changed",
        "integration archived",
        "integration brought back",
    ]
    told = " ".join(f"{entry.before} {entry.after}" for entry in entries)
    assert token not in told
    assert secret not in told


def test_secrets_differ_by_integration_and_turn(office):
    one, _ = add(office)
    other, _ = add(office, name="Other")
    secrets = {take(office, integrations.new_secret, made) for made in (one, one, other)}
    assert len(secrets) == 3
    with reading(office.engine) as db:
        assert integrations.secret(db, one, actor=office.people["Ada"]) in secrets


def test_a_changed_heartbeat_counts_from_the_change(office):
    made, _ = add(office, heartbeat_seconds=60)
    with writing(office.engine) as db:
        db.get_one(Integration, made).heartbeat_at = MONDAY
    take(office, integrations.change, made, None, {"heartbeat_seconds": 3600}, now=MONDAY + HOUR)
    with reading(office.engine) as db:
        assert db.get_one(Integration, made).heartbeat_due_at == MONDAY + 2 * HOUR
        assert alert_queries.silent(db, MONDAY + 2 * HOUR) == [made]
    take(office, integrations.change, made, None, {"heartbeat_seconds": None})
    with reading(office.engine) as db:
        assert db.get_one(Integration, made).heartbeat_due_at is None
