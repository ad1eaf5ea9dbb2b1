"""Suspected causes in the room and in their dialogs."""

import pytest
from streamlit.testing.v1 import AppTest

from db.commands import hypotheses as commands
from db.engine import reading, writing
from db.queries import hypotheses as queries
from db.queries import incidents
from pages.parts import session
from tests.pages.conftest import seen

PAGE = "responders/incident.py"
sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def said(at):
    return seen(at).replace("\\", "")


def button(at, label):
    return next(found for found in at.button if found.label == label)


def drawn():
    """A dialog on a page of its own: what is typed in one of the app's would close it here."""
    import streamlit as st

    from pages.parts import actions, hypotheses, session

    actor, what = session.require(), st.query_params["what"]
    if "detail" not in st.session_state:
        st.session_state["detail"] = actions.seen(actor, st.query_params["number"])
    detail = st.session_state["detail"]
    if what == "new":
        hypotheses.suspect(actor, detail)
    else:
        hypotheses.decide(actor, detail, what, int(st.query_params["id"]))


@pytest.fixture
def dialog(desk, monkeypatch):
    def open_dialog(what, number, hypothesis=0, who="Priya"):
        monkeypatch.setattr(session, "require", lambda action=None: desk.actors[who])
        at = AppTest.from_function(drawn, default_timeout=60)
        for name, value in {"what": what, "number": number, "id": str(hypothesis)}.items():
            at.query_params[name] = value
        return at.run()

    return open_dialog


def do(desk, command, number, *given, by="Priya"):
    with writing(desk.engine) as db:
        return command(db, desk.id_of(number), *given, actor=desk.actors[by], now=desk.now)


def known(desk, number):
    with reading(desk.engine) as db:
        actor = desk.actors["Priya"]
        return queries.suspicions(db, actor, incidents.by_number(db, actor, number))


@sqlite
def test_the_room_says_what_is_suspected_and_asks_for_more(desk, opened):
    number = desk.report("Rita", "Nobody can print")
    at = opened(PAGE, "Priya", number=number)
    assert "Suspected causes" not in said(at), "what is not used takes no room"
    at = button(at, "Suspect a cause").click().run()
    assert "What may be the cause" in [found.label for found in at.text_input]
    do(desk, commands.suspect, number, "The *driver* <b>", "It was updated at noon.")
    at = opened(PAGE, "Priya", number=number)
    assert "**The *driver* <b>**" in said(at)
    assert "Evidence: 1 for" in [found.label for found in at.expander]
    assert "It was updated at noon." not in said(at), "evidence is folded until somebody looks"


@sqlite
def test_those_who_only_read_see_what_there_is(desk, opened):
    number = desk.report("Rita", "Nobody can print")
    assert "Suspect a cause" not in [found.label for found in opened(PAGE, "Max", number=number).button]
    do(desk, commands.suspect, number, "The driver")
    at = opened(PAGE, "Max", number=number)
    assert "The driver" in said(at)
    assert not [found.label for found in at.button if found.label.startswith("Suspect")]


@sqlite
def test_a_cause_is_suspected_in_a_dialog(desk, dialog):
    number = desk.report("Rita", "Nobody can print")
    at = dialog("new", number)
    assert "Say what you suspect" in said(button(at, "Suspect it").click().run())
    at.text_input[0].input("The driver")
    button(at, "Suspect it").click().run()
    assert [one.text for one in known(desk, number)] == ["The driver"]


@sqlite
def test_evidence_says_for_what_it_speaks(desk, dialog):
    number = desk.report("Rita", "Nobody can print")
    driver = do(desk, commands.suspect, number, "The driver")
    at = dialog("evidence", number, driver)
    at.text_area[0].input("Old drivers fail too")
    at.segmented_control[0].set_value("against")
    button(at, "Add evidence").click().run()
    assert [(one.text, one.speaks) for one in known(desk, number)[0].evidence] == [("Old drivers fail too", "against")]


@sqlite
def test_who_is_second_reads_what_the_first_decided_and_loses_no_word(desk, dialog):
    number = desk.report("Rita", "Nobody can print")
    driver = do(desk, commands.suspect, number, "The driver")
    at = dialog("ruled_out", number, driver)
    at.text_area[0].input("Old drivers fail too")
    do(desk, commands.confirm, number, driver, 1, "The new one works.", by="Lena")
    at = button(at, "Rule it out").click().run()
    assert "Meanwhile Lena confirmed 'The driver'. Read why, then decide." in said(at)
    assert "The new one works." in said(at)
    assert at.text_area[0].value == "Old drivers fail too"
    button(at, "Add evidence").click().run()
    [one] = known(desk, number)
    assert (one.state, [(each.by, each.speaks) for each in one.evidence]) == (
        "confirmed",
        [("Lena", "for"), ("Priya", "against")],
    )
