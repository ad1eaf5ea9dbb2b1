"""Delivery log: what was sent to whom, when, and how it went; what was given up can be tried again."""

import streamlit as st

from db.commands import contact, deliveries, housekeeping
from db.engine import reading
from db.queries import choices, heartbeats, reach
from db.queries import deliveries as queries
from pages.parts import address, session, times
from pages.parts.empty import empty, field_problem
from pages.parts.forms import Failure, attempt, guarded
from pages.parts.marks import gray
from pages.parts.texts import literal
from rules import channels
from rules.access import Actor, may

KEY = "deliveries"
ALL = "all"
LOOKS = {
    "given_up": ("red", "error"),
    "waiting": ("orange", "schedule"),
    "sent": ("green", "check"),
    "cancelled": ("gray", "do_not_disturb_on"),
}


def page() -> None:
    actor = session.require("deliveries")
    with guarded():
        everything(actor)


def everything(actor: Actor) -> None:
    """The filter and the messages; for administrators the teams' channels too."""
    st.title("Delivery log", anchor=False)
    st.caption(
        f"What left in the last {housekeeping.KEEP_SENT.days} days, and all of open incidents. Who was paged stays on "
        "the timeline of each incident."
    )
    with reading() as db:
        leaves, reached = reach.any_channel(db), reach.any_person(db)
        idle = heartbeats.problem(db, session.now())
    if idle:
        st.error(literal(idle), icon=":material/error:")
    if not leaves:
        st.warning(
            "**Nothing leaves the app.** Set SMTP_URL for e-mail, or add a team's channel below. Until then people "
            "read everything under Messages.",
            icon=":material/warning:",
        )
    elif not reached:
        st.warning(
            "**No page leaves the app.** Channels tell teams their news, but nobody is asked by them to answer. Set "
            "SMTP_URL for e-mail, or let people add steps under My account. Until then they read their pages under "
            "Messages.",
            icon=":material/warning:",
        )
    states = {ALL: "All", **queries.STATES}
    state_key = address.begin(KEY, "state", states, ALL)
    channel_key = address.begin(KEY, "channel", {ALL, *channels.LABELS}, ALL)
    with st.container(horizontal=True, vertical_alignment="center"):
        state = st.segmented_control(
            "State",
            list(states),
            format_func=lambda name: gray(states[name]),
            key=state_key,
            required=True,
            label_visibility="collapsed",
            on_change=_first,
        )
        with st.popover("Filter", icon=":material/filter_list:"):
            channel = st.selectbox(
                "Way",
                [ALL, *channels.LABELS],
                format_func=lambda name: channels.LABELS.get(name, "Every way"),
                key=channel_key,
                on_change=_first,
            )
    address.keep({"state": None if state == ALL else state, "channel": None if channel == ALL else channel})
    messages(actor, None if state == ALL else state, None if channel == ALL else channel)
    if may(actor, "settings"):
        teams(actor)


def _first() -> None:
    st.session_state.pop(f"{KEY}.page", None)


def messages(actor: Actor, state: str | None, channel: str | None) -> None:
    """One page of them."""
    with reading() as db:
        number = st.session_state.get(f"{KEY}.page", 1)
        found, total = queries.log(db, actor, state=state, channel=channel, page=number)
    failure: Failure | None = st.session_state.pop(f"{KEY}.failure", None)
    if failure is not None:
        st.error(literal(failure.sentence), icon=":material/error:")
    if not found and (state or channel):
        empty("No message matches.", "Choose another state or way.", key=f"{KEY}.none")
        return
    if not found:
        empty("Nothing has left the app yet.", "Notices and pages appear here with how they went.", key=f"{KEY}.empty")
        return
    st.caption(f"{total:,} messages" if total != 1 else "1 message")
    with st.container(gap="small"):
        for delivery in found:
            row(actor, delivery)
    pages = -(-total // queries.PAGE_SIZE)
    if pages > 1:
        st.pagination(pages, key=f"{KEY}.page")


def row(actor: Actor, delivery: queries.Delivery) -> None:
    """One message: how it went, for whom, by which way, and why it failed."""
    now = session.now()
    tone, icon = LOOKS[delivery.state]
    badge = f":{tone}-badge[:material/{icon}: {queries.STATES[delivery.state]}]"
    tried = "" if delivery.attempts < 2 else f", {delivery.attempts:,} attempts"
    when = times.short(delivery.ended_at or delivery.created_at, now)
    if delivery.state == "waiting":
        when = f"next at {times.short(delivery.next_attempt_at, now)}"
    about = " · ".join(
        filter(
            None,
            (
                delivery.number,
                "page" if delivery.urgent else None,
                f"{channels.LABELS[delivery.channel]} {literal(delivery.shown)}",
                f"{when}{tried}",
            ),
        )
    )
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        lines = [f"{badge} **{literal(delivery.who)}** {literal(delivery.subject)}", f":small[:gray[{about}]]"]
        if delivery.why:
            lines.append(f":small[{literal(delivery.why)}]")
        st.markdown("  \n".join(lines), width="stretch")
        if delivery.state == "given_up":
            st.button("Try again", key=f"{KEY}.again.{delivery.id}", on_click=_again, args=(actor, delivery.id))


def _again(actor: Actor, message_id: int) -> None:
    st.session_state[f"{KEY}.failure"] = attempt(
        lambda db, now: deliveries.try_again(db, message_id, actor=actor, now=now)
    )


def teams(actor: Actor) -> None:
    """Where each team as a whole reads what concerns it, and what that is."""
    with reading() as db:
        known = {team.id: team.name for team in choices.teams(db)}
        found = reach.team_channels(db, actor)
    st.header("Channels of teams", anchor=False)
    st.caption(
        "A team reads here which incidents come to it, who is paged, what nobody answers, who takes it, "
        "and how it ends; with room messages too, what is said in the rooms of its incidents. Of a restricted "
        "incident it reads no more than its number."
    )
    for kept in found:
        with st.container(horizontal=True, vertical_alignment="center"):
            wrong = f"  \n:red[:material/error: {literal(kept.broken_why)}]" if kept.broken_at else ""
            name = literal(known.get(kept.team_id, "An archived team"))
            st.markdown(f"**{name}** {channels.LABELS[kept.channel]} {literal(kept.shown)}{wrong}", width="stretch")
            if kept.secret:
                with st.popover("Secret"):
                    st.code(kept.secret, language=None, wrap_lines=True)
            st.toggle(
                "Room messages too",
                kept.mirror,
                key=f"{KEY}.mirror.{kept.id}",
                on_change=_mirror,
                args=(actor, kept.id),
            )
            st.button("Remove", type="tertiary", key=f"{KEY}.remove.{kept.id}", on_click=_remove, args=(actor, kept.id))
    if not known:
        st.caption("There is no team yet. Add one under Catalogue first.")
        return
    failure: Failure | None = st.session_state.get(f"{KEY}.team.failure")
    wrong_fields = failure.fields if failure else {}
    with st.expander("Add a channel", icon=":material/add:", expanded=failure is not None):
        if failure is not None and not wrong_fields:
            st.error(literal(failure.sentence), icon=":material/error:")
        with st.form(f"{KEY}.team", border=False, enter_to_submit=False):
            st.selectbox("Team", list(known), format_func=lambda id_: known[id_], key=f"{KEY}.team.id")
            field_problem(wrong_fields.get("team"))
            st.selectbox("Way", channels.CHATS, format_func=lambda name: channels.LABELS[name], key=f"{KEY}.team.way")
            st.text_input("Address", key=f"{KEY}.team.address", placeholder="https://…", autocomplete="off")
            field_problem(wrong_fields.get("address"))
            st.checkbox(
                "Room messages too",
                key=f"{KEY}.team.mirror",
                help="What people say to each other in the rooms of the team's incidents is written there as well.",
            )
            st.form_submit_button("Add and write there", type="primary", on_click=_add, args=(actor,))


def _remove(actor: Actor, channel_id: int) -> None:
    st.session_state[f"{KEY}.failure"] = attempt(
        lambda db, now: contact.remove_team_channel(db, channel_id, actor=actor, now=now)
    )


def _mirror(actor: Actor, channel_id: int) -> None:
    wanted = bool(st.session_state[f"{KEY}.mirror.{channel_id}"])
    st.session_state[f"{KEY}.failure"] = attempt(
        lambda db, now: contact.mirror_rooms(db, channel_id, wanted, actor=actor, now=now)
    )


def _add(actor: Actor) -> None:
    state = st.session_state
    state[f"{KEY}.team.failure"] = failure = attempt(
        lambda db, now: contact.add_team_channel(
            db,
            state[f"{KEY}.team.id"],
            state[f"{KEY}.team.way"],
            state[f"{KEY}.team.address"],
            bool(state[f"{KEY}.team.mirror"]),
            actor=actor,
            now=now,
        )
    )
    if failure is None:
        state[f"{KEY}.team.address"], state[f"{KEY}.team.mirror"] = "", False


page()
