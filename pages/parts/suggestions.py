"""What the organisation's own history suggests: shown with what it rests on, applied only by a press."""

from collections.abc import Mapping
from datetime import datetime

import streamlit as st

from db.engine import Session
from db.queries import suggestions
from db.queries.incidents import Detail
from db.queries.suggestions import Evidence, Suggestions
from pages.parts.texts import link_to, literal
from rules.access import Actor

_LEAST_SHARE = 0.1
_LEAST_TEAM_SHARE = 0.5
_DONE_LENGTH = 160


def of(db: Session, actor: Actor, detail: Detail, now: datetime) -> Suggestions:
    """What is suggested for an incident, looked up once a minute, not again with every choice in its form."""
    line = detail.line
    asked = (line.number, line.version, now.replace(second=0, microsecond=0))
    if st.session_state.get("suggestions", (None,))[0] != asked:
        text = f"{line.title}\n{line.affected}\n{detail.description}"
        st.session_state["suggestions"] = (asked, suggestions.suggest(db, actor, line.id, text))
    found: Suggestions = st.session_state["suggestions"][1]
    return found


def categories(suggested: Suggestions, key: str, offered: Mapping[int, str]) -> None:
    """Buttons that choose a category in the selectbox called `key`, and why."""
    likely = [each for each in suggested.categories if each.share >= _LEAST_SHARE and each.pair_id in offered]
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        for each in likely:
            st.button(
                f"{literal(each.name)} :small[:gray[{each.share:.0%}]]",
                key=f"{key}.suggested.{each.pair_id}",
                on_click=_choose,
                args=(key, each.pair_id),
                help="Choose what similar incidents had",
            )
        if likely:
            with st.popover("Why", type="tertiary"):
                for each in likely:
                    st.markdown(f"**{literal(each.name)}**, {each.share:.0%} of what similar incidents say")
                    _evidence(each.evidence)


def team(suggested: Suggestions, key: str, offered: Mapping[int, str]) -> None:
    """The team that had similar incidents, when another one is chosen in the selectbox called `key`."""
    found = suggested.team
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        if found is None or found.share < _LEAST_TEAM_SHARE or found.team_id not in offered:
            return
        if st.session_state.get(key) == found.team_id:
            return
        st.button(
            f"{literal(found.name)} :small[:gray[{found.share:.0%}]]",
            key=f"{key}.suggested",
            on_click=_choose,
            args=(key, found.team_id),
            help="Choose the team that had similar incidents",
        )
        with st.popover("Why", type="tertiary", key=f"{key}.why"):
            st.markdown(f"**{literal(found.name)}** had {found.share:.0%} of similar incidents, such as")
            _evidence(found.evidence)


def resolved(suggested: Suggestions) -> None:
    """Similar incidents that were resolved, and what was done."""
    for each in suggested.resolved:
        done = " ".join(each.done.split())
        done = done if len(done) <= _DONE_LENGTH else f"{done[:_DONE_LENGTH].rsplit(' ', 1)[0]} …"
        st.markdown(
            f":small[:material/lightbulb: {link_to(each.incident.number)} "
            f"{literal(each.incident.title)}: *{literal(done)}*]"
        )


def _evidence(found: tuple[Evidence, ...]) -> None:
    lines = [f"- {link_to(each.number)} {literal(each.title)}" for each in found]
    st.markdown("\n".join(lines))


def _choose(key: str, value: int) -> None:
    st.session_state[key] = value
