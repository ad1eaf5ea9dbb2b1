"""Cleaning of everything that is typed: what cannot be stored or shown is replaced, what is too long is refused."""

import re
import unicodedata

from rules.errors import RuleError

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_EMAIL_LIMIT = 254
_NAMES = {
    "title": "what is wrong",
    "affected": "what is affected",
    "caller_name": "the name",
    "caller_contact": "how to reach you",
    "description": "the description",
    "words": "what you wrote",
    "comment": "the comment",
    "reason": "the reason",
    "resolution_note": "what was done",
    "verification_note": "the reason",
    "vendor_contact": "how the vendor is reached",
    "vendor_reference": "the vendor's reference",
}

_NUMBER_LIMIT = 40
_FAR = 10
"""times the limit; nothing that is folded or trimmed comes near it"""


def _clean(value: object) -> str:
    """The text with NUL, lone surrogates and control characters replaced by U+FFFD, in normal form."""
    if not isinstance(value, str):
        raise RuleError("Type text here.")
    normal = unicodedata.normalize("NFC", value.replace("\r\n", "\n").replace("\r", "\n"))
    if normal.replace("\n", "").replace("\t", "").isprintable():  # as most are, found out at once
        return normal
    kept = []
    for character in normal:
        category = unicodedata.category(character)
        bad = category == "Cs" or (category == "Cc" and character not in "\n\t")
        kept.append("\ufffd" if bad else character)
    return "".join(kept)


def _limited(value: str, field: str, limit: int, required: str | None) -> str:
    if required and not value:
        raise RuleError(required, field=field)
    if len(value) > limit:
        name = _NAMES.get(field, f"the {field.replace('_', ' ')}")
        raise RuleError(f"Shorten {name} to {limit:,} characters; it has {len(value):,}.", field=field)
    return value


def _bounded(value: object, field: str, limit: int) -> object:
    """`value`, unless it is far too long: putting it into normal form would take minutes for nothing."""
    return _limited(value, field, limit, None) if isinstance(value, str) and len(value) > _FAR * limit else value


def looked_for(number: str) -> str:
    """The number of an incident or a problem as it is looked for: PostgreSQL takes no NUL, not even to find nothing."""
    return number.replace("\0", " ").strip()[:_NUMBER_LIMIT]


def line(value: object, field: str, limit: int, *, required: str | None = None) -> str:
    """One line of text, white space folded. RuleError(field) when longer than `limit`, or empty and `required`."""
    return _limited(" ".join(_clean(_bounded(value, field, limit)).split()), field, limit, required)


def block(value: object, field: str, limit: int, *, required: str | None = None) -> str:
    """Text of several lines, trimmed. RuleError(field) when longer than `limit`, or empty and `required`."""
    return _limited(_clean(_bounded(value, field, limit)).strip(), field, limit, required)


def email(value: object, field: str = "email") -> str:
    """An e-mail address in lower case; RuleError when it cannot be one."""
    cleaned = line(value, field, _EMAIL_LIMIT, required="Give an e-mail address.").lower()
    if not _EMAIL.fullmatch(cleaned) or "\ufffd" in cleaned:
        raise RuleError("Give an e-mail address such as name@example.org.", field=field)
    return cleaned
