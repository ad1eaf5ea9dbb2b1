"""How to reach me: my ways, proved by a code, and the steps for P1-P2 and for everything else."""

from collections.abc import Callable
from datetime import datetime

import streamlit as st

from db.commands import contact as commands
from db.commands import updates as subscriptions
from db.engine import Session, reading
from db.queries import choices, people, reach, updates
from db.queries.reach import Method, Rule
from pages.parts.empty import field_problem
from pages.parts.forms import Failure, attempt
from pages.parts.texts import literal
from rules import channels, durations, paging
from rules.access import Actor, may

KEY = "reach"
DELAYS = (0, 120, 300, 600, 900, 1800, 3600)
EXAMPLES = {
    "email": "priya@example.org",
    "slack": "https://hooks.slack.com/services/…",
    "teams": "https://….logic.azure.com/workflows/…",
    "mattermost": "https://chat.example.org/hooks/…",
    "webhook": "https://hook.example.org/…",
    "apprise": "twilio://account:token@from/to",
}


def box(actor: Actor) -> None:
    """Draw everything about how the actor is reached."""
    with reading() as db:
        methods = reach.methods(db, actor, actor.id)
        rules = reach.rules_of(db, actor, actor.id)
        wants = people.wants_notices(db, actor)
        subscribed = updates.subscribed(db, actor)
        services = {each.id: each.name for each in choices.services(db)} | subscribed
    st.header("How to reach me")
    st.caption("Everything is under Messages too, whatever you choose here.")
    _told()
    ways, steps = st.columns(2, gap="medium")
    with ways:
        for method in methods:
            _method(actor, method)
        _add(actor)
    usable = {method.id: method.name for method in methods if method.verified_at is not None}
    with steps:
        for urgency, title in paging.URGENCIES.items():
            _steps(actor, urgency, title, [rule for rule in rules if rule.urgency == urgency], usable)
    st.toggle(
        "Send me notices outside the app",
        wants,
        key=f"{KEY}.wants",
        on_change=_want,
        args=(actor,),
        help="Off: notices are under Messages alone. These always leave: pages, which ask you to answer for an "
        "incident; what nobody answers; and that nobody is, or you are again, on call.",
    )
    key = f"{KEY}.services"
    st.multiselect(
        "Tell me about incidents of these services (optional)",
        list(services),
        default=list(subscribed),
        format_func=services.__getitem__,
        key=key,
        placeholder="Choose services by name",
        help="You read the updates that are written to people here.",
        on_change=_subscribe,
        args=(actor, key),
    )


def _subscribe(actor: Actor, key: str) -> None:
    chosen = list(st.session_state[key])
    _act(lambda db, now: subscriptions.subscribe(db, chosen, actor=actor, now=now), "Your services are saved.")


def _told() -> None:
    failure: Failure | None = st.session_state.pop(f"{KEY}.failure", None)
    if failure is not None:
        st.error(literal(failure.sentence), icon=":material/error:")
    done = st.session_state.pop(f"{KEY}.done", None)
    if done:
        st.success(literal(done), icon=":material/check:")


def _method(actor: Actor, method: Method) -> None:
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{literal(method.name)}**  \n:small[{_standing(method)}]", width="stretch")
            label = "Send me a test" if method.verified_at else "Send a new code"
            st.button(label, key=f"{KEY}.test.{method.id}", on_click=_test, args=(actor, method.id))
            st.button(
                "Remove",
                type="tertiary",
                key=f"{KEY}.remove.{method.id}",
                on_click=_act,
                args=(lambda db, now: commands.remove_method(db, method.id, actor=actor, now=now), "It is removed."),
            )
        if method.secret:
            with st.expander("Signing secret"):
                st.code(method.secret, language=None, wrap_lines=True)
                st.caption("Messages are signed with it per Standard Webhooks.")
        if method.verified_at is None:
            with st.form(f"{KEY}.verify.{method.id}", border=False, enter_to_submit=True):
                st.text_input("Code from the message", key=f"{KEY}.code.{method.id}", max_chars=10, width=220)
                st.form_submit_button("Confirm", type="primary", on_click=_verify, args=(actor, method.id))


def _standing(method: Method) -> str:
    if method.broken_at is not None:
        return f":red[:material/error: Does not work: {literal(method.broken_why)} Send yourself a test.]"
    if method.verified_at is None:
        return ":orange[:material/pending: Type the code that was sent there.]"
    return ":green[:material/check: Works]"


def _add(actor: Actor) -> None:
    failure: Failure | None = st.session_state.get(f"{KEY}.add.failure")
    wrong = failure.fields if failure else {}
    offered = [name for name in channels.LABELS if name != "apprise" or may(actor, "settings")]
    if not reach.mail_works():
        offered.remove("email")
    with st.expander("Add a way", icon=":material/add:", expanded=failure is not None):
        if failure is not None and not wrong:
            st.error(literal(failure.sentence), icon=":material/error:")
        channel = st.selectbox("Way", offered, format_func=lambda name: channels.LABELS[name], key=f"{KEY}.channel")
        field_problem(wrong.get("channel"))
        with st.form(f"{KEY}.add", border=False, enter_to_submit=False):
            st.text_input("Address", key=f"{KEY}.address", placeholder=EXAMPLES[channel], autocomplete="off")
            field_problem(wrong.get("address"))
            st.text_input("Name (optional)", key=f"{KEY}.label", max_chars=commands.LABEL_LIMIT, autocomplete="off")
            st.form_submit_button("Add and send a code", type="primary", on_click=_add_it, args=(actor,))


def _steps(actor: Actor, urgency: str, title: str, rules: list[Rule], usable: dict[int, str]) -> None:
    """The steps of one urgency in order, and a form for one more."""
    st.markdown(f"**{title}**")
    if not rules:
        default = "By e-mail to your account's address, at once." if reach.mail_works() else "Only under Messages."
        st.caption(f"{default} Add a step to choose something else.")
    for place, rule in enumerate(rules):
        with st.container(horizontal=True, vertical_alignment="center"):
            name = usable.get(rule.method_id, "A way that is not confirmed")
            st.markdown(f"{_delay(rule.delay)}  \n:small[:gray[{literal(name)}]]", width="stretch")
            for by, word, icon in ((-1, "Earlier", "arrow_upward"), (1, "Later", "arrow_downward")):
                st.button(
                    "",
                    icon=f":material/{icon}:",
                    help=f"{word}: change places",
                    type="tertiary",
                    disabled=not 0 <= place + by < len(rules),
                    key=f"{KEY}.move.{rule.id}.{by}",
                    on_click=_act,
                    args=(lambda db, _now, by=by, id_=rule.id: commands.move_rule(db, id_, by, actor=actor), ""),
                )
            st.button(
                "",
                icon=":material/close:",
                help="Remove this step",
                type="tertiary",
                key=f"{KEY}.drop.{rule.id}",
                on_click=_act,
                args=(lambda db, _now, id_=rule.id: commands.remove_rule(db, id_, actor=actor), ""),
            )
    if not usable:
        return
    with st.form(f"{KEY}.step.{urgency}", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox("Way", list(usable), format_func=lambda id_: usable[id_], key=f"{KEY}.step.{urgency}.method")
        st.selectbox("When", DELAYS, format_func=_delay, key=f"{KEY}.step.{urgency}.delay")
        st.form_submit_button("Add the step", on_click=_add_step, args=(actor, urgency))


def _delay(seconds: int) -> str:
    return f"After {durations.exact(seconds)}" if seconds else "At once"


def _act(change: Callable[[Session, datetime], object], done: str) -> None:
    st.session_state[f"{KEY}.failure"] = failure = attempt(change)
    if failure is None:
        st.session_state[f"{KEY}.done"] = done


def _test(actor: Actor, method_id: int) -> None:
    _act(lambda db, now: commands.send_test(db, method_id, actor=actor, now=now), "It is on its way.")


def _verify(actor: Actor, method_id: int) -> None:
    typed, told = st.session_state[f"{KEY}.code.{method_id}"], []
    _act(lambda db, now: told.append(commands.verify(db, method_id, typed, actor=actor, now=now)), "It works.")
    if told and told[0]:
        st.session_state[f"{KEY}.failure"], st.session_state[f"{KEY}.done"] = Failure(told[0]), None


def _add_it(actor: Actor) -> None:
    state = st.session_state
    state[f"{KEY}.add.failure"] = failure = attempt(
        lambda db, now: commands.add_method(
            db,
            actor.id,
            state[f"{KEY}.channel"],
            state[f"{KEY}.address"],
            state[f"{KEY}.label"],
            actor=actor,
            now=now,
        )
    )
    if failure is None:
        state[f"{KEY}.address"] = state[f"{KEY}.label"] = ""
        state[f"{KEY}.done"] = "It is added."


def _add_step(actor: Actor, urgency: str) -> None:
    method = st.session_state[f"{KEY}.step.{urgency}.method"]
    delay = st.session_state[f"{KEY}.step.{urgency}.delay"]
    _act(lambda db, _now: commands.add_rule(db, actor.id, urgency, method, delay, actor=actor), "")


def _want(actor: Actor) -> None:
    wanted = bool(st.session_state[f"{KEY}.wants"])
    _act(lambda db, _now: commands.want_notices(db, wanted, actor=actor), "")
