"""Public holidays by country and region, from the library `holidays`.

The library is imported when a calendar or its editor first asks: it takes a tenth of a second and 10 MB.
"""

import logging
from collections.abc import Mapping
from datetime import date
from functools import cache, lru_cache
from typing import Any

from rules.errors import RuleError

log = logging.getLogger(__name__)
_SMALL = {"And": "and", "Of": "of", "The": "the"}


class PublicHolidays:
    """The public holidays of one place. A year is worked out when a date of it is first asked for."""

    def __init__(self, country: str, region: str) -> None:
        self.country, self.region = country, region

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and day in _year(self.country, self.region, day.year)

    def name(self, day: date) -> str:
        """What the holiday is called; '' when it is none."""
        return _year(self.country, self.region, day.year).get(day, "")


@cache
def public(country: str, region: str) -> PublicHolidays:
    """The holidays of a country ('DE') and a region of it ('BY', or '')."""
    return PublicHolidays(country, region)


@lru_cache(maxsize=2048)
def _year(country: str, region: str, year: int) -> Mapping[date, str]:
    import holidays

    try:
        found: Any = holidays.country_holidays(
            country, subdiv=region or None, years=[year], expand=False, language="en_US"
        )
    except (NotImplementedError, KeyError):
        # It was there when the setting was made: a newer library names it otherwise. Days without it beat no clock.
        log.error("The library of public holidays no longer knows %s %s; choose the country again.", country, region)
        return {}
    return dict(found.items())


@cache
def countries() -> dict[str, str]:
    """Code -> name of every country there are holidays of, by name."""
    import holidays
    from holidays.registry import COUNTRIES

    supported = holidays.list_supported_countries(include_aliases=False)
    named = {entity[1]: _title(module) for module, entity in COUNTRIES.items() if entity[1] in supported}
    return dict(sorted(named.items(), key=lambda item: item[1]))


@cache
def regions(country: str) -> dict[str, str]:
    """Code -> name of the country's regions with holidays of their own, by name; the code where it has no name."""
    import holidays

    if country not in countries():
        return {}
    known: Any = holidays.country_holidays(country)
    named = {code: name for name, code in known.subdivisions_aliases.items()}
    found = {code: named.get(code, code) for code in known.subdivisions}
    return dict(sorted(found.items(), key=lambda item: item[1]))


def _title(module: str) -> str:
    words = [_SMALL.get(word, word) for word in module.replace("_", " ").title().split()]
    return " ".join(words)


def check(country: object, region: object) -> None:
    """RuleError unless there are holidays of that country and region, or both are ''."""
    if not country and not region:
        return
    if not isinstance(country, str) or country not in countries():
        raise RuleError("Choose a country from the list.", field="country")
    if region and region not in regions(country):
        raise RuleError(f"Choose a region of {countries()[country]} from the list.", field="region")
