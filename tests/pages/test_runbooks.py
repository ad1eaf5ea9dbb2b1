"""Runbooks: written, previewed and kept in versions on their screen; opened and ticked in the room."""

import pytest
import streamlit as st

from db.commands import opened_runbooks, runbooks
from db.engine import reading, writing
from db.models import CategoryPair, Service
from db.queries import incidents, room_parts
from db.queries import runbooks as queries
from pages.parts import runbook_editor
from pages.parts import runbooks as room
from tests.pages.conftest import seen

SCREEN, ROOM = "responders/runbooks.py", "responders/incident.py"
STEPS = "Look *first*.\n- [ ] Restart it\n- [ ] Call [them](https://wiki.example/them)"
sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def said(at):
    return seen(at).replace("\\", "").replace("\u2060", "")


def button(at, label):
    return next(found for found in at.button if found.label == label)


def labels(at):
    return [found.label for found in at.button]


def field(at, kind, label):
    return next(found for found in getattr(at, kind) if found.label == label)


def save(desk, runbook=None, version=None, by="Lena", name="Printing stopped", text=STEPS, **given):
    with writing(desk.engine) as db:
        actor = desk.actors[by]
        return runbooks.save(db, runbook, version, name=name, text=text, actor=actor, now=desk.now, **given)


def newest(desk, runbook):
    with reading(desk.engine) as db:
        known, text = queries.one(db, desk.actors["Ada"], runbook)
        return known.version, known.saved_by, text


def opened_here(desk, number):
    with reading(desk.engine) as db:
        actor = desk.actors["Priya"]
        return room_parts.parts(db, actor, incidents.by_number(db, actor, number)).opened


@sqlite
def test_the_first_is_written_with_its_preview(desk, opened):
    at = button(opened(SCREEN, "Lena"), "Add a runbook").click().run()
    assert "Give it a name" in said(button(at, "Save").click().run())
    field(at, "text_input", "Name").input("Printing stopped")
    field(at, "text_area", "What to do").input(STEPS + "\n<b>x</b>")
    at = at.run()
    assert "2 steps to tick" in said(at)
    assert "- :material/check_box_outline_blank: Restart it" in said(at)
    assert "<b>x</b>" in said(at)
    field(at, "selectbox", "Category (optional)").set_value(desk.pair_id)
    at = button(at, "Save").click().run()
    assert "Saved. It is offered from now on" in said(at)
    assert newest(desk, 1) == (1, "Lena", STEPS + "\n<b>x</b>")
    assert "For Hardware · version 1" in said(at)


@sqlite
def test_a_lead_reads_and_changes_and_a_responder_only_reads(desk, opened):
    runbook = save(desk)
    at = opened(SCREEN, "Priya", id=str(runbook))
    assert "Restart it" in said(at)
    assert not at.text_area
    assert not {"Archive", "Save as version 2"}.intersection(labels(at))
    assert not opened(SCREEN, "Priya", id="new").text_area
    at = opened(SCREEN, "Ada", id=str(runbook))
    field(at, "text_area", "What to do").input("Call the vendor.")
    button(at, "Save as version 2").click().run()
    assert newest(desk, runbook) == (2, "Ada", "Call the vendor.")


@sqlite
def test_an_earlier_version_is_read(desk, opened):
    runbook = save(desk)
    save(desk, runbook, 1, text="Call the vendor.")
    at = opened(SCREEN, "Priya", id=str(runbook))
    assert "Restart it" not in said(at), "it is folded until somebody looks"
    at.session_state["runbooks.versions"] = True
    at = at.run()
    assert "Restart it" in said(at)


@sqlite
@pytest.mark.parametrize("mine", [True, False])
def test_of_two_editors_the_second_sees_both_and_chooses(desk, opened, mine):
    runbook = save(desk)
    at = opened(SCREEN, "Lena", id=str(runbook))
    field(at, "text_area", "What to do").input("Mine.")
    save(desk, runbook, 1, by="Ada", text="Theirs.")
    at = button(at, "Save as version 2").click().run()
    assert "Ada saved version 2 while you were writing. See what it says, then choose." in said(at)
    assert "Theirs." in said(at)
    assert field(at, "text_area", "What to do").value == "Mine."
    at = button(at, "Save mine as version 3" if mine else "Take theirs").click().run()
    assert newest(desk, runbook) == ((3, "Lena", "Mine.") if mine else (2, "Ada", "Theirs."))
    assert field(at, "text_area", "What to do").value == ("Mine." if mine else "Theirs.")


@sqlite
def test_archived_it_is_read_and_brought_back(desk, opened):
    runbook = save(desk)
    at = button(opened(SCREEN, "Lena", id=str(runbook)), "Archive").click().run()
    assert not at.text_area
    assert "Restart it" in said(at)
    at = button(at, "Bring back").click().run()
    assert at.text_area


@sqlite
@pytest.mark.parametrize("asked", ["99", "x", "0", "9" * 30])
def test_one_that_there_is_not_is_answered_in_words(desk, opened, asked):
    at = opened(SCREEN, "Lena", id=asked)
    assert not at.exception
    assert at.title[0].value == "Runbooks"


@sqlite
def test_without_runbooks_the_room_says_nothing_of_them(desk, opened, monkeypatch):
    number = desk.report("Rita", "Nobody can print")
    monkeypatch.setattr(room_parts, "_offers", None)
    at = opened(ROOM, "Priya", number=number)
    assert not at.exception
    assert "unbook" not in said(at) + " ".join(labels(at))


@sqlite
def test_the_room_offers_the_one_that_fits_and_opens_it_on_a_press(desk, opened):
    save(desk, name="For any")
    runbook = save(desk, name="*Printing*", category_pair_id=desk.pair_id)
    number = desk.report("Rita", "Nobody can print")
    desk.accept(number)
    at = opened(ROOM, "Priya", number=number)
    offer = next(found for found in at.button if found.label.startswith("Runbook: "))
    assert offer.label.replace("\\", "") == "Runbook: *Printing*"
    assert opened_here(desk, number) == []
    at = offer.click().run()
    assert "Look *first*." in said(at)
    assert "0 of 2 done · Version 1, opened by Priya" in said(at)
    step = next(found for found in at.checkbox if found.label.startswith("Restart it"))
    at = step.check().run()
    assert "1 of 2 done" in said(at)
    assert opened_here(desk, number)[0].done[0][1] == "Priya"
    step = next(found for found in at.checkbox if found.label.startswith("Restart it"))
    assert "Priya" in step.label
    step.uncheck().run()
    assert opened_here(desk, number)[0].done == {}
    save(desk, runbook, 1, name="Printing", text="- [ ] Only this", category_pair_id=desk.pair_id)
    at = opened(ROOM, "Priya", number=number)
    assert "Version 2 is newer. What is ticked here stays." in said(at)
    at = button(at, "Open version 2").click().run()
    assert [found.label for found in at.checkbox if found.label] == ["Only this"]


def advice(at):
    """(label, open, words) of what the category says, where it stands in the room, and of what."""
    found = [each for each in at.expander if each.label.startswith("What to do")]
    return [(each.label, each.proto.expanded, each.text[0].value) for each in found]


@sqlite
def test_what_the_category_says_stands_first_where_no_runbook_fits_and_else_beneath_it(desk, opened):
    number = desk.report("Rita", "Nobody can print")
    desk.accept(number)
    other = desk.report("Rita", "Unsorted")
    with writing(desk.engine) as db:
        db.get_one(CategoryPair, desk.pair_id).runbook = "Turn it off. *Really.*"
        service = Service(name="Elsewhere", impact=2)
        db.add(service)
        db.flush()
        elsewhere = service.id
    save(desk, name="Of another service", service_id=elsewhere)
    save(desk, name="For any")
    at = opened(ROOM, "Priya", number=number)
    [(label, unfolded, words)] = advice(at)
    assert (label.replace("\\", ""), unfolded, words) == ("What to do about Hardware", True, "Turn it off. *Really.*")
    assert button(at, "Runbook: For any"), "it knows less of it than the category does"
    assert advice(opened(ROOM, "Priya", number=other)) == []
    save(desk, name="Printing", category_pair_id=desk.pair_id)
    at = opened(ROOM, "Priya", number=number)
    assert [unfolded for _, unfolded, _ in advice(at)] == [False]
    at = button(at, "Runbook: Printing").click().run()
    assert [(unfolded, words) for _, unfolded, words in advice(at)] == [(False, "Turn it off. *Really.*")]


@sqlite
def test_who_only_reads_sees_what_was_opened_and_ticks_nothing(desk, opened):
    save(desk)
    number = desk.report("Rita", "Nobody can print")
    assert not any(label.startswith("Runbook") for label in labels(opened(ROOM, "Max", number=number)))
    with writing(desk.engine) as db:
        actor = desk.actors["Priya"]
        opened_runbooks.open_newest(db, desk.id_of(number), 1, actor=actor, now=desk.now)
    at = opened(ROOM, "Max", number=number)
    assert "0 of 2 done" in said(at)
    assert all(found.disabled for found in at.checkbox)


@sqlite
def test_what_another_ticks_is_ticked_here_too_and_refusals_are_said(desk, opened, monkeypatch):
    save(desk)
    number = desk.report("Rita", "Nobody can print")
    at = opened(ROOM, "Priya", number=number)
    at = next(found for found in at.button if found.label.startswith("Runbook")).click().run()
    with writing(desk.engine) as db:
        actor = desk.actors["Lena"]
        opened_runbooks.tick(db, desk.id_of(number), 1, 0, True, actor=actor, now=desk.now)
    at = at.run()
    assert next(found for found in at.checkbox if found.label.startswith("Restart it")).value is True
    monkeypatch.setattr(room.commands, "MOST", 1)
    save(desk, name="Other")
    at = at.run()
    at = next(found for found in at.button if found.label == "Runbook: Other").click().run()
    assert "At most 1 runbooks can be open" in said(at)


@sqlite
def test_what_is_typed_waits_even_if_it_was_left_before_the_page_took_it_in(desk, in_app, monkeypatch):
    """Whoever presses a link of the menu leaves the field by it: the run with their words is cut short."""
    at = button(in_app(SCREEN, "Lena"), "Add a runbook").click().run()
    with monkeypatch.context() as cut:
        cut.setattr(runbook_editor, "form", lambda *given: st.stop())
        field(at, "text_area", "What to do").input(STEPS)
        at = at.run()
    at.switch_page("managers/problems.py")
    at = at.run().switch_page(SCREEN)
    at.query_params["id"] = "new"
    assert field(at.run(), "text_area", "What to do").value == STEPS
