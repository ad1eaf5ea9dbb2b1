"""Problems on their screen, and where they help: while reporting, in triage, in the room."""

import pytest
import streamlit as st
from sqlalchemy import func, select
from streamlit.testing.v1 import AppTest

from db.commands import problems
from db.engine import reading, writing
from db.models import Deflection
from db.queries import problems as queries
from pages.parts import address, problem_form, rows, session
from tests.pages.conftest import seen

SCREEN, REPORT, TRIAGE, ROOM = "managers/problems.py", "staff/report.py", "leads/triage.py", "responders/incident.py"
KNOWN = {
    "title": "Labels come *blank*",
    "cause": "A worn print head.",
    "workaround": "Clean the head, twice.",
    "public_words": "Switch the printer off and on.",
}
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def said(at):
    return seen(at).replace("\\", "").replace("\u2060", "")


def labels(at):
    return [found.label for found in at.button]


def button(at, label):
    return next(found for found in at.button if found.label == label)


def field(at, kind, label):
    return next(found for found in getattr(at, kind) if found.label.startswith(label))


def drawn():
    """A dialog on a page of its own: what is pressed in one of the app's would close it here."""
    import streamlit as st

    from db.engine import reading
    from db.queries import problems, repeats
    from pages.parts import actions, problem_cards, problem_moves, problem_repeats, session

    actor, what, about = session.require(), st.query_params["what"], st.query_params["about"]
    if "seen" not in st.session_state:
        with reading() as db:
            st.session_state["seen"] = (
                actions.seen(actor, about)
                if about.startswith("INC")
                else problems.one(db, actor, about)
                if about
                else repeats.suggestions(db, actor, session.now())[0]
            )
    seen = st.session_state["seen"]
    if what == "dismiss":
        problem_repeats.dismiss(actor, seen)
    elif what == "hold":
        actions._dialog(actor, seen, "hold", None)
    elif what == "link":
        problem_cards._dialog(actor, seen)
    else:
        problem_moves._dialog(actor, seen, what)


@pytest.fixture
def dialog(desk, monkeypatch):
    """`dialog("know", "PRB-000001")` opens it, about a problem, an incident, or the first suggestion ('')."""

    def open_dialog(what, about="", who="Priya"):
        monkeypatch.setattr(session, "require", lambda action=None: desk.actors[who])
        at = AppTest.from_function(drawn, default_timeout=60)
        at.query_params["what"], at.query_params["about"] = what, about
        return at.run()

    return open_dialog


def begin(desk, *numbers, by="Priya", **given):
    ids = [desk.id_of(number) for number in numbers]
    with writing(desk.engine) as db:
        return problems.begin(db, {**KNOWN, **given}, ids, actor=desk.actors[by], now=desk.now).number


def know(desk, number, by="Priya"):
    with writing(desk.engine) as db:
        actor = desk.actors[by]
        problem = queries.one(db, actor, number)
        problems.move(db, problem.id, None, "know", actor=actor, now=desk.now)


def now(desk, number, by="Priya"):
    with reading(desk.engine) as db:
        return queries.one(db, desk.actors[by], number)


def linked(desk, number):
    with reading(desk.engine) as db:
        problem = queries.one(db, desk.actors["Priya"], number)
        found = queries.incidents(db, desk.actors["Priya"], problem)[0]
        return sorted(line.number for line in found)


def repeat(desk, count=3):
    numbers = [desk.report("Rita", f"Labels blank on ward {ward}", service_id=1, affected="") for ward in range(count)]
    for number in numbers:
        desk.accept(number)
    return numbers


def test_first_use_says_what_to_do_and_who_may(desk, opened):
    at = opened(SCREEN, "Priya")
    assert not at.exception
    assert "Open a problem" in labels(at)
    assert "Open a problem" not in labels(opened(SCREEN, "Ada")), "an administrator reads"
    assert at.title[0].value == "Problems"


def test_what_repeats_is_suggested_and_becomes_a_problem_on_a_press(desk, opened):
    numbers = repeat(desk)
    at = opened(SCREEN, "Priya")
    assert "E-mail · Hardware" in said(at)
    assert "3 incidents in 90 days" in said(at)
    assert "They share" not in said(at), "it is folded until somebody looks"
    at.session_state[f"problems.repeat.1.{desk.pair_id}.why"] = True
    at = at.run()
    assert "They share: **labels**" in said(at) or "They share: **blank**" in said(at)
    assert numbers[0] in said(at)
    at = next(found for found in at.button if found.key.endswith(".open")).click().run()
    assert at.title[0].value == "A new problem"
    assert field(at, "text_input", "What repeats").value.startswith("Labels blank")
    field(at, "text_input", "What repeats").input("Labels come blank")
    assert any(words.startswith(f"{numbers[0]} ") for words in at.multiselect[0].options), "a choice is no Markdown"
    at.multiselect[0].unselect(desk.id_of(numbers[2]))
    at = button(at, "Open the problem").click().run()
    assert not at.exception
    assert "The problem is open." in said(at)
    assert linked(desk, "PRB-000001") == numbers[:2]
    assert "It repeats" not in said(opened(SCREEN, "Priya"))


def test_a_suggestion_is_dismissed_with_a_reason(desk, opened, dialog):
    repeat(desk)
    at = button(opened(SCREEN, "Lena"), "Not a problem").click().run()
    assert field(at, "text_area", "Why it is no problem")
    at = button(dialog("dismiss"), "Not a problem").click().run()
    assert "Say why it is no problem" in said(at)
    field(at, "text_area", "Why it is no problem").input("Three different causes.")
    button(at, "Not a problem").click().run()
    assert "It repeats" not in said(opened(SCREEN, "Lena"))


def test_an_empty_form_is_answered_beneath_its_field_and_keeps_what_was_typed(desk, opened):
    at = button(opened(SCREEN, "Priya"), "Open a problem").click().run()
    field(at, "text_area", "What the cause is").input("A worn head.")
    at = button(at, "Open the problem").click().run()
    assert "Say what repeats" in said(at)
    assert field(at, "text_area", "What the cause is").value == "A worn head."


def test_it_is_edited_and_moved_to_fixed(desk, opened, dialog):
    number = begin(desk, desk.report("Rita", "Blank labels"), cause="", workaround="", public_words="")
    at = opened(SCREEN, "Priya", number=number)
    assert "Not known yet." in said(at)
    at = button(at, "Start investigating").click().run()
    assert now(desk, number).state == "investigating"
    at = button(at, "Call it a known error").click().run()
    assert field(at, "text_area", "The workaround")
    at = button(dialog("know", number), "Call it a known error").click().run()
    assert "a known error has one" in said(at)
    field(at, "text_area", "What the cause is").input("A worn head.")
    field(at, "text_area", "The workaround").input("Clean it.")
    button(at, "Call it a known error").click().run()
    assert (now(desk, number).state, now(desk, number).workaround) == ("known_error", "Clean it.")
    at = button(opened(SCREEN, "Priya", number=number), "Edit").click().run()
    field(at, "text_area", "What reporters read").input("Switch it off and on.")
    at = button(at, "Save").click().run()
    assert "Saved." in said(at)
    assert now(desk, number).public_words == "Switch it off and on."
    at = dialog("fix", number)
    field(at, "text_area", "What the permanent fix is").input("New heads.")
    button(at, "It is fixed").click().run()
    assert now(desk, number).state == "fixed"
    at = opened(SCREEN, "Max", number=number)
    assert "New heads." in said(at)
    button(at, "Close").click().run()
    assert now(desk, number).state == "closed"
    at = button(dialog("reopen", number), "Open again").click().run()
    assert "Why it is opened again: write it in a sentence." in said(at)


@pytest.mark.parametrize("mine", [True, False])
def test_of_two_editors_the_second_sees_both_and_chooses(desk, opened, mine):
    number = begin(desk)
    at = button(opened(SCREEN, "Priya", number=number), "Edit").click().run()
    field(at, "text_area", "What the cause is").input("Mine.")
    with writing(desk.engine) as db:
        given = {"cause": "Theirs.", "fix": "Theirs too."}
        problems.change(db, now(desk, number).id, 1, given, actor=desk.actors["Lena"], now=desk.now)
    at = button(at, "Save").click().run()
    assert "Lena changed PRB-000001 while you were writing" in said(at)
    assert "Theirs." in said(at)
    assert field(at, "text_area", "What the cause is").value == "Mine."
    at = button(at, "Save mine" if mine else "Take theirs").click().run()
    found = now(desk, number)
    assert (found.cause, found.fix) == ("Mine." if mine else "Theirs.", "Theirs too."), (
        "the rest stays as they wrote it"
    )
    assert found.version == (3 if mine else 2)


def test_what_is_being_written_outlives_a_step_that_its_writer_takes(desk, opened, dialog):
    number = begin(desk, cause="", workaround="")
    at = button(opened(SCREEN, "Priya", number=number), "Edit").click().run()
    field(at, "text_area", "What reporters read").input("Wait for us.")
    at = button(at, "Start investigating").click().run()
    assert field(at, "text_area", "What reporters read").value == "Wait for us."
    at = button(at, "Save").click().run()
    assert "Saved." in said(at)
    at = button(at, "Edit").click().run()
    field(at, "text_area", "What the permanent fix is").input("New heads, ordered.")
    written = at.run().session_state["problems.draft"]
    at = dialog("know", number)
    at.session_state["problems.draft"], at.session_state["problems.editing"] = written, written.problem_id
    field(at, "text_area", "What the cause is").input("A worn head.")
    field(at, "text_area", "The workaround").input("Clean it.")
    at = button(at, "Call it a known error").click().run()
    found, held = now(desk, number), at.session_state["problems.draft"]
    assert (found.state, held.version) == ("known_error", found.version)
    assert (held.values["fix"], held.values["cause"], held.before["fix"]) == ("New heads, ordered.", "A worn head.", "")


def test_a_step_over_what_somebody_else_did_is_asked_again(desk, dialog):
    number = begin(desk)
    at = dialog("know", number)
    with writing(desk.engine) as db:
        problems.change(db, 1, 1, {"fix": "x"}, actor=desk.actors["Lena"], now=desk.now)
    field(at, "text_area", "The workaround").input("Mine.")
    at = button(at, "Call it a known error").click().run()
    assert "Lena changed PRB-000001" in said(at)
    assert field(at, "text_area", "The workaround").value == "Mine."
    assert now(desk, number).state == "open"
    button(at, "Call it a known error").click().run()
    found = now(desk, number)
    assert (found.state, found.workaround, found.fix) == ("known_error", "Mine.", "x")


def test_a_step_that_somebody_else_took_can_no_longer_be_taken(desk, dialog):
    number = begin(desk)
    at = dialog("know", number)
    with writing(desk.engine) as db:
        problems.move(db, 1, 1, "drop", "Too dear.", actor=desk.actors["Lena"], now=desk.now)
    at = button(at, "Call it a known error").click().run()
    assert "can no longer be done" in said(at)
    assert now(desk, number).state == "closed"


def test_incidents_are_linked_by_number_and_numbers_say_what_they_count(desk, opened):
    first, second = desk.report("Rita", "Blank labels"), desk.report("Otto", "Labels blank again")
    desk.fix(first)
    number = begin(desk, first)
    at = opened(SCREEN, "Priya", number=number)
    metrics = {found.label: found.value for found in at.metric}
    assert metrics["Incidents"] == "1"
    assert "Cost" not in metrics, "nothing says what an hour costs"
    field(at, "text_input", "Number").input(second.lower())
    at = button(at, "Link").click().run()
    assert linked(desk, number) == [first, second]
    field(at, "text_input", "Number").input("INC-000099")
    at = button(at, "Link").click().run()
    assert "There is no incident INC-000099" in said(at)
    assert {found.label: found.value for found in at.metric}["Incidents"] == "2"


def test_one_that_is_not_there_or_not_open_is_answered_alike(desk, opened):
    number = begin(desk, by="Dora", restricted=True)
    for asked in (number, "PRB-000099", "x" * 60):
        at = opened(SCREEN, "Priya", number=asked)
        assert at.title[0].value == "Problems"
        assert "Labels" not in said(at)
    assert "Restricted" in said(opened(SCREEN, "Dora", number=number))
    at = opened(SCREEN, "Ada", number="new")
    assert not at.text_area


def test_a_reporter_is_helped_and_sends_nothing(desk, opened):
    know(desk, begin(desk, service_id=1))
    at = opened(REPORT, "Rita")
    assert "We know of this" not in said(at)
    field(at, "text_input", "**What is wrong?").input("blank labels").run()
    assert "We know of this" in said(at)
    assert "Labels come *blank*" in said(at)
    assert KNOWN["public_words"] in said(at)
    assert KNOWN["workaround"] not in said(at)
    assert KNOWN["cause"] not in said(at)
    at = button(at, "This helped, I need nothing more").click().run()
    assert "You need send nothing." in said(at)
    assert "This helped, I need nothing more" not in labels(at), "nobody is asked twice"
    assert (_helped(desk), desk.incidents()) == (1, [])
    at = button(at, "I need help after all").click().run()
    assert _helped(desk) == 0
    assert "This helped, I need nothing more" in labels(at)
    at = button(at, "Report it anyway").click().run()
    assert "You go on with your report." in said(at)
    assert KNOWN["public_words"] not in said(at)


def _helped(desk):
    with reading(desk.engine) as db:
        return db.scalar(select(func.count()).select_from(Deflection))


def test_who_reports_it_all_the_same_was_not_helped(desk, opened):
    know(desk, begin(desk, service_id=1))
    at = opened(REPORT, "Rita")
    field(at, "text_input", "**What or where").input("e-mail").run()
    at = button(at, "This helped, I need nothing more").click().run()
    assert _helped(desk) == 1
    field(at, "text_input", "**What is wrong?").input("Labels still blank").run()
    button(at, "Send report").click().run()
    assert _helped(desk) == 0
    assert len(desk.incidents()) == 1


@pytest.mark.parametrize("given", [{"restricted": True}, {"public_words": ""}])
def test_reporters_see_nothing_of_what_is_not_for_them(desk, opened, given):
    know(desk, begin(desk, service_id=1, **given))
    at = opened(REPORT, "Rita")
    field(at, "text_input", "**What is wrong?").input("blank labels").run()
    assert "We know of this" not in said(at)


def test_triage_shows_what_helps_and_links(desk, opened):
    number = begin(desk, service_id=1)
    know(desk, number)
    incident = desk.report("Rita", "Labels come out blank")
    at = opened(TRIAGE, "Lena", number=incident)
    assert not at.exception
    assert "This known error may be behind it." in said(at)
    assert KNOWN["workaround"] in said(at)
    at = button(at, "Link to this problem").click().run()
    assert linked(desk, number) == [incident]
    assert "Link to this problem" not in labels(at)
    assert KNOWN["workaround"] in said(at)


def test_the_room_shows_cause_and_workaround_and_links_by_a_dialog(desk, opened, dialog):
    number = begin(desk)
    incident = desk.report("Rita", "Coffee is cold")
    at = opened(ROOM, "Priya", number=incident)
    assert "may be behind it" not in said(at)
    at = button(at, "Link to a problem").click().run()
    assert field(at, "selectbox", "Problem").options == [f"{number} {KNOWN['title']}"]
    at = button(dialog("link", incident), "Link").click().run()
    assert "Choose a problem from the list." in said(at)
    field(at, "selectbox", "Problem").select_index(0)
    button(at, "Link").click().run()
    at = opened(ROOM, "Priya", number=incident)
    assert f"[{number}](/problems?number={number})" in said(at)
    assert KNOWN["cause"] in said(at)
    assert KNOWN["workaround"] in said(at)
    assert linked(desk, number) == [incident]


def test_the_room_says_nothing_of_a_restricted_problem(desk, opened):
    incident = desk.report("Rita", "Labels come blank")
    begin(desk, incident, by="Dora", restricted=True)
    at = opened(ROOM, "Priya", number=incident)
    assert KNOWN["workaround"] not in said(at)
    assert "Labels come *blank*" not in said(at)


def test_what_waits_for_a_problem_can_name_it(desk, dialog):
    number = begin(desk)
    incident = desk.report("Rita", "Coffee is cold")
    desk.accept(incident)
    at = dialog("hold", incident)
    field(at, "radio", "What is it waiting for").set_value("problem")
    field(at, "selectbox", "Which problem").select_index(0)
    at = button(at, "Put on hold").click().run()
    assert not at.exception
    assert desk.incident(incident).hold_reason == "problem"
    assert linked(desk, number) == [incident]


def test_what_waits_for_something_else_is_linked_with_no_problem(desk, dialog):
    number = begin(desk)
    incident = desk.report("Rita", "Coffee is cold")
    desk.accept(incident)
    at = dialog("hold", incident)
    field(at, "selectbox", "Which problem").select_index(0)
    button(at, "Put on hold").click().run()
    assert desk.incident(incident).hold_reason == "reporter"
    assert linked(desk, number) == []


def test_what_is_typed_waits_even_if_it_was_left_before_the_page_took_it_in(desk, in_app, monkeypatch):
    """Whoever presses a link of the menu leaves the field by it: the run with their words is cut short."""
    at = in_app("managers/problems.py", "Lena", number="new")
    with monkeypatch.context() as cut:
        cut.setattr(problem_form, "form", lambda *given: st.stop())
        field(at, "text_input", "What repeats").input("Printers print blank pages")
        at = at.run()
    at.switch_page("managers/postmortems.py")
    at = at.run().switch_page("managers/problems.py")
    at.query_params["number"] = "new"
    assert field(at.run(), "text_input", "What repeats").value == "Printers print blank pages"


def test_back_from_an_incident_leads_to_the_problem_it_was_opened_from(desk, in_app, monkeypatch):
    """Not to what Streamlit wrote on the way: the query of the incident behind the address of the problem."""
    incident = desk.report("Rita", "Labels are blank")
    number = begin(desk, incident)
    at = in_app(SCREEN, "Priya", number=number)
    with monkeypatch.context() as pressed:
        event = rows.Event("select", incident)
        pressed.setattr(rows, "rows", lambda items, *, key, **more: event if key == "problems.incidents" else None)
        at = at.run()
    at.switch_page(SCREEN)
    at.query_params["number"] = incident
    assert number not in said(at.run()), "where it was typed, it means what it says"
    monkeypatch.setattr(address, "travelled", lambda: True)
    at.query_params["number"] = incident
    assert number in said(at.run())
    assert at.query_params["number"] in (number, [number]), "as AppTest gives it"
