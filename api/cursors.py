"""Cursors: where a page ended, for the call that asks for the next. Programs hand them back as they came."""

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from db.models import from_micros, to_micros
from rules.errors import RuleError

LONGEST = 400
_LARGEST = 2**63 - 1
_WRONG = "Take the cursor as it came with the page before, and leave all else of the call as it was."


def write(of: str, place: Sequence[Any]) -> str:
    """A cursor for this place; `of` tells what was listed, so that it serves no other list."""
    values = [["t", to_micros(one)] if isinstance(one, datetime) else ["n", one] for one in place]
    return urlsafe_b64encode(json.dumps([_mark(of), values], separators=(",", ":")).encode()).decode().rstrip("=")


def read(of: str, cursor: str, kinds: str) -> tuple[Any, ...]:
    """The place. `kinds` has a letter for each value: t a time, n a whole number. RuleError('cursor')."""
    try:
        if len(cursor) > LONGEST:
            raise ValueError
        mark, values = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if mark != _mark(of) or "".join(kind for kind, _ in values) != kinds:
            raise ValueError
        for _, value in values:
            if type(value) is not int or not -_LARGEST <= value <= _LARGEST:
                raise ValueError
        return tuple(from_micros(value) if kind == "t" else value for kind, value in values)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        raise RuleError(_WRONG, field="cursor") from None


def _mark(of: str) -> str:
    return hashlib.sha256(of.encode("utf-8", "replace")).hexdigest()[:12]
