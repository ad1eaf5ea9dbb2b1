"""What a report consists of: numbers and panels, each with its definition and the incidents it opens.

The same for the screen, the exports, the print view, the digest and the API.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any, Literal

from rules.errors import RuleError
from rules.measures import Filters, figure
from rules.priority import span
from rules.sources import SOURCES

FEW = 20
"""Fewer cases than this say little of a median, and a change against fewer than FEW_BEFORE nothing in per cent."""
FEW_BEFORE = 10
_NUMBERS = {
    "team": "team_id",
    "priority": "priority",
    "category": "category_id",
    "service": "service_id",
    "pair": "pair_id",
}
_LONGEST_ID = 12
_COUNTS_SOMETHING = re.compile("[1-9]")

Kind = Literal["words", "count", "change", "hours", "share", "instant", "day", "measure"]
"""What a cell holds. A change is a count with its sign; a measure is of the kind that its row has as its `unit`."""
NUMBERS = frozenset({"count", "change", "hours", "share"})


@dataclass(frozen=True)
class Opens:
    """Which incidents a number counts: a figure, its period, the filters, and perhaps one hour of the week."""

    figure: str
    start: datetime
    end: datetime
    filters: Filters = Filters()  # noqa: RUF009 - it cannot be changed
    hour: int | None = None
    """hours since Monday 00:00 on the reader's clock"""

    def narrowed(self, **filters: Any) -> "Opens":
        """The same with more filters."""
        return replace(self, filters=replace(self.filters, **filters))

    def address(self) -> dict[str, str]:
        """As a query of an address."""
        said = {
            "figure": self.figure,
            "from": self.start.isoformat(),
            "to": self.end.isoformat(),
            "source": self.filters.source or "",
            "hour": "" if self.hour is None else str(self.hour),
        }
        for name, attribute in _NUMBERS.items():
            value = getattr(self.filters, attribute)
            said[name] = "" if value is None else str(value)
        return {name: value for name, value in said.items() if value}


def opened(said: Mapping[str, str]) -> Opens:
    """What an address asks for; RuleError with a sentence when it asks for nothing that there is."""
    filters, hour = filtered(said), _number(said, "hour")
    if hour is not None and hour >= 7 * 24:
        raise RuleError("An hour of the week is a number from 0 to 167.", field="hour")
    start, end = _instant(said, "from"), _instant(said, "to")
    if end < start:
        raise RuleError("The period ends before it begins. Exchange 'from' and 'to'.", field="to")
    return Opens(figure(said.get("figure", "")).key, start, end, filters, hour)


def filtered(said: Mapping[str, str]) -> Filters:
    """The filters of an address; RuleError with a sentence when one is nothing that there is."""
    numbers = {attribute: _number(said, name) for name, attribute in _NUMBERS.items()}
    source = said.get("source") or None
    if source is not None and source not in SOURCES:
        raise RuleError(f"There is no source '{source}'. Choose one of: {', '.join(SOURCES)}.", field="source")
    return Filters(source=source, **numbers)


def _number(said: Mapping[str, str], name: str) -> int | None:
    value = said.get(name, "")
    if not value:
        return None
    if not value.isascii() or not value.isdecimal() or len(value) > _LONGEST_ID:
        raise RuleError(f"'{name}' is a number.", field=name)
    return int(value)


def _instant(said: Mapping[str, str], name: str) -> datetime:
    try:
        instant = datetime.fromisoformat(said.get(name, ""))
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise RuleError(f"'{name}' is an instant such as 2026-03-01T00:00:00+00:00.", field=name) from None


@dataclass(frozen=True)
class Number:
    """One number with what it was in the period before."""

    key: str
    title: str
    kind: Literal["count", "hours", "share"]
    """hours are elapsed, a share is a part of 1"""
    value: float | None
    n: int
    """how many cases it rests on"""
    definition: str
    left_out: str
    before: float | None = None
    n_before: int | None = None
    better: Literal["up", "down"] | None = None
    opens: Opens | None = None

    @property
    def cases(self) -> int:
        """How many incidents `opens` counts."""
        return round(self.n * (self.value or 0)) if self.kind == "share" else self.n

    @property
    def words(self) -> str:
        """The value: '1,284', '5 h 12 min', '93.4 %'; '–' when there is none."""
        return said(self.kind, self.value)

    @property
    def change(self) -> str | None:
        """Against the period before: '+6 %', '-48 min', '+1.9 pts'; None where nothing is told by it."""
        if self.value is None or self.before is None:
            return None
        difference = self.value - self.before
        if self.kind == "hours":
            told = f"{'-' if difference < 0 else '+'}{span(abs(difference) * 3600)}"
        elif self.kind == "share":
            told = f"{difference * 100:+.1f} pts"
        elif self.before >= FEW_BEFORE:
            told = f"{difference / self.before:+.0%}".replace("%", " %")
        else:
            return None
        # '+0 %' would be drawn as a rise, in the colour of what is worse.
        return told if _COUNTS_SOMETHING.search(told) else None


def said(kind: str, value: float | None) -> str:
    """A value of a kind in words."""
    if value is None:
        return "–"
    if kind == "hours":
        return span(value * 3600)
    if kind == "change":
        return f"{value:+,.0f}"
    return f"{value:.1%}".replace("%", " %") if kind == "share" else f"{value:,.0f}"


def incidents(n: int) -> str:
    """'1 incident', '1,234 incidents'."""
    return "1 incident" if n == 1 else f"{n:,} incidents"


@dataclass(frozen=True)
class Column:
    """One column of a panel's table."""

    field: str
    heading: str
    kind: Kind = "words"

    def kind_in(self, row: Mapping[str, Any]) -> Kind:
        """What the cell of this row holds."""
        return row["unit"] if self.kind == "measure" else self.kind

    def told(self, row: Mapping[str, Any]) -> str:
        """The cell of this row in words; '–' when it is empty. Instants are for whoever knows the zone."""
        value = row.get(self.field)
        if isinstance(value, date):
            return f"{value.day} {value:%b %Y}"
        kind = self.kind_in(row)
        return said(kind, value) if kind in NUMBERS or value is None else str(value)


@dataclass(frozen=True)
class Panel:
    """One picture with its table: what it shows, what it says, and the incidents behind each row."""

    key: str
    title: str
    definition: str
    says: str
    """its conclusion, for those who do not see it"""
    chart: Literal["pairs", "level", "quantiles", "shares", "ranking", "heat", "flows", "waits", "interval", "table"]
    columns: Sequence[Column]
    rows: Sequence[Mapping[str, Any]]
    opens: Sequence[Opens | None] = ()
    """for each row; may be empty when no row counts incidents"""
    left_out: str = "Nothing is left out."
    marks: Mapping[str, Any] = field(default_factory=dict)
    """what is drawn beside the rows: limits, notes"""


@dataclass(frozen=True)
class Report:
    """A view of trends, or another screen of numbers: its numbers and panels, with all that defends them."""

    view: str
    title: str
    start: datetime
    end: datetime
    zone: str
    filters: Filters
    as_of: datetime
    numbers: Sequence[Number]
    panels: Sequence[Panel]
    compared: tuple[datetime, datetime] | None = None
    screen: str = "Trends"
    """what it is a view of; where that is all there is to see, the view is called the same"""
    path: str = "/trends"
    """of the screen"""

    @property
    def heading(self) -> str:
        """'Trends: Overview', or 'Process'."""
        return self.screen if self.title == self.screen else f"{self.screen}: {self.title}"
