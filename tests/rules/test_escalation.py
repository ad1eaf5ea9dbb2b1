"""Escalation policies: what fires when while nobody acknowledges, and what a policy may say."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from rules.errors import RuleError
from rules.escalation import Firing, Policy, Target, next_step, plan, runs_out_at, step_at, wait_seconds

FIRED = datetime.fromisoformat("2026-11-23T09:00+00:00")
ANA, NETWORK = {"kind": "person", "id": 7}, {"kind": "schedule", "id": 1}


def step(minutes: int, *targets: dict[str, Any]) -> dict[str, Any]:
    return {"delay": minutes * 60, "targets": list(targets)}


def policy(*steps: dict[str, Any], repeats: int = 0) -> Policy:
    return Policy.from_dict({"name": "Network", "steps": list(steps), "repeats": repeats})


def after(minutes: int) -> datetime:
    return FIRED + timedelta(minutes=minutes)


def test_step_1_fires_at_once_and_the_next_after_its_delay():
    found = policy(step(5, NETWORK), step(10, ANA))
    assert plan(found, FIRED) == [Firing(after(0), 0, 0), Firing(after(5), 1, 0)]
    assert runs_out_at(found, FIRED) == after(15)


def test_after_the_last_step_the_steps_repeat():
    found = policy(step(5, NETWORK), step(10, ANA), repeats=2)
    assert plan(found, FIRED) == [
        (after(0), 0, 0),
        (after(5), 1, 0),
        (after(15), 0, 1),
        (after(20), 1, 1),
        (after(30), 0, 2),
        (after(35), 1, 2),
    ]
    assert runs_out_at(found, FIRED) == after(45)


def test_a_step_that_reaches_nobody_does_not_wait():
    found = policy(step(5), step(10, ANA), step(20), repeats=1)
    assert [(firing.at, firing.step) for firing in plan(found, FIRED)] == [
        (after(0), 0),
        (after(0), 1),
        (after(10), 2),
        (after(10), 0),
        (after(10), 1),
        (after(20), 2),
    ]
    assert runs_out_at(found, FIRED) == after(20)
    nobody = policy(step(5, NETWORK), step(5, ANA), repeats=5)
    assert runs_out_at(nobody, FIRED, reaches=lambda step, at: False) == FIRED
    # who is reached is asked for the moment at which the step fires
    office = plan(policy(step(5, NETWORK), step(5, NETWORK), step(5, ANA)), FIRED, lambda step, at: at < after(5))
    assert [firing.at for firing in office] == [after(0), after(5), after(5)]


def test_positions_run_through_all_rounds_and_then_out():
    found = policy(step(5, NETWORK), step(10, ANA), repeats=1)
    assert [step_at(found, position).delay for position in range(4)] == [300, 600, 300, 600]
    assert step_at(found, 0).targets == (Target("schedule", 1),)
    assert step_at(found, 4) is None
    assert [next_step(found, position) for position in range(5)] == [1, 2, 3, None, None]
    assert [wait_seconds(found, position, True) for position in range(5)] == [300, 600, 300, 600, 0]
    assert wait_seconds(found, 0, False) == 0


@pytest.mark.parametrize("position", [-1, True, 1.0, None])
def test_a_mistaken_position_is_refused(position):
    with pytest.raises(RuleError, match="whole number"):
        step_at(policy(step(5, ANA)), position)


def test_the_dry_run_needs_a_zone_for_its_start():
    with pytest.raises(RuleError, match="zone"):
        plan(policy(step(5, ANA)), datetime(2026, 11, 23))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("ana", "object"),
        ({"steps": "ana"}, "as a list"),
        ({}, "as a list"),
        ({"steps": []}, "1 to 20 steps"),
        ({"steps": [step(5, ANA)] * 21}, "1 to 20 steps"),
        ({"steps": ["ana"]}, "Step 1: give it"),
        ({"steps": [step(5, ANA), step(0, ANA)]}, "Step 2: wait 1 to 9000 minutes"),
        ({"steps": [step(9001, ANA)]}, "9000 minutes"),
        ({"steps": [{"targets": [ANA]}]}, "wait 1 to"),
        ({"steps": [{"targets": [ANA], "delay": 90.5}]}, "wait 1 to"),
        ({"steps": [{"targets": [ANA], "delay": True}]}, "wait 1 to"),
        ({"steps": [{"targets": "ana", "delay": 60}]}, "targets as a list"),
        ({"steps": [step(5, ANA, ANA)]}, "twice"),
        ({"steps": [step(5, *({"kind": "person", "id": n} for n in range(21)))]}, "20 targets"),
        ({"steps": [step(5, {"kind": "pager", "id": 1})]}, "a schedule, a person or a team"),
        ({"steps": [step(5, {"kind": ["person"], "id": 1})]}, "a schedule, a person or a team"),
        ({"steps": [{"targets": ["ana"], "delay": 60}]}, "a schedule, a person or a team"),
        ({"steps": [step(5, {"kind": "team"})]}, "choose which team"),
        ({"steps": [step(5, ANA)], "repeats": 6}, "0 to 5 times"),
        ({"steps": [step(5, ANA)], "repeats": -1}, "0 to 5 times"),
        ({"steps": [step(5, ANA)], "repeats": True}, "0 to 5 times"),
    ],
)
def test_a_mistaken_policy_says_how_to_put_it_right(data, says):
    with pytest.raises(RuleError, match=says):
        Policy.from_dict(data)
