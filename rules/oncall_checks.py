"""Reading a schedule's parts from plain data; RuleError says of which part what is to be put right."""

from collections.abc import Mapping, Sequence
from typing import Any

from rules.business_time import DAYS
from rules.errors import RuleError
from rules.rotation import UNITS
from rules.wall_clock import minutes_of
from rules.weekly_hours import Window

LONGEST_TURN = 10_000
"""units of one turn, far beyond any real one"""
HIGHEST_PRIORITY = 1_000_000
_MINUTES_A_DAY = 24 * 60


def record(value: object, sentence: str) -> Mapping[str, Any]:
    """The value when it is an object; RuleError with the sentence otherwise."""
    if not isinstance(value, Mapping):
        raise RuleError(sentence)
    return value


def listed(value: object, sentence: str) -> Sequence[Any]:
    """The value when it is a list, empty for None; RuleError with the sentence otherwise."""
    if value is None:
        return ()
    if isinstance(value, str | bytes) or not isinstance(value, Sequence):
        raise RuleError(sentence)
    return value


def names(value: object, what: str, field: str) -> tuple[str, ...]:
    """Names of people, none of them empty. `what` begins the sentence, such as "Layer 'Nights'"."""
    found = listed(value, f"{what}: give {field} as a list of names.")
    if not all(isinstance(name, str) and name.strip() for name in found):
        raise RuleError(f"{what}: name each of {field}; one has no name.", field=field)
    return tuple(found)


def replaced(value: object, what: str) -> dict[str, str]:
    """Person -> stand-in, two people each."""
    found = record({} if value is None else value, f"{what}: give replace as person and stand-in.")
    for pair in found.items():
        person, stand_in = names(pair, what, "replace")
        if person == stand_in:
            raise RuleError(
                f"{what}: '{person}' cannot stand in for themselves. Choose somebody else.", field="replace"
            )
    return dict(found)


def whole(value: object, what: str, field: str, least: int, most: int) -> int:
    """A whole number between the two, both included."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise RuleError(f"{what}: give {field} as a whole number from {least} to {most}.", field=field)
    return value


def unit(value: object, what: str) -> str:
    """One of hour, day, week and month."""
    if not isinstance(value, str) or value not in UNITS:
        raise RuleError(f"{what}: choose a unit of {', '.join(UNITS)}; '{value}' is none.", field="unit")
    return value


def windows(value: object, what: str) -> list[Window]:
    """Windows of {"days", "from", "to"}; days missing means every day, to 24:00 is midnight."""
    hint = f"{what}: give windows as a list of days, from and to."
    found = []
    for window in listed(value, hint):
        window = record(window, hint)
        days = DAYS if window.get("days") is None else listed(window["days"], hint)
        unknown = [day for day in days if day not in DAYS]
        if unknown or not days:
            wrong = f"'{unknown[0]}' is none" if unknown else "there is none"
            raise RuleError(f"{what}: name a window's days as {', '.join(DAYS)}; {wrong}.", field="windows")
        opens, shuts = (minutes_of(window.get(edge), "windows") for edge in ("from", "to"))
        if opens == _MINUTES_A_DAY:
            raise RuleError(f"{what}: a window begins at 23:59 at the latest. Write 24:00 as 00:00.", field="windows")
        found.append(Window(frozenset(map(DAYS.index, days)), opens, shuts % _MINUTES_A_DAY))
    return found
