"""A page whose person lost their account or their access: it does not leave, and nobody waits for an answer to it."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from db.commands import calling, notices
from db.engine import reading, writing
from db.models import ContactMethod, Incident, NotificationRule, OutboxMessage, Person, TeamMember
from rules.escalation import Target
from tests.stories.test_escalation import MINUTE, NOW, Desk
from worker import outbox
from worker.senders import Undelivered


@pytest.fixture
def desk(engine):
    return Desk(engine)


@pytest.fixture
def number(desk):
    """A P1 whose first step has asked Priya and Sam, and whose next asks Devi after half an hour; nothing has left."""
    steps = (
        [desk.at("person", desk.id("Priya")), desk.at("person", desk.id("Sam"))],
        [desk.at("person", desk.id("Devi"))],
    )
    desk.use(desk.keep("Two, then one", *steps, minutes=30), "Network")
    return desk.urgent()


def leave(desk, *names):
    with writing(desk.engine) as db:
        db.execute(update(Person).where(Person.name.in_(names)).values(disabled_at=NOW))


def send(desk, minutes=0, failing=""):
    """Who got a page."""
    arrived = []

    def slack(message, _now):
        if message.name == failing:
            raise Undelivered("This channel is gone (404).", permanent=True)
        if message.urgent:
            arrived.append(message.name)

    outbox.tick(NOW + minutes * MINUTE, desk.engine, {"slack": slack})
    return arrived


def test_when_the_last_page_of_a_step_is_dropped_the_next_step_is_asked_at_once_and_the_lead_is_told(desk, number):
    leave(desk, "Priya", "Sam")
    assert send(desk, 2) == ["Devi"]
    assert desk.paged(number) == [("Priya", 0), ("Sam", 0), ("Devi", 2)]
    assert desk.told(number)[1:] == [
        "could not reach Priya", "could not reach Sam", "paged Devi", "paged Devi by Slack"]  # fmt: skip
    assert [entry.detail for entry in desk.timeline(number) if entry.text == "could not reach Sam"] == [
        "They have no account any more."
    ]
    assert [subject.partition(": ")[2] for subject in desk.noticed("Lena", "unreached")] == [
        "Priya could not be reached", "Sam could not be reached"]  # fmt: skip
    desk.run(31.9)
    assert desk.state(number) == "running", "Devi has the whole delay to answer"
    desk.run(32)
    assert desk.state(number) == "exhausted"


def test_somebody_else_of_the_step_who_is_or_can_be_reached_is_waited_for(desk, number):
    leave(desk, "Sam")
    assert send(desk) == ["Priya"]
    assert desk.paged(number) == [("Priya", 0), ("Sam", 0)]
    other = desk.urgent(NOW + MINUTE)
    with writing(desk.engine) as db:
        later = {"next_attempt_at": NOW + 10 * MINUTE}
        db.execute(update(OutboxMessage).where(OutboxMessage.person_id == desk.id("Priya")).values(later))
    assert send(desk, 2) == []
    assert desk.paged(other) == [("Priya", 1)], "hers waits for its time"
    desk.run(30)
    assert desk.paged(number)[2:] == [("Devi", 30)]


@pytest.mark.parametrize("last", ["dropped", "failed"])
def test_a_page_that_fails_and_one_that_is_dropped_are_as_good_as_none(desk, number, last):
    leave(desk, "Priya" if last == "failed" else "Sam")
    assert send(desk, 1, failing="Sam" if last == "failed" else "Priya") == ["Devi"]
    assert desk.paged(number)[2:] == [("Devi", 1)]


def test_who_lost_access_is_passed_over_by_all_of_their_ways_at_once(desk):
    with writing(desk.engine) as db:
        proved = {"created_at": NOW, "verified_at": NOW}
        method = ContactMethod(person_id=desk.id("Priya"), channel="webhook", address="https://hook.example", **proved)
        db.add(method)
        db.flush()
        db.add(NotificationRule(person_id=method.person_id, urgency="high", method_id=method.id, delay=240))
    desk.urgent(restricted=True)
    with writing(desk.engine) as db:
        db.execute(delete(TeamMember).where(TeamMember.person_id == desk.id("Priya")))
        db.add(TeamMember(person_id=desk.id("Devi"), team_id=desk.teams["Network"]))
    assert send(desk, 1) == ["Devi"], "her second way would only have been tried after four minutes"
    with reading(desk.engine) as db:
        theirs = select(OutboxMessage.cancelled_why).where(OutboxMessage.person_id == desk.id("Priya"))
        assert db.scalars(theirs).all() == ["The incident is not open to them any more."] * 2
    assert desk.noticed("Lena", "unreached") == ["INC-000001: Priya could not be reached"]


def test_a_page_by_hand_that_is_dropped_is_told_and_leaves_the_steps_alone(desk, number):
    assert sorted(send(desk)) == ["Priya", "Sam"]
    with writing(desk.engine) as db:
        target = Target("person", desk.id("Dora"))
        calling.by_hand(db, number, target, actor=desk.people["Lena"], now=NOW + MINUTE)
    leave(desk, "Dora")
    assert send(desk, 1) == []
    assert desk.told(number)[-1] == "could not reach Dora"
    assert len(desk.paged(number)) == 3, "nobody else was asked"


def test_who_was_asked_again_meanwhile_is_waited_for(desk, number):
    with writing(desk.engine) as db:
        later = {"next_attempt_at": NOW + 10 * MINUTE}
        db.execute(update(OutboxMessage).where(OutboxMessage.person_id == desk.id("Priya")).values(later))
        notices.mark_read(db, desk.people["Priya"], now=NOW)
    with writing(desk.engine) as db:
        target = Target("person", desk.id("Priya"))
        calling.by_hand(db, number, target, actor=desk.people["Lena"], now=NOW + 2 * MINUTE)
        db.execute(update(OutboxMessage).where(OutboxMessage.person_id == desk.id("Priya")).values(later))
    leave(desk, "Sam")
    assert send(desk, 3) == []
    assert "Devi" not in [name for name, _ in desk.paged(number)]


def test_what_was_answered_meanwhile_tells_nobody_that_a_page_was_dropped(desk, number):
    leave(desk, "Sam")
    with writing(desk.engine) as db:  # as an import or another tool would
        later = {"state": "in_progress", "acknowledged_at": NOW + timedelta(seconds=1)}
        db.execute(update(Incident).where(Incident.id == number).values(later))
    assert send(desk, 1) == []
    assert desk.noticed("Lena", "unreached") == []
    with reading(desk.engine) as db:
        assert set(db.scalars(select(OutboxMessage.cancelled_why))) == {"Somebody has answered."}
