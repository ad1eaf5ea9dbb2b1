"""The moments of an incident, corrected afterwards: which may be, and in what order they stand."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import pairwise

from rules.errors import RuleError

MOMENTS = {
    "started_at": "Started",
    "detected_at": "Detected",
    "reported_at": "Reported",
    "acknowledged_at": "Work began",
    "resolved_at": "Resolved",
    "recovered_at": "Recovered",
    "verified_at": "Confirmed",
    "closed_at": "Closed",
}
"""column -> its name, in the order in which they should stand"""
FREE = frozenset({"started_at", "detected_at"})
"""What may also be filled in or taken away: nobody pressed a button then."""
BEFORE_IT_BEGAN = timedelta(days=7)
"""How far back what led to an incident may lie."""
_STRICT = tuple(name for name in MOMENTS if name not in FREE)
_FUTURE = timedelta(minutes=5)
"""How far the clock of who noted a moment may be ahead. What somebody pressed a button for our own clock has timed."""


def correct(
    present: Mapping[str, datetime | None], given: Mapping[str, datetime | None], now: datetime
) -> dict[str, datetime | None]:
    """The moments that change, when those in `given` are put in the place of `present` ones.

    RuleError with a sentence for each that cannot be: what has not happened has no moment, what happened keeps one,
    nothing lies in the future, and from 'reported' on they keep their order.
    """
    wrong: dict[str, str] = {}
    for name, moment in given.items():
        if name not in MOMENTS:
            wrong[name] = f"There is no moment called '{name[:40]}'."
        elif moment is not None and (not isinstance(moment, datetime) or moment.tzinfo is None):
            wrong[name] = "Give a date and a time with its zone."
        elif moment is not None and moment > now + (_FUTURE if name in FREE else timedelta(0)):
            wrong[name] = "Choose a time in the past."
        elif name not in FREE and present.get(name) is None and moment is not None:
            wrong[name] = "This has not happened yet."
        elif name not in FREE and present.get(name) is not None and moment is None:
            wrong[name] = "This happened: give its time."
    changed = {name: moment for name, moment in given.items() if present.get(name) != moment}
    if not wrong:
        wrong = _out_of_order({**present, **changed}, changed=set(changed))
    if wrong:
        raise RuleError(" ".join(wrong.values()), fields=wrong)
    return changed


def _out_of_order(moments: Mapping[str, datetime | None], changed: set[str]) -> dict[str, str]:
    known = [(name, moment) for name in _STRICT if (moment := moments.get(name)) is not None]
    wrong = {}
    for (before, earlier), (after, later) in pairwise(known):
        if earlier > later and changed & {before, after}:
            name = after if after in changed else before
            wrong[name] = f"'{MOMENTS[after]}' cannot be before '{MOMENTS[before].lower()}'."
    return wrong


def advice(moments: Mapping[str, datetime | None]) -> list[str]:
    """Sentences for what is allowed but unlikely: it usually starts, is detected, and is then reported."""
    said = []
    names = ("started_at", "detected_at", "reported_at")
    known = [(name, moment) for name in names if (moment := moments.get(name)) is not None]
    for (before, earlier), (after, later) in pairwise(known):
        if earlier > later:
            said.append(f"'{MOMENTS[after]}' is before '{MOMENTS[before].lower()}'. Is that right?")
    return said


def happened(at: datetime | None, moments: Mapping[str, datetime | None], now: datetime) -> datetime:
    """The time of something written down afterwards. RuleError('at') unless it lies between what led to it and now."""
    if not isinstance(at, datetime) or at.tzinfo is None:
        raise RuleError("Say when it happened.", field="at")
    if at > now:
        raise RuleError("Choose a time in the past: this is what has happened.", field="at")
    began = min(moment for moment in (*moments.values(), now) if moment is not None)
    if at < began - BEFORE_IT_BEGAN:
        days = BEFORE_IT_BEGAN.days
        raise RuleError(f"Choose a time at most {days} days before the incident began.", field="at")
    return at
