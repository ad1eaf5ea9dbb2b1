"""What is likely to come, from what came before: the time an open incident still takes, and next week's arrivals.

Both are silent where the past is too short, and both can be held against the past: see `arrivals` and `remaining`.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil, floor

LOOKS_BACK = timedelta(days=365)
"""how long ago a similar incident may have been reported"""
LOOKS_AHEAD = timedelta(days=7)
LEAST_SIMILAR = 20
SHARE = 0.75
"""of similar incidents, done within the remaining time that is said"""
_ROUNDING = 1e-9
WEEK = 7
RECENT_WEEKS = 4
LEAST_ERRORS = 4
MOST_ERRORS = 26
HELD = 0.8
"""of weeks, meant to lie within the interval"""
LEAST_DAYS = WEEK * (RECENT_WEEKS + LEAST_ERRORS) + 1
MOST_DAYS = WEEK * (RECENT_WEEKS + MOST_ERRORS) + 1
BASES = {
    "both": "the same service and category",
    "pair": "the same category",
    "service": "the same service",
    "priority": "the same priority",
}
"""What makes incidents similar, the closest first; the first with LEAST_SIMILAR is taken."""


@dataclass(frozen=True)
class Lifetimes:
    """How long incidents that are alike were open, or have been until now; made by `lifetimes`. Seconds, ascending."""

    spent: Sequence[float]
    ended: Sequence[int]
    """how many of those up to here were resolved"""
    open: Sequence[float]
    """the estimated part that is open still after as long"""


@dataclass(frozen=True)
class Remaining:
    """What similar incidents tell of one that is open; seconds from now."""

    seconds: float | None
    """SHARE of such are done within it; None: longer than any was watched"""
    n: int
    """similar ones that lasted longer than it is old, and were resolved"""
    still: int
    """similar ones that are older than it and open still"""
    share: float
    """the estimated part of such that take longer than it has left"""

    @property
    def likely_late(self) -> bool:
        """True when fewer than SHARE of such are done in the time that it has left."""
        return self.share > (1 - SHARE) * (1 + _ROUNDING)


@dataclass(frozen=True)
class Arrivals:
    """How many incidents the week brings that begins a day after the last known day, and how good that was before."""

    expected: float
    low: int
    high: int
    by_day: tuple[float, ...]
    """of the week's seven days"""
    errors: int
    """past weeks that the width of the interval rests on"""
    tested: int
    """of these, weeks for which an interval could have been said beforehand"""
    held: int
    """of the tested, lay within it"""
    miss: float
    """mean distance of the expected number from what came"""
    naive_miss: float
    """the same, had one expected the week before again"""


@dataclass(frozen=True)
class Week:
    """Seven days of reports: as many as came, or as are expected between `low` and `high`."""

    begins: date
    n: int
    low: int
    high: int
    ahead: bool


def lifetimes(incidents: Iterable[tuple[float, bool]]) -> Lifetimes:
    """Of (seconds, whether it was resolved then): how many are open still after how long (Kaplan and Meier 1958).

    Those that are open count for as long as they were watched. Without them long ones would be missing from a short
    history, and every forecast would be too hopeful.
    """
    known = sorted((seconds, not ended) for seconds, ended in incidents)
    spent, ended_so_far, open_still = [], [], []
    ended, part = 0, 1.0
    for place, (seconds, watched) in enumerate(known):
        if not watched:
            ended += 1
            part *= 1 - 1 / (len(known) - place)
        spent.append(seconds)
        ended_so_far.append(ended)
        open_still.append(part)
    return Lifetimes(spent, ended_so_far, open_still)


def remaining(alike: Lifetimes, age: float, left: float) -> Remaining | None:
    """For an incident `age` seconds old with `left` until it is due, from those that lasted longer than it is old.

    None when fewer than LEAST_SIMILAR of these were resolved.
    """
    begin = bisect_right(alike.spent, age)
    n = (alike.ended[-1] - (alike.ended[begin - 1] if begin else 0)) if alike.ended else 0
    if n < LEAST_SIMILAR:
        return None
    so_far = alike.open[begin - 1] if begin else 1.0
    then = max(bisect_right(alike.spent, age + left), begin)
    share = (alike.open[then - 1] if then else 1.0) / so_far
    # The parts only fall, so the first that is low enough is found as in a list that rises.
    enough = bisect_left(alike.open, -(1 - SHARE) * so_far * (1 + _ROUNDING), begin, key=lambda part: -part)
    seconds = alike.spent[enough] - age if enough < len(alike.spent) else None
    return Remaining(seconds, n, len(alike.spent) - begin - n, share)


def arrivals(days: Sequence[int]) -> Arrivals | None:
    """From the counts of whole days, oldest first: the mean of the last RECENT_WEEKS weeks, with an interval.

    The interval is as wide as HELD of the past errors of the same method, each made with what was known a day before
    its week (split conformal prediction). None below LEAST_DAYS.
    """
    days = days[-MOST_DAYS:]
    if len(days) < LEAST_DAYS:
        return None
    known = [end for end in range(len(days) - WEEK - 1, WEEK * RECENT_WEEKS - 1, -WEEK)][::-1]
    came = [sum(days[end + 1 : end + 1 + WEEK]) for end in known]
    said = [_expected(days[:end]) for end in known]
    misses = [abs(real - guess) for real, guess in zip(came, said, strict=True)]
    naive = [abs(real - sum(days[end - WEEK : end])) for real, end in zip(came, known, strict=True)]
    tested = range(LEAST_ERRORS, len(misses))
    expected, width = _expected(days), _width(misses)
    recent = days[-WEEK * RECENT_WEEKS :]
    return Arrivals(
        expected=expected,
        low=max(0, floor(expected - width)),
        high=ceil(expected + width),
        # The week begins a day later than those before it, so its first day is their second.
        by_day=tuple(sum(recent[(day + 1) % WEEK :: WEEK]) / RECENT_WEEKS for day in range(WEEK)),
        errors=len(misses),
        tested=len(tested),
        held=sum(misses[place] <= _width(misses[:place]) for place in tested),
        miss=sum(misses) / len(misses),
        naive_miss=sum(naive) / len(naive),
    )


def weeks(days: Sequence[int], coming: Arrivals, today: date, most: int) -> list[Week]:
    """The last weeks out of whole days until `today`, `most` of them, and the one that is to come from tomorrow on."""
    told = []
    for back in range(min(most, len(days) // WEEK), 0, -1):
        start = len(days) - WEEK * back
        n = sum(days[start : start + WEEK])
        told.append(Week(today - timedelta(days=WEEK * back), n, n, n, ahead=False))
    begins = today + timedelta(days=1)
    return [*told, Week(begins, round(coming.expected), coming.low, coming.high, ahead=True)]


def _expected(days: Sequence[int]) -> float:
    return sum(days[-WEEK * RECENT_WEEKS :]) / RECENT_WEEKS


def _width(misses: Sequence[float]) -> float:
    """What the next miss stays within with a chance of HELD, if it is like the others."""
    place = min(ceil((len(misses) + 1) * HELD), len(misses))
    return sorted(misses)[place - 1]
