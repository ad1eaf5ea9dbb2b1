"""Messages, how I am reached, and the delivery log."""

import pytest
from sqlalchemy import select, update

from db.commands import contact, notices, outbox
from db.engine import reading, writing
from db.models import (
    ContactMethod,
    Incident,
    Notice,
    OutboxMessage,
    Service,
    ServiceSubscriber,
    Team,
    TeamChannel,
)
from db.settings import settings
from tests.pages.conftest import seen
from worker.outbox import tick
from worker.senders import Undelivered

sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def _signed_in(monkeypatch):
    monkeypatch.setattr("pages.parts.session.token", lambda: "")  # AppTest has no cookies


def said(at):
    return seen(at).replace("\\", "").replace("\u2060", "")


def button(at, label):
    return next(found for found in at.button if found.label == label)


@pytest.fixture
def mail(monkeypatch, desk):
    monkeypatch.setenv("SMTP_URL", "smtp://mail.example.org?from=desk@example.org")
    settings.cache_clear()


def tell(desk, who, subject, number=None):
    with writing(desk.engine) as db:
        about = db.get_one(Incident, desk.id_of(number)) if number else None
        notices.tell(db, [desk.actors[who].id], "sla", subject, "Soon <b>late</b>", incident=about, now=desk.now)


@sqlite
def test_messages_say_that_they_are_shown_here_alone_when_nothing_leaves(desk, opened):
    at = opened("messages.py", "Priya")
    assert not at.exception
    assert "shown here alone" in said(at)


@sqlite
def test_messages_are_mine_newest_first_and_marked_read(desk, opened, mail):
    number = desk.report("Rita", "Mail is slow")
    tell(desk, "Priya", "First")
    tell(desk, "Priya", "Second", number)
    tell(desk, "Rita", "For Rita")
    at = opened("messages.py", "Priya")
    words = said(at)
    assert words.index("Second") < words.index("First")
    assert "For Rita" not in words
    assert "shown here alone" not in words
    assert "Soon <b>late</b>" in words
    assert words.count("badge[New]") == 2
    after = button(at, "Mark all as read").click().run()
    assert "badge[New]" not in said(after)


@sqlite
def test_a_message_leads_to_its_incident(desk, opened, monkeypatch):
    import streamlit as st

    number = desk.report("Rita", "Mail is slow")
    tell(desk, "Priya", "Late", number)
    went = []
    monkeypatch.setattr(st, "switch_page", lambda page, query_params=None: went.append((page, query_params)))
    at = button(opened("messages.py", "Priya"), "Open").click().run()
    assert not at.exception
    assert went == [("responders/incident.py", {"number": number})]
    with writing(desk.engine) as db:
        assert db.scalars(select(Notice.read_at)).one() is not None


@sqlite
def test_my_account_adds_a_way_proves_it_and_makes_it_a_step(desk, opened):
    at = opened("account.py", "Priya")
    assert not at.exception
    assert "Only under Messages" in said(at)
    at.selectbox(key="reach.channel").select("slack")
    at.text_input(key="reach.address").input("nonsense")
    at = button(at, "Add and send a code").click().run()
    assert "begins with https://" in said(at)
    at.text_input(key="reach.address").input("https://hooks.slack.example/T/B/x")
    at = button(at, "Add and send a code").click().run()
    assert "Type the code that was sent there" in said(at)
    got = []
    tick(desk.now.replace(year=desk.now.year + 1), desk.engine, {"slack": lambda m, _now: got.append(m.body)})
    with writing(desk.engine) as db:
        method = db.scalars(select(ContactMethod.id)).one()
    at.text_input(key=f"reach.code.{method}").input("12")
    at = button(at, "Confirm").click().run()
    assert "That is not the code" in said(at)
    at.text_input(key=f"reach.code.{method}").input(got[0].rpartition(" ")[2])
    at = button(at, "Confirm").click().run()
    assert "It works." in said(at)
    at = button(at, "Add the step").click().run()
    assert "At once  \n:small[:gray[Slack: hooks.slack.example]]" in said(at)
    assert "secret" not in said(at)


@sqlite
def test_notices_are_switched_off_and_on(desk, opened, mail):
    at = opened("account.py", "Priya")
    at = at.toggle(key="reach.wants").set_value(False).run()
    tell(desk, "Priya", "Late")
    with writing(desk.engine) as db:
        assert db.scalars(select(OutboxMessage)).all() == []
    assert not at.exception


@sqlite
def test_only_administrators_are_offered_apprise(desk, opened):
    for who, offered in (("Priya", False), ("Ada", True)):
        options = opened("account.py", who).selectbox(key="reach.channel").options
        assert ("Apprise (SMS, voice, push)" in options) is offered


@sqlite
def test_the_log_says_when_nothing_leaves(desk, opened):
    at = opened("admin/deliveries.py", "Ada")
    assert not at.exception
    assert "Nothing leaves the app" in said(at)


@sqlite
def test_a_channel_of_a_team_is_no_way_to_a_person(desk, opened):
    with writing(desk.engine) as db:
        team = db.scalars(select(Team.id).limit(1)).one()
        contact.add_team_channel(db, team, "slack", "https://s.example/n", actor=desk.actors["Ada"], now=desk.now)
    log = said(opened("admin/deliveries.py", "Ada"))
    assert "Nothing leaves the app" not in log
    assert "No page leaves the app" in log
    assert "shown here alone" in said(opened("messages.py", "Priya"))


@sqlite
def test_what_was_given_up_is_shown_and_tried_again(desk, opened, mail):
    number = desk.report("Rita", "Mail is slow")
    with writing(desk.engine) as db:
        about = db.get_one(Incident, desk.id_of(number))
        outbox.page(db, desk.actors["Priya"].id, about, "Mail needs you", now=desk.now)

    def refuse(_message, _now):
        raise Undelivered("mail.example.org answered 550 no <mailbox>", permanent=True)

    tick(desk.now, desk.engine, {"email": refuse})
    at = opened("admin/deliveries.py", "Lena", state="given_up")
    words = said(at)
    assert "550 no <mailbox>" in words
    assert "Priya" in words
    assert "Channels of teams" not in words, "a lead sets up nothing"
    at = [found for found in at.button if found.label == "Try again"][-1].click().run()
    assert not at.exception
    with writing(desk.engine) as db:
        again = db.scalars(select(OutboxMessage).where(OutboxMessage.kind == "page")).one()
        assert (again.given_up_at, again.attempts) == (None, 0)


@sqlite
def test_an_administrator_adds_and_removes_a_channel_of_a_team(desk, opened):
    at = opened("admin/deliveries.py", "Ada")
    at.text_input(key="deliveries.team.address").input("here")
    at = button(at, "Add and write there").click().run()
    assert "begins with https://" in said(at)
    at.text_input(key="deliveries.team.address").input("https://hooks.slack.example/T/B/x")
    at = button(at, "Add and write there").click().run()
    assert "Network Slack https://hooks.slack.example/…" in said(at).replace("*", "")
    [toggle] = at.toggle
    assert (toggle.label, toggle.value) == ("Room messages too", False)
    at = toggle.set_value(True).run()
    with writing(desk.engine) as db:
        assert db.scalars(select(TeamChannel.mirror)).all() == [True]
    assert at.toggle[0].value is True
    at = button(at, "Remove").click().run()
    assert "Network Slack" not in said(at).replace("*", "")
    at.text_input(key="deliveries.team.address").input("https://hooks.slack.example/T/B/x")
    at.checkbox(key="deliveries.team.mirror").check()
    at = button(at, "Add and write there").click().run()
    assert at.toggle[0].value is True
    assert at.checkbox(key="deliveries.team.mirror").value is False
    assert not at.exception


@sqlite
def test_a_broken_way_is_shown_to_its_person(desk, opened):
    priya = desk.actors["Priya"]
    with writing(desk.engine) as db:
        contact.add_method(db, priya.id, "slack", "https://hooks.slack.example/x", actor=priya, now=desk.now)
        db.execute(update(ContactMethod).values(verified_at=desk.now, broken_at=desk.now, broken_why="Gone (410)."))
    assert "Does not work: Gone (410)." in said(opened("account.py", "Priya"))


@sqlite
def test_subscribing_to_a_service(desk, opened):
    at = opened("account.py", "Rita")
    chosen = next(found for found in at.multiselect if found.label.startswith("Tell me about incidents"))
    with reading(desk.engine) as db:
        service = db.scalars(select(Service.id).where(Service.name == "E-mail")).one()
    chosen.set_value([service]).run()
    with reading(desk.engine) as db:
        assert list(db.scalars(select(ServiceSubscriber.person_id))) == [desk.actors["Rita"].id]
