"""The JSON of a request's body, read so that nothing in it can surprise whoever works with it.

What no sender means is refused with a sentence: a name given twice (which of the two counts?), NaN and infinity,
numbers of hundreds of digits, hundreds of levels. What comes back fits into both databases, except for what text may
hold: NUL and lone surrogates are cleaned where text is read.
"""

import json
import math
import re
from collections import Counter
from typing import Any

from rules.errors import RuleError

BYTES_LIMIT = 4 * 1024 * 1024
"""Of a body; some thousand alerts of Alertmanager in one message."""
DEPTH_LIMIT = 50
DIGITS_LIMIT = 100
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_REST = re.compile(r"[^\[{\]}]+")
_SHOWN = 60


def decode(body: bytes, limit: int = BYTES_LIMIT) -> Any:
    """The value of a JSON text in UTF-8, with or without a byte order mark. RuleError says what is wrong and where."""
    if len(body) > limit:
        raise RuleError(f"The body has {len(body):,} bytes. Send at most {limit:,}.")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise RuleError(f"The body is not UTF-8: see byte {wrong.start + 1:,}. Send JSON in UTF-8.") from None
    return decode_text(text)


def decode_text(text: str, name: str = "The body") -> Any:
    """The same for text that is already decoded; `name` begins the sentences."""
    if not text.strip():
        raise RuleError(f"{name} is empty. Send JSON.")
    if _too_deep(text):
        raise RuleError(f"{name} is nested more than {DEPTH_LIMIT} levels deep. Send less in less depth.")
    try:
        return _decoder(name).decode(text)
    except json.JSONDecodeError as wrong:
        where = f"line {wrong.lineno}, column {wrong.colno}"
        raise RuleError(f"{name} is not JSON: {wrong.msg[:_SHOWN]} at {where}.") from None


def _too_deep(text: str) -> bool:
    """Whether brackets outside of strings are open too many at once, found without descending into them."""
    if text.count("[") + text.count("{") <= DEPTH_LIMIT:
        return False
    depth = 0
    for bracket in _REST.sub("", _STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > DEPTH_LIMIT:
            return True
    return False


def _decoder(name: str) -> json.JSONDecoder:
    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            twice = next(key for key, times in Counter(key for key, _ in pairs).items() if times > 1)
            raise RuleError(f"{name} has {ascii(twice)[:_SHOWN]} twice in one object. Send each name once.")
        return found

    def whole(digits: str) -> int:
        if len(digits) > DIGITS_LIMIT:
            raise RuleError(f"{name} has a number of {len(digits):,} digits. Send at most {DIGITS_LIMIT}.")
        return int(digits)

    def fraction(digits: str) -> float:
        number = float(digits)
        if not math.isfinite(number):
            raise RuleError(f"{name} has the number {digits[:_SHOWN]}, which is too large.")
        return number

    def constant(word: str) -> float:
        raise RuleError(f"{name} has {word}, which is not JSON. Send a number or null.")

    return json.JSONDecoder(object_pairs_hook=members, parse_int=whole, parse_float=fraction, parse_constant=constant)
