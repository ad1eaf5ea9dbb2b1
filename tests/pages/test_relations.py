"""Merging, parts, links, corrected times on the screens; and the choice when somebody else was first."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from db.commands import relations
from db.engine import reading, writing
from db.models import IncidentLink
from pages.parts import rows, session, timeline
from tests.pages.conftest import seen, unfolded

PAGE, TRIAGE = "responders/incident.py", "leads/triage.py"
sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def said(at):
    """The words of the page as a person reads them."""
    return seen(at).replace("\\", "").replace("\u2060", "")


def button(at, label):
    return next(found for found in at.button if found.label == label)


def labels(at):
    return [found.label for found in at.button]


def field(at, kind, ending):
    return next(found for found in getattr(at, kind) if str(found.key).endswith(ending))


def drawn():
    """A dialog on a page of its own: what is typed in one of the app's would close it here."""
    import streamlit as st

    from db.commands.bulk import Item
    from pages.parts import actions, bulk, corrections, merging, related, session

    what, actor = st.query_params["dialog"], session.require()
    numbers = st.query_params["number"].split()
    for number in numbers:
        if number not in st.session_state:
            st.session_state[number] = actions.seen(actor, number)
    detail = st.session_state[numbers[0]]
    if what == "bulk":
        items = [Item(st.session_state[number].line.id, number, 1) for number in numbers]
        bulk._dialog(actor, items, "merge", "bulk.merge", lambda results: None)
    elif what in (known := {"merge": merging, "correct": corrections}):
        known[what].dialog(actor, detail)
    elif what in (known := {"join": related.join, "link": related.link_dialog}):
        known[what](actor, detail)
    else:
        actions._dialog(actor, detail, what, None)


@pytest.fixture
def dialog(desk, monkeypatch):
    """`dialog("merge", "Lena", "INC-000001")` opens it as that person."""

    def open_dialog(what, who, number):
        monkeypatch.setattr(session, "require", lambda action=None: desk.actors[who])
        at = AppTest.from_function(drawn, default_timeout=60)
        at.query_params["dialog"], at.query_params["number"] = what, number
        return at.run()

    return open_dialog


def set_parent(desk, part, parent):
    with writing(desk.engine) as db:
        lead = desk.actors["Lena"]
        relations.set_parent(db, desk.id_of(part), None, desk.id_of(parent), actor=lead, now=desk.now)


@sqlite
def test_both_are_seen_side_by_side_and_swapped_before_they_are_merged(desk, opened, dialog):
    one = desk.report("Rita", "Nobody can print", description="Since noon.")
    other = desk.report("Otto", "Printer prints nothing")
    at = dialog("merge", "Lena", one)
    field(at, "text_input", ".number").set_value(other)
    at = at.run()
    assert "Since noon." in said(at)
    assert f"Merge {one} into {other}" in labels(at)
    at = button(at, "Swap").click().run()
    button(at, f"Merge {other} into {one}").click().run()
    assert desk.incident(other).duplicate_of_id == desk.id_of(one)
    assert desk.incident(one).state == "new"
    assert "Printer prints nothing" in said(opened(PAGE, "Lena", number=one))


@sqlite
def test_what_reads_alike_is_offered_and_only_an_open_one_is_merged(desk, dialog):
    one, other = desk.report("Rita", "Nobody can print"), desk.report("Otto", "Nobody can print")
    desk.fix(other)
    at = dialog("merge", "Lena", one)
    at = next(found for found in at.button if found.label.startswith(other)).click().run()
    assert field(at, "text_input", ".number").value == other
    at = button(at, "Swap").click().run()
    assert f"{other} cannot be merged. It is recovered; swap them" in said(at)
    assert button(at, f"Merge {other} into {one}").disabled


@sqlite
@pytest.mark.parametrize(("number", "sentence"), [("", ""), ("X", "There is no"), (None, "came from")])
def test_a_number_that_is_none_is_told_beneath_it(desk, dialog, number, sentence):
    one = desk.report("Rita", "Nobody can print")
    at = dialog("merge", "Lena", one)
    field(at, "text_input", ".number").set_value(one if number is None else number)
    at = at.run()
    assert sentence in said(at)
    assert button(at, "Merge").disabled


@sqlite
@pytest.mark.parametrize(
    ("what", "press"),
    [("merge", "Merge {0} into {1}"), ("bulk", "Merge into another: 1"), ("join", "Make it part of it")],
)
def test_a_press_before_the_number_typed_last_is_read_takes_none_for_it(desk, dialog, what, press):
    one, wrong, right = (desk.report("Rita", title) for title in ("No light", "Nobody can print", "Power is off"))
    at = dialog(what, "Lena", one)
    field(at, "text_input", ".number").set_value(wrong)
    at = at.run()
    field(at, "text_input", ".number").set_value(right)
    at = button(at, press.format(one, wrong)).click().run()
    assert f"**{right}**" in said(at)
    kept = desk.incident(one)
    assert (kept.duplicate_of_id, kept.parent_id) == (None, None)
    button(at, press.format(one, right)).click().run()
    kept = desk.incident(one)
    assert desk.id_of(right) in (kept.duplicate_of_id, kept.parent_id)


@sqlite
def test_the_merged_one_leads_to_the_other_and_back(desk, opened):
    one, other = desk.report("Rita", "Nobody can print"), desk.report("Otto", "Printer off", description="All *floors*")
    desk.do(other, "merge", "Lena", duplicate_of_id=desk.id_of(one))
    at = opened(PAGE, "Lena", number=one)
    assert "Also reported as" in said(at)
    assert "All *floors*" in said(at)
    at = opened(PAGE, "Lena", number=other)
    assert f"**Merged into [{one}](/incident?number={one})**" in said(at)
    button(at, "Undo the merge").click().run()
    assert desk.incident(other).state == "new"


@sqlite
def test_a_part_is_joined_resolved_with_the_larger_one_and_taken_out(desk, opened, dialog):
    parent, part, unsorted = (desk.report("Rita", title) for title in ("Power is off", "No light", "No heat"))
    desk.accept(part)
    assert "Make it part of another" in labels(opened(PAGE, "Priya", number=part))
    at = dialog("join", "Priya", part)
    field(at, "text_input", ".number").set_value(parent)
    button(at.run(), "Make it part of it").click().run()
    assert desk.incident(part).parent_id == desk.id_of(parent)
    set_parent(desk, unsorted, parent)
    assert f"Part of [{parent}]" in said(opened(PAGE, "Priya", number=part))
    assert "too" not in " ".join(labels(opened(PAGE, "Priya", number=parent)))
    desk.fix(parent)
    at = button(opened(PAGE, "Priya", number=parent), "Resolve its 2 parts too").click().run()
    assert field(at, "text_area", "resolution_note").value == "New cable."
    button(at, "Resolve: 2").click().run()
    assert [desk.incident(number).state for number in (part, unsorted)] == ["resolved", "new"]
    button(opened(PAGE, "Priya", number=unsorted), "Take it out").click().run()
    assert desk.incident(unsorted).parent_id is None


@sqlite
def test_news_of_the_larger_one_are_read_under_my_reports(desk, opened, monkeypatch):
    parent, part = desk.report("Rita", "Power is off"), desk.report("Otto", "No light")
    set_parent(desk, part, parent)
    desk.comment(parent, "The grid is down.", "Priya", public=True)
    drawn = []
    monkeypatch.setattr(rows, "rows", lambda items, **_: drawn.extend(items))
    monkeypatch.setattr(timeline, "timeline", lambda entries, **_: drawn.extend(entries))
    opened("staff/my_reports.py", "Otto")
    assert drawn.pop()["meta"][-1] == f"Priya wrote on {parent}, which this is part of just now"
    opened("staff/my_reports.py", "Otto", number=part)
    assert drawn[0]["detail"] == "The grid is down."


@sqlite
def test_a_link_is_added_and_removed_and_a_bad_address_is_told_beneath_it(desk, opened, dialog):
    number = desk.report("Rita", "Nobody can print")
    assert "Add a link" in labels(opened(PAGE, "Priya", number=number))
    at = dialog("link", "Priya", number)
    field(at, "text_input", ".reference").set_value("CHG-7")
    field(at, "text_input", ".url").set_value("javascript:alert(1)")
    at = button(at, "Add").click().run()
    assert "Give an address that begins with https://" in said(at)
    field(at, "text_input", ".url").set_value("https://change.example/7")
    button(at, "Add").click().run()
    at = opened(PAGE, "Priya", number=number)
    assert "Change [CHG-7](https://change.example/7)" in said(at)
    button(at, "Remove").click().run()
    with reading(desk.engine) as db:
        assert db.scalars(select(IncidentLink)).all() == []
    assert "Belongs with" not in said(opened(PAGE, "Max", number=number))


@sqlite
def test_a_time_is_corrected_with_a_reason(desk, opened, dialog):
    number = desk.report("Rita", "Nobody can print", minutes_ago=60)
    desk.accept(number)
    assert "Correct a time" not in labels(opened(PAGE, "Priya", number=number))
    assert "Correct a time" in labels(opened(PAGE, "Lena", number=number))
    at = dialog("correct", "Lena", number)
    assert {found.label for found in at.datetime_input} == {"Started (optional)", "Detected (optional)", "Reported"}
    assert "Change at least one time." in said(button(at, "Correct").click().run())
    reported = (desk.now - timedelta(hours=3)).replace(second=0, tzinfo=None)
    field(at, "datetime_input", ".reported_at").set_value(reported)
    field(at, "datetime_input", ".started_at").set_value(reported + timedelta(hours=1))
    at = at.run()
    assert "'Reported' is before 'started'. Is that right?" in said(at)
    at = button(at, "Correct").click().run()
    assert "Say why it is corrected." in said(at)
    field(at, "text_area", ".reason").input("By the log.")
    button(at, "Correct").click().run()
    kept = desk.incident(number)
    assert (kept.reported_at.replace(tzinfo=None), kept.detected_at) == (reported, None)
    assert desk.words(number)[-1] == "By the log."


@sqlite
def test_two_triage_the_same_and_the_second_compares_and_uses_theirs_on_top(desk, opened):
    number = desk.report("Rita", "Nobody can print")
    at = opened(TRIAGE, "Lena")
    field(at, "selectbox", ".category_pair_id").set_value(desk.pair_id)
    at = unfolded(at, number)
    field(at, "number_input", ".people_affected").set_value(40)
    at.run()
    desk.accept(number, 0, impact=1, assignee_id=desk.actors["Priya"].id)
    at = button(at, "Accept and assign").click().run()
    table = [[str(cell).replace("\\", "") for cell in row] for row in at.table[0].value.to_numpy()]
    assert ["**Impact:** Medium", "High", "–"] in table
    assert ["**Person:** –", "Priya", "–"] in table
    assert ["**People affected:** –", "–", "40"] in table
    button(at, "Use mine").click().run()
    kept = desk.incident(number)
    assert (kept.version, kept.people_affected) == (3, 40)
    assert (kept.impact, kept.assignee_id) == (1, desk.actors["Priya"].id), "what I left alone stays theirs"


@sqlite
def test_the_second_may_keep_theirs_and_decides_anew(desk, opened):
    number = desk.report("Rita", "Nobody can print")
    at = unfolded(opened(TRIAGE, "Lena"), number)
    field(at, "number_input", ".people_affected").set_value(40)
    at.run()
    desk.accept(number, 0)
    at = button(at, "Save only").click().run()
    at = button(at, "Keep theirs").click().run()
    assert (desk.incident(number).people_affected, desk.incident(number).version) == (None, 2)
    assert field(unfolded(at, number, version=2), "number_input", ".people_affected").value is None


@sqlite
def test_what_is_chosen_is_kept_and_compared_when_somebody_else_saves_before_the_form_is_done(desk, opened):
    number = desk.report("Rita", "Nobody can print")
    at = opened(TRIAGE, "Lena")
    field(at, "selectbox", ".category_pair_id").set_value(desk.pair_id)
    at.run()
    desk.accept(number, 0, impact=1)
    field(at, "segmented_control", ".urgency").set_value(3)
    at = at.run()
    assert field(at, "selectbox", ".category_pair_id").value == desk.pair_id
    assert "Somebody has changed it since you opened it." in said(at)
    at = button(at, "Save only").click().run()
    assert "Lena changed INC-000001 while you were looking at it" in said(at)
    button(at, "Use mine").click().run()
    kept = desk.incident(number)
    assert (kept.state, kept.impact, kept.urgency) == ("assigned", 1, 3)


@sqlite
def test_a_form_without_choices_shows_what_somebody_else_saved(desk, opened):
    number = desk.report("Rita", "Nobody can print")
    at = opened(TRIAGE, "Lena")
    desk.accept(number, 0, impact=1)
    at = at.run()
    assert field(at, "segmented_control", ".impact").value == 1
    assert "Somebody has changed it" not in said(at)


@sqlite
def test_what_was_chosen_in_a_part_folded_away_is_saved_and_nothing_else_of_it(desk, opened):
    number = desk.report("Rita", "Nobody can print")
    at = unfolded(opened(TRIAGE, "Lena"), number)
    field(at, "checkbox", ".security").set_value(True)
    at = unfolded(at.run(), number, folded=True)
    assert not [found for found in at.checkbox if str(found.key).endswith(".security")]
    button(at, "Save only").click().run()
    kept = desk.incident(number)
    assert (kept.security, kept.title, kept.affected) == (True, "Nobody can print", "Room 204")


@sqlite
def test_a_dialog_compares_too_and_sends_its_words_again(desk, dialog):
    number = desk.report("Rita", "Nobody can print")
    desk.accept(number)
    at = dialog("resolve", "Priya", number)
    field(at, "selectbox", ".resolution_code").set_value("fixed")
    field(at, "text_area", ".resolution_note").input("New *drum*.")
    desk.do(number, "acknowledge", "Lena")
    at = button(at, "Resolve").click().run()
    assert "Lena changed" in said(at)
    assert "New *drum*." in said(at)
    button(at, "Use mine").click().run()
    kept = desk.incident(number)
    assert (kept.state, kept.resolution_note) == ("resolved", "New *drum*.")


@sqlite
def test_what_can_no_longer_be_done_says_so_and_keeps_the_words_in_sight(desk, dialog):
    number = desk.report("Rita", "Nobody can print")
    desk.accept(number)
    at = dialog("resolve", "Priya", number)
    field(at, "selectbox", ".resolution_code").set_value("fixed")
    field(at, "text_area", ".resolution_note").input("New drum.")
    desk.do(number, "cancel", "Lena", reason="A test.")
    at = button(at, "Resolve").click().run()
    assert "It is cancelled now: 'Resolve' can no longer be done." in said(at)
    assert "Use mine" not in labels(at)
    assert "New drum." in said(at)


@sqlite
def test_several_are_merged_into_one_that_is_shown_before(desk, dialog):
    numbers = [desk.report("Rita", f"Nobody can print {floor}") for floor in "ab"]
    survivor = desk.report("Otto", "Printers are off")
    at = dialog("bulk", "Lena", " ".join(numbers))
    field(at, "text_input", ".number").set_value(survivor)
    at = at.run()
    assert "Goes on" in said(at)
    at = button(at, "Merge into another: 2").click().run()
    assert "**2 changed.**" in said(at)
    assert {desk.incident(number).duplicate_of_id for number in numbers} == {desk.id_of(survivor)}
