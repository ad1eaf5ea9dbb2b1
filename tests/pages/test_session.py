"""Who looks at a page is read in every run: by main.py for its page too, and anew by a fragment that runs alone."""

from contextlib import nullcontext

from streamlit.testing.v1 import AppTest

from pages.parts import session


def drawn():
    import streamlit as st

    from pages.parts import session

    if st.session_state.get("alone") is None:
        session.begin()
    st.session_state["who"] = [session.current(), session.current()]


def run(monkeypatch, answers):
    asked = iter(answers)
    monkeypatch.setattr(session, "token", lambda: "held")
    monkeypatch.setattr(session, "reading", nullcontext)
    monkeypatch.setattr(session.sessions, "holder", lambda db, held, now: (next(asked), False))
    return AppTest.from_function(drawn, default_timeout=60)


def test_the_page_does_not_ask_again_and_what_comes_after_does(monkeypatch):
    at = run(monkeypatch, ["first", "second"]).run()
    assert at.session_state["who"] == ["first", "second"]


def test_a_fragment_that_runs_alone_asks(monkeypatch):
    at = run(monkeypatch, ["first", "second", "third", "fourth"]).run()
    at.session_state["alone"] = True
    assert at.run().session_state["who"] == ["third", "fourth"]


def test_what_was_read_a_while_ago_is_not_believed(monkeypatch):
    monkeypatch.setattr(session, "SERVES", session.timedelta())
    assert run(monkeypatch, ["first", "second", "third"]).run().session_state["who"] == ["second", "third"]
