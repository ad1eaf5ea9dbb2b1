"""Who is looking at this page: asked of the database on every run."""

import logging
from datetime import UTC, datetime, timedelta

import streamlit as st

from db.commands import sign_in
from db.engine import reading, writing
from db.queries import sessions
from db.settings import settings
from rules.access import TABLE, Actor

log = logging.getLogger("incident_desk.pages")
SERVES = timedelta(seconds=1)
"""for how long what main.py has read of the session serves the page that it then runs"""
_READ = "session.read"


def now() -> datetime:
    """The clock; pages read it here and nowhere else."""
    return datetime.now(UTC)


def token() -> str | None:
    """The session's token from the cookie of this browser."""
    return st.context.cookies.get(settings().cookie)


def begin() -> Actor:
    """Who opens a page, for main.py; the page that it then runs need not ask again."""
    st.session_state.pop(_READ, None)
    actor = require()
    st.session_state[_READ] = (now(), actor)
    return actor


def current() -> Actor | None:
    """Who is signed in, or None. What main.py has just read serves once: a fragment that runs alone asks anew."""
    read = st.session_state.pop(_READ, None)
    if read is not None and now() - read[0] < SERVES:
        known: Actor = read[1]
        return known
    held = token()
    if not held:
        return None
    moment = now()
    with reading() as db:
        found = sessions.holder(db, held, moment)
    if found is None:
        return None
    actor, unmarked = found
    if unmarked:
        with writing() as db:
            sign_in.mark_seen(db, held, moment)
    return actor


def require(action: str | None = None) -> Actor:
    """The actor, or nothing more of the page: who is signed out or may not be here is told so."""
    actor = current()
    if actor is None:
        st.title("You are signed out")
        st.write("Sign in again to go on. What was saved is safe.")
        st.link_button("Sign in", "/login", type="primary")
        st.stop()
    if action is not None and not TABLE[action] & actor.roles:
        log.warning("Refused: person %s may not do '%s'.", actor.id, action)
        st.title("This page is not open to you")
        st.write("Ask an administrator for the role that opens it.")
        st.stop()
    return actor
