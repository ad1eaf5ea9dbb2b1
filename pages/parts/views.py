"""Views of a list kept under a name: open one, keep this one, share it."""

from collections.abc import Sequence
from urllib.parse import parse_qsl, urlencode

import streamlit as st

from db.commands import views as commands
from db.engine import reading
from db.queries import views as queries
from pages.parts.empty import field_problem
from pages.parts.forms import Failure, attempt
from pages.parts.texts import literal
from rules.access import Actor
from rules.report_words import others_have

_WHOSE = {"triage": "who triages", "trends": "who reads trends"}
"""to whom a view of the page is offered when it is shared"""
_KEPT_BESIDE = ("page", "number", "days")
"""what of a page's widgets follows from its address, beside its filters"""


def picker(actor: Actor, page: str, names: Sequence[str]) -> None:
    """A popover with the views of `page`, whose filters have `names` in the address."""
    key = f"{page}.views"
    shown = st.popover("Views", icon=":material/bookmark:", on_change="rerun", key=key)
    if not shown.open:
        return
    with reading() as db:
        known = queries.views(db, actor, page)
    with shown:
        for view in known:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                whose = "" if view.own else f" :gray[· {literal(view.owner)}]"
                shared = " :gray[· shared]" if view.own and view.shared else ""
                st.button(
                    f"{literal(view.name)}{whose}{shared}",
                    type="tertiary",
                    width="stretch",
                    on_click=_open,
                    args=(page, names, view.address),
                    key=f"{key}.open.{view.id}",
                )
                if view.own:
                    st.button(
                        "Remove",
                        help=f"Forget the view {literal(view.name)}",
                        type="tertiary",
                        on_click=_remove,
                        args=(actor, view.id, key),
                        key=f"{key}.remove.{view.id}",
                    )
                if view.sent_by_others:
                    st.caption(f"{others_have(view.sent_by_others)} it sent: that ends with it, and they are told.")
        if not known:
            st.caption("Filter or search, then keep what you see under a name.")
        failure: Failure | None = st.session_state.get(f"{key}.failure")
        with st.form(f"{key}.form", border=False):
            st.text_input("Keep this view as", key=f"{key}.name", max_chars=commands.NAME_LIMIT)
            field_problem((failure.fields.get("name") or failure.sentence) if failure else None)
            st.checkbox(f"Offer it to everybody {_WHOSE[page]}", key=f"{key}.shared")
            st.form_submit_button(
                "Keep", icon=":material/bookmark_add:", on_click=_keep, args=(actor, page, names, key)
            )


def _open(page: str, names: Sequence[str], address: str) -> None:
    asked = dict(parse_qsl(address))
    st.query_params.from_dict({name: value for name, value in asked.items() if name in names})
    for name in (*names, *_KEPT_BESIDE):
        st.session_state.pop(f"{page}.{name}", None)


def _keep(actor: Actor, page: str, names: Sequence[str], key: str) -> None:
    state = st.session_state
    here = urlencode({name: value for name, value in st.query_params.to_dict().items() if name in names})
    name, shared = state[f"{key}.name"] or "", bool(state[f"{key}.shared"])
    state[f"{key}.failure"] = failure = attempt(
        lambda db, now: commands.save(db, page, name, here, shared, actor=actor, now=now)
    )
    if failure is None:
        state[f"{key}.name"] = ""


def _remove(actor: Actor, view_id: int, key: str) -> None:
    st.session_state[f"{key}.failure"] = attempt(lambda db, now: commands.remove(db, view_id, actor=actor, now=now))
