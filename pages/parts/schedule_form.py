"""Making and changing a schedule: who takes turns, when they hand over, at which hours; previewed, then saved."""

import secrets
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import streamlit as st

from db.commands import schedules as commands
from db.engine import reading
from db.queries import choices, schedules
from db.queries import settings as settings_queries
from db.queries.schedules import MOST_TOLD, Detail, Preview
from pages.parts import layer_form, turns
from pages.parts.empty import field_problem
from pages.parts.forms import Failure, attempt
from pages.parts.marks import gray
from pages.parts.texts import literal
from rules.access import Actor
from rules.roster import MOST_LAYERS

KEY = "schedule_form"
DRAFT = f"{KEY}.draft"
WIDTH = 760
NOW, LATER = "now", "later"
LABELS = {NOW: "From now on", LATER: "From a moment on"}

Draft = dict[str, Any]
"""{"id", "version", "key", "name", "team_id", "zone", "layers": [layer_form.Layer], "shown": uid of a layer}"""


def is_open() -> bool:
    """Whether somebody is making or changing a schedule here."""
    return DRAFT in st.session_state


def begin_new() -> None:
    """Open it empty, with one layer."""
    with reading() as db:
        zone = settings_queries.organisation(db).zone
    _open(
        {"id": None, "version": None, "name": "", "team_id": None, "zone": zone}, [layer_form.new("First line", zone)]
    )


def begin(detail: Detail) -> None:
    """Open it with the schedule as it turns now, or as it is planned."""
    definition = detail.planned[1] if detail.planned else detail.definition
    zone = definition["zone"]
    layers = [layer_form.of_definition(layer, zone) for layer in definition["layers"]]
    known = {"id": detail.id, "version": detail.version, "name": detail.name, "team_id": detail.team_id, "zone": zone}
    _open(known, layers)


def _open(known: Draft, layers: list[layer_form.Layer]) -> None:
    key = f"{KEY}.{secrets.token_hex(4)}"
    st.session_state[DRAFT] = known | {"key": key, "layers": layers, "shown": layers[0]["uid"]}


def close() -> None:
    """Forget what was typed."""
    st.session_state.pop(DRAFT, None)


def draw(actor: Actor, now: datetime) -> None:
    draft: Draft = st.session_state[DRAFT]
    key = draft["key"]
    _take(draft)
    failure: Failure | None = st.session_state.get(f"{key}.failure")
    wrong = dict(failure.fields) if failure else {}
    with reading() as db:
        teams: dict[int | None, str] = {None: "No team"} | {team.id: team.name for team in choices.teams(db)}
        people = choices.workers(db)
    st.header("Change the schedule" if draft["id"] else "New schedule", anchor=False)
    if failure is not None:
        st.error(literal(failure.sentence), icon=":material/error:")
    with st.container(width=WIDTH):
        _head(draft, key, teams, wrong)
        _layers(draft, key, people)
        _when(draft, key, now, wrong)
        with st.container(horizontal=True):
            st.button("Preview", type="primary", icon=":material/visibility:", on_click=_look, args=(actor,))
            st.button("Close without saving", type="tertiary", on_click=close)
        _preview(actor, draft, key, now)


def _take(draft: Draft) -> None:
    """Keep in the draft what its fields hold now, also what was typed so shortly before a press that nothing was drawn
    since.
    """
    state, key = st.session_state, draft["key"]
    draft["name"] = state.get(f"{key}.name", draft["name"])
    draft["team_id"] = state.get(f"{key}.team", draft["team_id"])
    draft["zone"] = state.get(f"{key}.zone", draft["zone"])
    for layer in draft["layers"]:
        layer_form.take(layer, f"{key}.{layer['uid']}")


def _head(draft: Draft, key: str, teams: dict[int | None, str], wrong: dict[str, str]) -> None:
    st.text_input("Name", draft["name"], key=f"{key}.name", max_chars=commands.NAME_LIMIT, autocomplete="off")
    field_problem(wrong.get("name"))
    left, right = st.columns(2, gap="small")
    with left:
        known = list(teams)
        at = known.index(draft["team_id"]) if draft["team_id"] in teams else 0
        st.selectbox("Team", known, at, format_func=teams.__getitem__, key=f"{key}.team")
        field_problem(wrong.get("team_id"))
    with right:
        zones = layer_form.zones()
        if draft["zone"] not in zones:
            zones = [draft["zone"], *zones]
        at = zones.index(draft["zone"])
        st.selectbox("Clock of", zones, at, key=f"{key}.zone", help="Handovers keep to this clock.")


def _layers(draft: Draft, key: str, people: dict[int, str]) -> None:
    layers: list[layer_form.Layer] = draft["layers"]
    names = {layer["uid"]: layer["name"] or "No name" for layer in layers}
    with st.container(horizontal=True, vertical_alignment="center"):
        if len(layers) > 1:
            shown_key = f"{key}.shown.{len(layers)}"
            if st.session_state.get(shown_key) not in names:
                st.session_state[shown_key] = draft["shown"] if draft["shown"] in names else layers[0]["uid"]
            draft["shown"] = st.segmented_control(
                "Layer",
                list(names),
                format_func=lambda uid: gray(literal(names[uid])),
                key=shown_key,
                label_visibility="collapsed",
                required=True,
            )
        if len(layers) < MOST_LAYERS:
            st.button(
                "Add a layer",
                icon=":material/add:",
                type="tertiary",
                help="More people at other hours, or a second line that is asked at the same time.",
                on_click=_add_layer,
                key=f"{key}.add_layer",
            )
    shown = next((layer for layer in layers if layer["uid"] == draft["shown"]), layers[0])
    layer_form.draw(shown, f"{key}.{shown['uid']}", people, draft["zone"], several=len(layers) > 1)
    if len(layers) > 1:
        st.button(
            "Remove this layer",
            icon=":material/delete:",
            type="tertiary",
            on_click=_remove_layer,
            args=(shown["uid"],),
            key=f"{key}.remove.{shown['uid']}",
        )


def _add_layer() -> None:
    draft: Draft = st.session_state[DRAFT]
    taken = {layer["name"] for layer in draft["layers"]}
    name = next(name for number in count(len(taken) + 1) if (name := f"Layer {number}") not in taken)
    made = layer_form.new(name, draft["zone"])
    draft["layers"].append(made)
    draft["shown"] = made["uid"]


def _remove_layer(uid: str) -> None:
    draft: Draft = st.session_state[DRAFT]
    draft["layers"] = [layer for layer in draft["layers"] if layer["uid"] != uid]
    draft["shown"] = draft["layers"][0]["uid"]


def _when(draft: Draft, key: str, now: datetime, wrong: dict[str, str]) -> None:
    if draft["id"] is None:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        when = st.segmented_control(
            "When it begins",
            list(LABELS),
            format_func=lambda one: gray(LABELS[one]),
            default=NOW,
            key=f"{key}.when",
            required=True,
        )
        if when == LATER:
            tomorrow = turns.wall(now + timedelta(days=1)).replace(hour=9, minute=0)
            st.datetime_input("Moment", tomorrow, key=f"{key}.moment")
    field_problem(wrong.get("from_at"))


def _moment(key: str) -> datetime | None:
    """From when on; None: from the moment it is saved."""
    value = st.session_state.get(f"{key}.moment") if st.session_state.get(f"{key}.when") == LATER else None
    return turns.chosen(value) if value is not None else None


def definition(draft: Draft) -> dict[str, Any]:
    """What was typed, in the terms of rules.oncall."""
    return {"zone": draft["zone"], "layers": [layer_form.as_data(one, draft["zone"]) for one in draft["layers"]]}


def _look(actor: Actor) -> None:
    draft: Draft = st.session_state[DRAFT]
    _take(draft)
    key, made = draft["key"], definition(draft)
    moment = _moment(key)
    found: dict[str, Preview] = {}

    def ask(db, now):  # type: ignore[no-untyped-def]
        found["preview"] = schedules.preview(db, actor, draft["id"], made, moment or now)

    state = st.session_state
    state.pop(f"{key}.preview", None)
    state[f"{key}.failure"] = failure = attempt(ask, reading)
    if failure is None:
        state[f"{key}.preview"] = (made, moment, found["preview"])


def _preview(actor: Actor, draft: Draft, key: str, now: datetime) -> None:
    kept = st.session_state.get(f"{key}.preview")
    if kept is None:
        return
    made, looked_at, found = kept
    if (made, looked_at) != (definition(draft), _moment(key)):
        st.caption("You changed something since. Preview it again.")
        return
    with st.container(border=True, gap="small"):
        st.header("What changes" if draft["id"] else "Who is on call then", anchor=False)
        if draft["id"] and not found.differences:
            st.markdown("Nobody's turns change within four weeks.")
        _list(
            [
                f"{_people(one.before, found)} → **{_people(one.after, found)}**, {_span(one.start, one.end, now)}"
                for one in (found.differences if draft["id"] else ())
            ]
        )
        if draft["id"]:
            st.markdown("**The next turns**")
        _list([f"**{literal(found.names[one.person])}**, {_span(one.start, one.end, now)}" for one in found.segments])
        if found.missing:
            spans = "; ".join(turns.between(start, end, now) for start, end in found.missing[:3])
            st.error(f"**Nobody is on call** {literal(spans)}.", icon=":material/error:")
        elif found.gaps:
            spans = "; ".join(turns.between(start, end, now) for start, end in found.gaps[:2])
            st.info(
                f"At these hours nobody is on call, because no layer covers them: {literal(spans)} and so on.",
                icon=":material/bedtime:",
            )
        if found.overlaps:
            first = found.overlaps[0]
            st.info(
                f"More than one at once: {_people(first.people, found)}, {_span(first.start, first.end, now)}"
                + (f"; {len(found.overlaps) - 1} more times" if len(found.overlaps) > 1 else ""),
                icon=":material/group:",
            )
        st.caption("What was until then stays as it was. Overrides and swaps stay.")
        with st.container(horizontal=True):
            st.button(
                "Save",
                type="primary",
                icon=":material/check:",
                on_click=_save,
                args=(actor, made, looked_at),
                key=f"{key}.save",
            )


def _list(lines: list[str]) -> None:
    if lines:
        more = [f"and {len(lines) - MOST_TOLD} more"] if len(lines) > MOST_TOLD else []
        st.markdown("\n".join(f"- {line}" for line in [*lines[:MOST_TOLD], *more]))


def _people(people: tuple[str, ...], found: Preview) -> str:
    return literal(" and ".join(found.names[person] for person in people)) or "nobody"


def _span(start: datetime, end: datetime, now: datetime) -> str:
    return literal(turns.between(start, end, now))


def _save(actor: Actor, made: dict[str, Any], moment: datetime | None) -> None:
    draft: Draft = st.session_state[DRAFT]
    _take(draft)
    if (made, moment) != (definition(draft), _moment(draft["key"])):
        return  # something was changed so shortly before that nobody has seen what it does; the preview says so
    saved: dict[str, int] = {}

    def change(db, now):  # type: ignore[no-untyped-def]
        saved["id"] = commands.save(
            db,
            draft["id"],
            name=draft["name"],
            team_id=draft["team_id"],
            definition=made,
            from_at=moment,
            version=draft["version"],
            actor=actor,
            now=now,
        )

    state = st.session_state
    state[f"{draft['key']}.failure"] = failure = attempt(change)
    if failure is None:
        close()
        state["schedules.schedule"] = saved["id"]
