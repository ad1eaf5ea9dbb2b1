"""The kinds of entries of a timeline, grouped into the few words that its filter offers."""

from rules.states import ACTIONS

ALL = "all"
GROUPS: dict[str, tuple[str, frozenset[str]]] = {
    "key": (
        "Key",
        frozenset(ACTIONS)
        | {"report", "detected", "sla", "ola", "inform", "declare", "stand_down", "update", "happened"},
    ),
    "people": (
        "People and teams",
        frozenset(
            {"accept", "assign", "acknowledge", "escalate", "reject", "inform", "handover", "vendor", "role", "named"}
            | {"follow", "merge", "unmerge", "merged", "declare", "stand_down"}
        ),
    ),
    "talk": (
        "Talk and updates",
        frozenset({"comment", "note", "update", "sent", "chase", "asked", "remind", "call", "file", "happened"}),
    ),
    "cause": ("Cause and steps", frozenset({"hypothesis", "runbook", "task", "relate", "postmortem"})),
    "clocks": ("Clocks", frozenset({"sla", "ola", "hold", "hold_over", "resume", "correct", "prioritise", "pin"})),
    "pages": ("Pages and alerts", frozenset({"page", "alert", "calm", "detected"})),
    ALL: ("All", frozenset()),
}
"""key -> (what the filter calls it, the kinds); no kinds: every kind"""
LOOKED_FOR = frozenset({"hypothesis", "runbook"})
"""With the first of these the search for the cause has begun."""
HAPPENED = "happened"
"""The kind of what somebody adds with a time of its own."""


def kinds(group: str) -> frozenset[str] | None:
    """The kinds of a group; None for every kind, also when there is no such group."""
    return GROUPS.get(group, GROUPS[ALL])[1] or None
