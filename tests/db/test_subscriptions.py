"""Subscribers of the status page: nothing leaves but the question until the address itself has said yes."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from db.commands import housekeeping, subscriptions
from db.commands.throttle import Throttled
from db.engine import reading, writing
from db.models import OutboxMessage, Subscriber, SubscriberComponent
from db.queries import subscribers
from db.settings import settings
from rules.access import NotFound
from rules.errors import RuleError
from tests.db.office import HOUR, MONDAY
from tests.db.public import Public, with_mail

DAY = timedelta(days=1)


@pytest.fixture
def public(engine, monkeypatch):
    with_mail(monkeypatch)
    return Public(engine)


def ask(public, email="ana@example.org", ids=None, address="192.0.2.1", at=MONDAY):
    with writing(public.engine) as db:
        subscriptions.subscribe(db, email, ids, address=address, now=at)


def link(public, purpose="confirm", email="ana@example.org"):
    with reading(public.engine) as db:
        row = db.scalars(select(Subscriber).where(Subscriber.email == email)).one()
        return subscribers.path(purpose, row.id, row.seed).rpartition("/")[2]


def confirm(public, token, at=MONDAY):
    with writing(public.engine) as db:
        subscriptions.confirm(db, token, now=at)


def chosen(public, token, at=MONDAY):
    with reading(public.engine) as db:
        return subscribers.chosen(db, "choose", token, at)


def test_only_the_question_leaves_until_it_is_answered(public):
    ask(public, "Ana@Example.org")
    [mail] = public.mails()
    assert (mail.address, mail.payload["subject"]) == (
        "ana@example.org", "Confirm your subscription to the status of Our status",
    )  # fmt: skip
    assert mail.payload["button"] == ["Confirm", f"/status/confirm/{link(public)}"]
    public.update(public.report(), states={"Mail": "major"})
    assert public.told() == []
    confirm(public, link(public))
    confirm(public, link(public))
    public.update(public.report(), states={"Mail": "major"})
    assert len(public.told()) == 1


def test_a_link_is_good_for_one_purpose_one_person_and_three_days(public):
    ask(public)
    token = link(public)
    for forged in ("", "x", token[:-1], f"2{token[1:]}", link(public, "choose"), "9" * 30, "1.\ud800"[:2]):
        with pytest.raises(RuleError):
            confirm(public, forged)
    with pytest.raises(RuleError):
        confirm(public, token, MONDAY + 3 * DAY)
    ask(public, at=MONDAY + 3 * DAY)
    confirm(public, link(public), MONDAY + 4 * DAY)
    confirm(public, link(public), MONDAY + 30 * DAY)


def test_who_is_known_keeps_the_choice_and_is_told_so_alone(public):
    token = public.subscribe("ana@example.org", "Mail")
    ask(public, ids=[public.components["Shop"]])
    assert chosen(public, token).component_ids == {public.components["Mail"]}
    assert public.mails()[-1].payload["subject"] == "You are subscribed to the status of Our status"
    assert public.mails()[-1].payload["button"][1] == f"/status/subscription/{token}"


def test_a_question_asked_anew_has_the_newest_choice(public):
    ask(public, ids=[public.components["Mail"]])
    ask(public, ids=[public.components["Shop"], 999])
    found = chosen(public, link(public, "choose"))
    assert (found.everything, found.component_ids, found.confirmed) == (False, {public.components["Shop"]}, False)


def test_the_choice_is_changed_and_ended_by_the_link(public):
    token = public.subscribe("ana@example.org")
    with writing(public.engine) as db:
        subscriptions.choose(db, token, [public.components["Shop"]])
    public.update(public.report(), states={"Mail": "major"})
    assert public.told() == []
    public.update(public.report(), states={"Shop": "major"})
    assert len(public.told()) == 1
    with pytest.raises(RuleError, match="at least one"), writing(public.engine) as db:
        subscriptions.choose(db, token, [999])
    for _ in range(2):
        with writing(public.engine) as db:
            subscriptions.leave(db, token, now=MONDAY)
    with reading(public.engine) as db:
        assert db.scalar(select(func.count()).select_from(Subscriber)) == 0
        assert db.scalar(select(func.count()).select_from(SubscriberComponent)) == 0
        waiting = select(func.count()).select_from(OutboxMessage).where(OutboxMessage.cancelled_at.is_(None))
        assert db.scalar(waiting) == 0, "what waits to leave is stopped"
    assert chosen(public, token) is None
    with pytest.raises(RuleError), writing(public.engine) as db:
        subscriptions.choose(db, token, None)
    public.subscribe("ana@example.org")
    assert chosen(public, token) is None, "who comes back gets another link"


@pytest.mark.parametrize("email", ["", "ana", "a b@example.org", "a@b\n.org", "x" * 300 + "@example.org"])
def test_what_is_no_address_is_refused(public, email):
    with pytest.raises(RuleError) as refused:
        ask(public, email)
    assert "email" in refused.value.fields


def test_whoever_asks_too_often_waits(public):
    for number in range(subscriptions.MOST_OF_A_LINE):
        ask(public, f"p{number}@example.org")
    with pytest.raises(Throttled):
        ask(public, "another@example.org")
    for line in range(subscriptions.MOST_TO_ONE):
        ask(public, address=f"198.51.100.{line}")
    with pytest.raises(Throttled):
        ask(public, address="203.0.113.9")
    ask(public, address="203.0.113.9", at=MONDAY + HOUR)


def test_nobody_subscribes_where_nothing_could_be_sent(public, monkeypatch):
    monkeypatch.setattr(settings(), "base_url", "")
    with pytest.raises(NotFound):
        ask(public)
    with_mail(monkeypatch)
    public.page(published=False)
    with pytest.raises(NotFound):
        ask(public)


def test_who_never_answers_is_forgotten(public):
    ask(public, ids=[public.components["Mail"]])
    public.subscribe("yes@example.org", "Mail")
    with writing(public.engine) as db:
        housekeeping.tidy(db, MONDAY + 8 * DAY)
    with reading(public.engine) as db:
        assert list(db.scalars(select(Subscriber.email))) == ["yes@example.org"]
