"""The newest change of this person on this screen, said in one line with the way back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import streamlit as st

from db.commands import bulk
from db.commands.bulk import Item
from pages.parts import session
from pages.parts.texts import literal
from rules.access import Actor
from rules.states import UNDO_WINDOW

KEY = "undo.newest"


def done(sentence: str, items: Sequence[Item] = ()) -> None:
    """Say what was done; `items` are the incidents as they are now, when it can be taken back."""
    st.session_state[KEY] = (sentence, list(items), session.now())


def line(actor: Actor, now: datetime) -> None:
    """Draw what was done last, with Undo as long as there is time for it."""
    newest: tuple[str, list[Item], datetime] | None = st.session_state.get(KEY)
    if newest is None or now - newest[2] > UNDO_WINDOW:
        return
    sentence, items, _ = newest
    st.markdown(f":small[{literal(sentence)}]", width="content")
    if items:
        st.button("Undo", icon=":material/undo:", type="tertiary", on_click=take_back, args=(actor,), key="undo.button")


def take_back(actor: Actor) -> None:
    """Undo the newest change of this screen; says what became of it."""
    newest: tuple[str, list[Item], Any] | None = st.session_state.get(KEY)
    if newest is None or not newest[1]:
        done("There is nothing to take back.")
        return
    results = bulk.take_back(newest[1], actor=actor, now=session.now())
    back = [result for result in results if result.done]
    left = [f"{result.item.number}: {result.sentence}" for result in results if not result.done]
    told = (
        [f"{back[0].item.number} is as it was." if len(back) == 1 else f"{len(back)} are as they were."] if back else []
    )
    done(" ".join(told + left))
