"""The figures that are counted, in words: what each counts, by which moment, and what is left out."""

from dataclasses import dataclass

from rules.errors import RuleError

NO_CANCELLED = "Cancelled incidents and duplicates of others are left out."
NO_TARGET = (
    f"{NO_CANCELLED} So is what has no target, such as imported incidents, and what still runs in time; the clock to "
    "resolve stands while an incident waits for the reporter, a vendor or a change."
)


@dataclass(frozen=True)
class Filters:
    """Which incidents are counted. Empty fields filter nothing."""

    team_id: int | None = None
    priority: int | None = None
    category_id: int | None = None
    service_id: int | None = None
    source: str | None = None
    pair_id: int | None = None
    """a category pair; 0: nobody has sorted it"""


@dataclass(frozen=True)
class Figure:
    """A set of incidents: those whose `moment` lies in the period and that meet all `conditions`."""

    key: str
    name: str
    definition: str
    moment: str
    conditions: tuple[str, ...] = ()
    left_out: str = "Nothing is left out."
    duration: str | None = None
    """the fact of which median and 90th percentile are said"""


FIGURES = {
    figure.key: figure
    for figure in (
        Figure("opened", "Opened", "Incidents reported in the period.", "reported"),
        Figure("resolved", "Resolved", "Incidents whose last resolution lies in the period.", "resolved"),
        Figure(
            "to_acknowledge",
            "Time to acknowledge",
            "First acknowledgement by a person minus reported (for alerts: minus detected), elapsed time, of what was "
            "acknowledged in the period.",
            "acknowledged",
            ("counted",),
            NO_CANCELLED,
            "to_acknowledge",
        ),
        Figure(
            "never_acknowledged",
            "Never acknowledged",
            "Reported in the period and not acknowledged by anybody so far.",
            "reported",
            ("unanswered",),
            NO_CANCELLED,
        ),
        Figure(
            "to_resolve",
            "Time to resolve",
            "Last resolved minus reported, elapsed time, of what was resolved in the period.",
            "resolved",
            ("counted",),
            NO_CANCELLED,
            "to_resolve",
        ),
        Figure(
            "to_recover",
            "Time to recover",
            "Recovered minus started (minus reported, where the start is unknown), elapsed time, of what recovered in "
            "the period.",
            "recovered",
            ("counted",),
            NO_CANCELLED,
            "to_recover",
        ),
        Figure(
            "response_met",
            "Answered in time",
            "Reported in the period, and acknowledged (or resolved) by its due time.",
            "reported",
            ("response_kept",),
            NO_TARGET,
        ),
        Figure(
            "response_missed",
            "Answered late",
            "Reported in the period, and acknowledged after its due time, or late and still waiting.",
            "reported",
            ("response_late",),
            NO_TARGET,
        ),
        Figure(
            "resolution_met",
            "Resolved in time",
            "Reported in the period, and resolved by its due time.",
            "reported",
            ("resolution_kept",),
            NO_TARGET,
        ),
        Figure(
            "resolution_missed",
            "Resolved late",
            "Reported in the period, and resolved after its due time, or late and still running.",
            "reported",
            ("resolution_late",),
            NO_TARGET,
        ),
        Figure(
            "response_due",
            "Answers promised",
            "Reported in the period, and answered in time or late.",
            "reported",
            ("response_due",),
            NO_TARGET,
        ),
        Figure(
            "resolution_due",
            "Resolutions promised",
            "Reported in the period, and resolved in time or late.",
            "reported",
            ("resolution_due",),
            NO_TARGET,
        ),
        Figure(
            "reopened",
            "Reopened",
            "Resolved in the period, and reopened at least once.",
            "resolved",
            ("counted", "reopened"),
            NO_CANCELLED,
        ),
        Figure(
            "first_line",
            "Fixed by the first line",
            "Resolved in the period by a team of tier 1, never handed over and never reopened.",
            "resolved",
            ("counted", "straight", "first_line"),
            NO_CANCELLED,
        ),
        Figure(
            "handed_over",
            "Handed over",
            "Reported in the period, and given from one team to another at least once.",
            "reported",
            ("handed_over",),
        ),
        Figure(
            "ping_pong",
            "Came back",
            "Reported in the period, and came back to a team that had it before.",
            "reported",
            ("ping_pong",),
        ),
        Figure(
            "still_open",
            "Still open",
            "Reported in the period, and not resolved, closed or cancelled so far.",
            "reported",
            ("open",),
        ),
        Figure(
            "severe",
            "Severe incidents",
            "Priority 1 or 2, or major, and not recovered at some time of the period. What is closed, and nobody said "
            "when it recovered, counts until it was resolved.",
            "began",
            ("severe",),
            NO_CANCELLED,
        ),
        Figure(
            "unresolved",
            "Backlog",
            "Reported before the end of the period, and not resolved, closed or cancelled by then.",
            "reported",
        ),
        Figure(
            "unclosed",
            "Not closed",
            "Reported before the end of the period, and neither closed nor cancelled by then.",
            "reported",
        ),
    )
}
LEVELS = {"unresolved": "done", "unclosed": "closed"}
"""figures that are counted at an instant, the end of the period, and the moment that ends them"""
MOMENTS = {
    "reported": "Reported",
    "acknowledged": "Acknowledged",
    "resolved": "Resolved",
    "recovered": "Recovered",
    "began": "Began",
}
"""the moments that figures go by, in words"""
LASTING = frozenset({"severe"})
"""figures that count what lasted at some time of the period"""


def figure(key: str) -> Figure:
    """The figure; RuleError when there is none such."""
    if key not in FIGURES:
        raise RuleError(f"There is no figure '{key}'. Choose one of: {', '.join(FIGURES)}.", field="figure")
    return FIGURES[key]
