"""Somebody is paged by hand for what another has: they answer, and the other keeps it."""

import pytest
from sqlalchemy import select

from db.commands import calling, page_links, repaging
from db.engine import reading, writing
from db.models import Incident, OutboxMessage, PageLink, Person
from db.queries import page_links as queries
from db.settings import settings
from rules import page_links as tokens
from rules.errors import RuleError
from rules.escalation import Target
from tests.stories.test_escalation import MINUTE, NOW, Desk

LATER = NOW + 10 * MINUTE


@pytest.fixture
def desk(engine, monkeypatch):
    monkeypatch.setenv("BASE_URL", "https://desk.example")
    settings.cache_clear()
    yield Desk(engine)
    settings.cache_clear()


@pytest.fixture
def number(desk):
    """A P1 that Priya works on."""
    made = desk.urgent()
    desk.perform(made, "acknowledge", "Priya", NOW + MINUTE)
    return made


def page(desk, number, name="Devi", by="Lena", at=LATER):
    with writing(desk.engine) as db:
        calling.by_hand(db, number, Target("person", desk.id(name)), actor=desk.people[by], now=at)
    return link(desk, name)


def link(desk, name):
    """The token of 'Acknowledge' of the newest page to this person."""
    pages = select(OutboxMessage.payload).where(OutboxMessage.person_id == desk.id(name), OutboxMessage.urgent)
    with reading(desk.engine) as db:
        kept = db.scalars(pages.order_by(OutboxMessage.id.desc()).limit(1)).one()
    return tokens.token(settings().secret(), kept["links"]["acknowledge"])


def shown(desk, token, at=LATER):
    with reading(desk.engine) as db:
        return queries.shown(db, token, at)


def press(desk, token, at=LATER + MINUTE):
    with writing(desk.engine) as db:
        return page_links.use(db, token, {}, now=at)


def waiting(desk):
    statement = select(Person.name).join(OutboxMessage, OutboxMessage.person_id == Person.id)
    with reading(desk.engine) as db:
        free = OutboxMessage.urgent, OutboxMessage.cancelled_at.is_(None), OutboxMessage.sent_at.is_(None)
        return sorted(db.scalars(statement.where(*free)))


def test_who_is_paged_by_hand_answers_and_the_one_who_has_it_keeps_it(desk, number):
    page(desk, number, "Sam", "Dora")
    token = page(desk, number)
    before = desk.timers(number)
    found = shown(desk, token)
    assert (found.problem, found.confirms) == ("", False)
    assert found.asked == queries.Asked(((desk.id("Lena"), "Lena"),), "Priya")
    assert waiting(desk) == ["Devi", "Sam"]
    press(desk, token)
    entry = desk.timeline(number)[-1]
    assert (entry.actor_name, entry.kind, entry.text) == ("Devi", "page", "answered the page of Lena")
    after = desk.incident(number)
    assert (after.state, after.assignee_id) == ("in_progress", desk.id("Priya"))
    assert waiting(desk) == ["Sam"], "whoever else was asked still is"
    assert desk.noticed("Lena", "answer") == [f"{after.number}: Devi answers your page"]
    assert desk.noticed("Dora", "answer") == [], "they asked somebody else"
    assert desk.timers(number)["repage"].due_at == before["repage"].due_at
    assert shown(desk, token).problem == queries.USED
    with pytest.raises(RuleError, match="has been used"):
        press(desk, token)


def test_everybody_who_asked_is_told_but_none_to_whom_it_was_closed(desk, number):
    page(desk, number, by="Dora")
    page(desk, number, by="Sam", at=LATER + MINUTE)
    token = page(desk, number, by="Lena", at=LATER + 2 * MINUTE)
    with writing(desk.engine) as db:
        db.get_one(Person, desk.id("Dora")).disabled_at = LATER
    assert [name for _, name in shown(desk, token).asked.by] == ["Sam", "Lena"]
    with writing(desk.engine) as db:
        db.get_one(Incident, number).restricted = True
    assert shown(desk, token) is None, "Devi may not read it any more herself"
    with writing(desk.engine) as db:
        db.get_one(Incident, number).restricted = False
    press(desk, token, LATER + 3 * MINUTE)
    assert [len(desk.noticed(name, "answer")) for name in ("Dora", "Sam", "Lena")] == [0, 1, 1]
    assert desk.timeline(number)[-1].text == "answered the page of Sam and Lena"


def test_a_page_by_hand_is_answered_while_it_is_on_hold_too_and_nobody_takes_it(desk, number):
    hold = {"hold_reason": "vendor", "hold_until": NOW + 600 * MINUTE}
    desk.perform(number, "hold", "Priya", NOW + 2 * MINUTE, **hold)
    token = page(desk, number)
    assert shown(desk, token).problem == ""
    press(desk, token)
    assert (desk.incident(number).state, desk.incident(number).assignee_id) == ("on_hold", desk.id("Priya"))


def test_what_the_app_asked_by_itself_is_not_answered_for_another(desk):
    number = desk.urgent()
    step = link(desk, "Priya")
    desk.perform(number, "acknowledge", "Lena", NOW + MINUTE)
    assert "Nothing is left to do" in shown(desk, step).problem, "the page of a step"
    with writing(desk.engine) as db:
        about = db.get_one(Incident, number)
        for why in (repaging.ASKED_AGAIN, repaging.FIRED_AGAIN, repaging.WORSE):
            calling.ask(db, about, [Target("person", desk.id("Sam"))], why=why, now=LATER)
    assert "Nothing is left to do" in shown(desk, link(desk, "Sam")).problem


def test_it_is_looked_at_again_when_the_button_is_pressed(desk, number):
    token = page(desk, number)
    with writing(desk.engine) as db:
        notice = db.scalars(select(PageLink.notice_id).where(PageLink.person_id == desk.id("Devi")).distinct()).one()
        about = db.get_one(Incident, number)
        about.state = "resolved"
        db.flush()
        with pytest.raises(RuleError, match="has changed meanwhile"):
            calling.answer(db, number, notice, actor=desk.people["Devi"], now=LATER)
        db.rollback()
    assert shown(desk, token).problem == ""
