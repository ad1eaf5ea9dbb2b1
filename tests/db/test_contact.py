"""How a person is reached: ways are proved by a code, steps keep their order, and nobody sets them for another."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from db.commands import contact, notices, outbox
from db.engine import reading, writing
from db.models import AuditEntry, ContactMethod, Incident, OutboxMessage, Person, TeamChannel
from db.queries import deliveries, reach
from db.queries import notices as notice_queries
from rules.access import Forbidden, NotFound
from rules.errors import RuleError
from tests.db.office import HOUR, MONDAY, Office
from worker.outbox import tick
from worker.senders import Undelivered

MINUTE = timedelta(minutes=1)
SLACK = "https://hooks.slack.com/services/T/B/secret"


@pytest.fixture
def office(engine, monkeypatch):
    from db.settings import settings

    monkeypatch.setenv("SMTP_URL", "smtp://mail.example.org?from=desk@example.org")
    settings.cache_clear()
    yield Office(engine)
    monkeypatch.undo()
    settings.cache_clear()


def add(office, channel="slack", address=SLACK, by="Priya", of=None, now=MONDAY, label=""):
    with writing(office.engine) as db:
        person = office.people[of or by].id
        return contact.add_method(db, person, channel, address, label, actor=office.people[by], now=now).id


def code_of(office, channel="slack", now=MONDAY):
    got = []
    tick(now, office.engine, {channel: lambda message, _now: got.append(message)})
    return got[-1].body.rpartition(" ")[2]


def verify(office, method, code, by="Priya", now=MONDAY):
    with writing(office.engine) as db:
        return contact.verify(db, method, code, actor=office.people[by], now=now)


def rule(office, method, delay=0, urgency="high", by="Priya"):
    person = office.people[by]
    with writing(office.engine) as db:
        contact.add_rule(db, person.id, urgency, method, delay, actor=person)


def rules(office, by="Priya"):
    with reading(office.engine) as db:
        return reach.rules_of(db, office.people[by], office.people[by].id)


def steps(office, urgency="high", by="Priya"):
    with reading(office.engine) as db:
        [found] = reach.reached(db, [office.people[by].id], urgency)
        return [(step.channel, step.delay) for step in found.steps]


def test_a_way_serves_once_its_code_was_typed(office):
    method = add(office)
    rule(office, method)
    assert steps(office) == [("email", 0)], "until then it is as if it were not there"
    code = code_of(office)
    assert verify(office, method, code) == ""
    assert steps(office) == [("slack", 0)]


def test_a_code_is_tried_five_times_and_lasts_half_an_hour(office):
    method = add(office)
    code = code_of(office)
    wrong = "000000" if code != "000000" else "111111"
    assert "not the code" in verify(office, method, wrong)
    assert "too old" in verify(office, method, code, now=MONDAY + timedelta(minutes=31))
    for _ in range(4):
        verify(office, method, wrong)
    assert "too often" in verify(office, method, code)
    with writing(office.engine) as db:
        contact.send_test(db, method, actor=office.people["Priya"], now=MONDAY + HOUR)
    newer = code_of(office, now=MONDAY + HOUR)
    assert verify(office, method, newer, now=MONDAY + HOUR) == ""


def test_codes_are_not_sent_in_heaps(office):
    method = add(office)
    with pytest.raises(RuleError, match="Wait a minute"), writing(office.engine) as db:
        contact.send_test(db, method, actor=office.people["Priya"], now=MONDAY + timedelta(seconds=59))


def test_the_address_of_ones_own_account_needs_no_code(office):
    method = add(office, "email", "Priya@Example.org")
    with reading(office.engine) as db:
        assert db.get_one(ContactMethod, method).verified_at == MONDAY
        assert db.scalars(select(OutboxMessage)).all() == []


@pytest.mark.parametrize(
    ("by", "of", "channel", "address", "said"),
    [
        ("Priya", "Sam", "slack", SLACK, "no such person"),
        ("Lena", "Priya", "slack", SLACK, "no such person"),
        ("Priya", "Priya", "apprise", "twilio://a:b@c/d", "Only an administrator"),
        ("Priya", "Priya", "webhook", "file:///etc/passwd", "https://"),
        ("Priya", "Priya", "fax", "1", "from the list"),
    ],
)
def test_what_may_not_be_set(office, by, of, channel, address, said):
    with pytest.raises(RuleError, match=said):
        add(office, channel, address, by=by, of=of)


def test_an_administrator_sets_an_apprise_address_for_others(office):
    method = add(office, "apprise", "twilio://a:b@c/d", by="Ada", of="Priya")
    with reading(office.engine) as db:
        assert db.get_one(ContactMethod, method).person_id == office.people["Priya"].id
        [entry] = db.scalars(select(AuditEntry).where(AuditEntry.action == "contact method added"))
        assert (entry.actor_name, entry.after) == ("Ada", {"channel": "apprise", "address": "twilio://…"})


def test_nobody_types_the_code_or_changes_the_steps_of_another(office):
    method = add(office)
    rule(office, method)
    [made] = rules(office)
    for change in (
        lambda db, actor: contact.verify(db, method, "1", actor=actor, now=MONDAY),
        lambda db, actor: contact.send_test(db, method, actor=actor, now=MONDAY + HOUR),
        lambda db, actor: contact.remove_method(db, method, actor=actor, now=MONDAY),
        lambda db, actor: contact.remove_rule(db, made.id, actor=actor),
        lambda db, actor: contact.move_rule(db, made.id, 1, actor=actor),
        lambda db, actor: contact.add_rule(db, office.people["Priya"].id, "high", method, 0, actor=actor),
        lambda db, actor: reach.methods(db, actor, office.people["Priya"].id),
    ):
        with pytest.raises(NotFound), writing(office.engine) as db:
            change(db, office.people["Sam"])
    with pytest.raises(RuleError, match="from the list"), writing(office.engine) as db:
        contact.add_rule(db, office.people["Sam"].id, "high", method, 0, actor=office.people["Sam"])


def test_nothing_is_sent_by_people_of_the_sample_data(office):
    with writing(office.engine) as db:
        db.execute(update(Person).values(sample=True))
    with pytest.raises(RuleError, match="sample data"):
        add(office)


def test_the_same_way_twice_is_refused_and_heaps_are(office):
    add(office)
    with pytest.raises(RuleError, match="already"):
        add(office, now=MONDAY + HOUR)
    for number in range(contact.MOST_METHODS - 1):
        add(office, "webhook", f"https://hook.example/{number}")
    with pytest.raises(RuleError, match="enough"):
        add(office, "webhook", "https://hook.example/last")


def test_steps_change_places_and_the_delays_stay(office):
    first, second = add(office), add(office, "webhook", "https://hook.example/x")
    rule(office, first, 0)
    rule(office, second, 300)
    rule(office, second, 600, urgency="other")
    rule(office, first, 600)
    top = rules(office)[0]
    with writing(office.engine) as db:
        contact.move_rule(db, top.id, -1, actor=office.people["Priya"])  # nothing stands before it
        contact.move_rule(db, top.id, 1, actor=office.people["Priya"])
    high = [(found.method_id, found.delay) for found in rules(office) if found.urgency == "high"]
    assert high == [(second, 0), (first, 300), (first, 600)]
    with pytest.raises(RuleError, match="there already"):
        rule(office, second, 0)
    with pytest.raises(RuleError, match="at most a day"):
        rule(office, second, contact.LONGEST_DELAY + 1)


def test_a_way_that_is_removed_takes_its_steps_and_its_messages_with_it(office):
    method = add(office)
    verify(office, method, code_of(office))
    rule(office, method, 600, urgency="other")
    with writing(office.engine) as db:
        notices.tell(db, [office.people["Priya"].id], "sla", "Late", now=MONDAY)
    with writing(office.engine) as db:
        contact.remove_method(db, method, actor=office.people["Priya"], now=MONDAY + MINUTE)
    assert rules(office) == []
    assert steps(office, "other") == [("email", 0)]
    with reading(office.engine) as db:
        states = [row.state for row in deliveries.log(db, office.people["Ada"])[0]]
    assert states == ["cancelled", "sent"]


def test_a_test_that_arrives_mends_a_broken_way(office):
    method = add(office)
    verify(office, method, code_of(office))
    with writing(office.engine) as db:
        contact.send_test(db, method, actor=office.people["Priya"], now=MONDAY + HOUR)

    def gone(_message, _now):
        raise Undelivered("It is gone (410).", permanent=True)

    tick(MONDAY + HOUR, office.engine, {"slack": gone})
    with reading(office.engine) as db:
        assert db.get_one(ContactMethod, method).broken_why == "It is gone (410)."
    with writing(office.engine) as db:
        contact.send_test(db, method, actor=office.people["Priya"], now=MONDAY + 2 * HOUR)
    tick(MONDAY + 2 * HOUR, office.engine, {"slack": lambda *_given: None})
    with reading(office.engine) as db:
        [kept] = reach.methods(db, office.people["Priya"], office.people["Priya"].id)
        assert kept.usable


def test_the_log_is_for_administrators_and_for_leads_of_what_they_may_read(office):
    shown, hidden = office.report("Shown"), office.report("Hidden")
    with writing(office.engine) as db:
        for number in (shown, hidden):
            about = db.get_one(Incident, number)
            outbox.page(db, office.people["Priya"].id, about, f"{about.title} needs you", now=MONDAY)
        notices.tell(db, [office.people["Rita"].id], "note", "For Rita", now=MONDAY)
        db.get_one(Incident, hidden).restricted = True
    with reading(office.engine) as db:
        found, total = deliveries.log(db, office.people["Ada"])
        assert (total, [row.subject for row in found]) == (
            3, ["For Rita", "A message about an incident", "A message about an incident"])  # fmt: skip
        assert [row.subject for row in deliveries.log(db, office.people["Lena"])[0]] == ["Shown needs you"]
        assert deliveries.log(db, office.people["Ada"], state="given_up") == ([], 0)
        assert deliveries.log(db, office.people["Ada"], state="waiting", channel="email")[1] == 3
        with pytest.raises(Forbidden):
            deliveries.log(db, office.people["Priya"])
        standing = deliveries.standing(db, MONDAY + HOUR)
    assert (standing.waiting, standing.oldest, standing.given_up) == (3, HOUR, 0)


def test_messages_are_ones_own_and_lose_the_number_of_what_is_closed_to_one(office):
    number = office.report(by="Otto")
    with writing(office.engine) as db:
        about = db.get_one(Incident, number)
        for count in range(30):
            notices.tell(db, [office.people["Sam"].id], "sla", f"Late {count}", incident=about, now=MONDAY)
        notices.tell(db, [office.people["Rita"].id], "note", "For Rita", now=MONDAY)
    sam = office.people["Sam"]
    with reading(office.engine) as db:
        found, total = notice_queries.own(db, sam)
        assert (total, len(found), found[0].subject, found[0].number) == (30, 25, "Late 29", "INC-000001")
        assert len(notice_queries.own(db, sam, 2)[0]) == 5
        assert notice_queries.unread(db, sam) == 30
    with writing(office.engine) as db:
        notices.mark_one_read(db, found[0].id, sam, now=MONDAY)
        notices.mark_one_read(db, found[1].id, office.people["Rita"], now=MONDAY)
        db.get_one(Incident, number).restricted = True
    with reading(office.engine) as db:
        assert notice_queries.unread(db, sam) == 29
        assert notice_queries.own(db, sam)[0][0].number is None


def test_a_team_channel_is_set_by_an_administrator_and_written_to_at_once(office):
    network = office.teams["Network"]
    with pytest.raises(Forbidden), writing(office.engine) as db:
        contact.add_team_channel(db, network, "slack", SLACK, actor=office.people["Lena"], now=MONDAY)
    ada = office.people["Ada"]
    with writing(office.engine) as db:
        made = contact.add_team_channel(db, network, "slack", SLACK, actor=ada, now=MONDAY).id
    got = []
    tick(MONDAY, office.engine, {"slack": lambda message, _now: got.append(message.subject)})
    assert got == ["Incident Desk writes here to Network"]
    for address, field in ((SLACK, "address"), ("nothing", "address")):
        with pytest.raises(RuleError) as refused, writing(office.engine) as db:
            contact.add_team_channel(db, network, "slack", address, actor=ada, now=MONDAY)
        assert field in refused.value.fields
    with writing(office.engine) as db:
        contact.remove_team_channel(db, made, actor=ada, now=MONDAY)
    with reading(office.engine) as db:
        assert db.scalars(select(TeamChannel)).all() == []
