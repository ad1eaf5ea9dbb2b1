"""Chains over what is recorded: each entry carries a keyed hash of itself and of the entry before it.

Whoever changes, removes, inserts or exchanges an entry breaks the chain at that place, unless they know SECRET_KEY:
the key is derived from it and never kept in the database, so the chain holds against somebody who can write to the
database but cannot read the app's settings. It does not hold against whoever has both, nor does a chain by itself
show that its end was cut off: for that its anchor is kept elsewhere (python -m db verify).

A hash is 32 bytes: 4 that name the key it was made with, and the first 28 of HMAC-SHA-256. So a record made with an
earlier SECRET_KEY is recognised as such, and can be checked with that key, instead of looking tampered with.
"""

import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from json.encoder import encode_basestring_ascii
from typing import Any

NAME_BYTES, HASH_BYTES = 4, 32
START = bytes(HASH_BYTES)
"""What stands before the first entry of a chain."""

_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode


@dataclass(frozen=True)
class Key:
    """A key of chains; `name` stands in every hash made with it."""

    name: bytes
    secret: bytes


def key_of(secret_key: bytes) -> Key:
    """The key derived from a SECRET_KEY; neither it nor its name tells anything of that."""
    secret = hmac.digest(secret_key, b"incident desk: chain of records, 1", "sha256")
    return Key(hmac.digest(secret, b"name", "sha256")[:NAME_BYTES], secret)


def canonical(values: Sequence[Any]) -> bytes:
    """The one way to write `values` (JSON values, keys of objects being text), whatever database they come from.

    A number that is whole is written as such: a database may give 2.0 back as 2, and 1e23 as its digits. ValueError
    or TypeError for what is not JSON.
    """
    return f"[{','.join([_TEXT.get(type(value), _text)(value) for value in values])}]".encode("ascii")


def _text(value: Any) -> str:
    return _encode(_plain(value))


# Most values are these, and an import hashes many: the same text as the encoder's, sooner.
_TEXT: dict[type, Callable[[Any], str]] = {
    str: encode_basestring_ascii,
    int: repr,
    type(None): lambda _nothing: "null",
    bool: lambda value: "true" if value else "false",
}


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(Decimal(repr(value)))  # the digits it was written with, as a database keeps them
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value


def link(key: Key, before: bytes, values: Sequence[Any]) -> bytes:
    """The hash of an entry with these values that follows the one with the hash `before` (START: the first)."""
    return key.name + hmac.digest(key.secret, before + canonical(values), "sha256")[: HASH_BYTES - NAME_BYTES]


def holds(keys: Mapping[bytes, Key], before: bytes, values: Sequence[Any], found: bytes) -> bool | None:
    """Whether `found` is the hash of the entry; None when it was made with a key that is not among `keys`, by name."""
    key = keys.get(bytes(found[:NAME_BYTES]))
    if key is None:
        return None
    return hmac.compare_digest(link(key, before, values), bytes(found))
