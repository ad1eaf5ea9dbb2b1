"""Which view of trends an address asks for, as the screen reads it: what means nothing filters nothing."""

from dataclasses import dataclass
from datetime import date
from urllib.parse import parse_qsl

from rules.errors import RuleError
from rules.measures import Filters
from rules.periods import PRESETS, day_of
from rules.sources import SOURCES

DEFAULT_VIEW, DEFAULT_PERIOD = "overview", "90"
OWN = "own"
"""the period between two days of the address"""
NAMES = ("view", "period", "from", "to", "team", "priority", "category", "service", "source")
"""what of an address makes a view"""
_LONGEST_ID = 9


@dataclass(frozen=True)
class Wanted:
    """A view of trends, its period by name, and its filters."""

    view: str = DEFAULT_VIEW
    period: str = DEFAULT_PERIOD
    filters: Filters = Filters()  # noqa: RUF009 - it cannot be changed
    days: tuple[date, date] | None = None
    """first and last, where the period is OWN"""


def wanted(address: str) -> Wanted:
    """The view at the address (the part after '?')."""
    said = dict(parse_qsl(address.lstrip("?")))
    source = said.get("source")
    filters = Filters(
        team_id=_id(said, "team"),
        priority=_id(said, "priority"),
        category_id=_id(said, "category"),
        service_id=_id(said, "service"),
        source=source if source in SOURCES else None,
    )
    period, days = said.get("period", DEFAULT_PERIOD), _days(said)
    if period == OWN and days is not None:
        return Wanted(said.get("view") or DEFAULT_VIEW, OWN, filters, days)
    return Wanted(said.get("view") or DEFAULT_VIEW, period if period in PRESETS else DEFAULT_PERIOD, filters)


def _days(said: dict[str, str]) -> tuple[date, date] | None:
    try:
        first, last = (day_of(said.get(name, ""), name) for name in ("from", "to"))
    except RuleError:
        return None
    return (first, last) if first <= last else None


def _id(said: dict[str, str], name: str) -> int | None:
    value = said.get(name, "")
    return int(value) if value.isascii() and value.isdecimal() and len(value) <= _LONGEST_ID else None
