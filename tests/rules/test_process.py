"""The ways incidents went: where a way ends, which step leads back, and what a drawing leaves out."""

from dataclasses import dataclass

import pytest

from rules.process import MOST_DRAWN, drawn, goes_back, to_the_end
from rules.states import ACTIONS, STATES


@pytest.mark.parametrize(
    ("path", "way"),
    [
        ("new assigned in_progress resolved recovered closed", "new assigned in_progress resolved"),
        ("new resolved", "new resolved"),
        ("new resolved in_progress resolved closed", "new resolved in_progress resolved"),
        ("in_progress closed", "in_progress closed"),
        ("resolved recovered closed", "resolved"),
        ("closed", "closed"),
        ("new cancelled", "new cancelled"),
        ("new cancelled closed", "new cancelled closed"),
        ("new assigned", None),
        ("resolved in_progress", None),
        ("", None),
    ],
)
def test_a_way_ends_with_the_last_resolution_or_cancellation(path, way):
    assert to_the_end(path.split()) == (None if way is None else tuple(way.split()))


def test_only_rejecting_reopening_and_assigning_anew_lead_back():
    back = {name for name, action in ACTIONS.items() for pair in action.moves.items() if goes_back(*pair)}
    assert back == {"reject", "reopen", "assign", "escalate", "unmerge"}
    assert not any(goes_back(state, state) for state in STATES)


@dataclass(frozen=True)
class Made:
    n: int


def test_a_drawing_leaves_out_what_is_rare_and_keeps_to_a_size():
    moves = [Made(n) for n in (1, 50, 9, 10)]
    assert [move.n for move in drawn(moves, 1000)] == [50, 10]
    assert len(drawn([Made(5)] * 40, 0)) == MOST_DRAWN
