"""Tiers of teams: where an escalation may go, and what it must hand over."""

from rules.errors import RuleError

EXTERNAL = "external"
_ORDER = ("1", "2", "3", EXTERNAL)
NAMES = {"1": "tier 1", "2": "tier 2", "3": "tier 3", EXTERNAL: "external vendor"}
LEAST_SUMMARY = 20
"""characters that a summary has at least: fewer tell nobody what to do next"""
PARTS = {"known": "What is known", "tried": "What was tried", "needed": "What is needed"}
"""what a useful summary tells, in this order"""


def is_above(tier: str, present: str | None) -> bool:
    """True when an incident of a team of the `present` tier (None: no team) may be escalated to a team of `tier`.

    Up is from 1 to 3, and to a vendor from everywhere, another vendor included.
    """
    return tier == EXTERNAL or present is None or _ORDER.index(tier) > _ORDER.index(present)


def check_escalation(team: str, tier: str, present_team: str | None, present_tier: str | None) -> None:
    """RuleError unless an incident may be escalated from the present team (None: it has none) to `team`."""
    if team == present_team:
        raise RuleError(f"{team} has it already. Choose a team of a higher tier.", field="team_id")
    if not is_above(tier, present_tier):
        raise RuleError(
            f"{team} ({NAMES[tier]}) is not above {present_team} ({NAMES[str(present_tier)]}). "
            "Choose a team of a higher tier, or assign it instead.",
            field="team_id",
        )


def check_summary(summary: str) -> None:
    """RuleError for a summary that is too short to be of use."""
    if len(" ".join(summary.split())) < LEAST_SUMMARY:
        raise RuleError(
            f"Say what is known, what was tried and what is needed, in at least {LEAST_SUMMARY} characters.",
            field="reason",
        )


def summary(known: str, tried: str, needed: str) -> str:
    """The parts that were written as one text, each under its name; empty when nothing was."""
    written = zip(PARTS.values(), (known, tried, needed), strict=True)
    return "\n".join(f"{name}: {words.strip()}" for name, words in written if words.strip())
