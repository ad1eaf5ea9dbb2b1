"""Templates: the kinds of reports, what each asks, and how its incidents begin."""

import streamlit as st

from db.engine import reading
from db.queries import choices
from db.queries import templates as queries
from db.queries.settings import policies
from pages.parts import rows, session, template_editor
from pages.parts.empty import empty
from pages.parts.texts import literal
from pages.parts.times import short
from rules.access import Actor, NotFound

NEW = "new"


def page() -> None:
    actor = session.require("settings")
    asked = st.query_params.get("id", "")
    if not asked:
        overview(actor)
        return
    try:
        one(actor, None if asked == NEW else int(asked) if asked.isdecimal() and len(asked) < 10 else 0)
    except NotFound as missing:
        st.title("Templates")
        empty(missing.sentence, "Go back to the list.", key="templates.missing")
        st.button("All templates", on_click=template_editor.leave)


def overview(actor: Actor) -> None:
    """All of them, and a way to add one."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Templates", width="stretch")
        st.button("Add a template", type="primary", icon=":material/add:", on_click=_open, args=(NEW,))
    said = st.session_state.pop("templates.said", None)
    if said:
        st.success(literal(said), icon=":material/check_circle:")
    st.markdown("Report offers them under **What do you need?** Each asks its own questions and sorts its incidents.")
    archived = st.toggle("Archived", key="templates.archived")
    with reading() as db:
        found = queries.everything(db, actor, archived=archived)
    st.caption(f"{len(found):,} {'archived' if archived else 'in use'}")
    rows.rows(
        [_row(each) for each in found],
        key="templates.list",
        plain=True,
        label="Templates",
        empty=("Nothing is archived.", "What leaves Report is kept here.")
        if archived
        else ("There are no templates yet.", "Add one for what is reported often: Report asks better questions then."),
        on_event=lambda event: _open(event.id),
    )


def _open(asked: str) -> None:
    template_editor.leave()
    st.query_params["id"] = asked


def _row(each: queries.Kept) -> dict[str, object]:
    asks, steps = len(each.questions), len(each.checklist)
    meta = [f"{steps} step{'' if steps == 1 else 's'} to tick" if steps else "no checklist"]
    if each.archived_at is not None:
        meta.append(f"archived {short(each.archived_at, session.now())}")
    return {
        "id": str(each.id),
        "reference": None,
        "title": each.name,
        "explanation": f"Asks {asks} question{'' if asks == 1 else 's'}" if asks else "Asks nothing more",
        "meta": meta,
        "action": "Change",
    }


def one(actor: Actor, template_id: int | None) -> None:
    """The form of one template, and what the reporter will see."""
    with reading() as db:
        draft = template_editor.draft(queries.one(db, actor, template_id) if template_id is not None else None)
        known = choices.known(db)
        matrix = policies(db).matrix
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Change a template" if template_id is not None else "Add a template", width="stretch")
        st.button("All templates", icon=":material/arrow_back:", type="tertiary", on_click=template_editor.leave)
    said = st.container()
    left, right = st.columns([1.45, 1], gap="medium")
    with left:
        template_editor.form(draft, known, {pair.id: pair.name for pair in known.pairs.values()}, matrix)
        template_editor.buttons(actor, draft)
    with right:
        template_editor.preview(draft)
    with said:
        template_editor.problems(draft)


page()
