"""Whether settings make sense: every one checked, each fault with a sentence that says how to put it right."""

import re
from collections.abc import Callable, Container, Mapping
from datetime import date
from functools import partial
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from rules import text, updates
from rules.business_time import DAYS, Calendar
from rules.durations import exact
from rules.errors import RuleError
from rules.policies import ALWAYS_ID, ALWAYS_NAME, TIERS
from rules.priority import LEVELS

NAME_LIMIT, PHONE_LIMIT = 120, 60
DAY_NAMES = dict(zip(DAYS, ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"), strict=True))
PRIORITIES = ("1", "2", "3", "4", "5")
CELLS = tuple(f"{impact}{urgency}" for impact in LEVELS for urgency in LEVELS)
MOST_CALENDARS, MOST_DATES = 30, 400
LONGEST_TARGET = 20_000 * 3600
LONGEST_HEAD_START = 3650 * 86_400
LEAST_OPEN_MINUTES = 60
MOST_DAYS = 90
MOST_COST = 10_000
_CURRENCY = re.compile(r"[A-Z]{3}")
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")

Wrong = dict[str, str]
"""field, such as 'sla.targets.1.response' -> sentence"""


def check(values: Mapping[str, Any], services: Container[int], *, unnamed: bool = False) -> list[str]:
    """What is allowed but looks like a mistake, in sentences. RuleError with `fields` names every fault at once.

    `values` holds all settings, defaults filled in; `services` the ids of those that there are. `unnamed` lets the
    organisation go without a name: one that has none yet can still change the rest.
    """
    wrong: Wrong = {}
    _organisation(values, unnamed, wrong)
    _matrix(values["priority.matrix"], wrong)
    _head_starts(values["rank.head_starts"], wrong)
    _calendars(values["sla.calendars"], wrong)
    _all_targets(values, services, wrong)
    _ola(values["sla.ola"], wrong)
    for key in ("verification.remind_days", "verification.close_days"):
        if not _whole(values[key], 1, MOST_DAYS):
            wrong[key] = f"Give a number of days from 1 to {MOST_DAYS}."
    updates.check_settings(values, wrong)
    _cost(values, wrong)
    if wrong:
        raise RuleError(" ".join(dict.fromkeys(wrong.values())), fields=wrong)
    return [*_odd_matrix(values["priority.matrix"]), *_odd_targets(values["sla.targets"], values["sla.calendars"])]


def _cost(values: Mapping[str, Any], wrong: Wrong) -> None:
    """Of a person-hour; 0 for none. Where it is not among the settings there is nothing to check."""
    rate = values.get("cost.person_hour", 0)
    if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 <= rate <= MOST_COST:
        wrong["cost.person_hour"] = f"Give an amount from 0 (not shown) to {MOST_COST:,}."
    currency = values.get("cost.currency", "EUR")
    if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        wrong["cost.currency"] = "Give the currency in three letters, such as EUR."


def zone_exists(name: object) -> bool:
    """True for a zone such as Europe/Berlin."""
    try:
        return bool(name) and ZoneInfo(str(name)) is not None
    except (KeyError, ValueError, OSError):
        return False


def _organisation(values: Mapping[str, Any], unnamed: bool, wrong: Wrong) -> None:
    for key, limit, needed in (
        ("organisation.name", NAME_LIMIT, None if unnamed else "Give your organisation's name."),
        ("organisation.desk_phone", PHONE_LIMIT, None),
    ):
        try:
            if text.line(values[key], key, limit, required=needed) != values[key]:
                wrong[key] = "Write it in one line, without spaces around it."
        except RuleError as error:
            wrong[key] = error.sentence
    if not zone_exists(values["organisation.zone"]):
        wrong["organisation.zone"] = "Choose a zone from the list, such as Europe/Berlin."


def _matrix(matrix: object, wrong: Wrong) -> None:
    if not isinstance(matrix, Mapping) or set(matrix) != set(CELLS):
        wrong["priority.matrix"] = "Choose a priority for each of the nine pairs of impact and urgency."
        return
    for cell, level in matrix.items():
        if not _whole(level, 1, 5):
            wrong[f"priority.matrix.{cell}"] = "Choose a priority from 1 (critical) to 5 (planning)."


def _odd_matrix(matrix: Mapping[str, int]) -> list[str]:
    """Where more impact or more urgency gives a lower priority."""
    found = []
    for impact in LEVELS:
        for urgency in LEVELS:
            here = matrix[f"{impact}{urgency}"]
            for less, name in ((f"{impact + 1}{urgency}", "impact"), (f"{impact}{urgency + 1}", "urgency")):
                if less in matrix and matrix[less] < here:
                    found.append(
                        f"{_cell(f'{impact}{urgency}')} is P{here}, but with less {name} it is P{matrix[less]}. "
                        f"More {name} usually does not lower the priority."
                    )
    return found


def _cell(cell: str) -> str:
    return f"{LEVELS[int(cell[0])]} impact with {LEVELS[int(cell[1])].lower()} urgency"


def _head_starts(starts: object, wrong: Wrong) -> None:
    key = "rank.head_starts"
    if (
        not isinstance(starts, Mapping)
        or set(starts) != {"major", "priority", "risk", "people"}
        or not isinstance(starts["priority"], Mapping)
        or set(starts["priority"]) != set(PRIORITIES)
    ):
        wrong[key] = "Give a head start for major incidents, each priority, a risk, and ten times the people."
        return
    each = {name: starts[name] for name in ("major", "risk", "people")}
    each |= {f"priority.{level}": seconds for level, seconds in starts["priority"].items()}
    for name, seconds in each.items():
        if not _whole(seconds, 0, LONGEST_HEAD_START):
            wrong[f"{key}.{name}"] = "Give a head start from 0 to 3650 d."


def _all_targets(values: Mapping[str, Any], services: Container[int], wrong: Wrong) -> None:
    calendars = values["sla.calendars"]
    known = {ALWAYS_ID, *(calendars if isinstance(calendars, Mapping) else ())}
    targets = values["sla.targets"]
    if not isinstance(targets, Mapping) or set(targets) != set(PRIORITIES):
        wrong["sla.targets"] = "Give a target for each of the five priorities."
    else:
        _targets(targets, "sla.targets", known, wrong)
    own = values["sla.services"]
    if not isinstance(own, Mapping):
        wrong["sla.services"] = "Give targets by service."
        return
    for service, by_priority in own.items():
        path = f"sla.services.{service}"
        if not str(service).isdecimal() or int(service) not in services:
            wrong[path] = "Choose a service from the list."
        elif not isinstance(by_priority, Mapping) or not by_priority or not set(by_priority) <= set(PRIORITIES):
            wrong[path] = "Give a target for at least one of the five priorities, or none for the service."
        else:
            _targets(by_priority, path, known, wrong)


def _targets(targets: Mapping[str, Any], path: str, calendars: Container[str], wrong: Wrong) -> None:
    for level, target in targets.items():
        here = f"{path}.{level}"
        if not isinstance(target, Mapping) or set(target) != {"response", "resolution", "calendar"}:
            wrong[here] = f"Give P{level} a time to answer, a time to resolve and a calendar."
            continue
        for name, verb in (("response", "answer"), ("resolution", "resolve")):
            if not _whole(target[name], 1, LONGEST_TARGET):
                wrong[f"{here}.{name}"] = f"Give P{level} a time to {verb} above 0 and up to 20000 h."
        if f"{here}.response" in wrong or f"{here}.resolution" in wrong:
            continue
        if target["response"] > target["resolution"]:
            wrong[f"{here}.response"] = (
                f"The time to answer P{level} is longer than the time to resolve it. "
                f"Make it {exact(target['resolution'], days=False)} or less."
            )
        if target["calendar"] not in calendars:
            wrong[f"{here}.calendar"] = (
                f"The calendar that P{level} is counted in is not there. Choose another for it first."
            )


def _odd_targets(targets: Mapping[str, Any], calendars: Mapping[str, Any]) -> list[str]:
    """Where a higher priority has more time than the next lower one, counted in the same calendar."""
    found = []
    for high, low in pairwise(PRIORITIES):
        for name, verb in (("response", "answer"), ("resolution", "resolve")):
            more, less = targets[high], targets[low]
            if more["calendar"] == less["calendar"] and more[name] > less[name]:
                found.append(
                    f"P{high} has more time to {verb} ({exact(more[name], days=False)}) than P{low} "
                    f"({exact(less[name], days=False)})."
                )
    return found


def _ola(shares: object, wrong: Wrong) -> None:
    if not isinstance(shares, Mapping) or set(shares) != set(TIERS):
        wrong["sla.ola"] = "Give each tier its share of the time to resolve."
        return
    for tier, share in shares.items():
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0.01 <= share <= 1:
            wrong[f"sla.ola.{tier}"] = "Give a share from 1 % to 100 % of the time to resolve."


def _calendars(calendars: object, wrong: Wrong) -> None:
    key = "sla.calendars"
    if not isinstance(calendars, Mapping) or len(calendars) > MOST_CALENDARS:
        wrong[key] = f"Keep at most {MOST_CALENDARS} calendars."
        return
    names = {ALWAYS_NAME.lower()}
    for name, data in calendars.items():
        path = f"{key}.{name}"
        if name == ALWAYS_ID or not _ID.fullmatch(str(name)) or not isinstance(data, Mapping):
            wrong[path] = "A calendar is known by small letters and digits, and 'always' is taken."
            continue
        try:
            called = text.line(data.get("name"), "name", NAME_LIMIT, required="Give the calendar a name.")
        except RuleError as error:
            wrong[f"{path}.name"] = error.sentence
            continue
        if called.lower() in names:
            wrong[f"{path}.name"] = f"There is a calendar called '{called}' already. Choose another name."
        names.add(called.lower())
        wrong |= _calendar(data, path)


def _calendar(data: Mapping[str, Any], path: str) -> Wrong:
    wrong: Wrong = {}
    if set(data) != {"name", "zone", "hours", "country", "region", "closed", "exceptions"}:
        return {path: "A calendar has a name, a zone, hours, a country, a region, closed days and other hours."}
    if data["zone"] and not zone_exists(data["zone"]):
        wrong[f"{path}.zone"] = "Choose a zone from the list, such as Europe/Berlin."
    if not isinstance(data["hours"], Mapping) or not set(data["hours"]) <= set(DAYS):
        return wrong | {f"{path}.hours": f"Name days as {', '.join(DAYS)}."}
    for day, spans in data["hours"].items():
        _try(wrong, f"{path}.hours.{day}", partial(_spans, spans, DAY_NAMES[day]))
    open_minutes = 0
    if not any(field.startswith(f"{path}.hours") for field in wrong):
        open_minutes = sum(_minutes(span) for spans in data["hours"].values() for span in spans)
        if open_minutes < LEAST_OPEN_MINUTES:
            wrong[f"{path}.hours"] = "Open it for at least one hour a week, or no deadline would ever come."
    closed, exceptions = data["closed"], data["exceptions"]
    if not isinstance(closed, list) or not isinstance(exceptions, Mapping):
        return wrong | {f"{path}.closed": "Give closed days as a list of dates, and other hours by date."}
    if len(closed) + len(exceptions) > MOST_DATES:
        return wrong | {f"{path}.closed": f"Keep at most {MOST_DATES} days; take out those that are past."}
    _try(wrong, f"{path}.closed", lambda: Calendar.from_dict({"holidays": closed}))
    for day, spans in exceptions.items():
        _try(wrong, f"{path}.closed", partial(_exception, day, spans))
    both = sorted(set(map(str, closed)) & set(exceptions))
    if both:
        wrong[f"{path}.closed"] = f"{both[0]} is there twice. Keep one line for each date."
    return wrong


def _try(wrong: Wrong, field: str, look: Callable[[], object]) -> None:
    try:
        look()
    except RuleError as error:
        wrong[field] = error.sentence


def _spans(spans: Any, day: str) -> None:
    """RuleError unless they are pairs of from and to, in order and apart."""
    # The weekday does not matter here: one calendar reads the hours of any day.
    try:
        Calendar.from_dict({"hours": {"mon": spans}})
    except RuleError as error:
        raise RuleError(error.sentence.replace("On mon", f"On {day}").replace("of mon", f"of {day}")) from None
    if [list(span) for span in spans] != sorted(list(span) for span in spans):
        raise RuleError(f"Write the hours of {day} in their order, the earliest first.")


def _exception(day: object, spans: Any) -> None:
    _spans(spans, _iso(day))


def _iso(day: object) -> str:
    try:
        return date.fromisoformat(str(day)).isoformat()
    except ValueError:
        raise RuleError(f"Write dates as 2026-12-25; '{day}' is none.") from None


def _minutes(span: list[str]) -> int:
    hours = [int(at[:-3]) * 60 + int(at[-2:]) for at in span]
    return hours[1] - hours[0]


def _whole(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
