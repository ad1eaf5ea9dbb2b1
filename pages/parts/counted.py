"""Numbers as a list, each of which opens exactly the incidents that it counts."""

from collections.abc import Callable, Sequence

import streamlit as st

from db.engine import reading
from db.queries import listed
from db.queries.process import Figure
from pages.parts import address, dialogs, rows, session, times
from pages.parts.texts import literal
from rules.access import Actor
from rules.panels import incidents

MOST_LISTED = 1_000
PAGE_SIZE = 10
_KEY = "counted"
_GO = "counted.go"

Opener = Callable[[str, Figure], None]
"""shows the incidents that a figure counts, under a title"""


def follow() -> None:
    """Lead on to the incident that was chosen in the dialog, which itself may not change the address; call it first."""
    number = st.session_state.pop(_GO, None)
    if number is not None:
        address.lead("responders/incident.py", {"number": number})


class Counted:
    """The rows under `key`, in the order in which they are added."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._items: list[dict[str, object]] = []
        self._opens: dict[str, tuple[str, Figure]] = {}

    def add(self, title: str, said: str, figure: Figure) -> None:
        """One more row: a title, what is said of it, and the figure that it opens."""
        key = ".".join((figure.kind, *(str(place) for place in figure.places)))
        self._opens[key] = (title, figure)
        self._items.append({"id": key, "reference": None, "title": title, "explanation": said, "action": "Open"})

    def draw(self, opener: Opener, heading: str) -> None:
        """The list under its heading, by pages; a row opens its incidents in a dialog. Draws nothing without rows."""
        if not self._items:
            return
        place = f"{self._key}.page"
        pages = -(-len(self._items) // PAGE_SIZE)
        begin = (min(st.session_state.get(place, 1), pages) - 1) * PAGE_SIZE
        st.header(heading, anchor=False)
        event = rows.rows(self._items[begin : begin + PAGE_SIZE], key=self._key, plain=True, label=heading)
        if pages > 1:
            st.pagination(pages, key=place)
        if event is not None and event.id in self._opens:
            opener(*self._opens[event.id])


def show(actor: Actor, title: str, ids: Sequence[int]) -> None:
    """These incidents in a dialog, in this order and by pages."""
    st.session_state[f"{_KEY}.ids"] = list(ids[:MOST_LISTED])
    st.session_state.pop(f"{_KEY}.page", None)
    dialogs.show(literal(title), _listed, actor, len(ids), width="large")


def _listed(actor: Actor, number: int) -> None:
    """The incidents whose ids were kept for the dialog; `number` is how many there are in all."""
    now = session.now()
    ids: list[int] = st.session_state[f"{_KEY}.ids"]
    with reading() as db:
        found, open_ = listed.page(db, actor, ids, st.session_state.get(f"{_KEY}.page", 1))
    cut = f" · the first {len(ids):,} of them" if len(ids) < number else ""
    hidden = f" · {len(ids) - open_:,} not open to you" if open_ < len(ids) else ""
    st.caption(f"{incidents(number)}{cut}{hidden}")
    event = rows.rows(
        [
            {
                "id": line.number,
                "title": line.title,
                "explanation": f"Reported {times.short(line.reported_at, now)}",
                "meta": [part for part in (line.about, line.team) if part],
                "state": line.state,
            }
            for line in found
        ],
        key=f"{_KEY}.list",
        plain=True,
        empty=("None of them is open to you.", "Those who work on incidents may open them."),
    )
    pages = -(-open_ // listed.PAGE_SIZE)
    if pages > 1:
        st.pagination(pages, key=f"{_KEY}.page")
    if event is not None:
        st.session_state[_GO] = event.id
        st.rerun()
