"""The phases of an incident: between the moments that are known, in order, without a gap."""

from datetime import UTC, datetime, timedelta

import pytest

from rules.phases import course

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
NAMES = {
    "s": "started_at", "d": "detected_at", "p": "reported_at", "a": "acknowledged_at", "g": "diagnosing_at",
    "r": "resolved_at", "c": "recovered_at",
}  # fmt: skip


def went(now=120, over=None, **minutes):
    def at(minute):
        return None if minute is None else NOON + timedelta(minutes=minute)

    found = course({NAMES[name]: at(minute) for name, minute in minutes.items()}, at(now), over_at=at(over))
    spans = [f"{one.phase} {one.seconds / 60:g}{' so far' if one.running else ''}" for one in found.spans]
    return spans, list(found.left_out)


@pytest.mark.parametrize(
    ("moments", "spans", "left_out"),
    [
        ({"p": 0}, ["Detected 120 so far"], []),
        ({"p": 0, "a": 10}, ["Detected 10", "Diagnosing 110 so far"], []),
        ({"p": 0, "a": 10, "g": 30}, ["Detected 10", "Acknowledged 20", "Diagnosing 90 so far"], []),
        ({"s": -60, "d": -5, "p": 0, "a": 10, "r": 50, "c": 70},
         ["Unnoticed 55", "Detected 15", "Diagnosing 40", "Resolved 20"], []),
        # what is unknown is left out, and the phase before lasts longer
        ({"s": -60, "p": 0, "c": 70}, ["Unnoticed 60", "Detected 70"], []),
        ({"p": 0, "r": 50}, ["Detected 50", "Resolved 70 so far"], []),
        ({"p": 0, "g": 20}, ["Detected 20", "Diagnosing 100 so far"], []),
        # a suspicion before anybody acknowledged it: diagnosing begins with the acknowledgement
        ({"p": 0, "g": 5, "a": 10}, ["Detected 10", "Diagnosing 110 so far"], []),
        # closed or cancelled without having recovered
        ({"p": 0, "a": 10, "over": 40}, ["Detected 10", "Diagnosing 30"], []),
        # a moment in the future of the server's clock, and moments at once
        ({"p": 0, "a": 0, "r": 50, "c": 50}, ["Diagnosing 50"], []),
        ({"p": 0, "s": 0, "d": 0}, ["Detected 120 so far"], []),
        # corrected moments that lie out of order
        ({"s": 30, "p": 0, "a": 10, "c": 60}, ["Detected 10", "Diagnosing 50"], ["Unnoticed"]),
        ({"d": 15, "p": 0, "a": 10, "c": 60}, ["Diagnosing 50"], ["Detected"]),
        ({"s": -60, "d": 90, "a": 10, "c": 60}, ["Unnoticed 70", "Diagnosing 50"], ["Detected"]),
        ({}, [], []),
    ],
)  # fmt: skip
def test_phases_lie_between_the_moments_that_are_known(moments, spans, left_out):
    assert went(**moments) == (spans, left_out)


def test_spans_follow_each_other_without_a_gap_up_to_recovery():
    found = course(
        {"started_at": NOON, "acknowledged_at": NOON + timedelta(hours=1), "recovered_at": NOON + timedelta(hours=3)},
        NOON + timedelta(days=9),
    )
    assert [(one.start, one.end) for one in found.spans] == [
        (NOON, NOON + timedelta(hours=1)),
        (NOON + timedelta(hours=1), NOON + timedelta(hours=3)),
    ]
    assert found.recovered_at == NOON + timedelta(hours=3)
