"""Postmortems on their screen: the library, one of them written, reviewed and followed up; in the room; at home."""

from datetime import timedelta

import pytest
import streamlit as st
from sqlalchemy import select

from db.commands import postmortem_actions, postmortems, published_postmortems
from db.engine import reading, writing
from db.models import Postmortem, PostmortemAction, Publication
from db.queries import postmortems as queries
from pages.parts import postmortem_editor
from pages.parts.forms import UNSAVED
from rules import postmortems as rules
from rules.errors import RuleError
from tests.pages.conftest import seen

SCREEN, ROOM, HOME = "managers/postmortems.py", "responders/incident.py", "home.py"
WORDS = {"summary": "The disk was full.", "impact": "No mail.", "factors": "A full disk"}
sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def said(at):
    return seen(at).replace("\\", "").replace("\u2060", "")


def button(at, label):
    return next(found for found in at.button if found.label == label)


def labels(at):
    return [found.label for found in at.button]


def field(at, kind, label):
    return next(found for found in getattr(at, kind) if found.label == label)


def drafted(desk, title="Mail is down", minutes_ago=30):
    """The id of the draft of an incident of the highest priority."""
    number = desk.report("Rita", title)
    desk.accept(number, minutes_ago + 10, impact=1, urgency=1)
    desk.do(number, "acknowledge", "Priya", minutes_ago + 5)
    desk.do(number, "resolve", "Priya", minutes_ago, resolution_code="fixed", resolution_note="More space.")
    desk.do(number, "recover", "Priya", minutes_ago)
    with reading(desk.engine) as db:
        return db.scalars(select(Postmortem.id).where(Postmortem.incident_id == desk.id_of(number))).one()


def do(desk, command, *given, by="Priya", days=0):
    with writing(desk.engine) as db:
        return command(db, *given, actor=desk.actors[by], now=desk.now + timedelta(days=days))


def whole(desk, one):
    with reading(desk.engine) as db:
        return queries.one(db, desk.actors["Max"], one, desk.now)


def save(desk, one, version=1, by="Priya", **words):
    given = dict(whole(desk, one).words) | WORDS | words
    return do(desk, postmortems.save, one, version, given, by=by)


def act(desk, one, text="Add an alarm", owner="Priya", days=-5):
    """An action that was to be done so many days from now."""
    due = (desk.now + timedelta(days=max(days, 0))).date()
    action = do(desk, postmortem_actions.add, one, text, desk.actors[owner].id, due)
    with writing(desk.engine) as db:
        db.get_one(PostmortemAction, action).due_on = (desk.now + timedelta(days=days)).date().isoformat()
    return action


def reviewed(desk, one):
    save(desk, one)
    act(desk, one)
    do(desk, postmortems.send, one, 2)


@sqlite
def test_the_first_use_says_how_one_comes_to_be(desk, opened):
    at = opened(SCREEN, "Max")
    assert "0 postmortems" in said(at)
    assert not at.exception


@sqlite
def test_a_draft_is_written_with_its_preview_and_saved_as_a_version(desk, opened):
    one = drafted(desk)
    at = opened(SCREEN, "Priya", id=str(one))
    assert "Mail is down (P1 Critical" in said(at)
    assert "**Still missing:** Name at least one contributing factor." in said(at)
    at = button(at, "Edit").click().run()
    field(at, "text_area", "Contributing factors").input("- A full disk\n- <b>No</b> alarm")
    field(at, "text_area", "Where we got lucky (optional)").input("It was *night*.")
    at = at.run()
    assert "- A full disk\n- <b>No</b> alarm" in said(at), "the preview"
    field(at, "text_input", "Title").input("")
    at = button(at, "Save as version 2").click().run()
    assert "Give it a title." in said(at)
    assert field(at, "text_area", "Where we got lucky (optional)").value == "It was *night*."
    field(at, "text_input", "Title").input("Mail was down")
    at = button(at, "Save as version 2").click().run()
    assert "Saved as version 2." in said(at)
    found = whole(desk, one)
    assert (found.version, found.words["factors"]) == (2, "A full disk\n<b>No</b> alarm")
    assert not at.text_area


@sqlite
def test_what_is_typed_waits_while_one_looks_elsewhere(desk, opened):
    one = drafted(desk)
    at = button(opened(SCREEN, "Priya", id=str(one)), "Edit").click().run()
    field(at, "text_area", "What went well (optional)").input("Ana was there.")
    at = button(at.run(), "All postmortems").click().run()
    assert "1 postmortem" in said(at)
    at.query_params["id"] = str(one)
    at = button(at.run(), "Go on writing").click().run()
    assert field(at, "text_area", "What went well (optional)").value == "Ana was there."
    at = button(at, "Leave without saving").click().run()
    assert "Edit" in labels(at)
    assert whole(desk, one).version == 1


@sqlite
@pytest.mark.parametrize("choice", ["mine", "theirs"])
def test_the_second_of_two_editors_sees_what_the_first_saved_and_chooses(desk, opened, choice):
    one = drafted(desk)
    at = button(opened(SCREEN, "Lena", id=str(one)), "Edit").click().run()
    field(at, "text_area", "Summary").input("Mine.")
    save(desk, one, summary="Theirs.")
    at = button(at.run(), "Save as version 3").click().run()
    assert "Priya saved version 2 while you had version 1" in said(at)
    assert "Theirs." in [code.value for code in at.code]
    assert field(at, "text_area", "Summary").value == "Mine."
    at = button(at, "Save mine as version 3" if choice == "mine" else "Take theirs").click().run()
    found = whole(desk, one)
    expected = (3, "Mine.") if choice == "mine" else (2, "Theirs.")
    assert (found.version, found.words["summary"]) == expected
    if choice == "theirs":
        assert field(at, "text_area", "Summary").value == "Theirs."


@sqlite
def test_it_is_given_to_review_and_published_by_somebody_else(desk, opened):
    one = drafted(desk)
    at = button(opened(SCREEN, "Priya", id=str(one)), "Give to review").click().run()
    assert "There is a problem" in said(at)
    save(desk, one)
    act(desk, one)
    at = button(opened(SCREEN, "Priya", id=str(one)), "Give to review").click().run()
    assert "In review since" in said(at)
    assert button(at, "Publish").disabled
    at = button(opened(SCREEN, "Dora", id=str(one)), "Publish").click().run()
    assert "Reviewed and published by Dora" in said(at)
    at = button(at, "Amend").click().run()
    assert "Nothing was changed." in said(button(at, "Save as version 3").click().run())


@sqlite
def test_an_amendment_says_what_it_changes(desk, opened):
    one = drafted(desk)
    reviewed(desk, one)
    do(desk, postmortems.publish, one, 2, by="Lena")
    at = button(opened(SCREEN, "Priya", id=str(one)), "Amend").click().run()
    field(at, "text_area", "Summary").input("Amended.")
    at = button(at.run(), "Save as version 3").click().run()
    assert "Say what you change, and why" in said(at)
    field(at, "text_input", "What you change, and why").input("The vendor wrote.")
    at = button(at.run(), "Save as version 3").click().run()
    assert whole(desk, one).words["summary"] == "Amended."
    at.session_state["postmortem.versions"] = True
    at = at.run()
    assert "**Version 3:** The vendor wrote." in said(at)
    assert "The disk was full." in said(at), "the earlier version is read"


@sqlite
def test_an_action_is_done_and_its_effect_is_written_down(desk, opened):
    one = drafted(desk)
    action = act(desk, one)
    at = opened(SCREEN, "Priya", id=str(one))
    assert "Overdue since" in said(at)
    at = button(at, "Done").click().run()
    assert "Done]" in said(at)
    at = button(at, "Say what it changed").click().run()
    field(at, "text_area", "What you saw that shows it works").input("It rang.")
    button(at, "Save").click().run()
    with reading(desk.engine) as db:
        row = db.get_one(PostmortemAction, action)
    assert (row.done_by_id, row.effect) == (desk.actors["Priya"].id, "It rang.")


@sqlite
def test_an_action_is_added_with_a_person_and_a_day(desk, opened):
    one = drafted(desk)
    at = button(opened(SCREEN, "Priya", id=str(one)), "Add").click().run()
    at = next(found for found in at.button if found.key and "FormSubmitter" in found.key).click().run()
    at = at.run()
    assert not whole(desk, one).actions
    at = button(opened(SCREEN, "Priya", id=str(one)), "Add").click().run()
    field(at, "text_area", "What is to be done").input("Add an alarm")
    field(at, "selectbox", "Who does it").set_value(desk.actors["Lena"].id)
    next(found for found in at.button if found.key and "FormSubmitter" in found.key).click().run()
    [action] = whole(desk, one).actions
    assert (action.text, action.owner, action.due_on) == (
        "Add an alarm", "Lena", (desk.now + timedelta(days=14)).date(),
    )  # fmt: skip


@sqlite
def test_the_public_is_told_in_words_of_its_own_by_who_may(desk, opened):
    one = drafted(desk)
    reviewed(desk, one)
    do(desk, postmortems.publish, one, 2, by="Lena")
    assert "On the status page" not in said(opened(SCREEN, "Lena", id=str(one))), "the public knows of nothing"
    with writing(desk.engine) as db:
        incident = whole(desk, one).incident_id
        db.add(Publication(incident_id=incident, title="Mail", stage="resolved", began_at=desk.now, ended_at=desk.now))
    assert "On the status page" not in said(opened(SCREEN, "Priya", id=str(one)))
    at = opened(SCREEN, "Lena", id=str(one))
    at.session_state["postmortem.public.fold"] = True
    at = at.run()
    assert field(at, "text_input", "What the public calls it").value == "", "nothing of ours is there by itself"
    at = button(at, "Publish on the status page").click().run()
    assert "Give it a name that the public may read." in said(at)
    field(at, "text_input", "What the public calls it").input("Mail was slow")
    field(at, "text_area", "What the public reads").input("We added space.")
    at = button(at.run(), "Publish on the status page").click().run()
    assert whole(desk, one).public.words == "We added space."
    at.session_state["postmortem.public.fold"] = True
    at = at.run()
    do(desk, published_postmortems.publish, one, 1, "Mail was slow", "Theirs.", by="Dora")
    field(at, "text_area", "What the public reads").input("Mine.")
    at = button(at.run(), "Change it on the status page").click().run()
    assert "Somebody else changed what the public reads meanwhile" in said(at)
    at = button(at, "Use mine").click().run()
    assert whole(desk, one).public.words == "Mine."
    at.session_state["postmortem.public.fold"] = True
    button(at.run(), "Take it off").click().run()
    assert whole(desk, one).public.withdrawn_at is not None


@sqlite
def test_what_is_overdue_stands_first_in_the_library_and_at_home(desk, opened):
    one = drafted(desk)
    act(desk, one, owner="Lena")
    at = opened(SCREEN, "Ada")
    assert "Overdue actions :gray[1]" in said(at)
    at = opened(HOME, "Lena")
    assert "So that it does not happen again" in said(at)
    assert "So that it does not happen again" not in said(opened(HOME, "Dora"))


@sqlite
def test_who_only_reads_changes_nothing(desk, opened):
    one = drafted(desk)
    act(desk, one)
    at = opened(SCREEN, "Ada", id=str(one), edit="1")
    assert not {"Edit", "Give to review", "Add", "Done"}.intersection(labels(at))
    assert not at.text_area
    at = opened(SCREEN, "Priya", id="999")
    assert "All postmortems" in labels(at)


@sqlite
def test_the_room_leads_to_it_or_begins_one(desk, opened):
    one = drafted(desk)
    number = whole(desk, one).number
    assert "**Postmortem** :violet-badge[:material/edit_note: Draft]" in said(opened(ROOM, "Priya", number=number))
    small = desk.report("Rita", "A small one")
    desk.accept(small)
    assert "Write a postmortem" not in labels(opened(ROOM, "Priya", number=small))
    desk.do(small, "acknowledge", "Priya")
    desk.do(small, "resolve", "Priya", resolution_code="fixed", resolution_note="x")
    at = opened(ROOM, "Priya", number=small)
    at = button(at, "Write a postmortem").click().run()
    with reading(desk.engine) as db:
        found = db.scalars(select(Postmortem).where(Postmortem.incident_id == desk.id_of(small))).one()
    assert (found.state, found.version) == ("draft", 1)


@sqlite
def test_a_cancelled_incident_says_so_and_its_draft_is_discarded(desk, opened):
    one = drafted(desk)
    number = whole(desk, one).number
    desk.do(number, "reopen", "Priya", reason="x")
    at = opened(SCREEN, "Priya", id=str(one))
    assert "was reopened" in said(at)
    desk.do(number, "cancel", "Dora", reason="A drill.")
    at = opened(SCREEN, "Priya", id=str(one))
    assert "was cancelled or merged" in said(at)
    do(desk, postmortems.discard, one, "A drill.")
    at = opened(SCREEN, "Priya", id=str(one))
    assert "Discarded: A drill." in said(at)
    at = button(at, "Take it up again").click().run()
    assert whole(desk, one).state == "draft"


@sqlite
def test_as_many_actions_as_there_may_be_keep_to_a_hundred_buttons(desk, opened):
    one = drafted(desk)
    for number in range(rules.MOST_ACTIONS):
        do(desk, postmortem_actions.add, one, f"Alarm {number}", desk.actors["Priya"].id, whole(desk, one).today)
    with pytest.raises(RuleError, match="at most 40 actions"):
        do(desk, postmortem_actions.add, one, "One more", desk.actors["Priya"].id, whole(desk, one).today)
    at = opened(SCREEN, "Priya", id=str(one))
    assert labels(at).count("Done") == rules.MOST_ACTIONS
    assert len(at.button) + len(at.get("menu_button")) <= 100


@sqlite
def test_what_is_typed_waits_even_if_it_was_left_before_the_page_took_it_in(desk, in_app, monkeypatch):
    """Whoever presses a link of the menu leaves the field by it: the run with their words is cut short."""
    one = drafted(desk)
    at = button(in_app(SCREEN, "Priya", id=str(one)), "Edit").click().run()
    with monkeypatch.context() as cut:
        cut.setattr(postmortem_editor, "form", lambda *given: st.stop())
        field(at, "text_area", "What went well (optional)").input("Ana was there.")
        at = at.run()
    at.switch_page("managers/problems.py")
    at = at.run().switch_page(SCREEN)
    at.query_params["id"], at.query_params["edit"] = str(one), "1"
    assert field(at.run(), "text_area", "What went well (optional)").value == "Ana was there."


@sqlite
def test_a_step_on_what_somebody_else_has_changed_is_refused_in_words_alone(desk, opened):
    one = drafted(desk)
    save(desk, one)
    act(desk, one)
    at = opened(SCREEN, "Priya", id=str(one))
    save(desk, one, version=2, by="Lena", impact="No mail for an hour.")
    at = button(at, "Give to review").click().run()
    assert [error.value.replace("\\", "") for error in at.error] == [
        "**There is a problem.** Lena saved version 3 while you had version 2. See what it says, then choose."
    ]
    assert "No mail for an hour." in said(at)


@sqlite
def test_whoever_saves_at_the_end_of_a_long_form_is_told_there_that_it_was_not_saved(desk, opened):
    one = drafted(desk)
    at = button(opened(SCREEN, "Priya", id=str(one)), "Edit").click().run()
    assert UNSAVED not in said(at)
    field(at, "text_input", "Title").input("")
    at = button(at, "Save as version 2").click().run()
    assert UNSAVED in at.markdown[-1].value.replace("\\", "")
    at = button(opened("managers/problems.py", "Priya", number="new"), "Open the problem").click().run()
    assert UNSAVED in at.markdown[-1].value.replace("\\", "")
