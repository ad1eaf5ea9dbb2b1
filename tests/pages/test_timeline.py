"""The timeline in the room: chosen by kind, turned page by page, added to, drawn, exported."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from db.commands import timeline
from db.engine import reading, writing
from db.models import Incident, TimelineEntry
from pages.parts import course, happened, session
from rules.access import SYSTEM
from tests.pages.conftest import seen

PAGE = "responders/incident.py"
sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def button(at, label):
    return next(found for found in at.button if found.label == label)


def ask(at, chosen):
    """As its menu does, which tests cannot press."""
    at.session_state["timeline.asked"] = chosen
    return at.run()


def drawn():
    """The dialog on a page of its own: what is typed in the app's would close it here."""
    import streamlit as st

    from pages.parts import actions, happened, session

    actor = session.require()
    happened.add(actor, actions.seen(actor, st.query_params["number"]))


@pytest.fixture
def story(monkeypatch):
    """The entries that were drawn last."""
    drawn = []
    monkeypatch.setattr(happened, "timeline", lambda entries, **_: drawn.append(list(entries)))
    return drawn


@sqlite
def test_choosing_a_kind_shows_only_that(desk, opened, story):
    number = desk.report("Rita", "Nobody can print")
    desk.comment(number, "On it", "Priya", public=True)
    at = opened(PAGE, "Priya", number=number)
    assert [entry["kind"] for entry in story[-1]] == ["comment", "report"]
    at.selectbox(key="timeline.group").set_value("talk").run()
    assert [entry["kind"] for entry in story[-1]] == ["comment"]
    at.selectbox(key="timeline.group").set_value("clocks").run()
    assert story[-1] == []
    assert "Nothing of this kind has happened." in seen(at)


@sqlite
def test_earlier_pages_are_turned_to_and_back(desk, opened, story):
    number = desk.report("Rita", "Nobody can print")
    with writing(desk.engine) as db:
        incident = db.scalars(select(Incident)).one()
        for turn in range(450):
            timeline.add(db, incident, SYSTEM, desk.now + timedelta(seconds=turn), "note", f"{turn}", versioned=False)
    at = opened(PAGE, "Priya", number=number)
    assert "200 of 451, newest." in seen(at)
    at = button(button(at, "Earlier").click().run(), "Earlier").click().run()
    assert story[-1][-1]["kind"] == "report"
    assert "Earlier" not in [found.label for found in at.button]
    at = button(at, "Later").click().run()
    assert [entry["text"] for entry in story[-1]] == [str(turn) for turn in range(249, 49, -1)]
    button(at, "Later").click().run()
    assert story[-1][0]["text"] == "449"


@sqlite
def test_what_happened_is_added_at_its_own_time(desk, monkeypatch):
    number = desk.report("Rita", "Nobody can print")
    monkeypatch.setattr(session, "require", lambda action=None: desk.actors["Priya"])
    at = AppTest.from_function(drawn, default_timeout=60)
    at.query_params["number"] = number
    at = at.run()
    key = f"happened.{number}"
    at.datetime_input(key=f"{key}.at").set_value((desk.now + timedelta(days=2)).replace(tzinfo=None, second=0))
    at = button(at, "Add").click().run()
    assert "Choose a time in the past" in seen(at)
    assert "Say what happened" in seen(at)
    then = (desk.now - timedelta(hours=3)).replace(second=0)
    at.datetime_input(key=f"{key}.at").set_value(then.replace(tzinfo=None))
    at.text_area(key=f"{key}.words").input("The driver was updated")
    button(at, "Add").click().run()
    with reading(desk.engine) as db:
        entry = db.scalars(select(TimelineEntry).where(TimelineEntry.kind == "happened")).one()
    assert (entry.at, entry.detail) == (then, "The driver was updated")
    assert entry.recorded_at >= desk.now


@sqlite
def test_the_picture_says_in_words_what_it_shows_and_is_built_once(desk, opened):
    number = desk.report("Rita", "Nobody can print", minutes_ago=60)
    desk.fix(number, minutes_ago=20)
    course.spec.cache_clear()
    at = opened(PAGE, "Priya", number=number)
    assert course.spec.cache_info().misses == 0, "nobody has looked yet"
    at = ask(at, "picture")
    assert "Detected for 35 min, then diagnosing for 5 min. Recovered" in seen(at).replace("\\", "")
    ask(at, "picture")
    assert course.spec.cache_info().misses == 1


@sqlite
def test_adding_what_happened_opens_beside_the_room(desk, opened):
    number = desk.report("Rita", "Nobody can print")
    at = ask(opened(PAGE, "Priya", number=number), "add")
    assert "What happened" in [found.label for found in at.text_area]


@sqlite
def test_exports_are_offered_to_all_and_adding_to_those_who_work_on_it(desk, opened):
    number = desk.report("Rita", "Nobody can print")
    at = ask(opened(PAGE, "Max", number=number), "export")
    for form in ("md", "csv", "json"):
        assert f"(/rooms/{number}/timeline.{form}?zone=" in seen(at)
    assert "What happened" not in [found.label for found in ask(at, "add").text_area]


@sqlite
def test_a_time_is_corrected_from_the_timeline(desk, opened):
    number = desk.report("Rita", "Nobody can print")
    at = ask(opened(PAGE, "Lena", number=number), "correct")
    assert "Why it is corrected" in [found.label for found in at.text_area]
    at = ask(opened(PAGE, "Priya", number=number), "correct")
    assert "Why it is corrected" not in [found.label for found in at.text_area]
