"""What priority an alert's severity stands for. Each tool has words of its own; an integration may say more."""

from collections.abc import Mapping

from rules.errors import RuleError
from rules.priority import LABELS

SEVERITIES: Mapping[str, int] = {
    "critical": 1,
    "disaster": 1,
    "page": 1,
    "error": 2,
    "high": 2,
    "warning": 3,
    "average": 3,
    "info": 4,
    "information": 4,
    "low": 4,
}
"""severity -> priority, where an integration says nothing else"""
UNKNOWN = 3
_WORDS_LIMIT, _LENGTH_LIMIT = 50, 64


def priority_of(severity: str, mapping: Mapping[str, int] | None = None, default: int = UNKNOWN) -> int:
    """Priority 1..5 of a severity in any case: by the integration's own mapping, then by SEVERITIES, else `default`."""
    word = _folded(severity)
    own = {_folded(key): level for key, level in (mapping or {}).items()}
    return own.get(word, SEVERITIES.get(word, default))


def checked(mapping: Mapping[str, object], field: str = "severities") -> dict[str, int]:
    """An integration's own mapping as it is stored: folded words to priorities. RuleError(field) says what is wrong."""
    if len(mapping) > _WORDS_LIMIT:
        raise RuleError(f"Keep to {_WORDS_LIMIT} severities.", field=field)
    found: dict[str, int] = {}
    for severity, level in mapping.items():
        word = _folded(severity)
        if not word or len(word) > _LENGTH_LIMIT:
            raise RuleError(f"A severity has 1 to {_LENGTH_LIMIT} characters.", field=field)
        if word in found:
            raise RuleError(f"'{word}' is there twice. Keep one line for each severity.", field=field)
        if isinstance(level, bool) or not isinstance(level, int) or level not in LABELS:
            raise RuleError(f"Give '{word}' a priority from 1 (critical) to 5 (planning).", field=field)
        found[word] = level
    return found


def typed(text: str, field: str = "severities") -> dict[str, int]:
    """A mapping as people type it, one 'word = priority' a line. RuleError(field) names the line at fault."""
    found: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        word, equals, level = (part.strip() for part in line.rpartition("="))
        if not equals or level.removeprefix("P").removeprefix("p") not in map(str, LABELS):
            raise RuleError(f"Line {number} is not like 'critical = 1'. Give each severity 1 to 5.", field=field)
        if _folded(word) in map(_folded, found):
            raise RuleError(f"'{_folded(word)}' is there twice. Keep one line for each severity.", field=field)
        found[word] = int(level[-1])
    return checked(found, field)


def as_typed(mapping: Mapping[str, int]) -> str:
    """The same the other way."""
    return "\n".join(
        f"{word} = {level}" for word, level in sorted(mapping.items(), key=lambda item: (item[1], item[0]))
    )


def _folded(severity: str) -> str:
    return " ".join(severity.split()).casefold()
