"""The incidents behind a number of trends: what it counts, what is left out, and each incident to open."""

from urllib.parse import parse_qsl, urlencode

import streamlit as st

from db.engine import reading
from db.queries import figure as queries
from db.queries.figure import Counted, Found
from pages.parts import address, panels, rows, session, times
from pages.parts.empty import empty
from pages.parts.texts import literal
from rules import period_words
from rules.errors import RuleError
from rules.measures import FIGURES, LEVELS, MOMENTS
from rules.panels import Opens, opened, said
from rules.periods import zone_of

BACK = ("view", "period", "from", "to", "team", "priority", "category", "service", "source")
"""what the screen of trends keeps in its address; a link says it as `trends`, itself an address"""


def page() -> None:
    actor = session.require("trends")
    asked = st.query_params.to_dict()
    back = {name: value for name, value in parse_qsl(asked.get("trends", "")) if name in BACK}
    try:
        opens = opened(asked)
        zone = zone_of(asked.get("zone") or str(times.zone())).key
    except RuleError as wrong:
        st.title("Incidents behind a number")
        empty(wrong.sentence, "Go to Trends and open a number there.", key="figure.nonsense")
        to_trends("Trends", back)
        return
    now, page_key = session.now(), f"figure.page.{urlencode(opens.address())}"
    with reading() as db:
        found = queries.incidents(db, actor, opens, zone, now, st.session_state.get(page_key, 1))
        filtered = queries.filter_words(db, actor, opens.filters)
    head(opens, found, zone)
    about(opens, filtered, zone, period_words.moment(now, zone))
    to_trends("Back to Trends", back)
    listed(opens, found, zone)
    if found.pages > 1:
        st.pagination(found.pages, key=page_key)


def to_trends(label: str, back: dict[str, str]) -> None:
    """The way back, to the same filters."""
    if st.button(label, icon=":material/arrow_back:", type="tertiary", key="figure.back"):
        address.lead("managers/trends.py", back)


def head(opens: Opens, found: Found, zone: str) -> None:
    """The figure's name, how many it counts, and the list as a file."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title(FIGURES[opens.figure].name, anchor=False, width="stretch")
        if found.rows:
            with st.popover("Export", icon=":material/download:"):
                query = urlencode(opens.address() | {"zone": zone})
                for form, words in panels.FORMS.items():
                    st.markdown(f":material/download: [{words}](/trends/incidents.{form}?{query})")
                st.caption(_held(found))
    counted = f"**{found.counted:,} incident{'' if found.counted == 1 else 's'}**"
    hidden = found.counted - found.readable
    if hidden:
        st.markdown(f"{counted}, of which {found.readable:,} can be opened by you and {hidden:,} only by others.")
    else:
        st.markdown(counted)


def _held(found: Found) -> str:
    if found.readable > queries.MOST_WRITTEN:
        return f"The newest {queries.MOST_WRITTEN:,} of {found.readable:,}. For the rest, choose a shorter period."
    return "All that are listed here, on every page."


def about(opens: Opens, filtered: list[str], zone: str, as_of: str) -> None:
    """What is counted, over which period, filtered by what, by whose clock, as of when."""
    figure = FIGURES[opens.figure]
    st.markdown(f"{literal(figure.definition)} {literal(figure.left_out)}")
    parts = [period_words.counted_in(opens.figure in LEVELS, opens.start, opens.end, zone)]
    if opens.hour is not None:
        parts.append(period_words.hour_of_week(opens.hour))
    parts += filtered or ["no filters"]
    parts += [f"zone {zone}", f"as of {as_of}", "newest first"]
    st.caption(" · ".join(literal(part) for part in parts))


def listed(opens: Opens, found: Found, zone: str) -> None:
    """The incidents of this page; one leads to its room."""
    event = rows.rows(
        [row(opens.figure, counted, zone) for counted in found.rows],
        key="figure.list",
        label=FIGURES[opens.figure].name,
        empty=(
            ("It counts incidents, but none that you may open.", "Somebody who works on incidents can open them.")
            if found.counted
            else ("It counts no incident.", "Choose a longer period, or fewer filters, in Trends.")
        ),
    )
    if event is not None:
        address.lead("responders/incident.py", {"number": event.id})


def row(key: str, counted: Counted, zone: str) -> dict[str, object]:
    """An incident as a row: the moment that counts, and how long it took."""
    line = counted.line
    took = f" · took {said('hours', counted.hours)}" if counted.hours is not None else ""
    return {
        "id": line.number,
        "title": line.title,
        "priority": line.priority,
        "explanation": f"{MOMENTS[FIGURES[key].moment]} {period_words.moment(counted.at, zone)}{took}",
        "meta": [part for part in (line.team, line.about, line.pair) if part],
        "state": line.state,
    }


page()
