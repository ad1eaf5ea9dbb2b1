"""A problem, the cause behind several incidents: states and moves, what it must say, its cost, what repeats."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from rules import likeness, text
from rules.errors import RuleError

TITLE_LIMIT, TEXT_LIMIT, REASON_LIMIT = 200, 10_000, 500
"""characters"""
LABELS = {
    "open": "Open",
    "investigating": "Investigating",
    "known_error": "Known error",
    "fixed": "Fixed",
    "closed": "Closed",
}
OPEN = frozenset({"open", "investigating", "known_error"})
"""States in which what it groups is still expected to come back."""
TEXTS = {
    "cause": "What the cause is",
    "workaround": "The workaround, for those who work",
    "public_words": "What reporters read",
    "fix": "What the permanent fix is",
}
_WANTED = {
    "cause": "Write what the cause is: a known error has one.",
    "workaround": "Write what helps until it is fixed: a known error has a workaround.",
    "fix": "Write what the permanent fix was.",
}
_NEEDS = {"known_error": ("cause", "workaround"), "fixed": ("fix",)}
"""state -> what must be written while it is in it"""


@dataclass(frozen=True)
class Move:
    """A step from one state to the next."""

    label: str
    moves: Mapping[str, str]
    """from state -> to state"""
    asks: str | None = None
    """the question for its reason; None: it needs none"""
    told: str = ""
    """what the history says, without its subject"""


def _from(to: str, *states: str) -> dict[str, str]:
    return dict.fromkeys(states, to)


MOVES: dict[str, Move] = {
    "investigate": Move("Start investigating", _from("investigating", "open"), told="began to investigate"),
    "know": Move(
        "Call it a known error", _from("known_error", "open", "investigating"), told="called it a known error"
    ),
    "doubt": Move(
        "Investigate again",
        _from("investigating", "known_error"),
        "Why it is looked into again",
        told="took back that it is a known error",
    ),
    "fix": Move("It is fixed", _from("fixed", *sorted(OPEN)), told="fixed it"),
    "close": Move("Close", _from("closed", "fixed"), told="closed it"),
    "drop": Move(
        "Close without a fix", _from("closed", *sorted(OPEN)), "Why it stays as it is", told="closed it without a fix"
    ),
    "reopen": Move(
        "Open again", _from("investigating", "fixed", "closed"), "Why it is opened again", told="opened it again"
    ),
}


def possible(state: str) -> tuple[str, ...]:
    """Names of the moves out of `state`, in the order of the table."""
    return tuple(name for name, move in MOVES.items() if state in move.moves)


def target(state: str, name: str, reason: object, texts: Mapping[str, str]) -> tuple[str, str]:
    """The state that the move leads to, and its reason as it is kept. RuleError names what is missing by field."""
    move = MOVES.get(name)
    if move is None:
        raise RuleError(f"There is no step called '{name}'.")
    if state not in move.moves:
        raise RuleError(f"It is {LABELS[state].lower()}: '{move.label}' cannot be done now.")
    to = move.moves[state]
    wrong = missing(to, texts)
    kept = ""
    if move.asks is not None:
        try:
            kept = text.block(reason, "reason", REASON_LIMIT, required=f"{move.asks}: write it in a sentence.")
        except RuleError as error:
            wrong |= error.fields
    if wrong:
        raise RuleError(" ".join(wrong.values()), fields=wrong)
    return to, kept


def missing(state: str, texts: Mapping[str, str]) -> dict[str, str]:
    """Field -> sentence, of what must be written in this state and is not."""
    return {name: _WANTED[name] for name in _NEEDS.get(state, ()) if not texts.get(name)}


def checked(values: Mapping[str, Any]) -> dict[str, str]:
    """Title and texts as they are kept, of those given. RuleError names every fault by field."""
    kept: dict[str, str] = {}
    wrong: dict[str, str] = {}
    for name, value in values.items():
        try:
            if name == "title":
                wanted = "Say what repeats, such as 'The label printers print blank labels'."
                kept[name] = text.line(value, name, TITLE_LIMIT, required=wanted)
            else:
                kept[name] = text.block(value, name, TEXT_LIMIT)
        except RuleError as error:
            wrong |= error.fields or {name: error.sentence}
    if wrong:
        raise RuleError(" ".join(wrong.values()), fields=wrong)
    return kept


def shown_to_reporters(state: str, restricted: bool, public_words: str) -> bool:
    """A known error that was put into words for reporters, unless it is restricted."""
    return state == "known_error" and not restricted and bool(public_words)


HOUR = 3_600_000_000
"""microseconds"""


@dataclass(frozen=True)
class Cost:
    """What the incidents of a problem have taken so far. Cancelled ones and duplicates are left out."""

    n: int = 0
    left_out: int = 0
    """cancelled ones and duplicates"""
    people: int = 0
    """affected, added up; an incident that does not say counts one"""
    unsaid: int = 0
    """incidents that do not say how many"""
    outage: float = 0.0
    """hours from the report until the service was restored, or until now"""
    people_hours: float = 0.0
    """the same, each incident times its people"""
    handling: float = 0.0
    """hours from the start of work to the fix, or until now, without what was on hold"""
    held: float = 0.0
    """hours on hold"""
    running: int = 0
    """incidents that are not restored yet, and count until now"""

    @property
    def person_hours(self) -> float:
        """What people lost and what handling took."""
        return self.people_hours + self.handling

    def money(self, rate: float) -> float | None:
        """Person-hours at a cost for each; None when none is set."""
        return self.person_hours * rate if rate > 0 else None


PERIOD = timedelta(days=90)
LEAST = 3
"""incidents of one service and category in PERIOD that suggest a problem; as many more bring a dismissed one back"""
_SHARED = 5
_HALF = 0.5


def shared_words(texts: Sequence[str], meaningful: Collection[str] | None = None) -> list[str]:
    """Up to five words that at least half of the texts, and two, have in common; the commonest first.

    `meaningful`: the words that tell something, as they are written; None takes all of three letters or more.
    """
    written = {plain: word for word in sorted(meaningful or ()) for plain in likeness.words(word)}
    held: Counter[str] = Counter()
    for each in texts:
        held.update(set(likeness.words(each)))
    least = max(2, len(texts) * _HALF)
    common = [
        (count, word)
        for word, count in held.items()
        if count >= least and (len(word) > 2 if meaningful is None else word in written)
    ]
    return [written.get(word, word) for _, word in sorted(common, key=lambda pair: (-pair[0], pair[1]))[:_SHARED]]


def by_likeness(texts: Mapping[int, str]) -> list[int]:
    """The ids of the texts, the one most like all the others first."""
    known = likeness.History()
    together: Counter[str] = Counter()
    for incident, said in texts.items():
        found = likeness.words(said)
        known.add(incident, None, found)
        together.update(found)
    score = dict(known.alike(together))
    return sorted(texts, key=lambda incident: (-score.get(incident, 0.0), incident))
