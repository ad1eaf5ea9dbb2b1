"""What a team reads in its channels, in the transaction in which it happens; of a restricted incident no words."""

import pytest
from sqlalchemy import delete, select

from db.commands import escalation, escalation_policies, incidents, major
from db.engine import reading, writing
from db.models import ContactMethod, Incident, NotificationRule, OutboxMessage, Person, Team, TeamChannel
from db.queries import reach
from db.settings import settings
from rules import channels
from tests.db.office import DAY, HOUR, MONDAY, Office
from worker.timers import tick

URGENT = {"scope": "everyone", "effect": "stopped"}
P1 = {"impact": 1, "urgency": 1}
FIX = {"resolution_code": "fixed", "resolution_note": "Restarted it."}
PROVED = {"created_at": MONDAY, "verified_at": MONDAY}


@pytest.fixture
def office(engine):
    made = Office(engine)
    with writing(engine) as db:
        for team in ("Network", "Servers"):
            db.add(TeamChannel(team_id=made.teams[team], channel="slack", address=f"https://s.example/{team}",
                               created_at=MONDAY))  # fmt: skip
        for name in ("Priya", "Lena"):
            way = ContactMethod(
                person_id=made.people[name].id, channel="webhook", address="https://h.example", **PROVED
            )
            db.add(way)
            db.flush()
            db.add(NotificationRule(person_id=way.person_id, urgency="high", method_id=way.id))
    return made


def policy(office, *names):
    """The network team asks these one after another, five minutes each."""
    steps = [{"delay": 300, "targets": [{"kind": "person", "id": office.people[name].id}]} for name in names]
    with writing(office.engine) as db:
        made = escalation_policies.save(db, None, name="Network", steps=steps, repeats=0, acknowledge_seconds=None,
                                        actor=office.people["Ada"], now=MONDAY)  # fmt: skip
        db.get_one(Team, office.teams["Network"]).escalation_policy_id = made


def read_by(office, team):
    """(subject, body) of everything that went to the team's channel."""
    with reading(office.engine) as db:
        statement = (
            select(OutboxMessage.payload)
            .join(TeamChannel, TeamChannel.id == OutboxMessage.team_channel_id)
            .where(TeamChannel.team_id == office.teams[team])
            .order_by(OutboxMessage.id)
        )
        return [(payload["subject"], payload["body"]) for payload in db.scalars(statement)]


def test_a_team_reads_who_is_asked_that_nobody_answers_who_takes_it_and_how_it_ends(office):
    policy(office, "Priya", "Lena")
    number = office.report(**URGENT)
    assert read_by(office, "Network") == [], "no team has it yet"
    office.perform(number, "accept", "Lena", MONDAY, **office.triage | P1)
    tick(MONDAY + HOUR, office.engine)
    tick(MONDAY + 2 * HOUR, office.engine)
    office.perform(number, "acknowledge", "Priya", MONDAY + 3 * HOUR)
    office.perform(number, "resolve", "Priya", MONDAY + 4 * HOUR, **FIX)
    office.perform(number, "recover", "Priya", MONDAY + 5 * HOUR)
    assert read_by(office, "Network") == [
        ("INC-000001 P1 pages: Mail is slow", "Lena accepted it for Network.\nPaged Priya."),
        ("INC-000001 P1 pages: Mail is slow", "Paged Lena."),
        ("INC-000001 P1 unanswered: Mail is slow", "Nobody has answered. All steps have been asked."),
        ("INC-000001 P1 taken: Mail is slow", "Priya started work."),
        ("INC-000001 P1 resolved: Mail is slow", "Priya resolved it: fixed.\nRestarted it."),
    ]
    assert read_by(office, "Servers") == []


def test_a_step_that_reaches_nobody_and_the_next_are_one_message(office):
    policy(office, "Sam", "Priya")
    with writing(office.engine) as db:
        db.get_one(Person, office.people["Sam"].id).email = None
    number = office.report(**URGENT)
    office.perform(number, "accept", "Lena", MONDAY, **office.triage | P1)
    [(subject, body)] = read_by(office, "Network")
    assert subject == "INC-000001 P1 pages: Mail is slow"
    assert body.splitlines() == [
        "Lena accepted it for Network.",
        "Reached nobody with step 1: Sam has no way to be reached.",
        "Paged Priya.",
    ]


def test_what_pages_nobody_says_so(office):
    number = office.report(**URGENT)
    office.perform(number, "accept", "Lena", MONDAY, **office.triage | P1)
    with writing(office.engine) as db:
        about = db.get_one(Incident, number)
        escalation.start(db, about, MONDAY + HOUR)
    assert read_by(office, "Network")[-1] == (
        "INC-000001 P1 unanswered: Mail is slow",
        "It pages nobody. Neither its service nor its team has an escalation policy.",
    )


def test_both_teams_read_a_handover_and_the_one_that_has_it_reads_that_it_is_major(office):
    number = office.bring_to("assigned", **URGENT)
    with writing(office.engine) as db:
        major.declare(db, number, None, "Many wait.", actor=office.people["Lena"], now=MONDAY + 2 * HOUR)
    office.perform(number, "assign", "Lena", MONDAY + 3 * HOUR, team_id=office.teams["Servers"], reason="A disk.")
    assert [subject for subject, _ in read_by(office, "Network")] == [
        "INC-000001 P3 is yours: Mail is slow",
        "INC-000001 P3 is major: Mail is slow",
        "INC-000001 P3 handed over: Mail is slow",
    ]
    assert read_by(office, "Servers") == [
        ("INC-000001 P3 is yours: Mail is slow", "Lena assigned it to Servers.\nA disk.")
    ]


def test_what_is_not_worth_a_message_makes_none(office):
    number = office.bring_to("in_progress", **URGENT)
    before = len(read_by(office, "Network"))
    office.perform(number, "hold", "Priya", MONDAY + 5 * HOUR, hold_reason="vendor", hold_until=MONDAY + 5 * DAY)
    office.perform(number, "resume", "Priya", MONDAY + 6 * HOUR)
    with writing(office.engine) as db:
        incidents.prioritise(db, number, None, {"title": "Mail"}, actor=office.people["Lena"], now=MONDAY + 7 * HOUR)
    withdrawn = office.report()
    office.perform(withdrawn, "cancel", "Dora", MONDAY, reason="It works again.")
    assert len(read_by(office, "Network")) == before


def test_no_word_of_a_restricted_incident_leaves_to_a_channel(office):
    policy(office, "Priya")
    number = office.report("Salaries leaked", **URGENT)
    given = office.triage | P1 | {"restricted": True}
    office.perform(number, "accept", "Lena", MONDAY, **given)
    office.perform(number, "acknowledge", "Priya", MONDAY + HOUR)
    office.perform(number, "resolve", "Priya", MONDAY + 2 * HOUR, **FIX)
    assert read_by(office, "Network") == [(channels.sealed("INC-000001"), "")]


def test_a_change_that_is_taken_back_leaves_nothing_in_the_outbox(office):
    number = office.report(**URGENT)

    class Broken(Exception):
        pass

    with pytest.raises(Broken), writing(office.engine) as db:
        incidents.perform(db, number, None, "accept", office.triage, actor=office.people["Lena"], now=MONDAY)
        raise Broken
    assert read_by(office, "Network") == []


def test_only_what_can_reach_somebody_counts_as_a_way_out(engine, monkeypatch):
    monkeypatch.setenv("SMTP_URL", "")
    settings.cache_clear()
    office = Office(engine)
    priya = office.people["Priya"].id

    def leaves():
        with reading(engine) as db:
            return reach.any_channel(db)

    def leaves_for(*names):
        with reading(engine) as db:
            return [reach.any_person(db), *(reach.leaves_for(db, office.people[name]) for name in names)]

    assert not leaves()
    with writing(engine) as db:
        way = ContactMethod(person_id=priya, channel="slack", address="https://s.example/p", created_at=MONDAY)
        team = TeamChannel(team_id=office.teams["Network"], channel="slack", address="https://s.example/n",
                           created_at=MONDAY, broken_at=MONDAY)  # fmt: skip
        db.add_all([way, team])
        db.flush()
        way_id, team_id = way.id, team.id
        step = NotificationRule(person_id=priya, urgency="other", method_id=way_id)
        db.add(step)
    assert not leaves(), "one was never proved, the other has failed for good"

    def put(model, id_, **values):
        with writing(engine) as db:
            for name, value in values.items():
                setattr(db.get_one(model, id_), name, value)
        return leaves()

    assert put(ContactMethod, way_id, verified_at=MONDAY)
    assert leaves_for("Priya", "Lena") == [True, True, False]
    assert not put(ContactMethod, way_id, channel="email"), "no server takes it"
    assert put(ContactMethod, way_id, channel="slack")
    assert not put(Person, priya, disabled_at=MONDAY)
    assert put(TeamChannel, team_id, broken_at=None)
    assert leaves_for("Lena") == [False, False], "a team's channel tells nobody their pages"
    monkeypatch.setenv("SMTP_URL", "smtp://mail.example.org?from=desk@example.org")
    settings.cache_clear()
    assert leaves_for("Lena") == [True, True]
    put(Person, office.people["Lena"].id, email=None)
    put(Person, office.people["Max"].id, sample=True)
    assert leaves_for("Lena", "Max", "Sam") == [True, False, False, True]
    monkeypatch.setenv("SMTP_URL", "")
    settings.cache_clear()
    with writing(engine) as db:
        db.get_one(Person, priya).disabled_at = None
        db.execute(delete(NotificationRule))
    put(TeamChannel, team_id, broken_at=MONDAY)
    assert not leaves(), "a way that is part of no step"
    assert put(TeamChannel, team_id, broken_at=None)
    assert not put(Team, office.teams["Network"], archived_at=MONDAY)
    with reading(engine) as db:
        assert db.scalars(select(Incident)).all() == []
