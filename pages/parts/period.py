"""Which incidents a page of numbers is about: a period and filters, all in the address."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import streamlit as st

from db.engine import reading
from db.queries import choices
from pages.parts import address, session, times
from pages.parts.marks import gray, priority_words
from rules.errors import RuleError
from rules.measures import Filters
from rules.periods import FIRST_DAY, PRESETS, Period, chosen_days, day_of, preset
from rules.priority import LABELS
from rules.sources import SOURCES

USUAL = "90"
OWN = "own"
_WIDTH = 240
"""of two days"""
_CHOICES = PRESETS | {OWN: "Days…"}


@dataclass(frozen=True)
class Offered:
    """What the filters choose from, each by id."""

    teams: Mapping[int, str]
    categories: Mapping[int, str]
    services: Mapping[int, str]


def offered() -> Offered:
    """Teams, categories and services in use."""
    with reading() as db:
        return Offered(
            {team.id: team.name for team in choices.teams(db)},
            choices.categories(db),
            {service.id: service.name for service in choices.services(db)},
        )


def chooser(page: str) -> str:
    """The key of rules.periods.PRESETS that is chosen, or OWN; for a toolbar."""
    key = address.begin(page, "period", _CHOICES, USUAL)
    chosen = st.segmented_control(
        "Period",
        list(_CHOICES),
        format_func=lambda option: gray(_CHOICES[option]),
        key=key,
        label_visibility="collapsed",
        required=True,
    )
    if chosen != OWN:  # which is kept with its days
        address.keep({"period": chosen if chosen != USUAL else None, "from": None, "to": None})
    return chosen or USUAL


def own_days(page: str) -> tuple[date, date]:
    """The first and last day of a period of one's own, chosen beside the others and kept in the address."""
    today = session.now().astimezone(times.zone()).date()
    usual = (today - timedelta(days=29), today)
    key = f"{page}.days"
    if key not in st.session_state or address.travelled():
        said = (_day("from") or usual[0], _day("to") or usual[1])
        st.session_state[key] = said if said[0] <= said[1] <= today else usual
    picked: Any = st.date_input(
        "First and last day",
        min_value=FIRST_DAY,
        max_value=today,
        key=key,
        label_visibility="collapsed",
        width=_WIDTH,
    )
    first, last = (picked[0], picked[-1]) if picked else usual  # one day while only the first is picked
    address.keep({"period": OWN, "from": first.isoformat(), "to": last.isoformat()})
    return first, last


def _day(name: str) -> date | None:
    """What the address says, if it is a day that can be chosen."""
    try:
        return day_of(st.query_params.get(name, ""), name)
    except RuleError:
        return None


def period(key: str, days: tuple[date, date] | None, now: datetime, oldest: datetime | None) -> Period:
    """The chosen period; `days`: of OWN; `oldest`: the first record, where 'All' begins."""
    zone = str(times.zone())
    if days is None:
        return preset(key, now, zone, oldest)
    return chosen_days(*days, now, zone, oldest)


def filters(page: str, known: Offered) -> Filters:
    """The popover of filters; for a toolbar."""
    chosen = address.filters(
        page,
        {
            "team": (known.teams, "All teams"),
            "priority": ({level: priority_words(level) for level in LABELS}, "All priorities"),
            "category": (known.categories, "All categories"),
            "service": (known.services, "All services"),
            "source": (SOURCES, "All ways"),
        },
    )
    return Filters(
        team_id=chosen["team"],
        priority=chosen["priority"],
        category_id=chosen["category"],
        service_id=chosen["service"],
        source=chosen["source"],
    )


def toolbar(page: str) -> tuple[str, Filters]:
    """Period and filters in one row."""
    known = offered()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        return chooser(page), filters(page, known)
