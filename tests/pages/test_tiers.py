"""Between the tiers on the incident's page: escalate, read what was handed over, vendor, inform up."""

from dataclasses import replace
from types import SimpleNamespace
from unittest.mock import patch

import pytest
from sqlalchemy import select

from db.commands import tiers as commands
from db.engine import reading, writing
from db.models import Assignment, Notice, TeamMember
from pages.parts import actions, shapes
from pages.parts.rows import Event
from tests.pages.conftest import seen

PAGE = "responders/incident.py"
SUMMARY = "The switch is fine, the print server does not answer since nine."
sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def worked_on(desk):
    """The number of an incident that Priya, of Network (tier 2), works on."""
    number = desk.report("Rita", "Nobody can print")
    desk.accept(number)
    desk.do(number, "acknowledge", "Priya", 30)
    return number


def button(at, label, last=False):
    found = [one for one in at.button if one.label == label]
    return found[-1] if last else found[0]


def field(at, kind, label):
    return next(found for found in getattr(at, kind) if found.label == label)


def dialog(at):
    """Run again with the dialog open: a test has no reruns of a dialog alone."""
    at.session_state["incident.ask"] = "escalate"
    return at.run()


def choose_team(at, team_id):
    field(at, "selectbox", "Team").set_value(team_id)
    return dialog(at)


def escalate(at):
    """Press it, and draw the dialog again as it stands: asking for it anew would forget what was said in it."""
    with patch.object(actions, "ask", again):
        button(at, "Escalate", last=True).click()
        return dialog(at)


def again(actor, number, action, *, team_id=None):
    actions._dialog(actor, actions.seen(actor, number), action, team_id)


def hand_to(desk, number, team_id, **more):
    desk.do(number, "escalate", "Priya", 20, team_id=team_id, reason=SUMMARY, **more)


@sqlite
def test_escalating_asks_for_a_team_above_and_a_summary(desk, opened, worked_on):
    servers = desk.team("Servers", "3")
    desk.team("Service Desk", "1")
    at = dialog(opened(PAGE, "Priya", number=worked_on))
    assert field(at, "selectbox", "Team").options == ["Servers (tier 3)"]
    choose_team(at, servers)
    field(at, "text_area", "What is known").set_value("No")
    escalate(at)
    assert "in at least 20 characters" in seen(at)
    assert desk.incident(worked_on).team_id == desk.team_id
    field(at, "text_area", "What is known").set_value("The print server does not answer")
    field(at, "text_area", "What was tried").set_value("Restarted the queue")
    field(at, "text_area", "What is needed").set_value("Look at its disk")
    escalate(at)
    assert not at.exception
    kept = desk.incident(worked_on)
    assert (kept.team_id, kept.escalations, kept.state) == (servers, 1, "assigned")
    assert desk.words(worked_on)[-1] == (
        "What is known: The print server does not answer\nWhat was tried: Restarted the queue\n"
        "What is needed: Look at its disk"
    )


@sqlite
def test_a_vendor_is_asked_for_and_it_may_wait_on_hold_at_once(desk, opened, worked_on):
    nordlink = desk.team("Nordlink", "external", "+49 30 5550 1000")
    at = dialog(opened(PAGE, "Priya", number=worked_on))
    assert "Contact (optional)" not in [found.label for found in at.text_input]
    choose_team(at, nordlink)
    assert field(at, "text_input", "Contact (optional)").value == "+49 30 5550 1000"
    field(at, "text_area", "What is known").set_value(SUMMARY)
    field(at, "text_input", "Their reference (optional)").set_value("NL-4711")
    at.checkbox[0].check()
    escalate(at)
    assert not at.exception
    kept = desk.incident(worked_on)
    assert (kept.state, kept.hold_reason, kept.team_id) == ("on_hold", "vendor", nordlink)
    assert (kept.vendor_contact, kept.vendor_reference) == ("+49 30 5550 1000", "NL-4711")


@sqlite
def test_the_summary_stands_first_until_the_team_has_read_it_and_stays_in_reach(desk, opened, worked_on):
    servers = desk.team("Servers", "3")
    with writing(desk.engine) as db:
        db.add(TeamMember(team_id=servers, person_id=desk.actors["Dora"].id))
    hand_to(desk, worked_on, servers)
    desk.actors["Dora"] = replace(desk.actors["Dora"], team_ids=frozenset({servers}))
    other = opened(PAGE, "Lena", number=worked_on)
    assert SUMMARY in seen(other)
    assert "I have read it" not in [found.label for found in other.button]
    at = opened(PAGE, "Dora", number=worked_on)
    assert "Read this first" in str([found.value for found in at.markdown])
    button(at, "I have read it").click().run()
    assert not at.exception
    assert "I have read it" not in [found.label for found in at.button]
    assert at.expander[0].label == "What was handed over"
    assert "Read by Dora" in seen(at)


@sqlite
def test_starting_work_shows_what_was_handed_over_and_says_it_was_read(desk, opened, worked_on):
    servers = desk.team("Servers", "3")
    hand_to(desk, worked_on, servers)
    at = button(opened(PAGE, "Lena", number=worked_on), "Start work").click().run()
    assert desk.incident(worked_on).state == "assigned"
    assert "Going on tells everybody that you have read this." in seen(at)
    button(at, "Start work", last=True).click().run()
    assert not at.exception
    assert desk.incident(worked_on).state == "in_progress"
    with reading(desk.engine) as db:
        stay = db.scalars(select(Assignment).where(Assignment.team_id == servers)).one()
        assert stay.read_by_id == desk.actors["Lena"].id


@sqlite
def test_the_facts_tell_the_tier_its_clock_and_what_went_on(desk, opened, worked_on, monkeypatch):
    drawn = []
    monkeypatch.setattr("pages.parts.head._HEAD", lambda **given: drawn.append(given["data"]))
    servers = desk.team("Servers", "3")
    hand_to(desk, worked_on, servers)
    desk.do(worked_on, "assign", "Lena", 10, team_id=desk.team_id)
    at = opened(PAGE, "Priya", number=worked_on)
    labels = [fact["label"] for fact in drawn[0]["facts"]]
    assert "Team, tier 2" in labels
    assert any(label.startswith("Team's time, due ") for label in labels)
    table = "\n".join(str(found.value) for found in at.table)
    assert "twice; came back to Network" in table
    assert "Escalated" in table


@sqlite
def test_the_vendors_number_is_filled_in_later(desk, opened, worked_on):
    assert "Vendor" not in [found.value for found in opened(PAGE, "Priya", number=worked_on).header]
    hand_to(desk, worked_on, desk.team("Nordlink", "external", "noc@nordlink.example"))
    at = opened(PAGE, "Priya", number=worked_on)
    field(at, "text_input", "Their reference (optional)").set_value("NL-4711")
    button(at, "Save").click().run()
    assert not at.exception
    assert desk.incident(worked_on).vendor_reference == "NL-4711"


@sqlite
@pytest.mark.parametrize("chosen", ["Use mine", "Keep theirs"])
def test_two_who_note_the_vendors_number_see_both_and_choose(desk, opened, worked_on, chosen):
    hand_to(desk, worked_on, desk.team("Nordlink", "external", "noc@nordlink.example"))
    at = opened(PAGE, "Priya", number=worked_on)
    field(at, "text_input", "Their reference (optional)").set_value("NL-4711")
    with writing(desk.engine) as db:
        given = ("noc2@nordlink.example", "NL-0815")
        commands.set_vendor(db, desk.id_of(worked_on), None, *given, actor=desk.actors["Lena"], now=desk.now)
    at = button(at, "Save").click().run()
    assert desk.incident(worked_on).vendor_reference == "NL-0815"
    assert "Lena changed INC-000001 while you were looking at it" in seen(at).replace("\\", "")
    for words in ("**The vendor's reference:** –", "NL-0815", "NL-4711"):
        assert words in seen(at).replace("\\", "")
    at = button(at, chosen).click().run()
    assert not at.error
    kept = desk.incident(worked_on)
    assert kept.vendor_reference == ("NL-4711" if chosen == "Use mine" else "NL-0815")
    assert kept.vendor_contact == "noc2@nordlink.example", "what was not typed takes nothing back"
    assert field(at, "text_input", "Their reference (optional)").value == kept.vendor_reference


@sqlite
def test_what_is_typed_for_the_vendor_stays_when_something_else_changes(desk, opened, worked_on):
    hand_to(desk, worked_on, desk.team("Nordlink", "external", "noc@nordlink.example"))
    at = opened(PAGE, "Priya", number=worked_on)
    key = field(at, "text_input", "Their reference (optional)").key
    desk.do(worked_on, "assign", "Lena", team_id=desk.team_id)
    assert field(at.run(), "text_input", "Their reference (optional)").key == key


@sqlite
def test_informing_up_asks_whom_and_what(desk, opened, worked_on):
    at = button(opened(PAGE, "Priya", number=worked_on), "Inform up").click().run()
    button(at, "Inform", last=True).click().run()
    refused = at.session_state[f"inform.{worked_on}.failure"]
    assert refused.fields == {"people": "Choose who is to be informed.", "words": "Write what they should know."}
    at = button(at, "Inform up").click().run()
    field(at, "checkbox", "The managers").check()
    field(at, "text_area", "What they should know").set_value("The ward cannot print.")
    button(at, "Inform", last=True).click().run()
    assert not at.exception
    with reading(desk.engine) as db:
        told = db.execute(select(Notice.person_id, Notice.kind, Notice.body)).all()
    assert [tuple(row) for row in told] == [(desk.actors["Max"].id, "inform", "The ward cannot print.")]
    assert "Inform up" not in [found.label for found in opened(PAGE, "Max", number=worked_on).button]


@sqlite
def test_home_opens_what_must_be_read_first(desk, opened, worked_on, monkeypatch):
    hand_to(desk, worked_on, desk.team("Servers", "3"), assignee_id=desk.actors["Lena"].id)
    went = []
    monkeypatch.setattr("streamlit.switch_page", lambda page, **more: went.append((page, more)))
    monkeypatch.setattr("streamlit.rerun", lambda: None)
    at = opened("home.py", "Lena")
    at.session_state["home.mine.event"] = Event("action", worked_on)
    at.run()
    assert went == [(PAGE, {"query_params": {"number": worked_on}})]
    assert at.session_state["incident.ask"] == "acknowledge"
    assert desk.incident(worked_on).state == "assigned"


def test_rows_and_cards_tell_it_calmly():
    assert shapes.between(SimpleNamespace(tier="2", escalations=0)) is None
    assert shapes.between(SimpleNamespace(tier="3", escalations=1)) == "escalated to tier 3"
    assert shapes.between(SimpleNamespace(tier="external", escalations=0)) == "with a vendor"
    assert shapes.between(SimpleNamespace(tier=None, escalations=1)) is None
