"""Is a change more than noise? Limits of individual values by the mean moving range (Shewhart; Wheeler's XmR chart)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

FEWEST = 8
"""Fewer values than this have no limits worth the name."""
_REACH = 2.66
"""3 standard deviations, estimated as the mean moving range / 1.128"""


@dataclass(frozen=True)
class Limits:
    """Where values usually lie: from `low` to `high`, around `mean`."""

    low: float
    mean: float
    high: float

    def outside(self, value: float) -> bool:
        """True when the value is no ordinary one."""
        return not self.low <= value <= self.high


def limits(values: Sequence[float], least: float = 0.0) -> Limits | None:
    """The limits of values in order of time; None for fewer than FEWEST. What is counted is never below `least`."""
    if len(values) < FEWEST:
        return None
    mean = sum(values) / len(values)
    moved = sum(abs(after - before) for before, after in pairwise(values)) / (len(values) - 1)
    return Limits(max(least, mean - _REACH * moved), mean, mean + _REACH * moved)


def beyond_chance(before: int, now: int, fewest: int = 10) -> bool:
    """True when two counts over equal times differ by more than three standard deviations of chance (Poisson)."""
    return before + now >= fewest and abs(now - before) >= 3 * (now + before) ** 0.5
