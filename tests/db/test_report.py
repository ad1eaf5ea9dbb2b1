"""Reporting an incident: what is kept, what is refused, and what cannot harm."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from db.commands import checks, incidents
from db.engine import reading, writing
from db.models import Follower, Incident, TimelineEntry
from db.queries import incidents as queries
from db.queries import triage
from rules.access import Forbidden
from rules.errors import RuleError
from tests.db.office import HOUR, MONDAY, Office


@pytest.fixture
def office(engine):
    return Office(engine)


def _count(office, model):
    with reading(office.engine) as db:
        return db.execute(select(func.count()).select_from(model)).scalar_one()


def test_a_report_gets_a_number_a_priority_due_times_and_its_first_entry(office):
    incident = office.incident(office.report(scope="site", effect="stopped", started_at=MONDAY - HOUR))
    assert incident.number == f"INC-{incident.id:06d}"
    assert (incident.state, incident.version, incident.queue_group) == ("new", 1, 0)
    assert (incident.impact, incident.urgency, incident.priority, incident.people_affected) == (1, 1, 1, 100)
    assert incident.response_due_at == MONDAY + HOUR / 4
    assert incident.response_warn_at == MONDAY + HOUR * 3 / 16
    assert incident.resolution_due_at == incident.first_resolution_due_at == MONDAY + 4 * HOUR
    assert incident.resolution_warn_at == MONDAY + 3 * HOUR
    assert incident.rank_at < incident.resolution_due_at
    [entry] = office.timeline(incident.id)
    assert (entry.kind, entry.text, entry.at, entry.version, entry.public) == ("report", "reported it", MONDAY, 1, True)
    assert {kind: timer.due_at for kind, timer in office.timers(incident.id).items()} == {
        "response_warning": MONDAY + HOUR * 3 / 16,
        "response_breach": MONDAY + HOUR / 4,
        "resolution_warning": MONDAY + 3 * HOUR,
        "resolution_breach": MONDAY + 4 * HOUR,
    }


def test_the_reporter_follows_what_they_reported(office):
    incident = office.report()
    with reading(office.engine) as db:
        assert db.get(Follower, (incident, office.people["Rita"].id)) is not None


def test_a_service_names_what_is_affected_and_weighs_in(office):
    incident = office.incident(office.report(service_id=office.service, affected=""))
    assert (incident.affected, incident.impact) == ("E-mail", 2)


def test_the_same_form_sent_twice_makes_one_incident(office):
    assert office.report(form_token="abc") == office.report(form_token="abc", title="Something else")
    assert _count(office, Incident) == 1
    assert _count(office, TimelineEntry) == 1


def test_the_same_form_sent_twice_at_once_makes_one_incident(office):
    together = threading.Barrier(6)

    def send(_number):
        together.wait(60)
        return office.report(form_token="abc")

    with ThreadPoolExecutor(6) as pool:
        made = set(pool.map(send, range(6)))
    assert len(made) == 1
    assert _count(office, Incident) == 1


def test_everything_wrong_is_named_at_once(office):
    with pytest.raises(RuleError) as refused:
        office.report(
            title=" \n ",
            affected="x" * 201,
            description="y" * 20_001,
            service_id=999,
            scope="galaxy",
            effect="boom",
            started_at=MONDAY + HOUR,
        )
    assert set(refused.value.fields) == {
        "title", "affected", "description", "service_id", "scope", "effect", "started_at",
    }  # fmt: skip
    assert all(sentence.endswith(".") for sentence in refused.value.fields.values())
    assert _count(office, Incident) == 0


def test_what_is_affected_must_be_said_when_no_service_is_chosen(office):
    with pytest.raises(RuleError) as refused:
        office.report(affected="  ")
    assert list(refused.value.fields) == ["affected"]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("NUL \x00 inside", "NUL \ufffd inside"),
        ("lone \ud800 surrogate", "lone \ufffd surrogate"),
        ("\u202eright to left\u202c", "\u202eright to left\u202c"),
        ("שלום עולם", "שלום עולם"),
        ("👩‍👩‍👧‍👦 🏥", "👩‍👩‍👧‍👦 🏥"),
        ("<script>alert('x')</script>", "<script>alert('x')</script>"),
        ("'; drop table incident; --", "'; drop table incident; --"),
        ("two\r\nlines\tand\x0bmore", "two lines and\ufffdmore"),
        ("e\u0301", "é"),
    ],
)
def test_hostile_text_is_kept_as_text(office, typed, kept):
    incident = office.report(title=typed, affected=typed, description=typed)
    stored = office.incident(incident)
    assert (stored.title, stored.affected) == (kept, kept)
    office.comment(incident, typed, "Rita")
    assert office.timeline(incident)[-1].detail == stored.description


def test_a_megabyte_is_refused_with_its_length(office):
    with pytest.raises(RuleError, match=r"Shorten the description to 20,000 characters; it has 1,048,576\."):
        office.report(description="x" * 1_048_576)
    with pytest.raises(RuleError, match="1,048,576"):
        office.report(title="x" * 1_048_576)


def test_twenty_thousand_characters_are_kept(office):
    assert len(office.incident(office.report(description="ß" * 20_000)).description) == 20_000


def test_no_text_is_not_text(office):
    with pytest.raises(RuleError) as refused:
        office.report(title=None)
    assert list(refused.value.fields) == ["title"]


def test_an_archived_service_cannot_be_chosen(office):
    with writing(office.engine) as db:
        from db.models import Service

        db.get_one(Service, office.service).archived_at = MONDAY
    with pytest.raises(RuleError, match="Choose a service from the list"):
        office.report(service_id=office.service)


def test_reports_of_one_moment_and_one_person_get_numbers_of_their_own(office):
    with writing(office.engine) as db:
        made = [
            incidents.report(db, title=f"Report {n}", affected="x", actor=office.people["Rita"], now=MONDAY)
            for n in range(3)
        ]
        assert len({incident.number for incident in made}) == 3


CALLER = checks.Caller(None, "Frau Öz", "+49 30 4444", "phone")


def test_the_desk_reports_for_a_caller_by_name_and_contact(office):
    number = office.report("Phone is dead", by="Dora", caller=CALLER)
    found = office.incident(number)
    assert (found.reporter_id, found.logged_by_id) == (None, office.people["Dora"].id)
    assert (found.caller_name, found.caller_contact, found.source) == ("Frau Öz", "+49 30 4444", "phone")
    assert office.timeline(number)[0].text == "reported it for Frau Öz (by telephone)"
    with reading(office.engine) as db:
        line = triage.queue(db, office.people["Lena"], triage.Filters(), 1, MONDAY).lines[0]
        detail = queries.by_number(db, office.people["Lena"], found.number)
    assert (line.reporter, detail.contact) == ("Frau Öz", "+49 30 4444")


def test_the_desk_reports_for_somebody_with_an_account_who_confirms_it(office):
    rita = office.people["Rita"]
    number = office.report("Phone is dead", by="Dora", caller=checks.Caller(rita.id, source="desk"))
    assert office.incident(number).reporter_id == rita.id
    assert office.timeline(number)[0].text == "reported it for Rita (in person)"
    with reading(office.engine) as db:
        assert queries.by_number(db, rita, office.incident(number).number).following
    office.perform(number, "accept", "Lena", **office.triage)
    office.perform(number, "acknowledge", "Priya")
    office.perform(number, "resolve", "Priya", resolution_code="fixed", resolution_note="New cable.")
    office.perform(number, "recover", "Priya")
    assert office.perform(number, "verify", "Rita").verification == "confirmed"


@pytest.mark.parametrize(
    ("caller", "fields"),
    [
        (checks.Caller(), {"caller_name", "caller_contact"}),
        (checks.Caller(name="A", contact=" "), {"caller_contact"}),
        (checks.Caller(name="x" * 201, contact="y"), {"caller_name"}),
        (checks.Caller(person_id=999), {"caller_id"}),
        (checks.Caller(name="A", contact="b", source="pigeon"), {"source"}),
    ],
)
def test_a_caller_nobody_could_find_again_is_refused(office, caller, fields):
    with pytest.raises(RuleError) as refused:
        office.report(by="Dora", caller=caller)
    assert set(refused.value.fields) == fields
    assert _count(office, Incident) == 0


@pytest.mark.parametrize("who", ["Rita", "Max", "Ada"])
def test_only_those_who_work_on_incidents_report_for_others(office, who):
    with pytest.raises(Forbidden):
        office.report(by=who, caller=CALLER)
