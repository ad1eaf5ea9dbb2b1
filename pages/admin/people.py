"""People: who may sign in, with which roles, in which teams."""

import streamlit as st

from db.commands import people as commands
from db.engine import reading
from db.queries import choices
from db.queries import people as queries
from pages.parts import address, rows, session, times
from pages.parts.empty import field_problem
from pages.parts.forms import Failure, attempt
from pages.parts.texts import literal
from rules.access import ROLES, Actor

ICON = ":material/person_add:"


def page() -> None:
    actor = session.require("people")
    text_key = address.begin("people", "q", None, "")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("People", width="stretch")
        if st.button("Invite", type="primary", icon=ICON):
            _start("people.invite")
            invite(actor)
    text = st.text_input(
        "Find a person",
        key=text_key,
        label_visibility="collapsed",
        placeholder="Find by name or e-mail",
        icon=":material/search:",
        width=300,
    )
    address.keep({"q": text})
    with reading() as db:
        found, total = queries.people(db, actor, text=text, page=st.session_state.get("people.page", 1))
    st.caption(f"{total:,} can sign in" if not text else f"{total:,} match")
    event = rows.rows(
        [row(person) for person in found],
        key="people.list",
        plain=True,
        label="People",
        empty=("Nobody matches.", "Change the search, or invite the person."),
    )
    pages = -(-total // queries.PAGE_SIZE)
    if pages > 1:
        st.pagination(pages, key="people.page")
    if event is not None:
        _start(f"people.{event.id}")
        edit(actor, int(event.id))


def row(person: queries.PersonRow) -> dict[str, object]:
    """A person as a row of the list."""
    teams = list(zip(person.team_ids, person.teams, strict=True))
    if person.disabled_at is not None:
        told = "Disabled; cannot sign in"
    elif person.waiting:
        told = "Invited; has not chosen a password yet"
    else:
        seen = times.ago(person.last_seen_at, session.now()) if person.last_seen_at else "never signed in"
        told = f"Last here {seen}" if person.last_seen_at else "Has never signed in"
    return {
        "id": str(person.id),
        "reference": None,
        "title": person.name,
        "explanation": f"{person.email} · {told}",
        "meta": [*person.roles, *(f"leads {name}" if id_ in person.leads else name for id_, name in teams)],
        "action": "Change",
    }


def _start(key: str) -> None:
    """Forget what an earlier dialog of this kind left behind."""
    for name in (f"{key}.failure", f"{key}.link", f"{key}.done"):
        st.session_state.pop(name, None)


def _link(key: str, name: str) -> None:
    """Show a one-time link to copy; it is shown only now."""
    token = st.session_state[f"{key}.link"]
    base = st.context.url.split("/people")[0].rstrip("/") if st.context.url else ""
    st.success(f"Send this link to **{literal(name)}**. It works once.", icon=":material/link:")
    st.code(f"{base}/invite/{token}", language=None, wrap_lines=True)
    st.caption("It is shown only now. A new one can be made at any time.")


@st.dialog("Invite a person", icon=ICON)
def invite(actor: Actor) -> None:
    key = "people.invite"
    if f"{key}.link" in st.session_state:
        _link(key, st.session_state[f"{key}.name"])
        return
    failure: Failure | None = st.session_state.get(f"{key}.failure")
    wrong = _told(failure)
    with reading() as db:
        teams = {team.id: team.name for team in choices.teams(db)}
    with st.form(f"{key}.form", border=False, enter_to_submit=False):
        st.text_input("Name", key=f"{key}.name", autocomplete="off")
        field_problem(wrong.get("name"))
        st.text_input("E-mail address", key=f"{key}.email", autocomplete="off")
        field_problem(wrong.get("email"))
        _roles_and_teams(key, teams, ["responder"], [])
        st.form_submit_button("Make the link", type="primary", icon=ICON, on_click=_invite, args=(actor, key))


def _roles_and_teams(key: str, teams: dict[int, str], roles: list[str], team_ids: list[int]) -> None:
    st.pills(
        "Roles",
        [role for role in ROLES if role != "reporter"],
        selection_mode="multi",
        default=roles,
        key=f"{key}.roles",
        format_func=lambda role: f":gray[{role.capitalize()}]",
        help="  \n".join(f"**{role.capitalize()}**: {words.lower()}" for role, words in ROLES.items())
        + "  \nEverybody reports.",
    )
    st.multiselect(
        "Teams (optional)",
        list(teams),
        default=[team for team in team_ids if team in teams],
        format_func=lambda team: teams[team],
        key=f"{key}.teams",
        placeholder="No team",
    )


def _told(failure: Failure | None) -> dict[str, str]:
    if failure is not None:
        st.error(literal(failure.sentence), icon=":material/error:")
    return dict(failure.fields) if failure else {}


def _invite(actor: Actor, key: str) -> None:
    state, made = st.session_state, {}

    def change(db, now):  # type: ignore[no-untyped-def]
        _, made["link"] = commands.invite(
            db,
            state[f"{key}.name"],
            state[f"{key}.email"],
            state[f"{key}.roles"],
            actor=actor,
            now=now,
            team_ids=state[f"{key}.teams"],
        )

    state[f"{key}.failure"] = failure = attempt(change)
    if failure is None:
        state[f"{key}.link"] = made["link"]


@st.dialog("Change a person", icon=":material/person:")
def edit(actor: Actor, person_id: int) -> None:
    key = f"people.{person_id}"
    with reading() as db:
        person = queries.person(db, actor, person_id)
        teams = {team.id: team.name for team in choices.teams(db)}
    if f"{key}.link" in st.session_state:
        _link(key, person.name)
        return
    if st.session_state.pop(f"{key}.done", False):
        st.rerun()
    wrong = _told(st.session_state.get(f"{key}.failure"))
    st.markdown(f"**{literal(person.name)}** · {literal(person.email)}")
    with st.form(f"{key}.form", border=False, enter_to_submit=False):
        st.text_input("Name", person.name, key=f"{key}.name", autocomplete="off")
        field_problem(wrong.get("name"))
        own = [role for role in person.roles if role != "reporter"]
        _roles_and_teams(key, teams, own, list(person.team_ids))
        field_problem(wrong.get("roles") or wrong.get("teams"))
        st.multiselect(
            "Leads (optional)",
            list(teams),
            default=[team for team in person.leads if team in teams],
            format_func=lambda team: teams[team],
            key=f"{key}.leads",
            placeholder="No team",
            help="Whoever leads a team is told when its promises run out, and informed up the line.",
        )
        field_problem(wrong.get("leads"))
        st.form_submit_button(
            "Save", type="primary", icon=":material/check:", on_click=_save, args=(actor, key, person_id)
        )
    with st.container(horizontal=True):
        if person.disabled_at is None:
            label = "New invitation" if person.waiting else "New password link"
            st.button(label, icon=":material/link:", on_click=_new_link, args=(actor, key, person_id), key=f"{key}.new")
            st.button(
                "Disable",
                icon=":material/block:",
                on_click=_switch,
                args=(actor, key, person_id, False),
                key=f"{key}.off",
            )
        else:
            st.button(
                "Enable", icon=":material/check:", on_click=_switch, args=(actor, key, person_id, True), key=f"{key}.on"
            )


def _finish(key: str, failure: Failure | None) -> None:
    st.session_state[f"{key}.failure"] = failure
    if failure is None:
        st.session_state[f"{key}.done"] = True


def _save(actor: Actor, key: str, person_id: int) -> None:
    state = st.session_state
    _finish(
        key,
        attempt(
            lambda db, now: commands.change(
                db,
                person_id,
                name=state[f"{key}.name"],
                roles=state[f"{key}.roles"],
                team_ids=state[f"{key}.teams"],
                leads=state[f"{key}.leads"],
                actor=actor,
                now=now,
            )
        ),
    )


def _switch(actor: Actor, key: str, person_id: int, on: bool) -> None:
    change = commands.enable if on else commands.disable
    _finish(key, attempt(lambda db, now: change(db, person_id, actor=actor, now=now)))


def _new_link(actor: Actor, key: str, person_id: int) -> None:
    made = {}

    def change(db, now):  # type: ignore[no-untyped-def]
        made["link"] = commands.new_link(db, person_id, actor=actor, now=now)

    st.session_state[f"{key}.failure"] = failure = attempt(change)
    if failure is None:
        st.session_state[f"{key}.link"] = made["link"]


page()
