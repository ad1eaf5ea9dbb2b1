"""Status page: what everybody sees without an account. Its name, words and logo, and its components."""

import base64
from typing import Any

import streamlit as st

from db.commands import status_page as commands
from db.engine import Session, reading
from db.queries import status_design as queries
from db.queries import status_page
from db.queries.status_design import Design, Designed
from pages.parts import address, rows, session
from pages.parts.empty import field_problem
from pages.parts.forms import Failure, attempt, error_title, summary
from pages.parts.marks import gray
from pages.parts.texts import literal
from rules.access import Actor
from rules.status_page import CLOSING_WORDS

LABELS = {"name": "Name", "words": "Words at the top", "closing_words": "Closing words", "published": "Published"}
PARTS = {"components": "Components", "page": "Name, words and logo"}
WIDTH = 640
PART = "status_page"


def page() -> None:
    actor = session.require("status_page")
    with reading() as db:
        design = queries.design(db, actor)
    failure: Failure | None = st.session_state.get(f"{PART}.failure")
    error_title(failure, "Status page")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Status page", width="stretch")
        st.link_button("Preview", "/status/preview", icon=":material/visibility:", type="tertiary")
    st.markdown(_standing(design))
    said = st.session_state.pop(f"{PART}.said", None)
    if said:
        st.success(literal(said), icon=":material/check_circle:")
    summary(failure, LABELS, outcome="Nothing was saved yet.")
    key = address.begin(PART, "part", PARTS, "components")
    part = st.segmented_control(
        "What",
        list(PARTS),
        format_func=lambda name: gray(PARTS[name]),
        key=key,
        label_visibility="collapsed",
        required=True,
        on_change=_forget,
    )
    address.keep({"part": part if part != "components" else None})
    if part == "page":
        _page(actor, design, failure)
        st.header("Logo", anchor=False)
        _logo(actor, design)
    else:
        _components(actor, design)


def _forget() -> None:
    """What was wrong on the other part is not told here."""
    st.session_state.pop(f"{PART}.failure", None)


def _standing(design: Design) -> str:
    count = design.subscribers
    told = f"{count:,} {'address is' if count == 1 else 'addresses are'} told by e-mail." if count else ""
    if not (design.mail and design.base_url):
        needed = {"SMTP_URL": design.mail, "BASE_URL": design.base_url}
        missing = [name for name, there in needed.items() if not there]
        told = f"To let people subscribe by e-mail, set {' and '.join(missing)}."
    if design.look.published:
        return f"Everybody sees it at [/status](/status). {told}"
    return f"Nobody sees it yet: add components, look at the preview, then publish it under *{PARTS['page']}*. {told}"


def _components(actor: Actor, design: Design) -> None:
    shown = [each for each in design.components if not each.archived]
    st.markdown(
        "What visitors know by name. Updates of incidents say how each is; which services stand behind it is for us "
        "alone."
    )
    event = rows.rows(
        [_row(each) for each in shown],
        key=f"{PART}.components",
        plain=True,
        label="Components",
        empty=("No components yet.", "Add what your visitors use, such as 'Website' or 'E-mail'."),
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Add a component", icon=":material/add:", key=f"{PART}.add"):
            _edit(actor, None)
        archived = [each for each in design.components if each.archived]
        if archived and st.toggle(f"Archived ({len(archived)})", key=f"{PART}.archived"):
            gone = rows.rows([_row(each) for each in archived], key=f"{PART}.gone", plain=True, label="Archived")
            event = event or gone
    if event is not None:
        _edit(actor, int(event.id))


def _row(each: Designed) -> dict[str, object]:
    services = ", ".join(each.services.values())
    return {
        "id": str(each.id),
        "reference": None,
        "title": each.name,
        "explanation": each.description or None,
        "meta": [part for part in (each.group, f"behind it: {services}" if services else "") if part],
        "action": "Change",
    }


def _page(actor: Actor, design: Design, failure: Failure | None) -> None:
    look, wrong = design.look, failure.fields if failure else {}
    key = f"{PART}.{look.version}"
    with st.form(f"{key}.form", width=WIDTH, enter_to_submit=False):
        st.toggle("Published: everybody sees the page", look.published, key=f"{key}.published")
        field_problem(wrong.get("published"))
        st.text_input(
            "Name (optional)",
            look.name,
            key=f"{key}.name",
            max_chars=commands.NAME_LIMIT,
            placeholder="The organisation's name",
            autocomplete="off",
        )
        field_problem(wrong.get("name"))
        st.text_area("Words at the top (optional)", look.words, key=f"{key}.words", height=96)
        field_problem(wrong.get("words"))
        st.text_area(
            "Closing words (optional)",
            look.closing_words,
            key=f"{key}.closing_words",
            height=70,
            placeholder=CLOSING_WORDS,
            help="Said of an incident that recovers without a last update to the public.",
        )
        field_problem(wrong.get("closing_words"))
        st.form_submit_button(
            "Save", type="primary", icon=":material/check:", on_click=_save, args=(actor, look.version, key)
        )


def _save(actor: Actor, version: int, key: str) -> None:
    given: dict[str, Any] = {
        field: st.session_state.get(f"{key}.{field}") or "" for field in ("name", "words", "closing_words")
    }
    published = bool(st.session_state.get(f"{key}.published"))
    _finish(
        attempt(lambda db, now: commands.change(db, version, **given, published=published, actor=actor, now=now)),
        "Saved.",
    )


def _logo(actor: Actor, design: Design) -> None:
    key = f"{PART}.logo.{design.look.version}"
    with reading() as db:
        kept = status_page.logo(db) if design.look.logo_hash else None
    if kept is not None:
        content, kind, _ = kept
        st.image(f"data:{kind};base64,{base64.b64encode(content).decode()}", width=160)
    chosen = st.file_uploader(
        f"A PNG, JPEG or WebP picture of at most {commands.LOGO_BYTES // 1000} kB",
        type=["png", "jpg", "jpeg", "webp"],
        key=key,
        width=WIDTH,
    )
    with st.container(horizontal=True):
        if chosen is not None:
            given = (design.look.version, chosen.name, chosen.getvalue())
            st.button("Use it", type="primary", on_click=_set_logo, args=(actor, *given), key=f"{key}.use")
        if kept is not None:
            gone = (design.look.version, "", None)
            st.button("Remove", icon=":material/delete:", on_click=_set_logo, args=(actor, *gone), key=f"{key}.remove")


def _set_logo(actor: Actor, version: int, name: str, content: bytes | None) -> None:
    _finish(
        attempt(lambda db, now: commands.set_logo(db, version, name, content, actor=actor, now=now)),
        "The logo is changed." if content is not None else "The logo is removed.",
    )


def _finish(failure: Failure | None, said: str) -> None:
    st.session_state[f"{PART}.failure"] = failure
    if failure is None:
        st.session_state[f"{PART}.said"] = said


def _edit(actor: Actor, component_id: int | None) -> None:
    key = f"{PART}.component.{component_id or 'new'}"
    for name in [name for name in st.session_state if str(name).startswith(f"{key}.")]:
        del st.session_state[name]
    title = "Change a component" if component_id else "Add a component"
    st.dialog(title, icon=":material/monitor_heart:")(_dialog)(actor, component_id, key)


def _dialog(actor: Actor, component_id: int | None, key: str) -> None:
    if st.session_state.pop(f"{key}.done", False):
        st.rerun()
    with reading() as db:
        design = queries.design(db, actor)
    known = next((each for each in design.components if each.id == component_id), None)
    failure: Failure | None = st.session_state.get(f"{key}.failure")
    if failure is not None and not failure.fields:
        st.error(literal(failure.sentence), icon=":material/error:")
    wrong = failure.fields if failure else {}
    version = st.session_state.setdefault(f"{key}.version", known.version if known else None)
    with st.form(f"{key}.form", border=False, enter_to_submit=False):
        _fields(design, known, key, wrong)
        st.form_submit_button(
            "Save" if known else "Add",
            type="primary",
            icon=":material/check:",
            on_click=_send,
            args=(actor, component_id, version, key),
        )
    if known is not None:
        _others(actor, known, key)


def _fields(design: Design, known: Designed | None, key: str, wrong: Any) -> None:
    st.text_input(
        "Name", known.name if known else "", key=f"{key}.name", max_chars=commands.NAME_LIMIT, autocomplete="off"
    )
    field_problem(wrong.get("name"))
    groups = list(dict.fromkeys(each.group for each in design.components if each.group))
    st.selectbox(
        "Group (optional)",
        ["", *groups],
        index=groups.index(known.group) + 1 if known and known.group in groups else 0,
        format_func=lambda group: group or "None; choose one, or type a new name",
        accept_new_options=True,
        key=f"{key}.group",
    )
    field_problem(wrong.get("group"))
    st.text_input(
        "What it is (optional)",
        known.description if known else "",
        key=f"{key}.description",
        max_chars=commands.DESCRIPTION_LIMIT,
        autocomplete="off",
    )
    field_problem(wrong.get("description"))
    names = {**design.services, **(known.services if known else {})}
    st.multiselect(
        "Services behind it (optional)",
        list(names),
        default=list(known.services) if known else [],
        format_func=names.__getitem__,
        key=f"{key}.service_ids",
        placeholder="Choose services",
        help="It is suggested for updates about their incidents, and shows their published maintenance.",
    )
    field_problem(wrong.get("service_ids"))


def _others(actor: Actor, known: Designed, key: str) -> None:
    with st.container(horizontal=True):
        if known.archived:
            st.button(
                "Bring back",
                icon=":material/unarchive:",
                on_click=_act,
                args=(key, commands.restore_component, known.id, actor),
                key=f"{key}.restore",
            )
            return
        for label, icon, by in (("Up", "arrow_upward", -1), ("Down", "arrow_downward", 1)):
            st.button(
                label,
                icon=f":material/{icon}:",
                help="The first of a group goes up, and the last down, with its group.",
                on_click=_move,
                args=(key, known.id, by, actor),
                key=f"{key}.{label}",
            )
        st.button(
            "Archive",
            icon=":material/archive:",
            help="It leaves the page. What was said of it stays in the history.",
            on_click=_act,
            args=(key, commands.archive_component, known.id, actor),
            key=f"{key}.archive",
        )


def _send(actor: Actor, component_id: int | None, version: int | None, key: str) -> None:
    def typed(name: str) -> Any:
        return st.session_state.get(f"{key}.{name}") or ""

    def save(db: Session, now: Any) -> None:
        commands.save_component(
            db, component_id, version, name=typed("name"), group=typed("group"), description=typed("description"),
            service_ids=typed("service_ids") or (), actor=actor, now=now,
        )  # fmt: skip

    _told(key, attempt(save))


def _move(key: str, component_id: int, by: int, actor: Actor) -> None:
    _told(key, attempt(lambda db, now: commands.move_component(db, component_id, by, actor=actor, now=now)))


def _act(key: str, change: Any, component_id: int, actor: Actor) -> None:
    _told(key, attempt(lambda db, now: change(db, component_id, actor=actor, now=now)))


def _told(key: str, failure: Failure | None) -> None:
    st.session_state[f"{key}.failure"] = failure
    st.session_state[f"{key}.done"] = failure is None


page()
