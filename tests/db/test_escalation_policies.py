"""Escalation policies: kept by those who may, with people who are there, and never overwritten unseen."""

import pytest
from sqlalchemy import select

from db.commands import escalation_policies as commands
from db.engine import reading, writing
from db.models import AuditEntry, EscalationPolicy
from db.queries import escalation_policies as queries
from rules.access import Forbidden, NotFound
from rules.errors import RuleError
from tests.db.office import MONDAY, Office


@pytest.fixture
def office(engine):
    return Office(engine)


def steps(office, *names):
    return [{"delay": 300, "targets": [{"kind": "person", "id": office.people[name].id}]} for name in names]


def save(office, policy_id=None, by="Ada", **given):
    given = {"name": "Network", "steps": steps(office, "Priya")} | given
    with writing(office.engine) as db:
        return commands.save(db, policy_id, actor=office.people[by], now=MONDAY, **given)


def do(office, command, policy_id, by="Ada"):
    with writing(office.engine) as db:
        command(db, policy_id, actor=office.people[by], now=MONDAY)


def listed(office, by="Ada", **more):
    with reading(office.engine) as db:
        return [known.name for known in queries.policies(db, office.people[by], **more)]


def test_leads_and_administrators_keep_them_and_all_who_work_see_them(office):
    policy = save(office, by="Lena")
    for who in ("Priya", "Dora", "Rita", "Max"):
        with pytest.raises(Forbidden):
            save(office, by=who, name=who)
    assert listed(office, "Priya") == ["Network"]
    for who in ("Rita", "Max"):
        with pytest.raises(Forbidden):
            listed(office, who)
    do(office, commands.archive, policy)
    assert (listed(office), listed(office, archived=True)) == ([], ["Network"])
    do(office, commands.restore, policy)
    assert listed(office) == ["Network"]
    with reading(office.engine) as db:
        assert [entry.action for entry in db.scalars(select(AuditEntry).order_by(AuditEntry.id))] == [
            "escalation policy added", "escalation policy archived", "escalation policy brought back",
        ]  # fmt: skip


def test_what_was_changed_meanwhile_is_not_overwritten(office):
    policy = save(office)
    save(office, policy, repeats=1, version=1)
    with pytest.raises(RuleError, match="meanwhile"):
        save(office, policy, repeats=2, version=1)
    save(office, policy, repeats=1, version=2)
    with reading(office.engine) as db:
        kept = db.get_one(EscalationPolicy, policy)
        assert (kept.repeats, kept.version) == (1, 2), "what changes nothing makes no version"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": " "}, "name"),
        ({"steps": []}, "steps"),
        ({"steps": [{"delay": 300, "targets": []}]}, "steps.0"),
        ({"steps": [{"delay": 30, "targets": []}]}, "steps"),
        ({"steps": [{"delay": 300, "targets": [{"kind": "team", "id": 999}]}]}, "steps.0"),
        ({"steps": [{"delay": 300, "targets": [{"kind": "schedule", "id": 999}]}]}, "steps.0"),
        ({"repeats": 6}, "repeats"),
        ({"acknowledge_seconds": 10}, "acknowledge_seconds"),
    ],
)
def test_what_cannot_be_kept_is_said_by_field(office, given, field):
    with pytest.raises(RuleError) as refused:
        save(office, **given)
    assert list(refused.value.fields) == [field]


def test_a_name_is_there_once_and_whoever_reports_only_is_not_asked(office):
    save(office)
    with pytest.raises(RuleError, match="called Network already"):
        save(office, name="network")
    with pytest.raises(RuleError, match="does not work on incidents"):
        save(office, name="Other", steps=steps(office, "Rita"))
    with pytest.raises(NotFound):
        save(office, 999, name="Other")


def test_a_dry_run_needs_nothing_to_be_kept(office):
    with reading(office.engine) as db:
        found = queries.dry_run(db, office.people["Priya"], steps(office, "Priya", "Lena"), 1, MONDAY)
    assert [one.names for one in found.steps] == [(), ()]
    assert found.ends_at == MONDAY, "without any way to be reached nothing waits"
    assert found.steps[0].warnings == ("Priya has no way to be reached",)
