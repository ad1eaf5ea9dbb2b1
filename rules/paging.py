"""Who is reached when: which rules of theirs apply, and what waits for the morning."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

URGENCIES = {"high": "Critical and high (P1, P2)", "other": "Everything else"}
"""the two sets of rules that a person has"""
NIGHT_BEGINS, NIGHT_ENDS = time(22), time(7)
"""The app's one night: P4 and P5 wait through it, and it is what is counted as nights on call."""
NIGHT = f"{NIGHT_BEGINS:%H:%M} to {NIGHT_ENDS:%H:%M}"
"""the same in words"""
ALWAYS = frozenset({"escalation", "unreached", "gap", "turn_back", "chase"})
"""kinds of notices that leave the app even for those who want none outside it: else nobody would answer"""
_HIGH = frozenset({1, 2})
_SLEEPS = frozenset({4, 5})
_ONE_DAY = timedelta(days=1)


def urgency(priority: int | None) -> str:
    """'high' for P1 and P2, 'other' for the rest and for what has no priority."""
    return "high" if priority in _HIGH else "other"


def may_wake(priority: int | None) -> bool:
    """False for P4 and P5: they never page at night."""
    return priority not in _SLEEPS


def is_louder(was: int | None, level: int | None) -> bool:
    """True when a change of priority reaches people who were not reached before: at night, or by other rules."""
    wakes = may_wake(level) and not may_wake(was)
    return level is not None and (wakes or (urgency(level) == "high" and urgency(was) != "high"))


def after_the_night(at: datetime, zone: str) -> datetime:
    """`at`, or the end of the night (by the person's clock) it falls into. An unknown zone is UTC."""
    try:
        place = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        place = ZoneInfo("UTC")
    local = at.astimezone(place)
    if NIGHT_ENDS <= local.time() < NIGHT_BEGINS:
        return at
    day = local.date() + (_ONE_DAY if local.time() >= NIGHT_BEGINS else timedelta())
    return datetime.combine(day, NIGHT_ENDS, place).astimezone(UTC)
