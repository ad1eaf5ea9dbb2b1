"""My account: my password, how I am reached, where I am signed in, sign out."""

import streamlit as st

from db.commands import people as commands
from db.commands import sign_in
from db.engine import reading
from db.queries import sessions
from pages.parts import reach, session, times
from pages.parts.empty import field_problem
from pages.parts.forms import Failure, attempt
from pages.parts.texts import literal
from rules.access import ROLES, Actor, may

KEY = "account"


def page() -> None:
    actor = session.require()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("My account", width="stretch")
        st.link_button("Sign out", "/logout", icon=":material/logout:", type="primary" if leaving() else "secondary")
    if leaving():
        st.info("Press Sign out to leave on this computer, in every tab.", icon=":material/logout:")
    st.markdown(f"**{literal(actor.name)}** · {literal(actor.email or '')}")
    st.caption(" · ".join(ROLES[role] for role in ROLES if role in actor.roles))
    left, right = st.columns(2, gap="medium")
    with left, st.container(border=True):
        password(actor)
    with right, st.container(border=True):
        places(actor)
    if may(actor, "triage"):
        with left, st.container(border=True):
            habits(actor)
    with st.container(border=True):
        reach.box(actor)


def leaving() -> bool:
    return "leave" in st.query_params


def password(actor: Actor) -> None:
    """Change one's own password."""
    st.header("Password")
    failure: Failure | None = st.session_state.pop(f"{KEY}.failure", None)
    if failure is not None:
        st.error(literal(failure.sentence), icon=":material/error:")
    if st.session_state.pop(f"{KEY}.changed", False):
        st.success("Your password is changed. Everywhere else you are signed out.", icon=":material/check:")
    wrong = failure.fields if failure else {}
    with st.form(f"{KEY}.password", border=False, enter_to_submit=False):
        st.text_input("Present password", type="password", key=f"{KEY}.current", autocomplete="current-password")
        field_problem(wrong.get("current"))
        st.text_input(
            "New password",
            type="password",
            key=f"{KEY}.new",
            autocomplete="new-password",
            help="8 characters or more; 15 are better. Four words that you remember will do.",
        )
        field_problem(wrong.get("password"))
        st.form_submit_button("Change", on_click=_change, args=(actor,))


def _change(actor: Actor) -> None:
    state = st.session_state
    failure = attempt(
        lambda db, now: commands.change_own_password(
            db, state[f"{KEY}.current"], state[f"{KEY}.new"], actor=actor, now=now, token=session.token()
        )
    )
    state[f"{KEY}.failure"] = failure
    if failure is None:
        state[f"{KEY}.changed"] = True
        state[f"{KEY}.current"] = state[f"{KEY}.new"] = ""


def habits(actor: Actor) -> None:
    """How one likes to work."""
    st.header("Triage")
    st.toggle(
        "One-key commands",
        actor.keys,
        key=f"{KEY}.keys",
        on_change=_prefer,
        args=(actor,),
        help="A accepts, S assigns, D marks a duplicate, H puts on hold, N cancels, U takes back: only while the list "
        "of Triage has the focus.",
    )


def _prefer(actor: Actor) -> None:
    attempt(lambda db, now: commands.prefer(db, keys=bool(st.session_state[f"{KEY}.keys"]), actor=actor))


def places(actor: Actor) -> None:
    """Where one is signed in."""
    st.header("Signed in")
    now = session.now()
    with reading() as db:
        found = sessions.sessions_of(db, actor, session.token() or "", now)
    for kept in found:
        with st.container(horizontal=True, vertical_alignment="center"):
            here = "This browser" if kept.current else _browser(kept.user_agent)
            st.markdown(
                f"**{literal(here)}**  \n:small[:gray[last used {times.ago(kept.last_seen_at, now)}, "
                f"since {times.full(kept.created_at)}]]",
                width="stretch",
            )
            if not kept.current:
                st.button("End", key=f"{KEY}.end.{kept.id}", on_click=_end, args=(actor, kept.id))


def _browser(user_agent: str) -> str:
    for sign, name in (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari")):
        if sign in user_agent:
            return name
    return "Another browser"


def _end(actor: Actor, session_id: int) -> None:
    attempt(lambda db, now: sign_in.end_session(db, actor.id, session_id, now))


page()
