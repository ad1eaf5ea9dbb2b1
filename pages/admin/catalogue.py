"""Catalogue: the teams, the services and the categories of the organisation."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from db.commands import catalogue as commands
from db.engine import reading
from db.queries import catalogue as queries
from db.queries import choices, escalation_policies
from db.queries.templates import offered
from pages.parts import address, rows, session
from pages.parts.empty import field_problem
from pages.parts.forms import Failure, attempt
from pages.parts.marks import gray
from pages.parts.texts import literal
from rules.access import Actor
from rules.catalogue import IMPACTS, KINDS, TIERS, WAYS

ICONS = {"team": "groups", "service": "lan", "category": "sell"}
SHORT_TIERS = {"1": "tier 1", "2": "tier 2", "3": "tier 3", "external": "vendor"}
NEW = "Choose one, or type a new name"
CHOICES = ("team_id", "impact", "template_id", "escalation_policy_id")


def page() -> None:
    actor = session.require("settings")
    kind_key = address.begin("catalogue", "part", KINDS, "team")
    text_key = address.begin("catalogue", "q", None, "")
    kind = st.session_state[kind_key] or "team"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Catalogue", width="stretch")
        if st.button(f"Add a {kind}", type="primary", icon=":material/add:", key="catalogue.add"):
            edit(actor, kind, None)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.segmented_control(
            "What",
            list(KINDS),
            format_func=lambda option: gray(KINDS[option]),
            key=kind_key,
            label_visibility="collapsed",
            required=True,
            on_change=_first_page,
        )
        text = st.text_input(
            "Find",
            key=text_key,
            label_visibility="collapsed",
            placeholder="Find by name",
            icon=":material/search:",
            width=240,
            on_change=_first_page,
        )
        archived = st.toggle("Archived", key="catalogue.archived", on_change=_first_page)
    address.keep({"part": kind if kind != "team" else None, "q": text})
    wanted = st.session_state.get("catalogue.page", 1)
    with reading() as db:
        found, total = queries.things(db, actor, kind, text=text, archived=archived, page=wanted)
    st.caption(f"{total:,} {'archived' if archived else 'in use'}")
    event = rows.rows(
        [row(kind, thing) for thing in found],
        key=f"catalogue.list.{kind}",
        plain=True,
        label=KINDS[kind],
        empty=("Nothing here.", "Nothing is archived." if archived else "Change the search, or add the first one."),
    )
    pages = -(-total // queries.PAGE_SIZE)
    if pages > 1:
        st.pagination(pages, key="catalogue.page")
    if event is not None:
        edit(actor, kind, int(event.id))


def _first_page() -> None:
    st.session_state["catalogue.page"] = 1


def row(kind: str, thing: queries.Thing) -> dict[str, object]:
    """A team, service or category as a row of the list."""
    told = f"{thing.open:,} open incident{'' if thing.open == 1 else 's'}" if thing.open else "No open incidents"
    if kind == "team":
        told = f"{thing.members} {'person' if thing.members == 1 else 'people'} · {told.lower()}"
        way = "builds and runs" if thing.values["way"] == "devops" else "hands over"
        meta = [SHORT_TIERS[thing.values["tier"]], way, thing.values["contact"]]
    elif kind == "service":
        meta = [f"owned by {thing.owner}" if thing.owner else "no team owns it"]
    else:
        meta = [f"usually {thing.owner}" if thing.owner else "no usual team"]
    return {
        "id": str(thing.id),
        "reference": None,
        "title": thing.name,
        "explanation": told,
        "meta": [part for part in meta if part],
        "action": "Change",
    }


def edit(actor: Actor, kind: str, thing_id: int | None) -> None:
    """Open the dialog that adds one (None) or changes it."""
    key = f"catalogue.{kind}.{thing_id or 'new'}"
    for name in (f"{key}.failure", f"{key}.done"):
        st.session_state.pop(name, None)
    title = f"{'Change' if thing_id else 'Add'} a {kind}"
    st.dialog(title, icon=f":material/{ICONS[kind]}:")(_dialog)(actor, kind, thing_id, key)


def _dialog(actor: Actor, kind: str, thing_id: int | None, key: str) -> None:
    if st.session_state.pop(f"{key}.done", False):
        st.rerun()
    with reading() as db:
        thing = queries.thing(db, actor, kind, thing_id) if thing_id else None
        teams = {team.id: team.name for team in choices.teams(db)}
        names = queries.names(db, actor)
        templates = {template.id: template.name for template in offered(db)}
        pages_by = escalation_policies.names(db)
    failure: Failure | None = st.session_state.get(f"{key}.failure")
    if failure is not None and not failure.fields:
        st.error(literal(failure.sentence), icon=":material/error:")
    wrong = failure.fields if failure else {}
    values = thing.values if thing else {}
    with st.form(f"{key}.form", border=False, enter_to_submit=False):
        if kind == "team":
            _team(key, values, wrong, pages_by)
        elif kind == "service":
            _service(key, values, wrong, teams, pages_by)
        else:
            _category(key, values, wrong, teams, names)
            _choice("Template", "template_id", key, {None: "None", **templates}, values.get("template_id"), wrong)
            st.caption("Those who work on its incidents are offered the template's checklist.")
        st.form_submit_button(
            "Save" if thing else "Add",
            type="primary",
            icon=":material/check:",
            on_click=_send,
            args=(actor, kind, thing_id, key, values if thing else None),
        )
    if thing is not None:
        gone = thing.archived_at is not None
        st.button(
            "Bring back" if gone else "Archive",
            icon=":material/unarchive:" if gone else ":material/archive:",
            help=None if gone else "It leaves the forms and stays on the incidents that have it.",
            on_click=_switch,
            args=(actor, kind, thing.id, key, gone),
            key=f"{key}.archive",
        )


def _name(key: str, values: dict[str, Any], wrong: Any) -> None:
    st.text_input("Name", values.get("name", ""), key=f"{key}.name", max_chars=commands.NAME_LIMIT, autocomplete="off")
    field_problem(wrong.get("name"))


def _choice(label: str, name: str, key: str, options: dict[Any, str], value: Any, wrong: Any) -> None:
    known = list(options)
    at = known.index(value) if value in known else 0
    st.selectbox(label, known, index=at, format_func=options.__getitem__, key=f"{key}.{name}")
    field_problem(wrong.get(name))


def _team(key: str, values: dict[str, Any], wrong: Any, pages_by: dict[int, str]) -> None:
    _name(key, values, wrong)
    _choice("Tier", "tier", key, TIERS, values.get("tier", "2"), wrong)
    _choice("Way of working", "way", key, WAYS, values.get("way", "itil"), wrong)
    st.text_input(
        "How it is reached (a vendor needs this)",
        values.get("contact", ""),
        key=f"{key}.contact",
        max_chars=commands.CONTACT_LIMIT,
        autocomplete="off",
    )
    field_problem(wrong.get("contact"))
    _pages(key, values, wrong, "Nobody", pages_by)


def _service(key: str, values: dict[str, Any], wrong: Any, teams: dict[int, str], pages_by: dict[int, str]) -> None:
    _name(key, values, wrong)
    st.text_area("What it is for", values.get("description", ""), key=f"{key}.description", height=96)
    _choice("Team that owns it", "team_id", key, {None: "Nobody yet", **teams}, values.get("team_id"), wrong)
    _choice("How much hangs on it", "impact", key, IMPACTS, values.get("impact"), wrong)
    _pages(key, values, wrong, "As for its team", pages_by)


def _pages(key: str, values: dict[str, Any], wrong: Any, usual: str, pages_by: dict[int, str]) -> None:
    name = "escalation_policy_id"
    options: dict[int | None, str] = {None: usual}
    for id_, policy in pages_by.items():
        options[id_] = policy
    _choice("Who is paged (escalation policy)", name, key, options, values.get(name), wrong)


def _category(
    key: str, values: dict[str, Any], wrong: Any, teams: dict[int, str], names: tuple[list[str], list[str]]
) -> None:
    for label, field, known in (("Category", "category", names[0]), ("Subcategory", "subcategory", names[1])):
        if not values:
            st.selectbox(
                label if field == "category" else f"{label} (optional)",
                ["", *known],
                key=f"{key}.{field}",
                accept_new_options=True,
                format_func=lambda option: option or NEW,
            )
        elif values[field] is not None:
            st.text_input(label, values[field], key=f"{key}.{field}", max_chars=commands.NAME_LIMIT)
        field_problem(wrong.get(field))
    if values:
        st.caption("Another name renames it wherever it stands.")
    _choice("Team that usually takes it", "team_id", key, {None: "Nobody", **teams}, values.get("team_id"), wrong)
    st.text_area("What to do, for those who work on it", values.get("runbook", ""), key=f"{key}.runbook", height=96)
    st.caption(
        "Stands open in the room, or beneath the runbook that fits. For steps to tick, write a [runbook](/runbooks) "
        "that names this category."
    )


SAVE: dict[str, tuple[Callable[..., int], tuple[str, ...]]] = {
    "team": (commands.save_team, ("name", "tier", "way", "contact", "escalation_policy_id")),
    "service": (commands.save_service, ("name", "description", "team_id", "impact", "escalation_policy_id")),
    "category": (commands.save_category, ("category", "subcategory", "team_id", "runbook", "template_id")),
}


def _send(actor: Actor, kind: str, thing_id: int | None, key: str, seen: dict[str, Any] | None) -> None:
    save, fields = SAVE[kind]
    chosen = {field: st.session_state.get(f"{key}.{field}") for field in fields}
    given = {field: value if field in CHOICES else value or "" for field, value in chosen.items()}
    _finish(key, attempt(lambda db, now: save(db, thing_id, **given, seen=seen, actor=actor, now=now)))


def _switch(actor: Actor, kind: str, thing_id: int, key: str, gone: bool) -> None:
    change = commands.restore if gone else commands.archive
    _finish(key, attempt(lambda db, now: change(db, kind, thing_id, actor=actor, now=now)))


def _finish(key: str, failure: Failure | None) -> None:
    st.session_state[f"{key}.failure"] = failure
    st.session_state[f"{key}.done"] = failure is None


page()
