"""Escalation policies: ordered steps with delays, repeated; who is asked, and who next while nobody has acknowledged.

A position counts the steps fired so far, through all repeats: 0 is the first step of the first round. Delays are whole
seconds. Source of the semantics: the project's design, response, which follows GoAlert's escalation policies.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from rules.errors import RuleError
from rules.wall_clock import aware

TARGETS = ("schedule", "person", "team")
MOST_REPEATS = 5
MOST_STEPS = 20
MOST_TARGETS = 20
LEAST_DELAY, MOST_DELAY = 60, 9000 * 60
"""seconds; source: GoAlert's limits of 1 and 9,000 minutes"""
LEAST_TIMEOUT, MOST_TIMEOUT = 5 * 60, 7 * 86_400
USUAL_TIMEOUT = 30 * 60
"""seconds after which an acknowledged P1 or P2 that fires on untouched pages again, unless its policy says another"""


class Target(NamedTuple):
    """Who is asked: the one on call in a schedule, a person, or everybody of a team."""

    kind: str
    id: int


@dataclass(frozen=True)
class Step:
    """Its targets are asked at once, together; the next step follows after `delay` seconds."""

    targets: tuple[Target, ...]
    delay: int


@dataclass(frozen=True)
class Policy:
    """Steps in order, begun anew `repeats` times after the last."""

    steps: tuple[Step, ...]
    repeats: int

    @classmethod
    def from_dict(cls, data: object) -> "Policy":
        """From {"steps": [{"delay": seconds, "targets": [{"kind": "schedule"|"person"|"team", "id"}]}], "repeats"}.

        `repeats`: 0 to 5, 0 where it is missing. A step may have no targets. RuleError says what to put right.
        """
        if not isinstance(data, Mapping):
            raise RuleError("An escalation policy is an object with steps and repeats.")
        steps = _listed(data.get("steps"), "Give the steps as a list.", "steps")
        if not 1 <= len(steps) <= MOST_STEPS:
            raise RuleError(f"Give the policy 1 to {MOST_STEPS} steps.", field="steps")
        repeats = data.get("repeats", 0)
        if isinstance(repeats, bool) or not isinstance(repeats, int) or not 0 <= repeats <= MOST_REPEATS:
            raise RuleError(f"Repeat the steps 0 to {MOST_REPEATS} times.", field="repeats")
        return cls(tuple(_step(step, number) for number, step in enumerate(steps, 1)), repeats)

    @property
    def length(self) -> int:
        """How many positions there are, all rounds counted."""
        return len(self.steps) * (self.repeats + 1)


class Firing(NamedTuple):
    """At `at` the step (from 0) of the round (from 0) fires."""

    at: datetime
    step: int
    round: int


Reaches = Callable[[Step, datetime], bool]
"""Whether a step that fires at the instant reaches anybody"""


def has_targets(step: Step, at: datetime) -> bool:
    """The plainest answer to whether a step reaches anybody, when nobody is looked up."""
    return bool(step.targets)


def step_at(policy: Policy, position: int) -> Step | None:
    """The step that fires at the position; None when the steps have run out."""
    _check(position)
    return policy.steps[position % len(policy.steps)] if position < policy.length else None


def next_step(policy: Policy, position: int) -> int | None:
    """The position after this one; None when it was the last."""
    _check(position)
    return position + 1 if position + 1 < policy.length else None


def wait_seconds(policy: Policy, position: int, reached: bool) -> int:
    """Seconds from the firing at the position until the next, or until the steps have run out.

    A step that reached nobody does not wait; nor is there anything to wait for when they have run out.
    """
    step = step_at(policy, position)
    return step.delay if step is not None and reached else 0


def plan(policy: Policy, fired_at: datetime, reaches: Reaches = has_targets) -> list[Firing]:
    """What fires when, if nobody ever acknowledges, from `fired_at` on; in UTC, for the dry run."""
    return _run(policy, fired_at, reaches)[0]


def acknowledge_timeout(own: int | None, priority: int | None) -> int | None:
    """Seconds after which what was acknowledged and left alone pages again; None: never. `own` is the policy's."""
    return own or (USUAL_TIMEOUT if priority in (1, 2) else None)


def runs_out_at(policy: Policy, fired_at: datetime, reaches: Reaches = has_targets) -> datetime:
    """When the last step's delay has run as well, so that the lead and the service desk are told; in UTC."""
    return _run(policy, fired_at, reaches)[1]


def _run(policy: Policy, fired_at: datetime, reaches: Reaches) -> tuple[list[Firing], datetime]:
    at = aware(fired_at)
    fired = []
    position: int | None = 0
    while position is not None:
        number, index = divmod(position, len(policy.steps))
        fired.append(Firing(at, index, number))
        at += timedelta(seconds=wait_seconds(policy, position, reaches(policy.steps[index], at)))
        position = next_step(policy, position)
    return fired, at


def _check(position: int) -> None:
    if isinstance(position, bool) or not isinstance(position, int) or position < 0:
        raise RuleError("A position is a whole number, 0 or more.")


def _listed(value: object, sentence: str, field: str) -> Sequence[Any]:
    if isinstance(value, str | bytes) or not isinstance(value, Sequence):
        raise RuleError(sentence, field=field)
    return value


def _step(data: object, number: int) -> Step:
    if not isinstance(data, Mapping):
        raise RuleError(f"Step {number}: give it targets and a delay.", field="steps")
    delay = data.get("delay")
    if isinstance(delay, bool) or not isinstance(delay, int) or not LEAST_DELAY <= delay <= MOST_DELAY:
        raise RuleError(f"Step {number}: wait 1 to {MOST_DELAY // 60} minutes before the next step.", field="delay")
    targets = _listed(data.get("targets", ()), f"Step {number}: give the targets as a list.", "targets")
    if len(targets) > MOST_TARGETS:
        raise RuleError(f"Step {number}: name {MOST_TARGETS} targets at most.", field="targets")
    found = tuple(_target(target, number) for target in targets)
    if len(set(found)) < len(found):
        raise RuleError(f"Step {number}: a target is there twice. Keep it once.", field="targets")
    return Step(found, delay)


def _target(data: object, number: int) -> Target:
    kind = data.get("kind") if isinstance(data, Mapping) else None
    if not isinstance(data, Mapping) or kind not in TARGETS:
        raise RuleError(f"Step {number}: choose a schedule, a person or a team for each target.", field="targets")
    who = data.get("id")
    if isinstance(who, bool) or not isinstance(who, int):
        raise RuleError(f"Step {number}: choose which {kind}.", field="targets")
    return Target(str(kind), who)
