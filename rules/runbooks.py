"""Runbooks: Markdown with steps to tick, its limits, and which one goes with an incident."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rules import text
from rules.errors import RuleError
from rules.markdown import Block, blocks

NAME_LIMIT, TEXT_LIMIT, STEP_LIMIT = 120, 30_000, 300
"""characters"""
MOST_STEPS = 50
"""More would make the room slow, and nobody would see where they are."""


@dataclass(frozen=True)
class Part:
    """A step, or all that stands between two steps."""

    blocks: tuple[Block, ...]
    step: int | None = None
    """its place among the steps, from 0; None for what is only read"""


@lru_cache(maxsize=256)
def parts(written: str) -> tuple[Part, ...]:
    """The runbook from top to bottom."""
    found: list[Part] = []
    steps = 0
    between: list[Block] = []
    for block in blocks(written):
        if block.kind != "step":
            between.append(block)
            continue
        if between:
            found.append(Part(tuple(between)))
            between = []
        found.append(Part((block,), steps))
        steps += 1
    return tuple([*found, Part(tuple(between))] if between else found)


def steps(written: str) -> tuple[str, ...]:
    """What is to do, in words alone: the lines that begin as '- [ ] ' does."""
    return tuple(part.blocks[0].words for part in parts(written) if part.step is not None)


def checked(written: object) -> str:
    """The text as it is kept. RuleError('text')."""
    kept = text.block(written, "text", TEXT_LIMIT, required="Write what to do.")
    found = steps(kept)
    if len(found) > MOST_STEPS:
        sentence = f"A runbook has at most {MOST_STEPS} steps; it has {len(found)}. Split it into two."
        raise RuleError(sentence, field="text")
    long = next((at for at, step in enumerate(found, 1) if len(step) > STEP_LIMIT), None)
    if long is not None:
        sentence = f"Shorten step {long} to {STEP_LIMIT} characters. What explains it can stand beneath it, as text."
        raise RuleError(sentence, field="text")
    return kept


def name(typed: object) -> str:
    """RuleError('name')."""
    return text.line(typed, "name", NAME_LIMIT, required="Give it a name, such as 'E-mail does not arrive'.")


def fit(of: Sequence[int | None], incident: Sequence[int | None]) -> int | None:
    """How well a runbook's (service, category pair) goes with an incident's; None when it does not.

    3 for both, 2 for the service, 1 for the category, 0 for one that goes with any incident.
    """
    if any(own is not None and own != theirs for own, theirs in zip(of, incident, strict=True)):
        return None
    service, pair = of
    return 2 * (service is not None) + (pair is not None)
