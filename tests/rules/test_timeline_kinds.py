"""The groups of the timeline's filter: few, and no action of the lifecycle is forgotten."""

from rules.states import ACTIONS
from rules.timeline_kinds import ALL, GROUPS, HAPPENED, kinds


def test_groups_are_few_and_each_action_is_key():
    assert len(GROUPS) <= 7
    assert set(ACTIONS) <= kinds("key")
    assert HAPPENED in kinds("key") & kinds("talk")


def test_all_and_what_there_is_not_leave_nothing_out():
    assert kinds(ALL) is None
    assert kinds("no such group") is None
    assert all(kinds(group) for group in GROUPS if group != ALL)
