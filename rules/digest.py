"""The weekly digest: which week it tells of, what changed beyond noise, and who carries more than their share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil, floor
from typing import Literal

from rules import xmr
from rules.errors import RuleError
from rules.panels import FEW, Opens, said
from rules.periods import Bucket, midnight, weeks, zone_of

WEEKS = 26
"""So many weeks before say what is usual, at most."""
ENOUGH = xmr.FEWEST
"""Fewer weeks say nothing of it."""
SMALLEST = 5
"""A count that changed by less is not told: where few happen, limits lie close."""
MORE_THAN_SHARE = 1.5
"""times the equal share of the hours on call"""
FEWEST_WHO_SHARE = 3
_WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Series:
    """One figure of each week, the oldest first; the last one is the week that is told of."""

    key: str
    title: str
    kind: Literal["count", "hours", "share"]
    values: Sequence[float | None]
    ns: Sequence[int]
    """how many cases each value rests on"""
    better: Literal["up", "down"] | None
    opens: Opens


@dataclass(frozen=True)
class Usual:
    """What is usual of a series, and where its last value lies: above 1, below -1, within 0."""

    series: Series
    low: float
    high: float
    side: int

    @property
    def words(self) -> str:
        """'80 to 121', or '10' where it never moved."""
        low, high = said(self.series.kind, self.low), said(self.series.kind, self.high)
        return low if low == high else f"{low} to {high}"

    @property
    def sentence(self) -> str:
        """'Opened: 132, above the usual 80 to 121.'"""
        where = "above" if self.side > 0 else "below" if self.side < 0 else "within"
        return f"{self.series.title}: {said(self.series.kind, self.series.values[-1])}, {where} the usual {self.words}."


def week(now: datetime, zone: str, monday: date | None = None) -> Bucket:
    """The last whole week, Monday to Monday on the zone's clock, or the one that begins on this Monday.

    RuleError for a day that is no Monday, or a week that has not ended.
    """
    place = zone_of(zone)
    today = now.astimezone(place).date()
    latest = today - timedelta(days=today.weekday()) - _WEEK
    begins = latest if monday is None else monday
    if begins.weekday() != 0:
        raise RuleError("A week begins on a Monday.", field="week")
    if begins > latest:
        raise RuleError("This week has not ended yet.", field="week")
    return Bucket(begins.isoformat(), midnight(begins, place), midnight(begins + _WEEK, place))


def before(told: Bucket, zone: str, first: datetime | None) -> list[Bucket]:
    """The whole weeks before it, the oldest first: WEEKS at most, none that began before the first record."""
    if first is None:
        return []
    begins = date.fromisoformat(told.name) - WEEKS * _WEEK
    found = weeks(midnight(begins, zone_of(zone)), told.start, zone)
    return [each for each in found if each.start >= first]


def usual(series: Series) -> Usual | None:
    """Where the last value lies; None when too few weeks, or too few cases, say what is usual.

    Medians and shares of fewer than FEW cases count for nothing.
    """
    rested = [
        value
        for value, n in zip(series.values, series.ns, strict=True)
        if value is not None and (series.kind == "count" or n >= FEW)
    ]
    now = series.values[-1]
    if now is None or (series.kind != "count" and series.ns[-1] < FEW):
        return None
    found = xmr.limits(rested[:-1])
    if found is None:
        return None
    low, high = found.low, found.high
    if series.kind == "share":
        high = min(high, 1.0)
    elif series.kind == "count":
        low, high = _whole(low, high)
    side = (now > high) - (now < low)
    if series.kind == "count" and abs(now - found.mean) < SMALLEST:
        side = 0
    return Usual(series, low, high, side)


def _whole(low: float, high: float) -> tuple[float, float]:
    """The whole numbers within; those around, where there are none."""
    return (ceil(low), floor(high)) if ceil(low) <= floor(high) else (floor(low), ceil(high))


def part(by_name: Mapping[str, tuple[float, float]], side: int, whole: float, lead: str = "") -> str:
    """What moved most to that side: 'Most of it: Network › VPN (+32).'; empty when nothing did.

    `by_name`: name -> (this week, usual); `whole`: by how much all of it moved; `lead`: words instead of 'Most of it'.
    """
    moved = {name: round(now - mean) for name, (now, mean) in by_name.items()}
    name = max(sorted(moved), key=lambda each: side * moved[each], default=None)
    if name is None or side * moved[name] <= 0:
        return ""
    half = abs(moved[name]) * 2 >= abs(whole)
    return f"{lead or ('Most of it' if half else 'The largest part')}: {name} ({moved[name]:+d})."


def conclusion(told: Sequence[str], weeks_before: int) -> str:
    """What the week says as a whole. `told`: the sentences of what is not usual."""
    if weeks_before < ENOUGH:
        has = "one whole week lies" if weeks_before == 1 else f"{weeks_before} whole weeks lie"
        return f"What is usual takes {ENOUGH} whole weeks; so far {has} before this one."
    return " ".join(told) if told else "Nothing was beyond the usual."


def carries_more(hours: Mapping[int, float]) -> set[int]:
    """Those whose hours are more than MORE_THAN_SHARE times the equal share; nobody where only one or two share."""
    if len(hours) < FEWEST_WHO_SHARE:
        return set()
    equal = sum(hours.values()) / len(hours)
    return {person for person, own in hours.items() if own > MORE_THAN_SHARE * equal}
