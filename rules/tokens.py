"""Tokens of programs: what each scope is for. A token may do what its scopes name, and with what it reported itself
what every reporter may: read it, comment, attach, answer whether it is fixed. Nothing else.

A program sees what everybody who works here may see; a restricted incident is never open to it.
"""

from collections.abc import Collection
from dataclasses import dataclass

from rules.errors import RuleError

PREFIX = "idt_"
"""so that a token is known for one wherever it lies about"""
LENGTH = 40
"""letters and digits behind the prefix: 238 bits"""
NAME_LIMIT = 80


@dataclass(frozen=True)
class Scope:
    """What a scope opens: named actions (rules.access.TABLE), by right of these roles."""

    words: str
    actions: frozenset[str]
    roles: frozenset[str]


_READ = frozenset({"read", "browse"})
_WORK = _READ | {
    "report", "report_for", "assign", "acknowledge", "hold", "resume", "escalate", "resolve", "recover", "reject",
    "reopen", "note", "comment",
}  # fmt: skip
_TRIAGE = _WORK | {"accept", "prioritise", "close", "cancel", "merge", "unmerge", "publish"}

SCOPES = {
    "incidents:read": Scope(
        "Read incidents, their timelines, messages, updates and files", _READ, frozenset({"manager"})
    ),
    "incidents:report": Scope("Report incidents, and follow what it reported", frozenset({"report"}), frozenset()),
    "incidents:write": Scope(
        "Read and report incidents, and work on them as responders do", _WORK, frozenset({"responder"})
    ),
    "incidents:triage": Scope(
        "Work on incidents, accept, change, merge, cancel and close them, tell the public, as leads and the desk do",
        _TRIAGE,
        frozenset({"responder", "lead", "desk"}),
    ),
    "oncall:read": Scope("Read who is on call, and schedules", frozenset({"on_call"}), frozenset({"responder"})),
    "trends:read": Scope("Read the trends", frozenset({"trends"}), frozenset({"manager"})),
}
"""word -> what it opens"""


def checked(scopes: Collection[str]) -> list[str]:
    """The scopes, each once, in the order of SCOPES. RuleError('scopes') when one is unknown or there is none."""
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown:
        raise RuleError(f"There is no scope '{unknown[0][:40]}'. Choose {', '.join(SCOPES)}.", field="scopes")
    if not scopes:
        raise RuleError("Choose at least one scope.", field="scopes")
    return [scope for scope in SCOPES if scope in scopes]


def actions(scopes: Collection[str]) -> frozenset[str]:
    """Everything that these scopes are for; what is not a scope any more opens nothing."""
    return frozenset[str]().union(*(SCOPES[scope].actions for scope in scopes if scope in SCOPES))


def roles(scopes: Collection[str]) -> frozenset[str]:
    """The roles by whose right a token with these scopes acts."""
    return frozenset[str]().union(*(SCOPES[scope].roles for scope in scopes if scope in SCOPES))


def needed(action: str) -> str | None:
    """The least scope that opens an action; None when none does."""
    opening = [scope for scope, known in SCOPES.items() if action in known.actions]
    return min(opening, key=lambda scope: len(SCOPES[scope].actions), default=None)


def name_of(name: str) -> str:
    """How a token's acts are signed on timelines."""
    return f"{name} (token)"
