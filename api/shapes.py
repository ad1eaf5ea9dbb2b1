"""What the body of a call may hold: each field said once, for those who read the description and for the check.

Only kinds are checked here. What a value must be to make sense, and which fields a change needs, the commands say.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from rules import text
from rules.errors import RuleError
from rules.wall_clock import aware

NAME_LIMIT = 254
LARGEST = 2**31 - 1
MOST_UNKNOWN = 20
"""fields that are told to be unknown"""


@dataclass(frozen=True)
class Kind:
    """A kind of value: its JSON schema, and what reads one (RuleError when it is none)."""

    schema: Mapping[str, Any]
    read: Callable[[Any], Any]
    empties: bool = False
    """null takes away what is there; elsewhere it stands for 'not given'"""
    names: str | None = None
    """key of db.queries.references.KINDS: what it names is looked for"""

    def described(self, words: str) -> "Kind":
        """The same, with words for the description."""
        return Kind({**self.schema, "description": words}, self.read, self.empties, self.names)


def words(limit: int) -> Kind:
    """Text; the commands fold, trim and shorten."""

    def read(value: Any) -> str:
        if not isinstance(value, str):
            raise RuleError("Give text in quotation marks.")
        return value

    return Kind({"type": "string", "maxLength": limit}, read)


def choice(*options: str) -> Kind:
    """One of a list of words."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in options:
            raise RuleError(f"Choose one of {', '.join(options)}.")
        return value

    return Kind({"type": "string", "enum": list(options)}, read)


def whole(least: int, most: int, *, empties: bool = False) -> Kind:
    """A whole number within these."""

    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise RuleError(f"Give a whole number from {least:,} to {most:,}.")
        return value

    return Kind({"type": "integer", "minimum": least, "maximum": most}, read, empties)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise RuleError("Give true or false.")
    return value


def moment(written: Any) -> datetime:
    """An instant as '2026-11-23T09:00:00Z' or with another offset; RuleError for anything else."""
    try:
        return aware(datetime.fromisoformat(written)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise RuleError("Write the time as 2026-11-23T09:00:00Z, or with its offset.") from None


def reference(of: str, *, empties: bool = False) -> Kind:
    """A thing by its name (a person by e-mail address) or id."""

    def read(value: Any) -> int | str:
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, str) and value.strip():
            return text.line(value, of, NAME_LIMIT)
        raise RuleError("Give a name or an id.")

    either = [{"type": "string", "minLength": 1, "maxLength": NAME_LIMIT}, {"type": "integer", "minimum": 1}]
    return Kind({"anyOf": either}, read, empties, of)


def _mapping(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        raise RuleError('Give an object of texts, such as {"3": "degraded"}.')
    return value


FLAG = Kind({"type": "boolean"}, _flag)
INSTANT = Kind({"type": "string", "format": "date-time"}, moment)
TEXTS = Kind({"type": "object", "additionalProperties": {"type": "string"}}, _mapping)
VERSION = Kind(
    {
        "type": "integer",
        "minimum": 0,
        "maximum": LARGEST,
        "description": "The version that was read. When the incident has changed since, nothing is changed (409).",
    },
    whole(0, LARGEST).read,
)


@dataclass(frozen=True)
class Shape:
    """The fields of a body."""

    fields: Mapping[str, Kind]
    required: tuple[str, ...] = ()
    asked: Mapping[str, str] = field(default_factory=dict)
    """required field -> what is said when it is missing; without it, the command says so"""

    def schema(self) -> dict[str, Any]:
        """As JSON schema."""
        properties = {
            name: dict(kind.schema) if name in self.required else _or_null(kind) for name, kind in self.fields.items()
        }
        made = {"type": "object", "properties": properties, "additionalProperties": False}
        return made | ({"required": list(self.required)} if self.required else {})

    def read(self, payload: Any) -> dict[str, Any]:
        """The fields that were given, read. RuleError names each that is of another kind, or unknown."""
        if not isinstance(payload, dict):
            raise RuleError("Send a JSON object.")
        found: dict[str, Any] = {}
        unknown = [text.line(name[:60], "name", NAME_LIMIT) for name in payload if name not in self.fields]
        known = ", ".join(self.fields)
        wrong = {name: f"There is no field '{name}' here. Fields are {known}." for name in unknown[:MOST_UNKNOWN]}
        for name, kind in self.fields.items():
            value = payload.get(name)
            if value is None:
                if name in self.asked:
                    wrong[name] = self.asked[name]
                elif kind.empties and name in payload:
                    found[name] = None
                continue
            try:
                found[name] = kind.read(value)
            except RuleError as error:
                wrong[name] = error.sentence
        if wrong:
            raise RuleError(" ".join(wrong.values())[:2000], fields=wrong)
        return found

    def names(self, given: Mapping[str, Any]) -> dict[str, tuple[str, int | str]]:
        """Of what was read: field -> what kind of thing it names, and how."""
        return {
            name: (kind.names, given[name])
            for name, kind in self.fields.items()
            if kind.names is not None and given.get(name) is not None
        }


def _or_null(kind: Kind) -> dict[str, Any]:
    schema = dict(kind.schema)
    if isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
    else:
        schema["anyOf"] = [*schema["anyOf"], {"type": "null"}]
    return schema
