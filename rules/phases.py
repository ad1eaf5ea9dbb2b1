"""The phases of an incident between the moments that are known: what an after-the-fact picture of it is drawn from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

UNNOTICED, DETECTED, ACKNOWLEDGED, DIAGNOSING, RESOLVED, RECOVERED = (
    "Unnoticed",
    "Detected",
    "Acknowledged",
    "Diagnosing",
    "Resolved",
    "Recovered",
)
MEANINGS = {
    UNNOTICED: "It had started, and nobody knew.",
    DETECTED: "It was known, and waited for somebody.",
    ACKNOWLEDGED: "Somebody had it, before the first suspicion or runbook.",
    DIAGNOSING: "The cause was looked for and mended.",
    RESOLVED: "The fix was in, and being tested.",
    RECOVERED: "The service was back.",
}
"""phase -> what it means, in the order in which they follow each other"""


@dataclass(frozen=True)
class Span:
    """One phase. `running`: it lasts still, and `end` is only now."""

    phase: str
    start: datetime
    end: datetime
    running: bool = False

    @property
    def seconds(self) -> float:
        return (self.end - self.start).total_seconds()


@dataclass(frozen=True)
class Course:
    """How an incident went: its phases in order, without a gap."""

    spans: tuple[Span, ...]
    recovered_at: datetime | None
    """with which they end"""
    left_out: tuple[str, ...]
    """phases whose moment lies after what should follow it, as moments that were corrected may"""


def course(moments: Mapping[str, datetime | None], now: datetime, *, over_at: datetime | None = None) -> Course:
    """The phases between `moments`, those of rules.moments and `diagnosing_at`; what is unknown is None or not there.

    A phase lasts until the next that is known; the last until `over_at`, when it was closed or cancelled, else until
    `now`. With 'recovered' it ends: what comes after is no interruption.
    """
    detected = moments.get("detected_at") or moments.get("reported_at")
    acknowledged, diagnosing = moments.get("acknowledged_at"), moments.get("diagnosing_at")
    if diagnosing is None or acknowledged is None or diagnosing <= acknowledged:
        acknowledged, diagnosing = None, acknowledged or diagnosing
    recovered = moments.get("recovered_at")
    begun = [
        (UNNOTICED, moments.get("started_at")),
        (DETECTED, detected),
        (ACKNOWLEDGED, acknowledged),
        (DIAGNOSING, diagnosing),
        (RESOLVED, moments.get("resolved_at")),
    ]
    known = [(phase, at) for phase, at in begun if at is not None]
    ends = recovered or over_at
    limit = ends or now
    spans: list[Span] = []
    left_out = []
    for phase, at in reversed(known):
        if at > limit:
            left_out.append(phase)
        elif at < limit:
            spans.append(Span(phase, at, limit, running=ends is None and not spans))
            limit = at
    return Course(tuple(reversed(spans)), recovered, tuple(reversed(left_out)))
