"""Reports without an account, through the commands: what a link opens, and nothing else."""

from dataclasses import replace

import pytest

from db.commands import anonymous, conversation, incidents, throttle
from db.engine import reading, writing
from db.queries import incidents as queries
from db.queries import my_reports, tracking, triage
from db.settings import settings
from rules.access import Forbidden, NotFound
from rules.errors import RuleError
from tests.db.office import DAY, HOUR, MONDAY, Office
from worker.timers import tick

RECOVERED = MONDAY + 4 * HOUR


@pytest.fixture
def office(engine, monkeypatch):
    monkeypatch.setattr(settings(), "anonymous_reports", True)
    return Office(engine)


def report(office, form="a form", address="10.0.0.1", at=MONDAY, **more):
    """The tracking token."""
    given = {"title": "Barrier stays closed", "affected": "Gate 1", "name": "", "contact": "", "attachments": ()}
    given |= {"description": "", "service_id": None, "scope": None, "effect": None}
    given |= more
    with writing(office.engine) as db:
        return anonymous.report(db, **given, form_token=form, address=address, now=at)


def holder(office, token):
    with reading(office.engine) as db:
        return tracking.holder(db, token)


def restored(office, **more):
    """The id of one that is recovered, and who holds its link."""
    actor = holder(office, report(office, **more))
    office.perform(actor.opens, "accept", "Lena", MONDAY + HOUR, **office.triage)
    office.perform(actor.opens, "acknowledge", "Priya", MONDAY + 2 * HOUR)
    fix = {"resolution_code": "fixed", "resolution_note": "New fuse."}
    office.perform(actor.opens, "resolve", "Priya", MONDAY + 3 * HOUR, **fix)
    office.perform(actor.opens, "recover", "Priya", RECOVERED)
    return actor.opens, actor


def test_a_link_opens_one_incident_and_no_list(office):
    actor, other = holder(office, report(office)), holder(office, report(office, form="another"))
    assert actor.opens != other.opens
    with reading(office.engine) as db:
        assert my_reports.mine(db, actor, finished=False) == ([], 0)
        with pytest.raises(Forbidden):
            triage.queue(db, actor, triage.Filters(), 1, MONDAY)
        with pytest.raises(NotFound):
            queries.by_number(db, actor, office.incident(other.opens).number)
        assert queries.by_number(db, actor, office.incident(actor.opens).number).allowed == ()
    for change in (
        lambda db: conversation.comment(db, other.opens, "x", public=True, actor=actor, now=MONDAY),
        lambda db: conversation.comment(db, actor.opens, "x", public=False, actor=actor, now=MONDAY),
        lambda db: incidents.perform(db, actor.opens, None, "cancel", {"reason": "x"}, actor=actor, now=MONDAY),
        lambda db: conversation.follow(db, actor.opens, actor=actor, now=MONDAY),
    ):
        with pytest.raises((Forbidden, NotFound)), writing(office.engine) as db:
            change(db)


def test_switched_off_every_way_in_is_closed(office, monkeypatch):
    number, actor = restored(office)
    monkeypatch.setattr(settings(), "anonymous_reports", False)
    with pytest.raises(NotFound):
        report(office, form="another")
    with pytest.raises(NotFound), writing(office.engine) as db:
        incidents.report(db, title="x", affected="y", actor=tracking.NOBODY, now=MONDAY)
    with pytest.raises(NotFound), writing(office.engine) as db:
        anonymous.answer(db, True, "", sure=False, actor=actor, now=RECOVERED)
    assert office.incident(number).verification is None


def test_nobody_in_particular_may_only_report(office):
    report(office)
    with pytest.raises(NotFound), writing(office.engine) as db:
        conversation.comment(db, 1, "x", public=True, actor=replace(tracking.NOBODY, opens=None), now=MONDAY)
    with pytest.raises(Forbidden), writing(office.engine) as db:
        conversation.follow(db, 1, actor=tracking.NOBODY, now=MONDAY)


def test_without_a_contact_the_page_of_the_link_reminds(office):
    number, _ = restored(office)
    tick(RECOVERED + 2 * DAY, office.engine)
    assert office.incident(number).reminded_at == RECOVERED + 2 * DAY
    assert office.timeline(number)[-1].text == "reminded the reporter on the page of their link"
    closed = office.perform(number, "close", "Dora", RECOVERED + 7 * DAY, verification="no_answer")
    assert closed.state == "closed"


def test_with_a_contact_a_person_asks(office):
    number, _ = restored(office, name="Ana", contact="ana@example.org")
    tick(RECOVERED + 2 * DAY, office.engine)
    assert office.incident(number).reminded_at is None
    assert "cannot remind Ana, ana@example.org" in office.timeline(number)[-1].text
    assert office.perform(number, "verify", "Dora", RECOVERED + 3 * DAY, answered_by="Ana").verification == "confirmed"


def test_faults_are_named_by_field_and_are_not_counted(office):
    for _ in range(anonymous.MOST_OF_AN_ADDRESS + 1):
        with pytest.raises(RuleError) as refused:
            report(office, title=" ")
        assert list(refused.value.fields) == ["title"]
    with pytest.raises(RuleError) as refused:
        report(office, name="x" * 201, contact="a@b")
    assert set(refused.value.fields) == {"caller_name", "caller_contact"}
    report(office)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("10.0.0.1", "10.0.0.2", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("unknown", "unknown", True),
    ],
)
def test_one_line_is_counted_as_one(one, other, same):
    assert (throttle.line_of(one) == throttle.line_of(other)) is same


def test_a_second_not_yet_in_other_words_is_kept_and_the_same_words_are_not_kept_twice(office):
    number, actor = restored(office)

    def not_yet(words, at):
        with writing(office.engine) as db:
            anonymous.answer(db, False, words, sure=False, actor=actor, now=at)

    not_yet("It stays shut.", RECOVERED + HOUR)
    not_yet("It stays shut.\r\n", RECOVERED + 2 * HOUR)
    assert [entry.kind for entry in office.timeline(number)][-1] == "reject"
    not_yet("Now the lamp is out too.", RECOVERED + 3 * HOUR)
    not_yet("", RECOVERED + 4 * HOUR)
    *_, denied, told = office.timeline(number)
    assert (denied.kind, denied.detail) == ("reject", "It stays shut.")
    assert (told.kind, told.detail, told.public) == ("comment", "Now the lamp is out too.", True)
    assert office.incident(number).reopen_count == 1
