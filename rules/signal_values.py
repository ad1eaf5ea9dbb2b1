"""A signal, and how its parts are read from whatever JSON a monitoring tool sends.

What tells one alert from another and whether it fires (keys, states, titles, the shape around them) is refused with a
sentence where it cannot be read. All else is read as far as it can be: an alert is not lost because of an odd date, a
severity that is a list or a link that is none. Nothing here descends deeper than DEPTH or returns more than its limit.
"""

import email.utils
import hashlib
import json
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from rules.errors import RuleError

Status = Literal["firing", "acknowledged", "resolved"]

KEY_LIMIT, TITLE_LIMIT, SEVERITY_LIMIT, SOURCE_LIMIT, TEXT_LIMIT = 255, 200, 64, 255, 10_000
LINKS_LIMIT, URL_LIMIT, LABEL_LIMIT = 10, 2000, 60
DETAILS_LIMIT, DETAIL_LIMIT, NAME_LIMIT, DEPTH = 100, 300, 100, 4
SIGNALS_LIMIT = 10_000
"""alerts in one message"""
HASHED, MADE = "sha256:", "made:"
"""What a key begins with that was too long and so was hashed, and one that was made because none was sent."""

_UNSTORABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_FIRST_YEAR, _LAST_YEAR = 1990, 2200
_DIGITS = re.compile(r"-?[0-9]{9,19}(\.[0-9]{1,9})?")
_GO_ZONE = re.compile(r"\s*([+-][0-9]{2}:?[0-9]{2})?\s*\b(?:UTC|GMT)$")
_DATE_LIMIT = 64
_WIDEST_INTEGER = 2**63
_RESOLVED = frozenset(
    "ok okay resolved resolve recovered recovery recover normal up closed close cleared clear inactive success "
    "successful healthy good 0".split()
)
_ACKNOWLEDGED = frozenset(("acknowledged", "acknowledge", "acknowledgement", "ack", "acked"))


@dataclass(frozen=True)
class Signal:
    """One message about one alert. Texts are clean and within their limits; '' is what was not sent.

    Instants are aware and as the sender says; whoever stores them lets none lie in the future.
    """

    dedup_key: str
    """signals with the same key are the same alert; never empty, stable over the order of labels"""
    status: Status
    title: str
    severity: str
    """as sent"""
    source: str
    """what it is about: a host, an instance, a check's target"""
    started_at: datetime
    """when it was received, if the sender gives no date that can be read"""
    ended_at: datetime | None = None
    description: str = ""
    group_key: str = ""
    """the sender's own grouping (alertmanager: groupKey)"""
    links: tuple[tuple[str, str], ...] = ()
    """(what it shows, http or https address)"""
    details: Mapping[str, Any] = field(default_factory=dict)
    """labels and whatever else helps: small, and fit for JSON"""
    note_only: bool = False
    """it is kept and changes nothing: whoever sends it has stopped looking, and says neither that it fires nor not"""


def line(value: object, limit: int) -> str:
    """Text, a number or true as one clean line cut to `limit`; '' for all else."""
    return _cut(" ".join(_clean(_written(value), limit * 4).split()), limit)


def block(value: object, limit: int = TEXT_LIMIT) -> str:
    """The same with its lines kept."""
    written = _written(value)[: limit * 2].replace("\r\n", "\n").replace("\r", "\n")
    return _cut(_clean(written, limit * 2).strip(), limit)


def first(*values: object, limit: int = TITLE_LIMIT) -> str:
    """The first of them that says anything, as one line."""
    return next(filter(None, (line(value, limit) for value in values)), "")


def required(value: object, name: str, limit: int = TITLE_LIMIT) -> str:
    """One line of text that must not be anything but text; '' when it is absent."""
    if value is not None and (isinstance(value, bool) or not isinstance(value, str | int | float)):
        raise RuleError(f"{name} is {kind(value)}. Send text.", field=name)
    return line(value, limit)


def key(value: object, name: str) -> str:
    """A deduplication or group key: as sent, without white space around it; hashed when too long; '' when absent."""
    if value is not None and (isinstance(value, bool) or not isinstance(value, str | int | float)):
        raise RuleError(f"{name} is {kind(value)}. Send text of 1 to {KEY_LIMIT} characters.", field=name)
    written = _UNSTORABLE.sub("\ufffd", _written(value)).strip()
    return written if len(written) <= KEY_LIMIT else HASHED + hashlib.sha256(written.encode()).hexdigest()


def made_key(*parts: object) -> str:
    """A key for an alert that was sent without one: the same for the same parts, labels in any order."""
    plain = [sorted(labels_of(part).items()) if isinstance(part, dict) else block(part) for part in parts]
    return MADE + hashlib.sha256(json.dumps(plain).encode()).hexdigest()[:40]


def labels_of(value: dict[str, Any]) -> dict[str, str]:
    """Names and values as text, for comparing; what is no plain value counts by its name alone."""
    return {name: _written(item) for name, item in value.items()}


def status_of(value: object, name: str) -> Status | None:
    """What a word for a state means; None when it is absent. A word that nobody knows fires: better asked than lost."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise RuleError(f"{name} is {kind(value)}. Send firing, acknowledged or resolved.", field=name)
    word = line(value, LABEL_LIMIT).casefold()
    if not word:
        return None
    if word in _RESOLVED:
        return "resolved"
    return "acknowledged" if word in _ACKNOWLEDGED else "firing"


def is_paused(value: object) -> bool:
    """Whether a state says that nobody looks at the moment: an unknown word would fire."""
    return isinstance(value, str) and line(value, LABEL_LIMIT).casefold() == "paused"


def when(value: object) -> datetime | None:
    """An instant of ISO 8601, RFC 2822 or seconds (milli-, micro-, nano-) since 1970; None when it is none of these.

    Without a zone it is UTC. Years before 1990 are no dates: that is how an unset one is sent.
    """
    try:
        found = _instant(value)
        found = found and (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError, OSError):
        return None
    return found if found and _FIRST_YEAR <= found.year < _LAST_YEAR else None


def _instant(value: object) -> datetime | None:
    if isinstance(value, str):
        typed = value[: _DATE_LIMIT + 1].strip()
        if len(typed) > _DATE_LIMIT:
            return None
        if _DIGITS.fullmatch(typed):
            return _instant(float(typed))
        try:
            return datetime.fromisoformat(_GO_ZONE.sub(r"\1", typed))
        except ValueError:
            return email.utils.parsedate_to_datetime(typed)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    number = float(value)
    for width, unit in ((1e11, 1), (1e14, 1e3), (1e17, 1e6), (1e20, 1e9)):
        if abs(number) < width:
            return datetime.fromtimestamp(number / unit, UTC)
    return None


def links_of(pairs: Iterable[tuple[object, object]]) -> tuple[tuple[str, str], ...]:
    """The (label, address) of what is really an http or https address, each address once."""
    found: dict[str, str] = {}
    for label, address in pairs:
        if len(found) < LINKS_LIMIT and is_link(address):
            assert isinstance(address, str)
            found.setdefault(address.strip(), line(label, LABEL_LIMIT) or "Link")
    return tuple((label, address) for address, label in found.items())


def is_link(value: object) -> bool:
    """Whether it is an http or https address of a sensible length, without a password in it."""
    if not isinstance(value, str) or len(value) > URL_LIMIT:
        return False
    typed = value.strip()
    if re.search(r"[\s\\<>\"]", typed) or _UNSTORABLE.search(typed):
        return False
    try:
        parts = urlsplit(typed)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return False


def details_of(value: Mapping[str, object]) -> dict[str, Any]:
    """A copy that is small and fit for JSON: at most DETAILS_LIMIT values on DEPTH levels, texts cut, none empty."""
    small = _small(dict(value), DEPTH, [DETAILS_LIMIT])
    return small if isinstance(small, dict) else {}


def _small(value: object, depth: int, room: list[int]) -> Any:
    if isinstance(value, dict | list):
        if depth == 0:
            return None
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        kept: dict[Any, Any] = {}
        for name, item in pairs:
            if room[0] <= 0:
                break
            room[0] -= 1
            copy = _small(item, depth - 1, room)
            if copy is not None and copy not in ("", [], {}):
                kept[line(name, NAME_LIMIT) if isinstance(value, dict) else name] = copy
        return kept if isinstance(value, dict) else list(kept.values())
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        fits = abs(value) < _WIDEST_INTEGER if isinstance(value, int) else math.isfinite(value)
        return value if fits else None
    return block(value, DETAIL_LIMIT)


def an_object(value: object, name: str) -> dict[str, Any]:
    """A JSON object; {} when it is absent. RuleError when it is anything else."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise RuleError(f"{name} is {kind(value)}. Send an object with names and values.", field=name)
    return value


def alerts_of(value: object, name: str) -> list[dict[str, Any]]:
    """A list of objects, one for each alert. RuleError when it is anything else, or too long."""
    if not isinstance(value, list):
        raise RuleError(f"{name} is {kind(value)}. Send a list of alerts.", field=name)
    if len(value) > SIGNALS_LIMIT:
        raise RuleError(f"{name} holds {len(value):,} alerts. Send at most {SIGNALS_LIMIT:,} at once.", field=name)
    for at, item in enumerate(value):
        if not isinstance(item, dict):
            raise RuleError(f"{name}[{at}] is {kind(item)}. Send an object for each alert.", field=f"{name}[{at}]")
    return value


def kind(value: object) -> str:
    """What a JSON value is, in words."""
    if isinstance(value, bool):
        return "true" if value else "false"
    words = {dict: "an object", list: "a list", str: "text", int: "a number", float: "a number"}
    return words.get(type(value), "null")


def _written(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if abs(value) < 10**40 else ""
    return repr(value) if isinstance(value, float) and math.isfinite(value) else ""


def _clean(value: str, enough: int) -> str:
    """Without what a database refuses; composed, unless it is long: composing takes time that grows with the square."""
    cleaned = _UNSTORABLE.sub("\ufffd", value[:enough])
    return unicodedata.normalize("NFC", cleaned) if len(cleaned) <= KEY_LIMIT * 4 else cleaned


def _cut(value: str, limit: int) -> str:
    return value if len(value) <= limit else value[: limit - 1].rstrip() + "…"
