"""What is said in an incident's room: its length, and whom it names."""

import re
from collections.abc import Mapping

from rules import text

LONGEST = 4000
"""characters of one message"""
_BEFORE = re.compile(r"(?<![\w@])@")


def words(typed: str) -> str:
    """The message as it is kept. RuleError when it is empty or too long."""
    return text.block(typed, "message", LONGEST, required="Write something first.")


def mirrored(author: str, said: str, file: str = "", *, corrected: bool = False) -> str:
    """A message as a team reads it in its channel: nothing of a file but its name."""
    words = " ".join(part for part in (said, f"(file: {file})" if file else "") if part)
    return f"{author}, corrected: {words}" if corrected else f"{author}: {words}"


def mentioned(said: str, people: Mapping[int, str]) -> frozenset[int]:
    """Ids of the people whose names stand behind an '@': '@Ana Silva', or '@Ana' when only one is called that.

    Of names that begin alike the longest that stands there counts. `people` is id -> name.
    """
    whole = {name.casefold(): person for person, name in people.items()}
    first: dict[str, set[int]] = {}
    for person, name in people.items():
        first.setdefault(name.split()[0].casefold(), set()).add(person)
    longest = sorted(whole, key=len, reverse=True)
    found = set()
    folded = said.casefold()
    for sign in _BEFORE.finditer(folded):
        rest = folded[sign.end() :]
        named = next((name for name in longest if rest.startswith(name) and not _goes_on(rest, len(name))), None)
        if named is not None:
            found.add(whole[named])
            continue
        word = re.match(r"[\w'-]+", rest)
        alone = first.get(word.group(), set()) if word else set()
        if len(alone) == 1:
            found |= alone
    return frozenset(found)


def _goes_on(rest: str, end: int) -> bool:
    return end < len(rest) and rest[end].isalnum()
