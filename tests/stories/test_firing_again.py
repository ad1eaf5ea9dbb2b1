"""An alert fires again, gets worse or was acknowledged elsewhere: somebody always hears it, and the right one first."""

import pytest
from sqlalchemy import update

from db.commands import incidents, repaging
from db.engine import writing
from db.models import ContactMethod, Integration
from rules.errors import RuleError
from tests.db.office import MONDAY
from tests.stories.test_escalation import MINUTE, NOW
from tests.stories.watched import Watched

LONG = 26 * 60


@pytest.fixture
def desk(engine):
    return Watched(engine)


@pytest.mark.parametrize("severity", ["critical", "warning"])
def test_long_after_an_answer_it_asks_from_the_first_step_and_not_who_had_it(desk, severity):
    desk.say(0, "a", severity=severity)
    [incident] = desk.found()
    desk.perform(incident.id, "acknowledge", "Devi", NOW + MINUTE)
    desk.say(10, "a", status="resolved")
    assert desk.say(LONG, "a", severity=severity) == {"reopened": 1}
    assert desk.paged(incident.id) == [("Priya", 0), ("Sam", LONG)], "who is on call now, a day later"
    after = desk.incident(incident.id)
    assert (after.state, after.assignee_id, desk.state(incident.id)) == ("assigned", None, "running")
    desk.work(LONG + 5)
    assert desk.paged(incident.id)[2:] == [("Devi", LONG + 5)]


@pytest.mark.parametrize("severity", ["critical", "warning"])
def test_shortly_after_an_answer_it_asks_who_has_it_and_then_the_policy(desk, severity):
    desk.say(0, "a", severity=severity)
    [incident] = desk.found()
    desk.perform(incident.id, "acknowledge", "Devi", NOW + MINUTE)
    desk.say(10, "a", status="resolved")
    desk.say(20, "a", severity=severity)
    assert (desk.paged(incident.id)[1:], desk.incident(incident.id).state) == ([("Devi", 20)], "in_progress")
    desk.work(49)
    assert len(desk.paged(incident.id)) == 2
    desk.work(50)
    assert desk.paged(incident.id)[2:] == [("Priya", 50)]


@pytest.mark.parametrize("severity", ["critical", "warning"])
def test_who_has_it_and_cannot_be_reached_is_no_reason_to_ask_nobody(desk, severity):
    desk.say(0, "a", severity=severity)
    [incident] = desk.found()
    desk.perform(incident.id, "acknowledge", "Devi", NOW + MINUTE)
    desk.say(10, "a", status="resolved")
    with writing(desk.engine) as db:
        gone = ContactMethod.person_id == desk.id("Devi")
        db.execute(update(ContactMethod).where(gone).values(broken_at=MONDAY))
    desk.say(20, "a", severity=severity)
    assert desk.paged(incident.id)[2:] == [("Priya", 20)]
    assert "took it back to the team: who has it cannot be reached" in desk.told(incident.id)


def test_without_a_team_it_goes_back_to_triage_and_still_asks(desk):
    with writing(desk.engine) as db:
        row = db.get_one(Integration, desk.integration)
        row.service_id, row.team_id, row.escalation_policy_id = None, None, desk.policy
    desk.say(0, "a")
    [incident] = desk.found()
    desk.perform(incident.id, "acknowledge", "Devi", NOW + MINUTE)
    for minutes in (31, 61):
        desk.work(minutes)
    assert desk.paged(incident.id) == [("Priya", 0), ("Devi", 31), ("Priya", 61)]
    assert desk.incident(incident.id).state == "new"
    desk.perform(incident.id, "acknowledge", "Devi", NOW + 62 * MINUTE)
    desk.say(70, "a", status="resolved")
    desk.say(LONG, "a")
    assert desk.paged(incident.id)[3:] == [("Sam", LONG)]


def test_an_acknowledgement_where_the_alert_comes_from_does_not_silence_for_ever(desk):
    desk.say(0, "a")
    desk.say(1, "a", status="acknowledged")
    [incident] = desk.found()
    assert (desk.state(incident.id), desk.incident(incident.id).state) == ("acknowledged", "in_progress")
    desk.say(20, "a")
    desk.work(30)
    assert desk.paged(incident.id) == [("Priya", 0)]
    desk.work(31)
    assert desk.paged(incident.id)[1:] == [("Priya", 31)], "nobody of ours has touched it since"
    assert [alert.status for alert in desk.kept()] == ["acknowledged"]
    desk.say(32, "a")
    assert [alert.status for alert in desk.kept()] == ["firing"]


@pytest.mark.parametrize("goes_on", [True, False])
def test_alerts_of_what_was_merged_into_it_count_as_its_own(desk, goes_on):
    number = desk.urgent()
    desk.say(0, "a")
    _, other = desk.found()
    desk.perform(other.id, "merge", "Dora", NOW + MINUTE, duplicate_of_id=number)
    desk.perform(number, "acknowledge", "Devi", NOW + 2 * MINUTE)
    if not goes_on:
        with writing(desk.engine) as db:
            db.execute(update(Integration).values(auto_resolve=False))
        desk.say(3, "a", status="resolved")
    desk.work(32)
    assert desk.paged(number)[1:] == [("Devi", 32)] * goes_on


def acknowledged(desk, by="Devi", severity="warning"):
    desk.say(0, "a", severity=severity)
    [incident] = desk.found()
    desk.perform(incident.id, "acknowledge", by, NOW + MINUTE)
    return incident.id


def test_who_has_it_hears_that_it_got_worse_and_the_policy_follows_if_they_do_nothing(desk):
    number = acknowledged(desk)
    desk.say(40, "a", severity="warning")
    assert desk.paged(number) == [("Priya", 0)]
    desk.say(50, "a", severity="critical")
    desk.say(51, "a", severity="critical")
    assert (desk.paged(number)[1:], desk.incident(number).priority) == ([("Devi", 50)], 1)
    desk.work(79)
    assert len(desk.paged(number)) == 2
    desk.work(80)
    assert desk.paged(number)[2:] == [("Priya", 80)]


def test_a_worse_alert_that_joins_counts_and_one_like_the_others_does_not(desk):
    with writing(desk.engine) as db:
        db.get_one(Integration, desk.integration).grouping = "group"
    desk.say(0, "a", severity="warning", group_key="g")
    [incident] = desk.found()
    desk.perform(incident.id, "acknowledge", "Devi", NOW + MINUTE)
    desk.say(5, "b", severity="warning", group_key="g")
    assert len(desk.paged(incident.id)) == 1
    desk.say(6, "c", severity="critical", group_key="g")
    assert (desk.paged(incident.id)[1:], desk.incident(incident.id).priority) == ([("Devi", 6)], 1)
    with writing(desk.engine) as db:
        lower = {"impact": 2, "urgency": 2}
        incidents.prioritise(db, incident.id, None, lower, actor=desk.people["Lena"], now=NOW + 7 * MINUTE)
    desk.say(8, "c", "d", severity="critical", group_key="g")
    assert desk.incident(incident.id).priority == 3, "people have looked at it; nothing is worse than it was"


@pytest.mark.parametrize(("holder", "hears"), [("Devi", True), ("Lena", False)])
def test_who_has_it_hears_that_another_person_raised_it(desk, holder, hears):
    number = acknowledged(desk, holder)
    desk.say(2, "a", severity="warning")
    with writing(desk.engine) as db:
        raised = {"impact": 1, "urgency": 1}
        incidents.prioritise(db, number, None, raised, actor=desk.people["Lena"], now=NOW + 3 * MINUTE)
    assert desk.paged(number)[1:] == [("Devi", 3)] * hears


def test_what_got_worse_and_reaches_nobody_who_has_it_is_for_the_policy(desk):
    number = acknowledged(desk)
    given = {"hold_reason": "vendor", "hold_until": NOW + 900 * MINUTE}
    desk.perform(number, "hold", "Devi", NOW + 2 * MINUTE, **given)
    with writing(desk.engine) as db:
        gone = ContactMethod.person_id == desk.id("Devi")
        db.execute(update(ContactMethod).where(gone).values(broken_at=MONDAY))
    desk.say(10, "a", severity="critical")
    assert desk.paged(number)[2:] == [("Priya", 10)]
    assert desk.incident(number).state == "assigned"


def test_what_got_worse_in_maintenance_is_heard_when_that_is_over(desk):
    number = acknowledged(desk)
    desk.window(2, 20)
    desk.say(5, "a", severity="critical")
    desk.work(6)
    assert len(desk.paged(number)) == 1
    desk.say(20, "a", severity="critical")  # before the worker looks
    desk.work(20)
    assert desk.paged(number)[1:] == [("Devi", 20)]


def test_who_is_asked_again_and_says_that_they_have_it_is_left_alone_for_as_long(desk):
    number = acknowledged(desk, severity="critical")
    desk.work(31)
    assert desk.paged(number)[1:] == [("Devi", 31)]
    with pytest.raises(RuleError, match="not yours"), writing(desk.engine) as db:
        repaging.confirm(db, number, actor=desk.people["Priya"], now=NOW + 35 * MINUTE)
    with writing(desk.engine) as db:
        repaging.confirm(db, number, actor=desk.people["Devi"], now=NOW + 35 * MINUTE)
    for minutes in (61, 64):
        desk.work(minutes)
    assert len(desk.paged(number)) == 2
    desk.work(65)
    assert desk.paged(number)[2:] == [("Devi", 65)], "asked first again, as after any work on it"
    desk.work(95)
    assert desk.paged(number)[3:] == [("Priya", 95)]
