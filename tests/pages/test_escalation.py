"""Escalation policies, what would happen if one began, and who was asked for an incident."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from db.commands import calling, catalogue, escalation_policies
from db.engine import reading, writing
from db.models import ContactMethod, EscalationPolicy, Incident, NotificationRule, Page, Schedule, ScheduleVersion, Team
from rules.escalation import Target
from tests.pages.conftest import seen

PAGE = "responders/escalation.py"
sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def said(at):
    return seen(at).replace("\\", "").replace("\u2060", "").replace("*", "")


def button(at, label):
    return next(found for found in at.button if found.label == label)


def reach(desk, *names):
    with writing(desk.engine) as db:
        for name in names:
            person = desk.actors[name].id
            method = ContactMethod(person_id=person, channel="slack", address=f"https://chat.example/{name}",
                                   created_at=desk.now, verified_at=desk.now)  # fmt: skip
            db.add(method)
            db.flush()
            for urgency in ("high", "other"):
                db.add(NotificationRule(person_id=person, urgency=urgency, method_id=method.id))


def keep(desk, *targets, name="Network", **more):
    steps = [{"delay": 300, "targets": [{"kind": kind, "id": id_}]} for kind, id_ in targets]
    with writing(desk.engine) as db:
        return escalation_policies.save(
            db, None, name=name, steps=steps, actor=desk.actors["Ada"], now=desk.now, **more
        )


def kept(desk):
    with reading(desk.engine) as db:
        return list(db.scalars(select(EscalationPolicy).order_by(EscalationPolicy.id)))


@sqlite
def test_without_a_policy_the_screen_says_what_to_do(desk, opened):
    for who, offered in (("Ada", True), ("Lena", True), ("Priya", False)):
        at = opened(PAGE, who)
        assert not at.exception
        assert ("Add a policy" in [found.label for found in at.button]) is offered


@sqlite
def test_a_policy_is_added_with_a_dry_run_beside_it(desk, opened):
    reach(desk, "Priya", "Lena")
    at = opened(PAGE, "Lena", policy="new")
    at.text_input(key="escalation.name").set_value("Network")
    at = button(at, "Add a step").click().run()
    first, second = at.multiselect
    first.set_value([Target("person", desk.actors["Priya"].id)])
    second.set_value([Target("person", desk.actors["Lena"].id), Target("person", desk.actors["Dora"].id)])
    at = at.run()
    assert "If this fired now: Priya at once, Lena after 5 min." in said(at)
    assert "Step 2: Dora has no way to be reached." in said(at)
    assert "the lead and the service desk are told after 10 min" in said(at)
    at = button(at, "Add").click().run()
    assert "It is saved." in said(at)
    [policy] = kept(desk)
    assert policy.steps == [
        {"delay": 300, "targets": [{"kind": "person", "id": desk.actors["Priya"].id}]},
        {"delay": 300, "targets": [{"kind": "person", "id": desk.actors[name].id} for name in ("Lena", "Dora")]},
    ]


@sqlite
def test_steps_change_places_and_go(desk, opened):
    policy = keep(desk, *(("person", desk.actors[name].id) for name in ("Priya", "Lena", "Dora")))
    at = opened(PAGE, "Lena", policy=str(policy))
    first, _second, third = at.session_state["escalation.order"]
    at = at.button(key=f"escalation.{third}.arrow_upward").click().run()
    at = at.button(key=f"escalation.{first}.close").click().run()
    at = button(at, "Save").click().run()
    assert "It is saved." in said(at)
    assert [step["targets"][0]["id"] for step in kept(desk)[0].steps] == [
        desk.actors["Dora"].id, desk.actors["Lena"].id
    ]  # fmt: skip
    assert not at.exception


@sqlite
def test_what_is_wrong_stands_beneath_its_field(desk, opened):
    at = opened(PAGE, "Lena", policy="new")
    at.text_input(key="escalation.timeout").set_value("soon")
    at = button(at, "Add").click().run()
    assert "Write it in days, hours or minutes" in said(at)
    at.text_input(key="escalation.timeout").set_value("")
    at = button(at, "Add").click().run()
    assert "Give the policy a name." in said(at)
    assert "Step 1: choose whom to ask." in said(at)
    assert kept(desk) == []


@sqlite
def test_a_change_made_meanwhile_is_not_overwritten(desk, opened):
    policy = keep(desk, ("person", desk.actors["Priya"].id))
    at = opened(PAGE, "Lena", policy=str(policy))
    with writing(desk.engine) as db:
        db.get_one(EscalationPolicy, policy).version = 2
    at.text_input(key="escalation.name").set_value("Mine")
    at = button(at, "Save").click().run()
    assert "Somebody changed it meanwhile" in said(at)
    assert kept(desk)[0].name == "Network"


@sqlite
def test_the_dry_run_of_a_chosen_moment_says_that_nobody_is_on_call_then(desk, opened):
    reach(desk, "Priya", "Lena")
    layer = {"name": "", "priority": 0, "members": [str(desk.actors["Priya"].id)], "start": "2026-03-02T09:00:00+00:00",
             "unit": "week", "length": 1, "windows": [{"days": ["mon"], "from": "09:00", "to": "17:00"}]}  # fmt: skip
    with writing(desk.engine) as db:
        schedule = Schedule(name="Days", zone="UTC", created_at=desk.now)
        db.add(schedule)
        db.flush()
        start = desk.now - timedelta(days=4000)
        definition = {"zone": "UTC", "layers": [layer]}
        db.add(ScheduleVersion(schedule_id=schedule.id, from_at=start, created_at=start, definition=definition))
        schedule_id = schedule.id
    policy = keep(desk, ("schedule", schedule_id), ("person", desk.actors["Lena"].id))
    at = opened(PAGE, "Priya", policy=str(policy))
    for moment, expected in (
        ("2026-03-09 10:00", "Priya at once, Lena after 5 min"),
        ("2026-03-10 10:00", ":red[nobody] at once, Lena at once"),
    ):
        at = at.datetime_input(key="dry_run.at").set_value(datetime.fromisoformat(moment)).run()
        assert expected in said(at)
    assert "Step 1 (at once) reaches nobody: nobody is on call in Days" in said(at)


@sqlite
def test_what_is_in_use_is_not_archived(desk, opened):
    policy = keep(desk, ("person", desk.actors["Priya"].id))
    with writing(desk.engine) as db:
        catalogue.save_team(db, desk.team_id, name="Network", tier="2", way="itil", escalation_policy_id=policy,
                            actor=desk.actors["Ada"], now=desk.now)  # fmt: skip
    at = opened(PAGE, "Lena", policy=str(policy))
    assert "Pages for: team Network." in said(at)
    at = button(at, "Archive").click().run()
    assert "Network would page nobody" in said(at)
    with writing(desk.engine) as db:
        db.get_one(Team, desk.team_id).escalation_policy_id = None
    at = button(at, "Archive").click().run()
    assert kept(desk)[0].archived_at is not None
    assert not at.exception


@sqlite
def test_the_incident_says_who_was_asked_and_who_is_next_and_somebody_is_paged_by_hand(desk, opened):
    reach(desk, "Priya", "Lena", "Dora")
    policy = keep(desk, ("person", desk.actors["Priya"].id), ("person", desk.actors["Lena"].id))
    with writing(desk.engine) as db:
        db.get_one(Team, desk.team_id).escalation_policy_id = policy
    number = desk.report("Rita", "Mail is down")
    urgent = {"category_pair_id": desk.pair_id, "impact": 1, "urgency": 1, "team_id": desk.team_id}
    desk.do(number, "accept", "Dora", **urgent)
    at = opened("responders/incident.py", "Dora", number=number)
    assert not at.exception
    assert "Who was asked" in said(at)
    assert "Next: Lena at" in said(at)
    at = button(at, "Page somebody now").click().run()
    at = button(at, "Page").click().run()
    assert at.session_state["paging.failure"].fields == {"target": "Choose whom to page."}
    at = button(at, "Page somebody now").click().run()
    at.selectbox(key="paging.target").set_value(Target("person", desk.actors["Dora"].id))
    at = button(at, "Page").click().run()
    with reading(desk.engine) as db:
        assert len(db.scalars(select(Page.id)).all()) == 2
    desk.do(number, "acknowledge", "Priya")
    assert "Somebody has answered." in said(opened("responders/incident.py", "Max", number=number))


def beside(block, label):
    """The labels of the buttons in the same row as this one."""
    rows = [child for child in block.children.values() if hasattr(child, "children")]
    here = [getattr(child, "label", "") for child in block.children.values() if child.type == "button"]
    return here if label in here else next(filter(None, (beside(row, label) for row in rows)), [])


@sqlite
def test_paging_by_hand_stands_in_the_row_of_buttons_until_somebody_was_asked(desk, opened):
    number = desk.report("Rita", "Mail is down")
    row = beside(opened("responders/incident.py", "Dora", number=number).main, "Page somebody now")
    assert {"Inform up", "Page somebody now", "Follow"} <= set(row)
    reach(desk, "Priya")
    with writing(desk.engine) as db:
        incident = db.scalars(select(Incident.id).where(Incident.number == number)).one()
        target = Target("person", desk.actors["Priya"].id)
        calling.by_hand(db, incident, target, actor=desk.actors["Dora"], now=desk.now)
    at = opened("responders/incident.py", "Dora", number=number)
    assert "Who was asked" in said(at)
    assert beside(at.main, "Page somebody now") == ["Page somebody now"]
    assert "Page somebody now" not in beside(at.main, "Follow")


@sqlite
def test_the_delivery_log_says_that_no_worker_runs(desk, opened):
    assert "No worker runs" in said(opened("admin/deliveries.py", "Ada"))
