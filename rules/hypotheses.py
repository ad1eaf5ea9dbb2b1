"""Suspected causes: the states they may have, what leads from one to another, and the words that must go with it."""

from rules import text
from rules.errors import RuleError

SUSPECTED, RULED_OUT, CONFIRMED = "suspected", "ruled_out", "confirmed"
LABELS = {SUSPECTED: "Suspected", RULED_OUT: "Ruled out", CONFIRMED: "Confirmed"}
MOVES = {
    SUSPECTED: frozenset({RULED_OUT, CONFIRMED}),
    RULED_OUT: frozenset({SUSPECTED}),
    CONFIRMED: frozenset({SUSPECTED}),
}
"""state -> what it may become; what was decided is suspected again before it is decided otherwise"""
SPEAKS = {"for": "For it", "against": "Against it", "neither": "Neither"}
_SPEAKS_BY_STATE = {CONFIRMED: "for", RULED_OUT: "against", SUSPECTED: "neither"}
_WHY = {
    RULED_OUT: "Say what rules it out.",
    CONFIRMED: "Say what confirms it.",
    SUSPECTED: "Say why it is suspected again.",
}
LIMIT, EVIDENCE_LIMIT = 300, 4000
"""characters"""
MOST, MOST_EVIDENCE = 50, 200
"""of one incident, and of one hypothesis"""


def cause(typed: object) -> str:
    """The suspected cause as it is kept. RuleError('cause')."""
    return text.line(typed, "cause", LIMIT, required="Say what you suspect.")


def evidence(typed: object, *, required: bool = True) -> str:
    """Words of evidence. RuleError('evidence')."""
    return text.block(typed, "evidence", EVIDENCE_LIMIT, required="Say what you found." if required else None)


def speaks(given: str) -> str:
    """A key of SPEAKS. RuleError('speaks')."""
    if given not in SPEAKS:
        raise RuleError("Choose whether it speaks for it or against it.", field="speaks")
    return given


def decided(state: str, to: str, typed: object) -> tuple[str, str]:
    """What a decision is written with: the words, and whether they speak for or against it. RuleError otherwise."""
    if to not in LABELS:
        raise RuleError(f"There is no state called '{to[:40]}'.")
    words = text.block(typed, "evidence", EVIDENCE_LIMIT, required=_WHY[to])
    if to not in MOVES[state]:
        raise RuleError(f"It is {LABELS[state].lower()} already. Suspect it again first, then decide.")
    return words, _SPEAKS_BY_STATE[to]
