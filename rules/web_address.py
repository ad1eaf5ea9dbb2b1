"""Addresses that people type, to be opened in a browser."""

from urllib.parse import quote, urlsplit

from rules.errors import RuleError

LIMIT = 500
_MARKS = frozenset("()[]<>\"'\\`*|{}^$ ")


def checked(url: str) -> str:
    """The address, empty if none was given; RuleError unless a browser can open it safely.

    Signs that mean something where links are drawn are written as an address may hold them.
    """
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username
    except ValueError:
        usable = False
    if not usable:
        raise RuleError("Give an address that begins with https:// or http://.")
    written = quoted(url)
    if len(written) > LIMIT:
        raise RuleError(f"Shorten the address to {LIMIT} characters.")
    return written


def quoted(address: str) -> str:
    """The address with signs that mean something where links are drawn written as an address may hold them."""
    return "".join(quote(sign, safe="") if sign in _MARKS else sign for sign in address)
