"""The dialog of a lead's pin: two at once see both and choose, and what went wrong before is forgotten."""

from dataclasses import replace
from datetime import timedelta

import pytest
from streamlit.testing.v1 import AppTest

from db.commands import ranking
from db.engine import writing
from pages.parts import session
from pages.parts.forms import Failure
from tests.pages.conftest import seen

sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def drawn():
    """What the test's app runs: the dialog opened anew, or drawn again as it stands."""
    import streamlit as st

    from pages.parts import actions, pins, session

    actor = session.require()
    detail = actions.seen(actor, st.query_params["number"])
    if st.query_params.get("opened"):
        pins.ask(actor, detail)
    else:
        pins._dialog(actor, detail)


@pytest.fixture
def dialog(desk, monkeypatch):
    monkeypatch.setattr(session, "require", lambda action=None: desk.actors["Lena"])
    at = AppTest.from_function(drawn, default_timeout=60)
    at.query_params["number"] = desk.report("Rita", "The director's mouse")
    return at


def button(at, label):
    return next(found for found in at.button if found.label == label)


def said(at):
    return seen(at).replace("\\", "")


@sqlite
@pytest.mark.parametrize("chosen", ["Use mine", "Keep theirs"])
def test_two_who_pin_at_once_see_both_and_choose(desk, dialog, chosen):
    at = dialog.run()
    number = "INC-000001"
    at.selectbox[0].set_value(7 * 86_400)
    at.text_input[0].set_value("The auditors come")
    with writing(desk.engine) as db:
        until = desk.now + timedelta(days=2)
        another = replace(desk.actors["Lena"], id=desk.actors["Dora"].id, name="Dora")
        ranking.pin(db, desk.id_of(number), 1, 86_400, "The board", until, actor=another, now=desk.now)
    at = button(at, "Pin").click().run()
    assert desk.incident(number).pin_reason == "The board"
    for words in (f"Dora changed {number}", "**Pinned:** –", "1 d ahead", "7 d ahead", "The auditors come"):
        assert words in said(at)
    at = button(at, chosen).click().run()
    kept = desk.incident(number)
    mine = (7 * 86_400, "The auditors come"), (86_400, "The board")
    assert (kept.pin_seconds, kept.pin_reason) == mine[chosen != "Use mine"]
    assert not at.error


@sqlite
def test_a_dialog_opened_again_does_not_show_what_went_wrong_before(dialog):
    number = "INC-000001"
    dialog.session_state[f"pin.{number}.failure"] = Failure("Say why.", {"reason": "Say why."})
    assert "Say why." in said(dialog.run())
    dialog.query_params["opened"] = "1"
    at = dialog.run()
    assert not at.exception
    assert "Say why." not in said(at)
